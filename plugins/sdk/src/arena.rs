//! Memory of a plugin: from an arena within its initial memory, and beyond it from the system.
//!
//! A memory that grows has its protection changed by the host at each call and changed back after it, under a lock of
//! the whole process: calls of two threads would wait for each other. Within the arena nothing grows. Each call begins
//! with fresh memory, so of what is freed only the last block is found again.
#![allow(unsafe_code, reason = "an allocator cannot be safe")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

/// Room for what most plugins need: a thousand intervals of a few series, and parameters.
#[cfg(all(target_arch = "wasm32", feature = "arena", not(target_feature = "atomics")))]
#[global_allocator]
static ARENA: Arena<{ 256 << 10 }> = Arena::new();

struct Arena<const SIZE: usize> {
    memory: UnsafeCell<[u8; SIZE]>,
    /// What is before this is taken, since the last block or longer.
    taken: AtomicUsize,
}

// SAFETY: without atomics there is one thread; natively only tests have arenas, each its own.
unsafe impl<const SIZE: usize> Sync for Arena<SIZE> {}

impl<const SIZE: usize> Arena<SIZE> {
    const fn new() -> Self {
        Self { memory: UnsafeCell::new([0; SIZE]), taken: AtomicUsize::new(0) }
    }

    fn base(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// Where a block of this arena begins; none of the system's does.
    fn offset(&self, block: *mut u8) -> Option<usize> {
        block.addr().checked_sub(self.base().addr()).filter(|offset| *offset < SIZE)
    }

    fn is_last(&self, offset: usize, layout: Layout) -> bool {
        offset.checked_add(layout.size()) == Some(self.taken.load(Relaxed))
    }

    /// Takes all up to the end of a block, if there is room for it.
    fn take(&self, offset: usize, size: usize) -> Option<*mut u8> {
        let end = offset.checked_add(size).filter(|end| *end <= SIZE)?;
        self.taken.store(end, Relaxed);
        Some(self.base().wrapping_add(offset))
    }

    fn next_aligned(&self, layout: Layout) -> Option<usize> {
        let free = self.base().addr().checked_add(self.taken.load(Relaxed))?;
        free.checked_next_multiple_of(layout.align())?.checked_sub(self.base().addr())
    }
}

// SAFETY: blocks lie within `memory`, aligned, and each begins where all that are in use have ended; the others are the
// system's. `taken` goes back only to the beginning of the last block, when that is freed, or to its new end.
unsafe impl<const SIZE: usize> GlobalAlloc for Arena<SIZE> {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        match self.next_aligned(layout).and_then(|offset| self.take(offset, layout.size())) {
            Some(block) => block,
            // SAFETY: the caller's promise about the layout is handed on.
            None => unsafe { System.alloc(layout) },
        }
    }

    unsafe fn dealloc(&self, block: *mut u8, layout: Layout) {
        match self.offset(block) {
            Some(offset) if self.is_last(offset, layout) => self.taken.store(offset, Relaxed),
            Some(_) => {}
            // SAFETY: a block that is not of the arena was allocated by the system, with this layout.
            None => unsafe { System.dealloc(block, layout) },
        }
    }

