//! What happens on the wire during one exchange, told by the connector and the transport to whoever asked.

use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use davy::probe::{Micros, Peer, Timings};

use super::fault::Fault;

/// The exchange under way on a line. A run asks one thing at a time, so there is one.
#[derive(Debug, Default)]
pub(super) struct Trace(Mutex<Exchange>);

#[derive(Debug, Default)]
pub(super) struct Exchange {
    /// Where to dial; every address has been admitted.
    pub(super) addresses: Vec<SocketAddr>,
    pub(super) dns: Option<Duration>,
    pub(super) dialling: Option<Instant>,
    pub(super) connect: Option<Duration>,
    pub(super) handshaking: Option<Instant>,
    pub(super) tls: Option<Duration>,
    pub(super) sending: Option<Instant>,
    pub(super) sent: Option<Instant>,
    pub(super) first_byte: Option<Instant>,
    pub(super) peer: Option<Arc<Peer>>,
    /// Why there is no connection.
    pub(super) fault: Option<Fault>,
}

impl Trace {
    pub(super) fn now(&self) -> MutexGuard<'_, Exchange> {
        // Nothing that holds it can leave it half written.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Exchange {
    /// Whether a connection was made for this exchange, and not one used again.
    pub(super) const fn dialled(&self) -> bool {
        self.dialling.is_some()
    }

    /// The parts of the exchange that took place, up to the end; the one that was under way is counted so far.
    pub(super) fn timings(&self, end: Instant) -> Timings {
        let part = |from: Option<Instant>, done: Option<Duration>| {
            done.or_else(|| from.map(|from| end.saturating_duration_since(from))).map(micros)
        };
        let between =
            |from: Option<Instant>, to: Option<Instant>| part(from, Some(to?.saturating_duration_since(from?)));
        Timings {
            dns: self.dns.map(micros),
            connect: part(self.dialling, self.connect),
            tls: part(self.handshaking, self.tls),
            send: if self.sent.is_some() { between(self.sending, self.sent) } else { part(self.sending, None) },
            wait: if self.first_byte.is_some() { between(self.sent, self.first_byte) } else { part(self.sent, None) },
            receive: part(self.first_byte, None),
        }
    }
}

pub(super) fn micros(time: Duration) -> Micros {
    Micros(u64::try_from(time.as_micros()).unwrap_or(u64::MAX))
}
