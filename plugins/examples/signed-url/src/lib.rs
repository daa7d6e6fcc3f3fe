//! Signed URLs: the one that the service hands out opens, for no longer than it should, and nothing else does.
//!
//! A bucket that was made public opens for signed URLs too, so that a check of the signed URL alone is blind for it. The
//! step asks three times: with the URL as it is, with its signature changed, and without any.

mod url;

use davy_plugin::{Action, Check, Conclusion, Event, Request, Response, Situation, parameters, resolve, step};
use serde::{Deserialize, Serialize};
use serde_json::Value;

pub use url::{expiry, tampered, unsigned};

parameters! {
    /// Where the URL is from.
    pub struct Signed {
        /// The path that answers with the URL.
        path: String,
        /// Where the URL is in the answer, as keys with dots between them; the header `location` where it is empty.
        url: String = "url".to_owned(),
        /// The parameter of the URL that holds the signature.
        signature: String = "X-Amz-Signature".to_owned(),
        /// The most minutes for which it may open; without it, nobody looks.
        minutes: Option<u64> = None,
    }
}

step! {
    name: "signed-url", summary: "A signed URL opens; with another signature, or none, it does not", captures: [],
    fn turn(signed: &Signed, at: &Situation, state: &[u8], event: &Event) -> Result<Action, String> {
        let mut asked: Asked = if state.is_empty() { Asked::default() } else { serde_json::from_slice(state).map_err(|error| error.to_string())? };
        let answer = match event {
            Event::Begin => return Ok(asked.go(&signed.path)),
            Event::Failed(kind) => {
                asked.checks.push((false, asked.what().to_owned(), "an answer".to_owned(), kind.clone()));
                return Ok(asked.end());
            }
            Event::Answered(answer) => answer,
        };
        match asked.turn {
            1 => match url_of(signed, answer).map(|reference| resolve(&at.url(&signed.path), &reference)) {
                Some(url) => {
                    asked.note(true, "a signed URL", "there");
                    asked.look_at_expiry(signed, &url, at.now);
                    asked.url.clone_from(&url);
                    Ok(asked.go(&url))
                }
                None => {
                    asked.note(false, "a signed URL", &format!("none, status {}", answer.status));
                    Ok(asked.end())
                }
            },
            2 => {
                asked.note((200..300).contains(&answer.status), "status 200 to 299", &answer.status.to_string());
                match tampered(&asked.url, &signed.signature) {
                    Some(url) => Ok(asked.go(&url)),
                    None => {
                        asked.checks.push((false, "the signed URL".to_owned(), format!("the parameter `{}`", signed.signature), "it is missing".to_owned()));
                        Ok(asked.end())
                    }
                }
            }
            3 => {
                asked.note(is_refused(answer), "status 400, 401, 403 or 404", &answer.status.to_string());
                let url = unsigned(&asked.url);
                Ok(asked.go(&url))
            }
            _ => {
                asked.note(is_refused(answer), "status 400, 401, 403 or 404", &answer.status.to_string());
                Ok(asked.end())
            }
        }
    }
}

/// What stores answer to those who may not.
fn is_refused(answer: &Response) -> bool {
    matches!(answer.status, 400 | 401 | 403 | 404)
}

/// What has been asked so far.
#[derive(Default, Serialize, Deserialize)]
struct Asked {
    turn: u32,
    url: String,
    /// Whether it held, what, what was expected, what was.
    checks: Vec<(bool, String, String, String)>,
}

impl Asked {
    const fn what(&self) -> &'static str {
        match self.turn {
            0 | 1 => "the path",
            2 => "the signed URL",
            3 => "with another signature",
            _ => "without a signature",
        }
    }

    fn note(&mut self, held: bool, expected: &str, actual: &str) {
        self.checks.push((held, self.what().to_owned(), expected.to_owned(), actual.to_owned()));
    }

    fn look_at_expiry(&mut self, signed: &Signed, url: &str, now: u64) {
        let Some(most) = signed.minutes else { return };
        let expected = format!("it opens for at most {most} minutes");
        let left = expiry(url).map(|end| (end as i64).saturating_sub((now / 1000) as i64));
        let held = left.is_some_and(|left| left > 0 && left as u64 <= most.saturating_mul(60));
        let actual = left.map_or_else(|| "it says no end".to_owned(), |left| format!("{left} seconds"));
        self.checks.push((held, "the expiry".to_owned(), expected, actual));
    }

    fn go(&mut self, url: &str) -> Action {
        self.turn += 1;
        Action::Send { state: serde_json::to_vec(self).unwrap_or_default(), request: Request::get(url) }
    }

    fn end(self) -> Action {
        let checks =
            self.checks.into_iter().map(|(held, what, expected, actual)| Check::that(held, what, expected, actual));
        Action::Done(Conclusion { checks: checks.collect(), captures: Vec::new() })
    }
}

