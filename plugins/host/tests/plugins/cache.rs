//! Compiled code is kept where only its owner can write, and run only as it was kept.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::path::PathBuf;

use davy_plugins::{Cache, PluginError, PluginHost};

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
        assert_eq!(comes_of(&host(&folder), &sum()), "6");
        assert_eq!(fs::read(&kept).unwrap().len(), whole.len(), "compiled and kept again");
    }
    open();
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
fn other_settings_have_code_of_their_own() {
    let folder = Folder::new("settings");
    assert_eq!(comes_of(&host(&folder), &sum()), "6");
    let mut limits = davy_plugins::Limits::DEFAULT;
    limits.memory = 1 << 20;
    let other = PluginHost::builder().cache(Cache::new(folder.cache()).unwrap()).limits(limits).on_demand();
    assert_eq!(comes_of(&other.build().unwrap(), &sum()), "6");
    assert!(!folder.kept().is_empty());
}
