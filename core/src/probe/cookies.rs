//! The cookies of one run. Source: RFC 6265, section 5.

use jiff::fmt::rfc2822;

use super::url::{Host, Url};
use crate::{Duration, Instant};

/// Cookies that answers have set.
#[derive(Clone, Default)]
pub(crate) struct Jar(Vec<Cookie>);

#[derive(Clone)]
struct Cookie {
    name: String,
    value: String,
    domain: String,
    host_only: bool,
    path: String,
    secure: bool,
    expires: Option<Instant>,
}

const MOST: usize = 100;

impl Jar {
    /// Keeps what a `Set-Cookie` of this URL's answer says.
    pub(crate) fn store(&mut self, url: &Url, header: &str, now: Instant) {
        let Some(cookie) = read(url, header, now) else { return };
        self.0
            .retain(|known| (&known.name, &known.domain, &known.path) != (&cookie.name, &cookie.domain, &cookie.path));
        if !cookie.is_over(now) && self.0.len() < MOST {
            self.0.push(cookie);
        }
    }

    /// The `Cookie` header for a request; nothing without cookies.
    pub(crate) fn header(&self, url: &Url, now: Instant) -> Option<String> {
        let mut fitting: Vec<&Cookie> = self.0.iter().filter(|cookie| fits(cookie, url, now)).collect();
        fitting.sort_by_key(|cookie| std::cmp::Reverse(cookie.path.len()));
        let pairs: Vec<String> = fitting.iter().map(|cookie| format!("{}={}", cookie.name, cookie.value)).collect();
        (!pairs.is_empty()).then(|| pairs.join("; "))
    }
}

/// Whether a `Set-Cookie` of this URL's answer only takes a cookie away: what it then has for a value is no credential.
pub(crate) fn removes(url: &Url, header: &str, now: Instant) -> bool {
    // A cookie that has just run out, or does so by a clock that is ahead, may be one still.
    let before = |expires: Instant| expires.plus(Duration::from_minutes(30)) <= now;
    read(url, header, now).and_then(|cookie| cookie.expires).is_some_and(before)
}

/// Name and value of a `Set-Cookie`.
pub(crate) fn name_and_value(header: &str) -> Option<(&str, &str)> {
    let (name, value) = header.split(';').next()?.split_once('=')?;
    let (name, value) = (name.trim(), value.trim());
    (!name.is_empty()).then_some((name, value))
}

/// The seconds or the date of headers such as `Retry-After`.
pub(crate) fn http_date(text: &str) -> Option<Instant> {
    let timestamp = rfc2822::DateTimeParser::new().relaxed_weekday(true).parse_timestamp(text.trim()).ok()?;
    Some(Instant::from_millis(timestamp.as_millisecond()))
}

fn read(url: &Url, header: &str, now: Instant) -> Option<Cookie> {
    let (name, value) = name_and_value(header)?;
    if header.len() > 4096 || header.contains(char::is_control) {
        return None;
    }
    let host = url.host().to_string();
    let folder = url.path().rsplit_once('/').map_or("/", |(folder, _)| if folder.is_empty() { "/" } else { folder });
    let mut cookie = Cookie {
        name: name.to_owned(),
        value: value.to_owned(),
        domain: host.clone(),
        host_only: true,
        path: folder.to_owned(),
        secure: false,
        expires: None,
    };
    let mut max_age = None;
    for attribute in header.split(';').skip(1) {
        let (key, value) = attribute.split_once('=').unwrap_or((attribute, ""));
        let value = value.trim();
        match key.trim().to_ascii_lowercase().as_str() {
            "domain" if !value.is_empty() => {
                let domain = value.trim_start_matches('.').to_ascii_lowercase();
                // A host may speak for its parents, but not for a whole top-level domain.
                let is_parent = domain.contains('.') && host.ends_with(&format!(".{domain}"));
                if domain != host && !(is_parent && matches!(url.host(), Host::Name(_))) {
                    return None;
                }
                (cookie.domain, cookie.host_only) = (domain, false);
            }
            "path" if value.starts_with('/') => cookie.path = value.to_owned(),
            "secure" => cookie.secure = true,
            "expires" => cookie.expires = http_date(value),
            "max-age" => max_age = value.parse::<i64>().ok(),
            _ => {}
        }
    }
    if let Some(seconds) = max_age {
        let seconds = u64::try_from(seconds).ok().filter(|seconds| *seconds > 0);
        cookie.expires = Some(seconds.map_or(Instant::EPOCH, |seconds| now.plus(Duration::from_secs(seconds))));
    }
    Some(cookie)
}

