//! Bundles: the documents of one service.

use davy::{Bundle, Diagnostic};

use crate::bytes::{column, davy_buffer, davy_bytes};
use crate::error::{Error, davy_error};
use crate::handle::{Handle, answer, borrow, free, give, handle, put};

/// One file of a bundle.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_file {
    /// Its path, as errors shall name it.
    pub path: davy_bytes,
    /// What is in it.
    pub content: davy_bytes,
}

/// The documents of one service: read, checked, compiled, under one digest.
pub struct davy_bundle(pub(crate) Handle<Bundle>);

handle!(davy_bundle, Bundle);

/// Frees it; null is fine.
///
/// # Safety
/// It is null, or came from this library and was not freed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_bundle_free(handle: *mut davy_bundle) {
    // SAFETY: the caller's promise.
    unsafe { free(handle) };
}

/// Reads the files of a bundle.
///
/// # Safety
/// `files` points at `count` files whose bytes are readable; `out` points at room for a pointer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_bundle_new(
    files: *const davy_file,
    count: usize,
    out: *mut *mut davy_bundle,
) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let files = unsafe { contents(files, count) }?;
        let bundle = davy_bundle::new(Bundle::with_languages(files, &davy_rules::expectations())?);
        // SAFETY: the caller's promise.
        unsafe { give(out, bundle) }
    })
}

/// Everything that is wrong with files, or probably does not do what their author expects, as a JSON list. A list with errors is no
/// error of the call.
///
/// # Safety
/// `files` points at `count` files whose bytes are readable; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_lint(files: *const davy_file, count: usize, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let files = unsafe { contents(files, count) }?;
        let json = match Bundle::with_languages(files, &davy_rules::expectations()) {
            Ok(bundle) => diagnostics_json(bundle.warnings()),
            Err(refused) => diagnostics_json(refused.diagnostics()),
        };
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(json?)) }
    })
}

/// The digest over the paths and bytes of its files, as text.
///
/// # Safety
/// `bundle` is a bundle of this library; `out` points at room for a buffer.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_bundle_digest(bundle: *const davy_bundle, out: *mut davy_buffer) -> *mut davy_error {
    answer(|| {
        // SAFETY: the caller's promise.
        let bundle = unsafe { borrow(bundle, "the bundle") }?.0.get()?;
        // SAFETY: the caller's promise.
        unsafe { put(out, davy_buffer::new(bundle.digest().to_string().into_bytes())) }
    })
}

/// # Safety
/// `files` points at `count` files whose bytes are readable for `'a`.
unsafe fn contents<'a>(files: *const davy_file, count: usize) -> Result<Vec<(&'a str, &'a [u8])>, Error> {
    // SAFETY: the caller's promise.
    let files = unsafe { column(files, count) }?;
    let content = |file: &davy_file| {
        // SAFETY: the caller's promise.
        let path = unsafe { file.path.text() }?;
        // SAFETY: the caller's promise.
        Ok((path, unsafe { file.content.get() }?))
    };
    files.iter().map(content).collect()
}

/// Diagnostics as the command line's `--format json` has them.
pub(crate) fn diagnostics_json(diagnostics: &[Diagnostic]) -> Result<Vec<u8>, Error> {
    Ok(serde_json::to_vec(diagnostics)?)
}
