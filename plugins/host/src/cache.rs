//! Compiled code, kept for the next process in a folder that nobody else can write.
//!
//! Compiled code is run as it is: whoever can change it can do what the host can. So the folder and its files must
//! belong to the process's own user and be closed to others, and what is read is held against a digest. The only
//! code in it is what this host compiled; nobody can hand any in.

use std::fs::{self, File, OpenOptions};
use std::io::{Read as _, Write as _};
use std::path::{Path, PathBuf};

use davy::Digest;
use wasmtime::Engine;
use wasmtime::component::Component;

use crate::error::PluginError;

/// What each file begins with: changes when the layout does.
const MAGIC: &[u8; 16] = b"davy compiled 1\n";
/// Magic, and the digest of what follows.
const HEADER: usize = 16 + 32;
/// The largest file that is read, in bytes.
const LARGEST: u64 = 512 << 20;

/// A private folder for compiled code.
#[derive(Debug, Clone)]
pub struct Cache {
    folder: PathBuf,
    /// The user that files of this process belong to.
    #[cfg(unix)]
    user: u32,
}

impl Cache {
    /// The folder, which is made if it is missing; its parent must exist.
    ///
    /// # Errors
    /// [`PluginError::Cache`] where it is a link, belongs to another user, or is open to others; and on systems
    /// without users as Unix has them.
    pub fn new(folder: impl Into<PathBuf>) -> Result<Self, PluginError> {
        let folder = folder.into();
        Self::checked(&folder).map_err(|why| PluginError::Cache { path: folder, why })
    }

    #[cfg(unix)]
    fn checked(folder: &Path) -> Result<Self, String> {
        use std::os::unix::fs::{DirBuilderExt as _, MetadataExt as _};
        match fs::DirBuilder::new().mode(0o700).create(folder) {
            Err(error) if error.kind() != std::io::ErrorKind::AlreadyExists => return Err(error.to_string()),
            _ => {}
        }
        let found = fs::symlink_metadata(folder).map_err(|error| error.to_string())?;
        if !found.is_dir() {
            return Err("it is no folder".to_owned());
        }
        if found.mode() & 0o077 != 0 {
            return Err(format!("others can open it (mode {:03o}): it must have mode 700", found.mode() & 0o777));
        }
        // The owner of a new file is who this process is.
        let probe = folder.join(format!("probe-{}-{:?}", std::process::id(), std::thread::current().id()));
        let user = private(&probe).and_then(|file| file.metadata()).map(|file| file.uid());
        let _ = fs::remove_file(&probe);
        let user = user.map_err(|error| error.to_string())?;
        if user != found.uid() {
            return Err("it belongs to another user".to_owned());
        }
        Ok(Self { folder: folder.to_owned(), user })
    }

    #[cfg(not(unix))]
    fn checked(_: &Path) -> Result<Self, String> {
        Err("this system has no owners and modes to check".to_owned())
    }

    /// The compiled component, if it is there and is what was kept.
    pub(crate) fn get(&self, engine: &Engine, component: Digest, config: Digest) -> Option<Component> {
        let mut code = self.read(&self.path(component, config))?;
        let payload = code.split_off(HEADER.min(code.len()));
        let kept = code.get(MAGIC.len()..)?;
        if code.get(..MAGIC.len())? != MAGIC || kept != Digest::of(&payload).as_bytes() {
            return None;
        }
        deserialize(engine, &payload)
    }

    /// Keeps a compiled component. Whatever fails, it is compiled again the next time.
    pub(crate) fn put(&self, compiled: &Component, component: Digest, config: Digest) -> Option<()> {
        let payload = compiled.serialize().ok()?;
        let path = self.path(component, config);
        let draft = path.with_extension(format!("{}.draft", std::process::id()));
        let write = || -> std::io::Result<()> {
            let mut file = private(&draft)?;
            file.write_all(MAGIC)?;
            file.write_all(Digest::of(&payload).as_bytes())?;
            file.write_all(&payload)?;
            // Whole or not at all, also for those who read at this moment.
            fs::rename(&draft, &path)
        };
        let written = write();
        if written.is_err() {
            let _ = fs::remove_file(&draft);
        }
        written.ok()
    }

    fn path(&self, component: Digest, config: Digest) -> PathBuf {
        let hex = |digest: Digest| digest.to_string().trim_start_matches("sha256:").to_owned();
        self.folder.join(format!("{}-{}.cwasm", hex(component), hex(config)))
    }

    #[cfg(unix)]
    fn read(&self, path: &Path) -> Option<Vec<u8>> {
        use std::os::unix::fs::MetadataExt as _;
        let link = fs::symlink_metadata(path).ok()?;
        let mut file = File::open(path).ok()?;
        let found = file.metadata().ok()?;
        let same = (link.dev(), link.ino()) == (found.dev(), found.ino());
        let private = found.uid() == self.user && found.mode() & 0o077 == 0;
        if !found.is_file() || !same || !private || found.len() > LARGEST {
            return None;
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).ok()?);
        file.read_to_end(&mut bytes).ok()?;
        Some(bytes)
    }

    #[cfg(not(unix))]
    fn read(&self, _: &Path) -> Option<Vec<u8>> {
        None
    }
}

#[cfg(unix)]
fn private(path: &Path) -> std::io::Result<File> {
    use std::os::unix::fs::OpenOptionsExt as _;
    OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)
}

#[cfg(not(unix))]
fn private(path: &Path) -> std::io::Result<File> {
    OpenOptions::new().write(true).create_new(true).open(path)
}

#[allow(unsafe_code, reason = "wasmtime cannot check compiled code")]
fn deserialize(engine: &Engine, code: &[u8]) -> Option<Component> {
    // SAFETY: the bytes are what `Component::serialize` gave to this user's process under the same engine settings:
    // they were read from a file that only this user can write, whose name holds the settings' fingerprint, and they
    // match the digest that was written with them. The engine checks version and settings once more.
    unsafe { Component::deserialize(engine, code) }.ok()
}
