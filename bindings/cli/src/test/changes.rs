//! Whether anything changed that tests depend on. Looks at files again and again: no service of the system is needed.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::suite::{Tested, files};

/// The size of a file, and when it was written last; nothing for one that cannot be asked.
type Stamp = Option<(u64, SystemTime)>;

/// The files that were looked at, as they were.
pub(super) struct Footprint {
    tests: Vec<PathBuf>,
    stamps: BTreeMap<PathBuf, Stamp>,
}

impl Footprint {
    /// The files of tests, as they are now.
    pub(super) fn of(paths: &[PathBuf]) -> Self {
        let tests = files(paths).unwrap_or_default();
        let stamps = tests.iter().map(|path| (path.clone(), stamp(path))).collect();
        Self { tests, stamps }
    }

    /// What the tests read as well: policies, folder and files, and snapshots.
    pub(super) fn add(&mut self, tested: &Tested) {
        for suite in &tested.suites {
            let folder = suite.path.parent().unwrap_or(Path::new(""));
            let snapshots = suite.tests.iter().flat_map(davy::testing::PolicyTests::files);
            let mut read: Vec<PathBuf> = snapshots.map(|name| folder.join(name)).collect();
            // A file that comes or goes changes its folder.
            read.push(suite.policy.clone());
            if let Ok(entries) = fs::read_dir(&suite.policy) {
                read.extend(entries.filter_map(|entry| Some(entry.ok()?.path())));
            }
            self.stamps.extend(read.into_iter().map(|path| (path.clone(), stamp(&path))));
        }
    }

    /// Whether anything is otherwise by now.
    pub(super) fn changed(&self, paths: &[PathBuf]) -> bool {
        self.stamps.iter().any(|(path, known)| stamp(path) != *known) || files(paths).unwrap_or_default() != self.tests
    }
}

fn stamp(path: &Path) -> Stamp {
    let metadata = fs::metadata(path).ok()?;
    Some((metadata.len(), metadata.modified().ok()?))
}
