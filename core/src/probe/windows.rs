//! When runs of a schedule may begin, on the arithmetic of change windows.

use crate::calendar::{Change, Moment, Ruling, Turn, Window, outlook, rule};
use crate::{Duration, Instant};

/// The windows of a schedule. Without any, runs may begin at any time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunWindows(Vec<Window>);

/// A run begins; windows of schedules know nothing else.
const RUN: Change<'static> = Change { moment: Moment::Start, manual: false, class: None, began: None };

impl RunWindows {
    pub(in crate::probe) fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// The first instant, not before this one, at which a run may begin; nothing where there is none within
    /// [`HORIZON`](crate::calendar::HORIZON).
    #[must_use]
    pub fn opening(&self, at: Instant) -> Option<Instant> {
        if self.0.is_empty() || rule(&self.all(), &RUN, at).is_open() {
            return Some(at);
        }
        outlook(&self.all(), &RUN, at).turns.at()
    }

    /// How much of a stretch of time runs may begin in.
    pub(in crate::probe) fn open_within(&self, from: Instant, end: Instant) -> Duration {
        if self.0.is_empty() {
            return end.since(from);
        }
        let windows = self.all();
        let mut open = Duration::ZERO;
        let mut at = from;
        while at < end {
            let seen = outlook(&windows, &RUN, at);
            let next = match seen.turns {
                Turn::At { at, .. } => at.min(end),
                Turn::Never | Turn::NotBefore(_) => end,
            };
            if matches!(seen.ruling, Ruling::Unrestricted | Ruling::Within) {
                open = open.plus(next.since(at));
            }
            at = next;
        }
        open
    }

    fn all(&self) -> Vec<&Window> {
        self.0.iter().collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ProbeFlows;

    fn windows(windows: &str) -> RunWindows {
        let flow = format!(
            "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: home }}\nspec:\n  targets: {{ prod: {{ baseUrl: https://shop.example }} }}\n  schedule: {{ every: 1m, timeout: 5s, windows: [{windows}] }}\n  steps: [{{ id: a, request: {{ path: / }}, expect: {{ status: 200, body: {{ contains: a }} }} }}]\n"
        );
        let flows = ProbeFlows::from_files([("home.yaml", flow)]).unwrap_or_else(|error| panic!("{error}"));
        flows.get("home").unwrap().schedule().unwrap().windows.clone()
    }

    fn at(text: &str) -> Instant {
        text.parse().unwrap()
    }

    #[test]
    fn a_denial_wins_and_outside_of_what_is_allowed_nothing_begins() {
        let hours = "{ kind: allow, weekly: [{ days: [mon, tue], from: \"08:00\", until: \"18:00\" }], zone: UTC }";
        let noon = "{ kind: deny, weekly: [{ from: \"12:00\", until: \"13:00\" }], zone: UTC }";
        let both = windows(&format!("{hours}, {noon}"));
        for (from, opens) in [
            ("2026-11-23T08:00:00Z", "2026-11-23T08:00:00Z"),
            ("2026-11-23T12:00:00Z", "2026-11-23T13:00:00Z"),
            ("2026-11-24T18:00:00Z", "2026-11-30T08:00:00Z"),
        ] {
            assert_eq!(both.opening(at(from)), Some(at(opens)), "{from}");
        }
        let open = |from: &str, end: &str| both.open_within(at(from), at(end)).to_string();
        assert_eq!(open("2026-11-23T00:00:00Z", "2026-11-30T00:00:00Z"), "18h");
        assert_eq!(open("2026-11-23T11:30:00Z", "2026-11-23T13:30:00Z"), "1h");
        let any = RunWindows::default();
        assert_eq!(any.open_within(at("2026-11-23T00:00:00Z"), at("2026-11-24T00:00:00Z")).to_string(), "1d");
        assert_eq!(any.opening(at("2026-11-23T00:00:00Z")), Some(at("2026-11-23T00:00:00Z")));
    }
}
