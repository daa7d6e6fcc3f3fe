//! Instants as a clock on the wall shows them.

use davy::Instant;
use davy::calendar::{Local, Zone};

/// A zone, by its IANA name.
pub(super) fn zone(name: &str) -> Result<Zone, String> {
    Zone::new(name).map_err(|error| error.to_string())
}

/// `Thu 2026-11-26 09:00 +01:00`; `UTC` for no offset.
pub(super) fn shown(zone: &Zone, at: Instant) -> String {
    if at == Instant::MAX {
        return "for ever".to_owned();
    }
    let local = zone.local(at);
    let seconds = Local::EPOCH.until(local).map_or(0, |since| since.millis() / 1000);
    let offset = i64::try_from(seconds).unwrap_or(i64::MAX) - i64::try_from(at.millis() / 1000).unwrap_or(i64::MAX);
    // 1970 began on a Thursday.
    let days = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
    let day = usize::try_from(seconds / 86_400 % 7).ok().and_then(|day| days.get(day)).unwrap_or(&"");
    let minutes = offset.unsigned_abs() / 60;
    let offset = match offset {
        0 => "UTC".to_owned(),
        _ => format!("{}{:02}:{:02}", if offset < 0 { '-' } else { '+' }, minutes / 60, minutes % 60),
    };
    format!("{day} {} {offset}", local.to_string().replace('T', " "))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]
mod tests {
    use super::*;

    #[test]
    fn instants_are_shown_as_the_clock_of_a_zone_shows_them() {
        for (name, at, expected) in [
            ("UTC", "2026-11-26T12:34:00Z", "Thu 2026-11-26 12:34 UTC"),
            ("Europe/Berlin", "2026-11-26T23:30:00Z", "Fri 2026-11-27 00:30 +01:00"),
            ("America/St_Johns", "2026-11-22T02:00:00Z", "Sat 2026-11-21 22:30 -03:30"),
            // The same time on the clock, an hour apart.
            ("Europe/Berlin", "2026-10-25T00:30:00Z", "Sun 2026-10-25 02:30 +02:00"),
            ("Europe/Berlin", "2026-10-25T01:30:00Z", "Sun 2026-10-25 02:30 +01:00"),
        ] {
            assert_eq!(shown(&zone(name).unwrap(), at.parse().unwrap()), expected);
        }
        assert!(zone("Mars/Olympus").is_err());
    }
}
