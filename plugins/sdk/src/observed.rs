//! What a metric sees, and how tests make it.

use crate::metric::Counts;

/// What was observed of the cohort that is measured, and of the baseline where a comparison is measured.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Observed {
    /// When the evaluated interval began, in milliseconds since 1970-01-01T00:00:00Z.
    pub start: u64,
    /// The length of an interval in milliseconds.
    pub every: u64,
    /// How many intervals are shown, the evaluated one last.
    pub window: u32,
    /// By input, then by replica.
    pub series: Vec<Series>,
    /// The baseline's; empty unless the plugin measures a comparison.
    pub baseline: Vec<Series>,
}

/// One input, or one replica of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Series {
    /// The input's name.
    pub input: String,
    /// The pod, zone or label value, where they are kept apart.
    pub replica: Option<String>,
    /// Which intervals the data are of, rising, from 0 to `window - 1`.
    pub at: Vec<u32>,
    /// One entry per interval in `at`.
    pub data: Data,
}

/// Data of one form, one entry per interval.
#[derive(Debug, Clone, PartialEq)]
pub enum Data {
    /// Bad events of all events.
    Counts(Vec<Counts>),
    /// Numbers of events.
    Events(Vec<u64>),
    /// Values.
    Gauge(Vec<f64>),
    /// Classic buckets.
    Buckets(Vec<Buckets>),
    /// Native histograms.
    Histogram(Vec<Histogram>),
}

/// How many requests took at most so many seconds, by rising bound; and all requests.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Buckets {
    /// Bounds in seconds with cumulative counts.
    pub at_most: Vec<(f64, u64)>,
    /// All requests.
    pub total: u64,
}

/// A native histogram: bucket `i` holds requests in `(base^(i-1), base^i]` seconds, `base = 2^(2^-schema)`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Histogram {
    /// The resolution.
    pub schema: i8,
    /// Requests that took no measurable time.
    pub zero: u64,
    /// Counts by rising index.
    pub buckets: Vec<(i32, u64)>,
}

impl Observed {
    /// Nothing yet, over so many intervals of a minute: for tests.
    #[must_use]
    pub fn minutes(window: u32) -> Self {
        Self { start: 0, every: 60_000, window, series: Vec::new(), baseline: Vec::new() }
    }

    /// Adds a series of the measured cohort whose last entry is of the evaluated interval.
    #[must_use]
    pub fn with(mut self, input: &str, replica: Option<&str>, data: Data) -> Self {
        let series = Series::ending_now(input, replica, data, self.window);
        self.series.push(series);
        self
    }

    /// The same of the baseline.
    #[must_use]
    pub fn with_baseline(mut self, input: &str, replica: Option<&str>, data: Data) -> Self {
        let series = Series::ending_now(input, replica, data, self.window);
        self.baseline.push(series);
        self
    }

    /// Adds values, the newest last.
    #[must_use]
    pub fn gauge(self, input: &str, values: &[f64]) -> Self {
        self.with(input, None, Data::Gauge(values.to_vec()))
    }

    /// Adds numbers of events, the newest last.
    #[must_use]
    pub fn events(self, input: &str, numbers: &[u64]) -> Self {
        self.with(input, None, Data::Events(numbers.to_vec()))
    }

    /// Adds counts of the evaluated interval.
    #[must_use]
    pub fn counts(self, input: &str, bad: u64, total: u64) -> Self {
        self.with(input, None, Data::Counts(vec![Counts { bad, total }]))
    }

    /// Adds classic buckets of the evaluated interval.
    #[must_use]
    pub fn buckets(self, input: &str, at_most: &[(f64, u64)], total: u64) -> Self {
        self.with(input, None, Data::Buckets(vec![Buckets { at_most: at_most.to_vec(), total }]))
    }

    /// The series of an input, one per replica.
    pub fn of<'a>(&'a self, input: &'a str) -> impl Iterator<Item = &'a Series> {
        self.series.iter().filter(move |series| series.input == input)
    }

    /// The baseline's series of an input.
    pub fn baseline_of<'a>(&'a self, input: &'a str) -> impl Iterator<Item = &'a Series> {
        self.baseline.iter().filter(move |series| series.input == input)
    }