    unsafe fn realloc(&self, block: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(offset) = self.offset(block) else {
            // SAFETY: as in `dealloc`, and the caller's promise about the size is handed on.
            return unsafe { System.realloc(block, layout, size) };
        };
        let in_place = if self.is_last(offset, layout) { self.take(offset, size) } else { None };
        if in_place.is_some() || size <= layout.size() {
            return block;
        }
        // SAFETY: the alignment was a layout's, and the caller promises that the size, rounded up to it, is one's.
        let new = unsafe { self.alloc(Layout::from_size_align_unchecked(size, layout.align())) };
        if !new.is_null() {
            // SAFETY: the old block has `layout.size()` bytes and the new one more; no two blocks in use overlap.
            unsafe { new.copy_from_nonoverlapping(block, layout.size()) };
            // SAFETY: it is in use no more.
            unsafe { self.dealloc(block, layout) };
        }
        new
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use super::*;

    fn layout(size: usize, align: usize) -> Layout {
        Layout::from_size_align(size, align).unwrap()
    }

    #[test]
    fn blocks_are_aligned_and_do_not_overlap() {
        let arena = Arena::<4096>::new();
        let mut end = 0;
        for (size, align) in [(1, 1), (8, 8), (3, 2), (100, 64), (5, 1), (16, 16)] {
            // SAFETY: no layout is empty.
            let block = unsafe { arena.alloc(layout(size, align)) };
            assert_eq!(block.addr() % align, 0);
            let offset = arena.offset(block).unwrap();
            assert!(offset >= end, "{offset} is before {end}");
            end = offset + size;
        }
    }

    #[test]
    fn what_the_arena_has_no_room_for_is_the_systems() {
        let arena = Arena::<64>::new();
        // SAFETY: no layout is empty; blocks are freed with the layout that they have by then.
        unsafe {
            let large = arena.alloc(layout(65, 1));
            assert_eq!(arena.offset(large), None);
            let larger = arena.realloc(large, layout(65, 1), 1 << 20);
            assert_eq!(arena.offset(larger), None);
            arena.dealloc(larger, layout(1 << 20, 1));
            let exact = arena.alloc(layout(64, 1));
            assert_eq!(arena.offset(exact), Some(0));
        }
    }

    #[test]
    fn the_last_block_is_found_again_when_it_is_freed_and_others_are_not() {
        let arena = Arena::<64>::new();
        // SAFETY: no layout is empty; blocks are freed once, with their layout.
        unsafe {
            let first = arena.alloc(layout(8, 1));
            let second = arena.alloc(layout(8, 1));
            arena.dealloc(second, layout(8, 1));
            assert_eq!(arena.alloc(layout(4, 1)), second);
            arena.dealloc(first, layout(8, 1));
            assert_eq!(arena.offset(arena.alloc(layout(8, 1))), Some(12));
        }
    }

    #[test]
    fn a_block_that_grows_keeps_what_it_holds_and_its_place_while_it_is_the_last() {
        let arena = Arena::<64>::new();
        // SAFETY: no layout is empty; what is written and read is within the blocks.
        unsafe {
            let block = arena.alloc(layout(4, 1));
            block.copy_from_nonoverlapping(b"davy".as_ptr(), 4);
            let longer = arena.realloc(block, layout(4, 1), 8);
            assert_eq!(longer, block);
            let other = arena.alloc(layout(8, 1));
            other.write_bytes(b'x', 8);
            let moved = arena.realloc(longer, layout(8, 1), 16);
            assert_eq!((arena.offset(moved), std::slice::from_raw_parts(moved, 4)), (Some(16), b"davy".as_slice()));
            let outside = arena.realloc(moved, layout(16, 1), 128);
            assert_eq!((arena.offset(outside), std::slice::from_raw_parts(outside, 4)), (None, b"davy".as_slice()));
            arena.dealloc(outside, layout(128, 1));
            // Where it was the last, its place is free again.
            assert_eq!(arena.offset(arena.alloc(layout(8, 1))), Some(16));
        }
    }

    #[test]
    fn a_block_that_shrinks_stays_where_it_is() {
        let arena = Arena::<64>::new();
        // SAFETY: no layout is empty; blocks are resized with the layout that they have.
        unsafe {
            let block = arena.alloc(layout(32, 1));
            assert_eq!(arena.realloc(block, layout(32, 1), 8), block);
            let next = arena.alloc(layout(8, 1));
            assert_eq!(arena.offset(next), Some(8));
            assert_eq!(arena.realloc(block, layout(8, 1), 4), block);
            assert_eq!(arena.offset(arena.alloc(layout(8, 1))), Some(16));
        }
    }
}
