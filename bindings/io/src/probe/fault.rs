//! Why an exchange came to nothing, as it is on its way to the machine.

use std::io::{self, ErrorKind};

use davy::probe::{Timings, TransportError, TransportFault};

/// What went wrong, in a kind and in words.
#[derive(Debug, Clone)]
pub(super) struct Fault {
    pub(super) kind: TransportFault,
    pub(super) detail: String,
}

impl Fault {
    pub(super) fn new(kind: TransportFault, detail: impl Into<String>) -> Self {
        Self { kind, detail: detail.into() }
    }

    pub(super) fn with(self, timings: Timings) -> TransportError {
        TransportError { kind: self.kind, detail: self.detail, timings }
    }

    /// What ureq says.
    pub(super) fn of(error: ureq::Error) -> Self {
        use ureq::Error;
        match error {
            Error::Timeout(_) => Self::new(TransportFault::Timeout, "no answer in time"),
            Error::Io(cause) => Self::io(&cause),
            Error::Rustls(cause) => Self::new(TransportFault::Tls, cause.to_string()),
            Error::Tls(cause) => Self::new(TransportFault::Tls, cause),
            Error::Http(cause) => Self::new(TransportFault::Prober, format!("the request cannot be sent: {cause}")),
            Error::BadUri(_) => Self::new(TransportFault::Prober, "the URL cannot be asked"),
            Error::LargeResponseHeader(..) => Self::new(TransportFault::Malformed, "its headers have no end"),
            Error::BodyStalled => Self::new(TransportFault::Malformed, "its body makes no sense"),
            Error::Protocol(cause) => Self::new(TransportFault::Malformed, cause.to_string()),
            other => Self::new(TransportFault::Malformed, other.to_string()),
        }
    }

    /// What the operating system, or rustls through it, says of a connection that was there.
    pub(super) fn io(cause: &io::Error) -> Self {
        match cause.kind() {
            ErrorKind::TimedOut | ErrorKind::WouldBlock => Self::new(TransportFault::Timeout, "no answer in time"),
            // rustls speaks through the errors of reading and writing.
            ErrorKind::InvalidData => Self::new(TransportFault::Tls, in_words(cause)),
            _ => Self::new(TransportFault::Closed, in_words(cause)),
        }
    }
}

/// What the operating system said, without the number.
pub(super) fn in_words(cause: &io::Error) -> String {
    let text = cause.to_string();
    text.split(" (os error").next().unwrap_or_default().to_lowercase()
}
