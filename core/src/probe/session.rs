//! Results of shared actions that later runs use again.

use std::collections::BTreeMap;
use std::fmt;

use serde_json::Value as Json;

use crate::Instant;

/// Results of shared actions, such as tokens, that later runs of a flow use again. `Debug` shows none of them.
///
/// Hand a run those that the last one left, with [`super::ProbeRun::sessions`].
#[derive(Clone, Default)]
pub struct Sessions(BTreeMap<String, Session>);

#[derive(Clone)]
struct Session {
    expires: Instant,
    values: Vec<Option<Json>>,
}

impl Sessions {
    /// None.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Takes over what another run left, for hosts that run several at once; what expires later wins.
    pub fn merge(&mut self, other: Self) {
        for (key, session) in other.0 {
            let known = self.0.get(&key).map(|known| known.expires);
            if known.is_none_or(|known| known < session.expires) {
                self.0.insert(key, session);
            }
        }
    }

    /// Forgets what has expired.
    pub fn prune(&mut self, now: Instant) {
        self.0.retain(|_, session| now < session.expires);
    }

    pub(crate) fn get(&self, key: &str, now: Instant) -> Option<&[Option<Json>]> {
        self.0.get(key).filter(|session| now < session.expires).map(|session| session.values.as_slice())
    }

    pub(crate) fn put(&mut self, key: String, expires: Instant, values: Vec<Option<Json>>) {
        self.0.insert(key, Session { expires, values });
    }

    pub(crate) fn forget(&mut self, key: &str) {
        self.0.remove(key);
    }
}

impl fmt::Debug for Sessions {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} sessions", self.0.len())
    }
}
