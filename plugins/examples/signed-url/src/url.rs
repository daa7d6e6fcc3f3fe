//! What signed URLs are made of.

/// When it ends, in seconds since 1970: of AWS (`X-Amz-Date` with `X-Amz-Expires`), of Google (`X-Goog-Date` with
/// `X-Goog-Expires`), of Azure (`se`), or of CloudFront and others (`Expires`).
#[must_use]
pub fn expiry(url: &str) -> Option<u64> {
    let of = |name: &str| parameters(url).find(|(known, _)| known.eq_ignore_ascii_case(name)).map(|(_, value)| value);
    for (date, expires) in [("X-Amz-Date", "X-Amz-Expires"), ("X-Goog-Date", "X-Goog-Expires")] {
        if let (Some(date), Some(expires)) = (of(date), of(expires)) {
            return instant(date)?.checked_add(expires.parse().ok()?);
        }
    }
    match (of("se"), of("Expires")) {
        (Some(end), _) => instant(&end.replace("%3A", ":").replace("%3a", ":")),
        (None, Some(end)) => end.parse().ok(),
        (None, None) => None,
    }
}

/// The URL with the first character of its signature changed.
#[must_use]
pub fn tampered(url: &str, signature: &str) -> Option<String> {
    let (_, query) = url.split_once('?')?;
    let mut from = url.len() - query.len();
    for part in query.split('&') {
        if let Some((name, value)) = part.split_once('=').filter(|(name, _)| name.eq_ignore_ascii_case(signature)) {
            let at = from + name.len() + 1;
            let first = value.chars().next()?;
            let other = if first == 'a' { 'b' } else { 'a' };
            let rest = value.get(first.len_utf8()..)?;
            return Some(format!("{}{other}{rest}{}", url.get(..at)?, url.get(at + value.len()..)?));
        }
        from += part.len() + 1;
    }
    None
}

/// The URL without its query.
#[must_use]
pub fn unsigned(url: &str) -> String {
    url.split_once('?').map_or(url, |(path, _)| path).to_owned()
}

fn parameters(url: &str) -> impl Iterator<Item = (&str, &str)> {
    let query = url.split_once('?').map_or("", |(_, query)| query.split('#').next().unwrap_or_default());
    query.split('&').filter_map(|part| part.split_once('='))
}

/// `20130524T000000Z` or `2013-05-24T00:00:00Z`, in seconds since 1970.
fn instant(text: &str) -> Option<u64> {
    let digits: String = text.chars().filter(|c| !matches!(c, '-' | ':')).collect();
    let number = |from: usize, to: usize| digits.get(from..to)?.parse::<u64>().ok();
    if digits.len() != 16 || digits.get(8..9) != Some("T") || !digits.ends_with('Z') {
        return None;
    }
    let (year, month, day) = (number(0, 4)?, number(4, 6)?, number(6, 8)?);
    let (hour, minute, second) = (number(9, 11)?, number(11, 13)?, number(13, 15)?);
    if year < 1970 || !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60
    {
        return None;
    }
    // Days since 1970 of a civil date: years begin in March, so that the leap day is their last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = year * 365 + year / 4 - year / 100 + year / 400 + (month * 153 + 2) / 5 + day - 1;
    Some((days - 719_468) * 86_400 + hour * 3600 + minute * 60 + second)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The presigned URL of AWS's own documentation ("Authenticating Requests: Using Query Parameters").
    const AWS: &str = "https://examplebucket.s3.amazonaws.com/test.txt?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIAIOSFODNN7EXAMPLE%2F20130524%2Fus-east-1%2Fs3%2Faws4_request&X-Amz-Date=20130524T000000Z&X-Amz-Expires=86400&X-Amz-SignedHeaders=host&X-Amz-Signature=aeeed9bbccd4d02ee5c0109b86d86835f995330da4c265957d157751f604d404";

    #[test]
    fn the_end_is_read_in_every_dialect() {
        assert_eq!(expiry(AWS), Some(1_369_440_000), "2013-05-25T00:00:00Z");
        assert_eq!(expiry("https://x/y?se=2024-02-29T12%3A30%3A00Z&sig=z"), Some(1_709_209_800));
        assert_eq!(expiry("https://x/y?Expires=1700000000&Signature=z"), Some(1_700_000_000));
        assert_eq!(expiry("https://x/y?X-Goog-Date=20000301T000001Z&X-Goog-Expires=59"), Some(951_868_860));
        for none in [
            "https://x/y",
            "https://x/y?Expires=soon",
            "https://x/y?se=2024-13-01T00:00:00Z",
            "https://x/y?X-Amz-Date=20130524T000000Z",
        ] {
            assert_eq!(expiry(none), None, "{none}");
        }
    }

    #[test]
    fn only_the_signature_is_changed() {
        let other = tampered(AWS, "x-amz-signature").unwrap_or_default();
        assert_eq!(other.replace("X-Amz-Signature=beeed9", "X-Amz-Signature=aeeed9"), AWS);
        assert_ne!(other, AWS);
        assert_eq!(tampered("https://x/y?sig=zz&a=1", "sig").as_deref(), Some("https://x/y?sig=az&a=1"));
        for none in ["https://x/y", "https://x/y?a=1", "https://x/y?sig=", "https://x/y?sig"] {
            assert_eq!(tampered(none, "sig"), None, "{none}");
        }
        assert_eq!(unsigned(AWS), "https://examplebucket.s3.amazonaws.com/test.txt");
    }
}
