//! Why a server could not be asked.

use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use thiserror::Error;

/// A request that could not be made, or was not answered.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum ClientError {
    /// Not a URL that can be asked.
    #[error("I001: `{url}` cannot be asked: {cause}")]
    Url {
        /// What was given, without what could be a secret.
        url: String,
        /// What is wrong with it.
        cause: &'static str,
    },
    /// A file that cannot be read.
    #[error("I002: cannot read `{}`: {cause}", path.display())]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        cause: ErrorKind,
    },
    /// A secret that no header can carry.
    #[error("I003: {what} has characters that it cannot have")]
    Secret {
        /// Which.
        what: &'static str,
    },
    /// A file without the certificates or keys that are expected in it.
    #[error("I004: `{}` holds no {expected} in PEM form", path.display())]
    Pem {
        /// Which.
        path: PathBuf,
        /// What should be in it.
        expected: &'static str,
    },
    /// No connection, or one that broke.
    #[error("I005: {host} does not answer: {cause} ({attempts} attempts)")]
    Transport {
        /// Whom.
        host: String,
        /// What happened last.
        cause: String,
        /// How often it was tried.
        attempts: u32,
    },
    /// No answer in time.
    #[error("I006: {host} does not answer in {waited:?} ({attempts} attempts)")]
    Timeout {
        /// Whom.
        host: String,
        /// How long the last attempt waited.
        waited: Duration,
        /// How often it was tried.
        attempts: u32,
    },
    /// No time for a first attempt.
    #[error("I007: the deadline passed before {host} was asked")]
    Deadline {
        /// Whom.
        host: String,
    },
    /// The two do not trust each other.
    #[error("I008: no secure connection with {host}: {cause}")]
    Tls {
        /// Whom.
        host: String,
        /// What happened.
        cause: String,
    },
    /// An answer that sends elsewhere. No redirect is followed: credentials stay with the host they are for.
    #[error("I009: {host} answers that its place is now {to}")]
    Redirect {
        /// Whom.
        host: String,
        /// Where it points, as a quoted text without what could be a secret.
        to: String,
    },
    /// More than is read.
    #[error("I010: the answer of {host} is larger than {limit} bytes")]
    TooLarge {
        /// Whom.
        host: String,
        /// The limit.
        limit: u64,
    },
}

impl ClientError {
    /// The stable code.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Url { .. } => "I001",
            Self::File { .. } => "I002",
            Self::Secret { .. } => "I003",
            Self::Pem { .. } => "I004",
            Self::Transport { .. } => "I005",
            Self::Timeout { .. } => "I006",
            Self::Deadline { .. } => "I007",
            Self::Tls { .. } => "I008",
            Self::Redirect { .. } => "I009",
            Self::TooLarge { .. } => "I010",
        }
    }

    /// What to do about it.
    #[must_use]
    pub fn hint(&self) -> Option<&'static str> {
        Some(match self {
            Self::Url { .. } => "give a URL such as `https://prometheus.example:9090`, and credentials apart from it",
            Self::File { .. } | Self::Deadline { .. } => return None,
            Self::Secret { .. } => "a bearer token is visible ASCII without spaces, a user name has no `:`",
            Self::Pem { .. } => "PEM begins with `-----BEGIN`",
            Self::Transport { .. } => "is the server running, and is the URL the one of its API?",
            Self::Timeout { .. } => "allow more time, or make the query cheaper",
            Self::Tls { .. } => {
                "a private authority needs its CA bundle, a server that asks for it a client certificate"
            }
            Self::Redirect { .. } => "give the URL that it points to, if it is the right one",
            Self::TooLarge { .. } => "select fewer series, or raise the limit",
        })
    }

    /// Whether a later attempt may succeed.
    pub(super) fn may_pass(&self) -> bool {
        matches!(self, Self::Transport { .. } | Self::Timeout { .. })
    }

    /// The same after so many attempts.
    pub(super) fn after(self, tried: u32) -> Self {
        match self {
            Self::Transport { host, cause, .. } => Self::Transport { host, cause, attempts: tried },
            Self::Timeout { host, waited, .. } => Self::Timeout { host, waited, attempts: tried },
            other => other,
        }
    }
}