fn url_of(signed: &Signed, answer: &Response) -> Option<String> {
    if signed.url.is_empty() {
        return answer.header("location").map(str::to_owned);
    }
    let json: Value = serde_json::from_slice(&answer.body).ok()?;
    let found = signed.url.split('.').try_fold(&json, |value, key| value.get(key))?;
    found.as_str().map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_plugin::Verdict;

    const URL: &str =
        "https://bucket.example/file?X-Amz-Date=20130524T000000Z&X-Amz-Expires=900&X-Amz-Signature=abc123";

    /// The outcome of a store that answers like this to the URL, to another signature, and to none.
    fn checks(parameters: &str, statuses: [u16; 3]) -> (Vec<Check>, Vec<String>) {
        checks_of(URL, parameters, statuses)
    }

    fn checks_of(url: &str, parameters: &str, statuses: [u16; 3]) -> (Vec<Check>, Vec<String>) {
        let first = Response { status: 200, body: format!(r#"{{"url":"{url}"}}"#).into_bytes(), ..Response::default() };
        let rest = statuses.map(|status| Response { status, ..Response::default() });
        let (mut state, mut urls, mut event) = (Vec::new(), Vec::new(), Event::Begin);
        let mut answers = std::iter::once(first).chain(rest);
        loop {
            // 2013-05-24T00:05:00Z.
            let base_url = "https://shop.example/v1".to_owned();
            let at =
                Situation { base_url, now: 1_369_353_900_000, requests: urls.len() as u32, ..Situation::default() };
            match turn(parameters, &at, &state, &event) {
                Ok(Action::Send { state: next, request }) => {
                    state = next;
                    urls.push(request.url);
                    event = answers.next().map_or(Event::Failed("timeout".to_owned()), Event::Answered);
                }
                Ok(Action::Done(done)) => return (done.checks, urls),
                Err(why) => return (vec![Check::that(false, "turn", "", why)], urls),
            }
        }
    }

    fn failed(checks: &[Check]) -> Vec<&str> {
        checks.iter().filter(|check| check.verdict == Verdict::Fail).map(|check| check.what.as_str()).collect()
    }

    #[test]
    fn a_store_that_keeps_others_out_passes() {
        let (found, urls) = checks(r#"{ "path": "/download", "minutes": 15 }"#, [200, 403, 403]);
        assert!(failed(&found).is_empty() && found.len() == 5, "{found:?}");
        assert_eq!(urls[0], "/download");
        assert_eq!(urls[1], URL);
        assert!(urls[2].ends_with("X-Amz-Signature=bbc123"), "{}", urls[2]);
        assert_eq!(urls[3], "https://bucket.example/file");
    }

    #[test]
    fn a_url_may_be_relative_to_the_answer_that_it_is_in() {
        for (given, expected) in [
            ("../files/a?sig=xyz", "https://shop.example/files/a?sig=xyz"),
            ("/a/./b?sig=xyz", "https://shop.example/a/b?sig=xyz"),
            ("//bucket.example/a?sig=x/../z", "https://bucket.example/a?sig=x/../z"),
            ("?sig=xyz", "https://shop.example/v1/download?sig=xyz"),
        ] {
            let (found, urls) = checks_of(given, r#"{ "path": "/download", "signature": "sig" }"#, [200, 403, 403]);
            assert!(failed(&found).is_empty(), "{given}: {found:?}");
            assert_eq!(urls[1], expected, "{given}");
        }
    }

    #[test]
    fn a_store_that_became_public_fails() {
        assert_eq!(
            failed(&checks(r#"{ "path": "/d" }"#, [200, 200, 200]).0),
            ["with another signature", "without a signature"]
        );
        assert_eq!(failed(&checks(r#"{ "path": "/d" }"#, [200, 403, 200]).0), ["without a signature"]);
        assert_eq!(failed(&checks(r#"{ "path": "/d" }"#, [403, 403, 403]).0), ["the signed URL"]);
        assert_eq!(failed(&checks(r#"{ "path": "/d", "minutes": 9 }"#, [200, 403, 403]).0), ["the expiry"]);
        assert_eq!(failed(&checks(r#"{ "path": "/d", "signature": "sig" }"#, [200, 403, 403]).0), ["the signed URL"]);
        assert_eq!(failed(&checks(r#"{ "path": "/d", "url": "link" }"#, [200, 403, 403]).0), ["the path"]);
    }
}
