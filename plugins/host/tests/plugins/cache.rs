//! Compiled code is kept where only its owner can write, and run only as it was kept.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use davy_plugins::{Cache, Limits, PluginError, PluginHost};

use crate::support::{comes_of, sum};

struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("davy-plugins-{name}-{}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn cache(&self) -> PathBuf {
        self.0.join("compiled")
    }

    fn kept(&self) -> Vec<PathBuf> {
        fs::read_dir(self.cache()).unwrap().map(|entry| entry.unwrap().path()).collect()
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn host(folder: &Folder) -> PluginHost {
    PluginHost::builder().cache(Cache::new(folder.cache()).unwrap()).build().unwrap()
}

/// A host, and the codes of what its cache told.
fn told(folder: &Folder) -> (PluginHost, Arc<Mutex<Vec<String>>>) {
    let told = Arc::new(Mutex::new(Vec::new()));
    let heard = Arc::clone(&told);
    let tell = move |fault: &PluginError| heard.lock().unwrap().push(fault.to_string()[..4].to_owned());
    let cache = Cache::new(folder.cache()).unwrap().telling(tell);
    (PluginHost::builder().cache(cache).build().unwrap(), told)
}

#[test]
fn what_was_compiled_is_found_by_the_next_host() {
    let folder = Folder::new("next");
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
    let [kept] = folder.kept().try_into().unwrap();
    let mode = |path: &PathBuf| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&folder.cache()), mode(&kept)), (0o700, 0o600));
    let before = fs::metadata(&kept).unwrap().modified().unwrap();
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
    assert_eq!(fs::metadata(&kept).unwrap().modified().unwrap(), before, "it was read, not made again");
}

#[test]
fn code_that_was_changed_is_not_run() {
    let folder = Folder::new("changed");
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
    let kept = folder.kept().remove(0);
    let whole = fs::read(&kept).unwrap();
    let middle = whole.len() / 2;
    let mut flipped = whole.clone();
    flipped[middle] ^= 1;
    let open = || fs::set_permissions(&kept, fs::Permissions::from_mode(0o644)).unwrap();
    for broken in [flipped, whole[..middle].to_vec(), Vec::new(), b"\x7fELF".to_vec()] {
        fs::write(&kept, &broken).unwrap();
        let (host, told) = told(&folder);
        assert_eq!(comes_of(&host, &sum()), "6");
        assert_eq!(fs::read(&kept).unwrap().len(), whole.len(), "compiled and kept again");
        assert_eq!(*told.lock().unwrap(), ["W017"], "and somebody is told");
    }
    open();
    let (host, told) = told(&folder);
    assert_eq!(comes_of(&host, &sum()), "6");
    assert_eq!(*told.lock().unwrap(), ["W017"]);
}

#[test]
fn code_that_cannot_be_kept_is_told_and_runs() {
    let folder = Folder::new("full");
    let (host, told) = told(&folder);
    // Whoever this process is, nothing can be written into what is not there.
    fs::remove_dir(folder.cache()).unwrap();
    assert_eq!(comes_of(&host, &sum()), "6");
    assert_eq!(*told.lock().unwrap(), ["W015"]);
}

#[test]
fn drafts_of_processes_that_ended_are_in_nobodys_way() {
    let folder = Folder::new("drafts");
    fs::create_dir(folder.cache()).unwrap();
    fs::set_permissions(folder.cache(), fs::Permissions::from_mode(0o700)).unwrap();
    let probe = format!("probe-{}-{:?}", std::process::id(), std::thread::current().id());
    fs::write(folder.cache().join(probe), "").unwrap();
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
}

#[test]
fn folders_that_others_can_open_are_refused() {
    let folder = Folder::new("open");
    fs::create_dir(folder.cache()).unwrap();
    fs::set_permissions(folder.cache(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(Cache::new(folder.cache()), Err(PluginError::Cache { .. })));
    fs::set_permissions(folder.cache(), fs::Permissions::from_mode(0o700)).unwrap();
    assert!(Cache::new(folder.cache()).is_ok());
    let link = folder.0.join("link");
    symlink(folder.cache(), &link).unwrap();
    assert!(matches!(Cache::new(link), Err(PluginError::Cache { .. })));
    let file = folder.0.join("file");
    fs::write(&file, "").unwrap();
    assert!(matches!(Cache::new(file), Err(PluginError::Cache { .. })));
}

#[test]
fn other_limits_share_the_code_and_not_the_name_of_what_runs_it() {
    let folder = Folder::new("settings");
    let first = host(&folder);
    assert_eq!(comes_of(&first, &sum()), "6");
    let mut less_memory = Limits::DEFAULT;
    less_memory.memory = 1 << 20;
    let mut less_fuel = Limits::DEFAULT;
    less_fuel.fuel = 1_000_000;
    let mut less_stack = Limits::DEFAULT;
    less_stack.stack = 128 << 10;
    let mut names = vec![first.engine().to_owned()];
    for limits in [less_memory, less_fuel, less_stack] {
        let other = PluginHost::builder().cache(Cache::new(folder.cache()).unwrap()).limits(limits).on_demand();
        let other = other.build().unwrap();
        assert_eq!(comes_of(&other, &sum()), "6");
        names.push(other.engine().to_owned());
    }
    assert_eq!(folder.kept().len(), 1, "code depends on none of them");
    names.sort();
    names.dedup();
    assert_eq!(names.len(), 4, "what a call comes to does: {names:?}");
    let mut patient = Limits::DEFAULT;
    patient.deadline *= 2;
    patient.component *= 2;
    let patient = PluginHost::builder().limits(patient).on_demand().build().unwrap();
    assert_eq!(patient.engine(), first.engine(), "neither a deadline nor a pool changes a result");
}

/// The fingerprint in a file's name is that of the settings that code depends on.
#[cfg(feature = "pulley")]
#[test]
fn interpreted_code_is_kept_beside_the_processors() {
    let folder = Folder::new("interpreted");
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
    let other = PluginHost::builder().cache(Cache::new(folder.cache()).unwrap()).interpreted().build().unwrap();
    assert_eq!(comes_of(&other, &sum()), "6");
    assert_eq!(folder.kept().len(), 2);
}