fn fits(cookie: &Cookie, url: &Url, now: Instant) -> bool {
    let host = url.host().to_string();
    let domain = host == cookie.domain || !cookie.host_only && host.ends_with(&format!(".{}", cookie.domain));
    let path = url
        .path()
        .strip_prefix(cookie.path.as_str())
        .is_some_and(|rest| rest.is_empty() || rest.starts_with('/') || cookie.path.ends_with('/'));
    domain && path && (!cookie.secure || url.is_encrypted()) && !cookie.is_over(now)
}

impl Cookie {
    fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn header(set: &[&str], from: &str, to: &str, after: Duration) -> Option<String> {
        let now = Instant::from_millis(1_800_000_000_000);
        let mut jar = Jar::default();
        for cookie in set {
            jar.store(&from.parse().unwrap(), cookie, now);
        }
        jar.header(&to.parse().unwrap(), now.plus(after))
    }

    #[test]
    fn cookies_go_where_they_belong_and_nowhere_else() {
        let login = "https://shop.example/account/login";
        for (set, to, sent) in [
            ("sid=1", "https://shop.example/account/x", true),
            ("sid=1", "https://shop.example/other", false),
            ("sid=1; Path=/", "https://shop.example/other", true),
            ("sid=1; Path=/acc", "https://shop.example/account", false),
            ("sid=1; Path=/", "https://api.shop.example/", false),
            ("sid=1; Path=/; Domain=shop.example", "https://api.shop.example/", true),
            ("sid=1; Path=/; Domain=.shop.example", "https://evilshop.example/", false),
            ("sid=1; Path=/; Domain=example", "https://shop.example/", false),
            ("sid=1; Path=/; Domain=other.example", "https://other.example/", false),
            ("sid=1; Path=/; Secure", "http://shop.example/", false),
            ("sid=1; Path=/; Max-Age=0", "https://shop.example/", false),
            ("sid=1; Path=/; Expires=Wed, 21 Oct 2015 07:28:00 GMT", "https://shop.example/", false),
            ("=1; Path=/", "https://shop.example/", false),
        ] {
            assert_eq!(header(&[set], login, to, Duration::ZERO).is_some(), sent, "{set} to {to}");
        }
    }

    #[test]
    fn what_only_takes_a_cookie_away_is_told_from_what_runs_out() {
        let (url, now) = ("https://a.example/".parse().unwrap(), "2026-11-23T10:00:00Z".parse().unwrap());
        for (set, removed) in [
            ("sid=deleted; Max-Age=0", true),
            ("sid=deleted; Expires=Thu, 01 Jan 1970 00:00:01 GMT", true),
            ("sid=deleted; Expires=Mon, 23 Nov 2026 09:00:00 GMT", true),
            ("sid=deleted; Expires=Mon, 23 Nov 2026 09:59:50 GMT", false),
            ("sid=deleted; Max-Age=1", false),
            ("sid=deleted", false),
        ] {
            assert_eq!(removes(&url, set, now), removed, "{set}");
        }
    }

    #[test]
    fn a_cookie_replaces_its_namesake_and_ends() {
        let (url, minute) = ("https://a.example/", Duration::from_minutes(1));
        assert_eq!(header(&["a=1", "a=2; Max-Age=60"], url, url, Duration::ZERO).as_deref(), Some("a=2"));
        assert_eq!(header(&["a=1", "a=2; Max-Age=60"], url, url, minute), None);
        assert_eq!(header(&["a=1", "b=2"], url, url, minute).as_deref(), Some("a=1; b=2"));
    }
}
