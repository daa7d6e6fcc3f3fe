//! Handles: what C holds a pointer to, and the one place where a panic ends.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};

use crate::error::{Error, davy_error};

/// A value behind a pointer, with a mark for the case that a panic left it half-way.
pub(crate) struct Handle<T> {
    value: T,
    poisoned: AtomicBool,
}

impl<T> Handle<T> {
    pub(crate) fn new(value: T) -> Self {
        Self { value, poisoned: AtomicBool::new(false) }
    }

    pub(crate) fn get(&self) -> Result<&T, Error> {
        if self.poisoned.load(Ordering::Acquire) { Err(Error::poisoned()) } else { Ok(&self.value) }
    }

    pub(crate) fn get_mut(&mut self) -> Result<&mut T, Error> {
        if *self.poisoned.get_mut() { Err(Error::poisoned()) } else { Ok(&mut self.value) }
    }

    pub(crate) fn poison(&self) {
        self.poisoned.store(true, Ordering::Release);
    }
}

/// Runs what a function does; an error or a panic becomes an object for the caller.
pub(crate) fn answer(work: impl FnOnce() -> Result<(), Error>) -> *mut davy_error {
    match catch_unwind(AssertUnwindSafe(work)) {
        Ok(Ok(())) => std::ptr::null_mut(),
        Ok(Err(error)) => error.into_raw(),
        Err(_) => Error::panicked().into_raw(),
    }
}

/// The same for a function that changes what `handle` holds: a panic poisons it.
///
/// # Safety
/// `handle` is null or points at a handle that no other thread uses meanwhile.
pub(crate) unsafe fn change<H: AsMut<Handle<T>>, T>(
    handle: *mut H,
    work: impl FnOnce(&mut T) -> Result<(), Error>,
) -> *mut davy_error {
    // SAFETY: the caller's promise.
    let Some(handle) = (unsafe { handle.as_mut() }) else { return Error::null("the handle").into_raw() };
    let handle = handle.as_mut();
    let worked = catch_unwind(AssertUnwindSafe(|| work(handle.get_mut()?)));
    match worked {
        Ok(Ok(())) => std::ptr::null_mut(),
        Ok(Err(error)) => error.into_raw(),
        Err(_) => {
            handle.poison();
            Error::panicked().into_raw()
        }
    }
}

/// What a pointer points at.
///
/// # Safety
/// It is null or points at a living value.
pub(crate) unsafe fn borrow<'a, H>(handle: *const H, what: &'static str) -> Result<&'a H, Error> {
    // SAFETY: the caller's promise.
    unsafe { handle.as_ref() }.ok_or_else(|| Error::null(what))
}

/// Hands a new value to the caller.
///
/// # Safety
/// `out` is null or points at room for a pointer.
pub(crate) unsafe fn give<H>(out: *mut *mut H, value: H) -> Result<(), Error> {
    if out.is_null() {
        return Err(Error::null("the place for the result"));
    }
    let raw = Box::into_raw(Box::new(value));
    // SAFETY: not null; the room is the caller's promise.
    unsafe { out.write(raw) };
    Ok(())
}

/// Writes a plain result.
///
/// # Safety
/// `out` is null or points at room for the value.
pub(crate) unsafe fn put<T>(out: *mut T, value: T) -> Result<(), Error> {
    if out.is_null() {
        return Err(Error::null("the place for the result"));
    }
    // SAFETY: not null; the room is the caller's promise.
    unsafe { out.write(value) };
    Ok(())
}

/// Frees a handle; null is fine.
///
/// # Safety
/// It is null, or came from [`give`] and was not freed.
pub(crate) unsafe fn free<H>(handle: *mut H) {
    if !handle.is_null() {
        // SAFETY: it came out of a box, and goes back once.
        let owned = unsafe { Box::from_raw(handle) };
        // A destructor that panics must not unwind into C.
        let _ = catch_unwind(AssertUnwindSafe(|| drop(owned)));
    }
}

/// What every handle type can do. The types and their functions that free them stand in full beside it, where cbindgen finds them.
macro_rules! handle {
    ($Handle:ty, $Value:ty) => {
        impl AsMut<Handle<$Value>> for $Handle {
            fn as_mut(&mut self) -> &mut Handle<$Value> {
                &mut self.0
            }
        }

        impl $Handle {
            pub(crate) fn new(value: $Value) -> Self {
                Self(Handle::new(value))
            }
        }
    };
}
pub(crate) use handle;
