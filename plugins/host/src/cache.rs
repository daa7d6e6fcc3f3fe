//! Compiled code, kept for the next process in a folder that nobody else can write.
//!
//! Compiled code is run as it is: whoever can change it can do what the host can. So the folder and its files must
//! belong to the process's own user and be closed to others, and what is read is held against a digest. The only
//! code in it is what this host compiled; nobody can hand any in.
//!
//! A file is of one component and one fingerprint of the engine: its version, the processor, and the settings that code
//! depends on. [`Limits`](crate::Limits) are none of them. They are checked while code runs, and before it is read where
//! they refuse the component, so hosts with other limits, and with and without a pool, share what was compiled.

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read as _, Write as _};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

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

/// Tells drafts of one process apart.
static DRAFTS: AtomicU64 = AtomicU64::new(0);

type Tell = Arc<dyn Fn(&PluginError) + Send + Sync>;

/// A private folder for compiled code.
#[derive(Clone)]
pub struct Cache {
    folder: PathBuf,
    tell: Option<Tell>,
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

    /// Is told whenever code cannot be kept ([`PluginError::Cache`]), or what was kept cannot be used
    /// ([`PluginError::CacheEntry`]). Neither keeps a plugin from being loaded: it is compiled.
    #[must_use]
    pub fn telling(mut self, tell: impl Fn(&PluginError) + Send + Sync + 'static) -> Self {
        self.tell = Some(Arc::new(tell));
        self
    }

    pub(crate) fn tell(&self, fault: &PluginError) {
        if let Some(tell) = &self.tell {
            tell(fault);
        }
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
        // One that is there was left by a process of the same number.
        let _ = fs::remove_file(&probe);
        let user = private(&probe).and_then(|file| file.metadata()).map(|file| file.uid());
        let _ = fs::remove_file(&probe);
        let user = user.map_err(|error| error.to_string())?;
        if user != found.uid() {
            return Err("it belongs to another user".to_owned());
        }
        Ok(Self { folder: folder.to_owned(), tell: None, user })
    }

    #[cfg(not(unix))]
    fn checked(_: &Path) -> Result<Self, String> {
        Err("this system has no owners and modes to check".to_owned())
    }

    /// The compiled component, if it is there.
    ///
    /// # Errors
    /// [`PluginError::CacheEntry`] where it is not what was kept.
    pub(crate) fn get(
        &self,
        engine: &Engine,
        component: Digest,
        config: Digest,
    ) -> Result<Option<Component>, PluginError> {
        let path = self.path(component, config);
        let found = self.read(&path).and_then(|code| code.map(|code| compiled(engine, code)).transpose());
        found.map_err(|why| PluginError::CacheEntry { path, why })
    }

    /// Keeps a compiled component.
    ///
    /// # Errors
    /// [`PluginError::Cache`] where it cannot be written; then it is compiled again the next time.
    pub(crate) fn put(&self, compiled: &Component, component: Digest, config: Digest) -> Result<(), PluginError> {
        let refused = |why: String| PluginError::Cache { path: self.folder.clone(), why };
        let payload = compiled.serialize().map_err(|error| refused(format!("{error:#}")))?;
        let path = self.path(component, config);
        let number = DRAFTS.fetch_add(1, Ordering::Relaxed);
        let draft = path.with_extension(format!("{}-{number}.draft", std::process::id()));
        let write = || -> std::io::Result<()> {
            // One that is there was left by a process of the same number.
            let _ = fs::remove_file(&draft);
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
        written.map_err(|error| refused(error.to_string()))
    }

    fn path(&self, component: Digest, config: Digest) -> PathBuf {
        let hex = |digest: Digest| digest.to_string().trim_start_matches("sha256:").to_owned();
        self.folder.join(format!("{}-{}.cwasm", hex(component), hex(config)))
    }

    /// A file's bytes; nothing where there is none.
    #[cfg(unix)]
    fn read(&self, path: &Path) -> Result<Option<Vec<u8>>, String> {
        use std::os::unix::fs::MetadataExt as _;
        let failed = |error: std::io::Error| error.to_string();
        let link = match fs::symlink_metadata(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(None),
            found => found.map_err(failed)?,
        };
        let mut file = File::open(path).map_err(failed)?;
        let found = file.metadata().map_err(failed)?;
        if !found.is_file() || (link.dev(), link.ino()) != (found.dev(), found.ino()) {
            return Err("it is no file, or a link".to_owned());
        }
        if found.uid() != self.user {
            return Err("it belongs to another user".to_owned());
        }
        if found.mode() & 0o077 != 0 {
            return Err(format!("others can open it (mode {:03o}): it must have mode 600", found.mode() & 0o777));
        }
        if found.len() > LARGEST {
            return Err(format!("it has more than {LARGEST} bytes"));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(found.len()).unwrap_or_default());
        file.read_to_end(&mut bytes).map_err(failed)?;
        Ok(Some(bytes))
    }

    #[cfg(not(unix))]
    fn read(&self, _: &Path) -> Result<Option<Vec<u8>>, String> {
        Ok(None)
    }
}

impl fmt::Debug for Cache {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Cache").field("folder", &self.folder).finish_non_exhaustive()
    }
}

/// Code that was kept, checked.
fn compiled(engine: &Engine, mut code: Vec<u8>) -> Result<Component, String> {
    let payload = code.split_off(HEADER.min(code.len()));
    let (magic, digest) = code.split_at_checked(MAGIC.len()).unwrap_or_default();
    if magic != MAGIC || digest != Digest::of(&payload).as_bytes() {
        return Err("it was changed after it was kept".to_owned());
    }
    deserialize(engine, &payload)
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
fn deserialize(engine: &Engine, code: &[u8]) -> Result<Component, String> {
    // SAFETY: the bytes are what `Component::serialize` gave to this user's process under the same engine settings:
    // they were read from a file that only this user can write, whose name holds the settings' fingerprint, and they
    // match the digest that was written with them. The engine checks version and settings once more.
    unsafe { Component::deserialize(engine, code) }.map_err(|error| format!("{error:#}"))
}
