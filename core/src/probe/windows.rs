//! When runs of a schedule may begin, on the arithmetic of change windows.

use crate::calendar::{Change, Moment, Phase, Window, outlook, outlook_with, rule};
use crate::{Duration, Instant};

/// The windows of a schedule. Without any, runs may begin at any time.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct RunWindows(Vec<Window>);

/// A run begins; windows of schedules know nothing else.
const RUN: Change<'static> = Change { moment: Moment::Start, manual: false, class: None, began: None };

/// After this, windows repeat.
const WEEK: Duration = Duration::from_minutes(7 * 24 * 60);

/// The beginning of a week of which the one before is known too: a window may have opened in it.
const ANY_WEEK: Instant = Instant::EPOCH.plus(WEEK);

impl RunWindows {
    pub(in crate::probe) fn new(windows: Vec<Window>) -> Self {
        Self(windows)
    }

    /// Whether a run may begin at this instant.
    #[must_use]
    pub fn is_open(&self, at: Instant) -> bool {
        self.0.is_empty() || rule(&self.all(), &RUN, at).is_open()
    }

    /// The first instant, not before this one, at which a run may begin; nothing where there is none within
    /// [`HORIZON`](crate::calendar::HORIZON).
    #[must_use]
    pub fn opening(&self, at: Instant) -> Option<Instant> {
        if self.is_open(at) { Some(at) } else { outlook(&self.all(), &RUN, at).turns.at() }
    }

    /// How much of a stretch of time runs may begin in.
    pub(in crate::probe) fn open_within(&self, from: Instant, end: Instant) -> Duration {
        self.stretches(from, end).fold(Duration::ZERO, |open, (begin, end)| open.plus(end.since(begin)))
    }

    /// How much of a stretch of this length runs may begin in, where it lies best.
    pub(in crate::probe) fn most_open_within(&self, length: Duration) -> Duration {
        let week = ANY_WEEK.plus(WEEK);
        let open: Vec<(Instant, Instant)> = self.stretches(ANY_WEEK, week.plus(length)).collect();
        let mut most = Duration::ZERO;
        // No place is better than all of those where it begins together with an opening.
        for (index, (from, _)) in open.iter().enumerate().take_while(|(_, (from, _))| *from < week) {
            let end = from.plus(length);
            let within = open.iter().skip(index).take_while(|(begin, _)| *begin < end);
            let sum = within.fold(Duration::ZERO, |sum, (begin, until)| sum.plus((*until).min(end).since(*begin)));
            most = most.max(sum);
        }
        most
    }

    /// Whether what comes every so often comes at a time at which runs may begin, sooner or later, wherever in the week
    /// its first time lies.
    pub(in crate::probe) fn are_met_every(&self, every: Duration) -> bool {
        // Week after week it comes at the times that differ by multiples of this.
        let cycle = greatest_common_divisor(every.millis().max(1), WEEK.millis());
        let mut met: Vec<(u64, u64)> = Vec::new();
        for (begin, end) in self.stretches(ANY_WEEK, ANY_WEEK.plus(WEEK)) {
            let length = end.since(begin).millis();
            if length >= cycle {
                return true;
            }
            let begin = begin.millis() % cycle;
            let end = begin + length;
            met.push((begin, end.min(cycle)));
            met.push((0, end.saturating_sub(cycle)));
        }
        met.sort_unstable();
        let upto = met.into_iter().fold(0, |upto, (begin, end)| if begin > upto { upto } else { upto.max(end) });
        upto >= cycle
    }

    /// The stretches between two instants in which runs may begin, in order.
    fn stretches(&self, from: Instant, end: Instant) -> impl Iterator<Item = (Instant, Instant)> {
        let mut phases: Vec<(&Window, Phase)> = self.0.iter().map(|window| (window, window.phase(from))).collect();
        let mut at = from;
        std::iter::from_fn(move || {
            while at < end {
                let begin = at;
                // It leaves the phases as they are when it turns.
                let seen = outlook_with(&mut phases, &RUN, begin);
                at = seen.turns.at().map_or(end, |turn| turn.min(end));
                if seen.ruling.is_open() {
                    return Some((begin, at));
                }
            }
            None
        })
    }

    fn all(&self) -> Vec<&Window> {
        self.0.iter().collect()
    }
}

const fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b > 0 {
        (a, b) = (b, a % b);
    }
    a
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
        for (instant, is_open) in [("2026-11-23T11:59:59Z", true), ("2026-11-23T12:00:00Z", false)] {
            assert_eq!(both.is_open(at(instant)), is_open, "{instant}");
        }
    }

    #[test]
    fn the_best_place_of_a_stretch_is_where_most_of_it_is_open() {
        let most = |windows: &RunWindows, length: &str| windows.most_open_within(length.parse().unwrap()).to_string();
        assert_eq!(most(&RunWindows::default(), "6h"), "6h");
        let twice = windows(
            "{ kind: allow, weekly: [{ days: [mon], from: \"10:00\", until: \"10:10\" }, { days: [mon], from: \"10:30\", until: \"11:00\" }], zone: UTC }",
        );
        assert_eq!(most(&twice, "20m"), "20m");
        assert_eq!(most(&twice, "40m"), "30m");
        assert_eq!(most(&twice, "1h"), "40m");
        assert_eq!(most(&twice, "6h"), "40m");
        // What is open over the end of a week is one stretch.
        let nights =
            windows("{ kind: allow, weekly: [{ days: [wed], from: \"22:00\", until: \"04:00\" }], zone: UTC }");
        assert_eq!(most(&nights, "12h"), "6h");
        assert!(nights.are_met_every("6h".parse().unwrap()));
        let maintenance =
            windows("{ kind: deny, weekly: [{ days: [sat], from: \"00:00\", until: \"04:00\" }], zone: UTC }");
        assert_eq!(most(&maintenance, "6h"), "6h");
    }

    #[test]
    fn what_comes_at_the_same_times_of_each_week_may_never_meet_an_opening() {
        let noon = windows("{ kind: allow, weekly: [{ from: \"12:00\", until: \"13:00\" }], zone: UTC }");
        let met = |windows: &RunWindows, every: &str| windows.are_met_every(every.parse().unwrap());
        for (every, is_met) in [("1h", true), ("2h", false), ("3h", false), ("5h", true), ("1d", false), ("0s", true)] {
            assert_eq!(met(&noon, every), is_met, "{every}");
            assert!(met(&RunWindows::default(), every));
        }
        // Three hours apart, and each at another place of the three.
        let days = [("mon", 12), ("tue", 13), ("wed", 14)];
        let days = days.map(|(day, hour)| {
            let ranges = format!("{{ days: [{day}], from: \"{hour}:00\", until: \"{}:00\" }}", hour + 1);
            format!("{{ kind: allow, weekly: [{ranges}], zone: UTC }}")
        });
        assert!(met(&windows(&days.join(", ")), "3h") && !met(&windows(&days[..2].join(", ")), "3h"));
        let midnight = windows("{ kind: deny, weekly: [{ from: \"00:30\", until: \"23:30\" }], zone: UTC }");
        assert!(met(&midnight, "1h") && !met(&midnight, "90m"));
    }
}