    /// The evaluated interval's value, of all replicas together: their mean.
    #[must_use]
    pub fn latest_gauge(&self, input: &str) -> Option<f64> {
        let (mut sum, mut replicas) = (0.0, 0.0);
        for series in self.of(input) {
            if let (true, Data::Gauge(values)) = (series.is_current(self.window), &series.data) {
                sum += values.last()?;
                replicas += 1.0;
            }
        }
        (replicas > 0.0).then(|| sum / replicas)
    }

    /// The evaluated interval's events, of all replicas together.
    #[must_use]
    pub fn latest_events(&self, input: &str) -> Option<u64> {
        self.latest(input, |data| if let Data::Events(all) = data { all.last().copied() } else { None })
            .reduce(u64::saturating_add)
    }

    /// The evaluated interval's counts, of all replicas together.
    #[must_use]
    pub fn latest_counts(&self, input: &str) -> Option<Counts> {
        let sum =
            |a: Counts, b: Counts| Counts { bad: a.bad.saturating_add(b.bad), total: a.total.saturating_add(b.total) };
        self.latest(input, |data| if let Data::Counts(all) = data { all.last().copied() } else { None }).reduce(sum)
    }

    /// The evaluated interval's buckets, of all replicas together; nothing where their bounds differ.
    #[must_use]
    pub fn latest_buckets(&self, input: &str) -> Option<Buckets> {
        let mut all = self.latest(input, |data| if let Data::Buckets(all) = data { all.last().cloned() } else { None });
        let first = all.next()?;
        all.try_fold(first, |sum, one| sum.plus(&one))
    }

    fn latest<'a, T>(
        &'a self,
        input: &'a str,
        read: impl Fn(&'a Data) -> Option<T> + 'a,
    ) -> impl Iterator<Item = T> + 'a {
        let window = self.window;
        self.of(input).filter(move |series| series.is_current(window)).filter_map(move |series| read(&series.data))
    }
}

impl Series {
    fn ending_now(input: &str, replica: Option<&str>, data: Data, window: u32) -> Self {
        let length = u32::try_from(data.len()).unwrap_or(u32::MAX);
        let at = (window.saturating_sub(length)..window).collect();
        Self { input: input.to_owned(), replica: replica.map(str::to_owned), at, data }
    }

    /// Whether its last entry is of the evaluated interval.
    #[must_use]
    pub fn is_current(&self, window: u32) -> bool {
        self.at.last().is_some_and(|last| last.checked_add(1) == Some(window))
    }

    /// Its values with their intervals, if they are gauges.
    pub fn gauges(&self) -> impl Iterator<Item = (u32, f64)> + '_ {
        let values = if let Data::Gauge(values) = &self.data { values.as_slice() } else { &[] };
        self.at.iter().copied().zip(values.iter().copied())
    }

    /// All events that it counts.
    #[must_use]
    pub fn all_events(&self) -> u64 {
        if let Data::Events(all) = &self.data { all.iter().fold(0, |sum, one| sum.saturating_add(*one)) } else { 0 }
    }
}

impl Data {
    fn len(&self) -> usize {
        match self {
            Self::Counts(all) => all.len(),
            Self::Events(all) => all.len(),
            Self::Gauge(all) => all.len(),
            Self::Buckets(all) => all.len(),
            Self::Histogram(all) => all.len(),
        }
    }
}

impl Buckets {
    /// Requests that took at most this bound, which must be one of the buckets'.
    #[must_use]
    pub fn within(&self, bound: f64) -> Option<u64> {
        self.at_most.iter().find(|(known, _)| known.total_cmp(&bound).is_eq()).map(|(_, count)| *count)
    }

    fn plus(&self, other: &Self) -> Option<Self> {
        let same = self.at_most.len() == other.at_most.len();
        let sum = self
            .at_most
            .iter()
            .zip(&other.at_most)
            .map(|((bound, a), (other, b))| bound.total_cmp(other).is_eq().then(|| (*bound, a.saturating_add(*b))));
        let at_most = sum.collect::<Option<Vec<_>>>().filter(|_| same)?;
        Some(Self { at_most, total: self.total.saturating_add(other.total) })
    }
}
