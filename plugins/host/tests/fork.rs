//! A process that has called plugins forks: calls of the child give the same results and still have a clock.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]
#![allow(unsafe_code, reason = "forking")]

#[path = "plugins/support.rs"]
#[allow(dead_code, reason = "the other tests use it whole")]
mod support;

use std::time::Duration;

use davy_plugins::{Limits, PluginHost};
use support::{comes_of, component, sum};

/// Without a harness: it would fork with threads.
fn main() {
    let mut limits = Limits::DEFAULT;
    limits.fuel = u64::MAX / 2;
    limits.deadline = Duration::from_millis(50);
    let host = PluginHost::builder().limits(limits).build().unwrap();
    let (sum, endless) = (sum(), component("@good @fn (loop $l (br $l)) (unreachable))"));
    let works = || comes_of(&host, &sum) == "6" && comes_of(&host, &endless) == "deadline";
    assert!(works(), "before");
    // SAFETY: no other thread holds a lock: the only one counts epochs, without any.
    let child = unsafe { libc::fork() };
    if child == 0 {
        // SAFETY: ends the child alone, without running what belongs to the parent.
        unsafe { libc::_exit(i32::from(!works())) };
    }
    let mut status = 0;
    // SAFETY: `child` is this process's own, and `status` is a valid place.
    let waited = unsafe { libc::waitpid(child, &raw mut status, 0) };
    assert_eq!((waited, status), (child, 0), "the child's calls");
    assert!(works(), "after");
    println!("test a_forked_process_calls_plugins_with_a_clock_of_its_own ... ok");
}
