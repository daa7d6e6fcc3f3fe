//! Bytes with a length: borrowed ones that come in, owned ones that go out.

use std::mem::ManuallyDrop;
use std::slice;

use crate::error::Error;

/// Bytes that somebody else owns. `data` may be null where `len` is 0.
#[repr(C)]
#[derive(Clone, Copy)]
pub struct davy_bytes {
    /// The first byte.
    pub data: *const u8,
    /// How many there are.
    pub len: usize,
}

/// Bytes that davy made; the caller frees them with `davy_buffer_free`. There is a zero behind the last one, which is not counted.
#[repr(C)]
pub struct davy_buffer {
    /// The first byte.
    pub data: *mut u8,
    /// How many there are.
    pub len: usize,
    /// How much memory they have; davy's own business.
    pub capacity: usize,
}

/// Frees bytes that davy made, and leaves none behind. Null, or a buffer that is free already, is fine.
///
/// # Safety
/// `buffer` is null, or points at a buffer that davy filled or that is all zeros.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn davy_buffer_free(buffer: *mut davy_buffer) {
    // SAFETY: the caller's promise.
    let Some(buffer) = (unsafe { buffer.as_mut() }) else { return };
    let taken = std::mem::replace(buffer, davy_buffer::EMPTY);
    if !taken.data.is_null() {
        // SAFETY: these three came out of a vector in `davy_buffer::new`, and are given back once.
        drop(unsafe { Vec::from_raw_parts(taken.data, taken.len, taken.capacity) });
    }
}

impl davy_buffer {
    pub(crate) const EMPTY: Self = Self { data: std::ptr::null_mut(), len: 0, capacity: 0 };

    pub(crate) fn new(mut bytes: Vec<u8>) -> Self {
        let len = bytes.len();
        bytes.push(0);
        let mut bytes = ManuallyDrop::new(bytes);
        Self { data: bytes.as_mut_ptr(), len, capacity: bytes.capacity() }
    }
}

impl davy_bytes {
    pub(crate) fn of(bytes: &[u8]) -> Self {
        Self { data: bytes.as_ptr(), len: bytes.len() }
    }

    /// The bytes, for as long as the call lasts.
    ///
    /// # Safety
    /// They are readable for `'a`.
    pub(crate) unsafe fn get<'a>(self) -> Result<&'a [u8], Error> {
        // SAFETY: the caller's promise.
        unsafe { column(self.data, self.len) }
    }

    /// The same as text.
    ///
    /// # Safety
    /// They are readable for `'a`.
    pub(crate) unsafe fn text<'a>(self) -> Result<&'a str, Error> {
        // SAFETY: the caller's promise.
        let bytes = unsafe { self.get() }?;
        std::str::from_utf8(bytes).map_err(|error| Error::usage(format!("text is not UTF-8: {error}")))
    }
}

/// The values of a column.
///
/// # Safety
/// `data` points at `len` initialised values that live for `'a`, or is null with `len` 0.
pub(crate) unsafe fn column<'a, T>(data: *const T, len: usize) -> Result<&'a [T], Error> {
    if len == 0 {
        return Ok(&[]);
    }
    let fits = len.checked_mul(size_of::<T>()).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if data.is_null() || !data.is_aligned() || !fits {
        return Err(Error::usage(format!("a pointer to {len} values is null, unaligned, or they are too many")));
    }
    // SAFETY: not null, aligned, small enough; that the values are there is the caller's promise.
    Ok(unsafe { slice::from_raw_parts(data, len) })
}
