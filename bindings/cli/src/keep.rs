//! What a decision leaves on disk: a state that is replaced whole, and lines that are only appended.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::process;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::error::Error;

/// Replaces a file in one step: whoever reads it, also after a crash, finds the old content or the new.
pub(crate) fn replace(path: &Path, content: &[u8]) -> Result<(), Error> {
    // Behind a symbolic link it is the file that is replaced; the link stays.
    let target = fs::canonicalize(path).unwrap_or_else(|_| path.to_owned());
    let beside = beside(&target);
    let replaced = write_new(&beside, content, &target).and_then(|()| fs::rename(&beside, &target));
    if replaced.is_err() {
        // Often it was never made.
        let _ = fs::remove_file(&beside);
    }
    replaced.map_err(Error::write(path))
}

/// A name in the same directory that no other process uses. The process id alone would not do: containers
/// that share a volume tend to have the same.
fn beside(target: &Path) -> PathBuf {
    let name = target.file_name().unwrap_or_default().to_string_lossy();
    let nanoseconds = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_nanos());
    target.with_file_name(format!(".{name}.{}.{nanoseconds}", process::id()))
}

fn write_new(path: &Path, content: &[u8], like: &Path) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).open(path)?;
    if let Ok(metadata) = fs::metadata(like) {
        file.set_permissions(metadata.permissions())?;
    }
    file.write_all(content)?;
    file.sync_all()
}

/// Appends one line, in one write so that the lines of several processes do not mix.
pub(crate) fn append(path: &Path, line: &[u8]) -> Result<(), Error> {
    let append = || -> io::Result<()> {
        let mut file = OpenOptions::new().create(true).append(true).open(path)?;
        let mut whole = Vec::with_capacity(line.len() + 2);
        if ends_within_a_line(path) {
            whole.push(b'\n');
        }
        whole.extend_from_slice(line);
        whole.push(b'\n');
        file.write_all(&whole)?;
        if file.metadata()?.is_file() { file.sync_all() } else { Ok(()) }
    };
    append().map_err(Error::write(path))
}

/// Whether an earlier write was cut off, by a full disk for example.
fn ends_within_a_line(path: &Path) -> bool {
    let last = || -> io::Result<u8> {
        let mut last = [b'\n'];
        let mut file = File::open(path)?;
        if file.metadata()?.is_file() {
            file.seek(SeekFrom::End(-1))?;
            file.read_exact(&mut last)?;
        }
        let [last] = last;
        Ok(last)
    };
    // An empty file has no last byte.
    last().is_ok_and(|last| last != b'\n')
}
