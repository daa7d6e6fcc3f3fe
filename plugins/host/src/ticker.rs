//! The clock of the engine's epochs: one thread, which begins anew in a process that was forked.

use std::sync::Mutex;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use wasmtime::Engine;

/// How long an epoch is. Deadlines are exact to this.
const TICK: Duration = Duration::from_millis(10);

/// Counts up the epochs of an engine while it lives.
#[derive(Debug, Default)]
pub(crate) struct Ticker {
    /// The process whose thread ticks; 0 before the first call.
    process: AtomicU32,
    starting: Mutex<()>,
}

impl Ticker {
    /// Makes sure that the clock runs in this process.
    pub(crate) fn ensure(&self, engine: &Engine) {
        let process = std::process::id();
        if self.process.load(Ordering::Acquire) == process {
            return;
        }
        // Poisoning means that a thread could not be started; then the next call tries again.
        let _guard = self.starting.lock();
        if self.process.load(Ordering::Acquire) == process {
            return;
        }
        let engine = engine.weak();
        let ticking = std::thread::Builder::new().name("davy-plugins".to_owned()).spawn(move || {
            while let Some(engine) = engine.upgrade() {
                engine.increment_epoch();
                drop(engine);
                std::thread::sleep(TICK);
            }
        });
        if ticking.is_ok() {
            self.process.store(process, Ordering::Release);
        }
    }
}

/// A deadline in epochs: never shorter than asked for.
pub(crate) fn epochs(deadline: Duration) -> u64 {
    let ticks = deadline.as_millis().div_ceil(TICK.as_millis());
    u64::try_from(ticks).unwrap_or(u64::MAX / 2).saturating_add(1).min(u64::MAX / 2)
}
