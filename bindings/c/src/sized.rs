//! Structures that begin with their size: a host that was compiled against an older header has less of them.

use std::mem::MaybeUninit;

use crate::error::Error;

/// A structure of the interface that may grow at its end.
///
/// # Safety
/// It is `repr(C)`, its first field is its size as a `usize`, and all zeros are a value of it.
pub(crate) unsafe trait Grows: Copy {}

/// What a host points at, with zeros for the fields that it does not know; all zeros for null.
///
/// # Safety
/// `given` is null, or points at as many readable bytes as its first field says.
pub(crate) unsafe fn read<T: Grows>(given: *const T) -> Result<T, Error> {
    if given.is_null() {
        // SAFETY: all zeros are a value, by the trait's promise.
        return Ok(unsafe { MaybeUninit::zeroed().assume_init() });
    }
    // SAFETY: the caller's promise.
    let size = unsafe { stated_size(given) }?;
    // SAFETY: the caller's promise.
    Ok(unsafe { copied(given, size) })
}

/// The same of an array, whose structures lie as far apart as the first of them says that it is large.
///
/// # Safety
/// `given` points at `count` structures, each with as many readable bytes as its first field says, or `count` is 0.
pub(crate) unsafe fn read_all<T: Grows>(given: *const T, count: usize) -> Result<Vec<T>, Error> {
    if count == 0 {
        return Ok(Vec::new());
    }
    if given.is_null() {
        return Err(Error::usage(format!("a pointer to {count} structures is null")));
    }
    // SAFETY: the caller's promise; there is one at least.
    let apart = unsafe { stated_size(given) }?;
    let fits = apart.checked_mul(count).is_some_and(|bytes| isize::try_from(bytes).is_ok());
    if !fits || !apart.is_multiple_of(align_of::<T>()) {
        return Err(Error::usage(format!("{count} structures cannot have a `size` of {apart} each")));
    }
    let one = |index: usize| {
        // SAFETY: within the caller's array, which is no larger than an `isize`.
        let one = unsafe { given.byte_add(apart * index) };
        // SAFETY: the caller's promise.
        if unsafe { stated_size(one) }? != apart {
            return Err(Error::usage("structures of one array differ in `size`"));
        }
        // SAFETY: the caller's promise.
        Ok(unsafe { copied(one, apart) })
    };
    (0..count).map(one).collect()
}

/// What a structure says of its size. No reference to it is made: it may be smaller than the type.
///
/// # Safety
/// `given` points at a structure of any version.
unsafe fn stated_size<T: Grows>(given: *const T) -> Result<usize, Error> {
    if !given.is_aligned() {
        return Err(Error::usage("a structure is not aligned"));
    }
    // SAFETY: every version begins with its size, by the trait's promise, and is there by the caller's.
    let size = unsafe { given.cast::<usize>().read() };
    if size < size_of::<usize>() {
        return Err(Error::usage("`size` of a structure is not set"));
    }
    Ok(size)
}

/// As much of a structure as both sides know.
///
/// # Safety
/// `given` points at `size` readable bytes of a structure.
unsafe fn copied<T: Grows>(given: *const T, size: usize) -> T {
    let mut known = MaybeUninit::<T>::zeroed();
    let bytes = size.min(size_of::<T>());
    // SAFETY: neither side has fewer bytes, and a local does not overlap with what the caller has.
    unsafe { given.cast::<u8>().copy_to_nonoverlapping(known.as_mut_ptr().cast::<u8>(), bytes) };
    // SAFETY: zeros are a value by the trait's promise, and so is what the caller wrote over them.
    unsafe { known.assume_init() }
}
