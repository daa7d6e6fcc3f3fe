//! Errors as objects: what went wrong, where, and what to do about it.

use std::ptr;

use davy::{AgendaError, BundleError, CanonicalError, Diagnostic, ReplayError, SeriesError, SnapshotError};

use crate::bytes::{davy_buffer, davy_bytes};

/// What kind of error it is.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum davy_error_kind {
    /// The caller broke a rule of this interface, such as a null pointer where none may be.
    DAVY_USAGE = 1,
    /// A bundle is refused; `davy_error_json` lists everything that is wrong.
    DAVY_POLICY = 2,
    /// JSON is no snapshot, state or record.
    DAVY_SNAPSHOT = 3,
    /// Columns make no intervals.
    DAVY_SERIES = 4,
    /// A record does not replay.
    DAVY_REPLAY = 5,
    /// A decision has no canonical form.
    DAVY_SEAL = 6,
    /// A probe cannot run, or its host does not follow the protocol.
    DAVY_PROBE = 7,
    /// davy panicked, which is a bug. The handles that the call could change are poisoned.
    DAVY_PANIC = 8,
    /// An earlier call panicked while it changed this handle, which can now only be freed.
    DAVY_POISONED = 9,
    /// A WebAssembly plugin, or the folder for compiled ones, is refused.
    DAVY_PLUGIN = 10,
}

/// What went wrong. Its texts live as long as it does.
pub struct davy_error(Error);

/// Behind one pointer, so that passing it on costs no more than the answer it stands in for.
pub(crate) struct Error(Box<Detail>);

struct Detail {
    kind: davy_error_kind,
    code: String,
    message: String,
    file: String,
    line: u32,
    column: u32,
    hint: String,
    diagnostics: Vec<Diagnostic>,
}

impl Error {
    pub(crate) fn new(kind: davy_error_kind, message: impl Into<String>) -> Self {
        Self(Box::new(Detail {
            kind,
            code: String::new(),
            message: message.into(),
            file: String::new(),
            line: 0,
            column: 0,
            hint: String::new(),
            diagnostics: Vec::new(),
        }))
    }

    pub(crate) fn usage(message: impl Into<String>) -> Self {
        Self::new(davy_error_kind::DAVY_USAGE, message)
    }

    pub(crate) fn null(what: &str) -> Self {
        Self::usage(format!("{what} is null"))
    }

    pub(crate) fn probe(message: impl Into<String>) -> Self {
        Self::new(davy_error_kind::DAVY_PROBE, message)
    }

    pub(crate) fn panicked() -> Self {
        Self::new(davy_error_kind::DAVY_PANIC, "davy panicked; this is a bug of davy's")
    }

    pub(crate) fn poisoned() -> Self {
        Self::new(davy_error_kind::DAVY_POISONED, "an earlier call panicked while it changed this handle; free it")
    }

    /// What is wrong with documents, at the place of the first of it.
    fn of_policy(message: String, diagnostics: &[Diagnostic]) -> Self {
        let mut error = Self::new(davy_error_kind::DAVY_POLICY, message);
        if let Some(first) = diagnostics.first() {
            first.code.as_str().clone_into(&mut error.0.code);
            (error.0.line, error.0.column) = (first.position.line, first.position.column);
            error.0.file = first.position.file.to_string();
            error.0.hint = first.hint.clone().unwrap_or_default();
        }
        error.0.diagnostics = diagnostics.to_vec();
        error
    }

    pub(crate) fn into_raw(self) -> *mut davy_error {
        Box::into_raw(Box::new(davy_error(self)))
    }
}

impl From<BundleError> for Error {
    fn from(refused: BundleError) -> Self {
        Self::of_policy(refused.to_string(), refused.diagnostics())
    }
}

impl From<SnapshotError> for Error {
    fn from(refused: SnapshotError) -> Self {
        let mut error = Self::new(davy_error_kind::DAVY_SNAPSHOT, refused.to_string());
        error.0.code = refused.code.to_string();
        error.0.line = u32::try_from(refused.line).unwrap_or(u32::MAX);
        error.0.column = u32::try_from(refused.column).unwrap_or(u32::MAX);
        error.0.hint = refused.hint.unwrap_or_default();
        error
    }
}

