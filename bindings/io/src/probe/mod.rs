//! Synthetic flows run over HTTP: [`davy::probe`]'s machine with connections, clocks and secrets.
//!
//! - Redirects, cookies, retries and verdicts are the machine's. A request leaves exactly as it says.
//! - Hosts are looked up, every address is checked against the target's `addressPolicy`, and the connection goes to
//!   the addresses that were checked and to no others, for the whole run. The machine checks once more who answered.
//! - HTTP/1.1; `gzip` and `deflate` are decoded where the service uses them, and asked for only by the flow.
//! - Every part of an exchange is timed: `dns`, `connect`, `tls`, `send`, `wait`, `receive`.
//! - Nothing that is printed, recorded or measured holds a secret. A host that logs (crate `log`) must not enable the level
//!   `TRACE` of `ureq` and `ureq_proto`, which write the very bytes of the wire; up to `DEBUG` they write no header that
//!   carries credentials.
//! - No proxy unless one is asked for. Through a proxy, too, only addresses that were checked are spoken to.

mod board;
mod encryption;
mod endpoint;
mod fault;
#[cfg(feature = "json-schema")]
mod json_schema;
mod lines;
mod lookup;
mod prober;
mod proxy;
mod push;
mod secrets;
mod service;
mod settings;
mod socket;
mod stop;
mod timetable;
mod trace;
mod wire;

pub use board::{Board, PROBER_OBJECTIVE, ProberCounts};
pub use endpoint::Endpoint;
#[cfg(feature = "json-schema")]
pub use json_schema::JsonSchema;
pub use lookup::{Lookup, LookupFault, SystemLookup};
pub use prober::{Prober, Ran, RanPair, Target};
pub use proxy::Proxy;
pub use push::Push;
pub use secrets::SecretStore;
pub use service::{NoSink, ServiceConfig, Sink, serve};
pub use settings::{ProberConfig, ProberError};
pub use stop::Stop;
pub use timetable::{Due, Job, Run, Timetable};
