//! Worse evidence never gives a better verdict: stricter findings, more bad events, lost evidence.

mod events;
mod findings;
mod latches;
