//! Times of day as bits of hours, minutes and seconds.

use crate::calendar::civil::DAY;

/// Every second of a day whose hour, minute and second are among these.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Clock {
    pub(super) hours: u64,
    pub(super) minutes: u64,
    pub(super) seconds: u64,
}

impl Clock {
    /// The first that is not before this second of the day.
    pub(super) fn first_from(self, second: i64) -> Option<i64> {
        let (hour, minute, second) = split(second);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = lowest(self.seconds, second)
            {
                return Some(of(hour, minute, second));
            }
            if let Some(minute) = lowest(self.minutes, minute + 1) {
                return Some(of(hour, minute, lowest(self.seconds, 0)?));
            }
        }
        Some(of(lowest(self.hours, hour + 1)?, lowest(self.minutes, 0)?, lowest(self.seconds, 0)?))
    }

    /// The last that is not after this second of the day.
    pub(super) fn last_until(self, second: i64) -> Option<i64> {
        let (hour, minute, second) = split(second);
        if has(self.hours, hour) {
            if has(self.minutes, minute)
                && let Some(second) = highest(self.seconds, second + 1)
            {
                return Some(of(hour, minute, second));
            }
            if let Some(minute) = highest(self.minutes, minute) {
                return Some(of(hour, minute, highest(self.seconds, 60)?));
            }
        }
        Some(of(highest(self.hours, hour)?, highest(self.minutes, 60)?, highest(self.seconds, 60)?))
    }

    /// All of them, in order.
    pub(super) fn all(self) -> impl Iterator<Item = i64> {
        let after = move |second: &i64| if second + 1 < DAY { self.first_from(second + 1) } else { None };
        std::iter::successors(self.first_from(0), after)
    }
}

fn split(second: i64) -> (u32, u32, u32) {
    let part = |number: i64| number.unsigned_abs() as u32;
    (part(second / 3600), part(second / 60 % 60), part(second % 60))
}

fn of(hour: u32, minute: u32, second: u32) -> i64 {
    i64::from(hour * 3600 + minute * 60 + second)
}

const fn has(bits: u64, number: u32) -> bool {
    bits & (1 << number) != 0
}

/// The lowest from a number on.
fn lowest(bits: u64, from: u32) -> Option<u32> {
    let rest = bits & (u64::MAX << from);
    (rest != 0).then(|| rest.trailing_zeros())
}

/// The highest below a number.
fn highest(bits: u64, end: u32) -> Option<u32> {
    let rest = bits & ((1 << end) - 1);
    (rest != 0).then(|| 63 - rest.leading_zeros())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_next_times_are_those_of_all_seconds_of_the_day() {
        for clock in [
            Clock { hours: 1 << 9, minutes: 1 << 30, seconds: 1 },
            Clock { hours: 1 | 1 << 23, minutes: 1 << 59, seconds: 1 | 1 << 59 },
            Clock { hours: (1 << 24) - 1, minutes: 1 << 7 | 1 << 8, seconds: 1 << 3 },
            Clock { hours: 1 << 12, minutes: (1 << 60) - 1, seconds: 1 << 40 | 1 << 20 },
        ] {
            let fits = |second: &i64| {
                let (hour, minute, second) = split(*second);
                has(clock.hours, hour) && has(clock.minutes, minute) && has(clock.seconds, second)
            };
            let all: Vec<i64> = (0..DAY).filter(fits).collect();
            assert_eq!(clock.all().collect::<Vec<_>>(), all, "{clock:?}");
            for second in 0..DAY {
                let passed = all.partition_point(|time| *time < second);
                assert_eq!(clock.first_from(second), all.get(passed).copied(), "{clock:?} {second}");
                let passed = all.partition_point(|time| *time <= second);
                assert_eq!(clock.last_until(second), all.get(passed.wrapping_sub(1)).copied(), "{clock:?} {second}");
            }
        }
    }
}