impl From<SeriesError> for Error {
    fn from(refused: SeriesError) -> Self {
        Self::new(davy_error_kind::DAVY_SERIES, refused.to_string())
    }
}

impl From<ReplayError> for Error {
    fn from(refused: ReplayError) -> Self {
        Self::new(davy_error_kind::DAVY_REPLAY, refused.to_string())
    }
}

impl From<CanonicalError> for Error {
    fn from(refused: CanonicalError) -> Self {
        Self::new(davy_error_kind::DAVY_SEAL, refused.to_string())
    }
}

impl From<AgendaError> for Error {
    fn from(refused: AgendaError) -> Self {
        Self::usage(refused.to_string())
    }
}

impl From<serde_json::Error> for Error {
    fn from(refused: serde_json::Error) -> Self {
        Self::new(davy_error_kind::DAVY_SEAL, refused.to_string())
    }
}

#[cfg(feature = "plugins")]
impl From<::davy_plugins::PluginError> for Error {
    fn from(refused: ::davy_plugins::PluginError) -> Self {
        let message = refused.to_string();
        if let ::davy_plugins::PluginError::Documents(diagnostics) = refused {
            return Self::of_policy(message, &diagnostics);
        }
        let mut error = Self::new(davy_error_kind::DAVY_PLUGIN, message);
        // Messages begin with the code.
        error.0.code = error.0.message.split(':').next().unwrap_or_default().to_owned();
        error
    }
}

/// Of which kind an error is. Null is `DAVY_USAGE`.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_kind_of(error: *const davy_error) -> davy_error_kind {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(davy_error_kind::DAVY_USAGE, |error| error.0.0.kind)
}

/// Reads one text of an error.
///
/// # Safety
/// `error` is null or an error of this library.
unsafe fn text(error: *const davy_error, read: impl FnOnce(&Error) -> &str) -> davy_bytes {
    // SAFETY: the caller's promise.
    let error = unsafe { error.as_ref() };
    error.map_or(davy_bytes { data: ptr::null(), len: 0 }, |error| davy_bytes::of(read(&error.0).as_bytes()))
}

/// The whole sentence, with its place and hint.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_message(error: *const davy_error) -> davy_bytes {
    // SAFETY: the caller's promise.
    unsafe { text(error, |error| &error.0.message) }
}

/// A stable code such as `D011` or `S004`; empty where there is none.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_code(error: *const davy_error) -> davy_bytes {
    // SAFETY: the caller's promise.
    unsafe { text(error, |error| &error.0.code) }
}

/// The file of a bundle that is wrong; empty where there is none.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_file(error: *const davy_error) -> davy_bytes {
    // SAFETY: the caller's promise.
    unsafe { text(error, |error| &error.0.file) }
}

/// What to do about it; empty where davy does not know.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_hint(error: *const davy_error) -> davy_bytes {
    // SAFETY: the caller's promise.
    unsafe { text(error, |error| &error.0.hint) }
}

/// The line, from 1; 0 where there is none.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_line(error: *const davy_error) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(0, |error| error.0.0.line)
}

/// The column, from 1; 0 where there is none.
///
/// # Safety
/// `error` is null or an error of this library.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_column(error: *const davy_error) -> u32 {
    // SAFETY: the caller's promise.
    unsafe { error.as_ref() }.map_or(0, |error| error.0.0.column)
}

/// Everything that is wrong with a bundle, as a JSON list of diagnostics; empty for other errors.
///
/// # Safety
/// `error` is null or an error of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_json(error: *const davy_error, out: *mut davy_buffer) {
    // SAFETY: the caller's promise.
    let diagnostics = unsafe { error.as_ref() }.map_or(&[][..], |error| &error.0.0.diagnostics);
    let json = crate::bundle::diagnostics_json(diagnostics).unwrap_or_default();
    if !out.is_null() {
        // SAFETY: not null; the room is the caller's promise.
        unsafe { out.write(davy_buffer::new(json)) };
    }
}

/// Frees an error; null is fine.
///
/// # Safety
/// `error` is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_error_free(error: *mut davy_error) {
    // SAFETY: the caller's promise.
    unsafe { crate::handle::free(error) };
}
