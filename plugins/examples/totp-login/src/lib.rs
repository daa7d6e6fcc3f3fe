//! Signs in with a user, a password and a one-time password (TOTP, RFC 6238), and captures the session.

mod code;

use davy_plugin::{Action, Capture, Check, Conclusion, Event, Request, Response, Situation, parameters, step};

pub use code::{Algorithm, from_base32, totp};

parameters! {
    /// Who signs in, and how.
    pub struct Login {
        /// The path that signs in, which takes a POST of JSON.
        path: String = "/login".to_owned(),
        /// The user.
        user: String,
        /// The password; a secret of the flow.
        password: String,
        /// The shared secret in Base32, as it was shown when the second factor was set up; a secret of the flow.
        secret: String,
        /// `SHA1`, `SHA256` or `SHA512`.
        algorithm: String = "SHA1".to_owned(),
        /// How many digits a code has, 6 to 8.
        digits: u32 = 6,
        /// For how many seconds a code is good.
        period: u64 = 30,
        /// The keys of the request's JSON: user, password, code.
        fields: Vec<String> = vec!["user".to_owned(), "password".to_owned(), "code".to_owned()],
        /// The key of the answer's JSON that holds the session; without it, the cookie of that name.
        session: String = "session".to_owned(),
    }
}

step! {
    name: "totp-login", summary: "Signs in with a second factor and captures the session", captures: ["session"],
    fn turn(login: &Login, at: &Situation, _state: &[u8], event: &Event) -> Result<Action, String> {
        match event {
            Event::Begin => begin(login, at),
            Event::Answered(answer) if is_refused(answer) && at.requests == 1 => begin(login, at),
            Event::Answered(answer) => Ok(Action::Done(judge(login, answer))),
            Event::Failed(kind) => Ok(Action::Done(Conclusion {
                checks: vec![Check::that(false, "answer", "an answer", kind.as_str())],
                captures: Vec::new(),
            })),
        }
    }
}

/// A code is good for its period: one that was made at the very end of it may come too late. A second try is made with
/// the code of the time at which it is made.
fn is_refused(answer: &Response) -> bool {
    matches!(answer.status, 401 | 403)
}

fn begin(login: &Login, at: &Situation) -> Result<Action, String> {
    let [user, password, code] = login.fields.as_slice() else {
        return Err("`fields` names three keys: user, password and code".to_owned());
    };
    let algorithm: Algorithm = login.algorithm.parse()?;
    if !(6..=8).contains(&login.digits) || login.period == 0 {
        return Err("a code has 6 to 8 digits and a period above 0".to_owned());
    }
    let secret = from_base32(&login.secret)?;
    let totp = totp(&secret, at.now / 1000 / login.period, login.digits, algorithm);
    let mut body = serde_json::Map::new();
    for (key, value) in [(user, login.user.clone()), (password, login.password.clone()), (code, totp)] {
        body.insert(key.clone(), value.into());
    }
    let request = Request::post_json(login.path.as_str(), serde_json::Value::Object(body).to_string());
    Ok(Action::Send { state: Vec::new(), request })
}

fn judge(login: &Login, answer: &Response) -> Conclusion {
    let mut checks =
        vec![Check::that((200..300).contains(&answer.status), "status", "200 to 299", answer.status.to_string())];
    let session = session(login, answer);
    checks.push(Check::that(
        session.is_some(),
        "session",
        format!("`{}` in the answer or its cookies", login.session),
        if session.is_some() { "it is there" } else { "it is missing" },
    ));
    let captures = session.map(|value| Capture { name: "session".to_owned(), value }).into_iter().collect();
    Conclusion { checks, captures }
}

fn session(login: &Login, answer: &Response) -> Option<String> {
    let json: Option<serde_json::Value> = serde_json::from_slice(&answer.body).ok();
    let in_body = json.as_ref().and_then(|json| json.get(&login.session)).and_then(|value| value.as_str());
    let cookies = answer.headers.iter().filter(|(name, _)| name == "set-cookie").map(|(_, value)| value.as_str());
    let in_cookies = || {
        cookies.filter_map(|cookie| cookie.split(';').next()?.split_once('=')).find(|(name, _)| *name == login.session)
    };
    in_body.map(str::to_owned).or_else(|| in_cookies().map(|(_, value)| value.to_owned())).filter(|it| !it.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOGIN: &str =
        r#"{ "user": "ana", "password": "p", "secret": "GEZDGNBVGY3TQOJQGEZDGNBVGY3TQOJQ", "digits": 8 }"#;

    fn at(seconds: u64, requests: u32) -> Situation {
        Situation { now: seconds * 1000 + 999, requests, ..Situation::default() }
    }

    fn sent(action: Result<Action, String>) -> String {
        match action {
            Ok(Action::Send { request, .. }) => String::from_utf8_lossy(&request.body).into_owned(),
            other => format!("{other:?}"),
        }
    }

    #[test]
    fn the_code_of_the_moment_is_sent() {
        let body = sent(turn(LOGIN, &at(59, 0), &[], &Event::Begin));
        assert_eq!(body, r#"{"code":"94287082","password":"p","user":"ana"}"#);
    }

    #[test]
    fn a_code_that_came_too_late_is_followed_by_the_next() {
        let refused = Event::Answered(Response { status: 401, ..Response::default() });
        assert!(sent(turn(LOGIN, &at(1_111_111_111, 1), &[], &refused)).contains("14050471"));
        let again = turn(LOGIN, &at(1_111_111_111, 2), &[], &refused);
        assert!(matches!(again, Ok(Action::Done(done)) if done.checks[0].verdict == davy_plugin::Verdict::Fail));
    }

    fn done(answer: Response) -> Conclusion {
        match turn(LOGIN, &at(59, 2), &[], &Event::Answered(answer)) {
            Ok(Action::Done(done)) => done,
            _ => Conclusion::default(),
        }
    }

    #[test]
    fn the_session_is_captured_from_the_body_or_a_cookie() {
        let body = Response { status: 200, body: br#"{"session":"s1"}"#.to_vec(), ..Response::default() };
        assert_eq!(done(body).captures[0].value, "s1");
        let headers = vec![("set-cookie".to_owned(), "session=s2; HttpOnly; Path=/".to_owned())];
        let cookie = Response { status: 204, headers, ..Response::default() };
        assert_eq!(done(cookie).captures[0].value, "s2");
        let neither = done(Response { status: 200, ..Response::default() });
        assert_eq!((neither.checks[1].verdict, neither.captures.len()), (davy_plugin::Verdict::Fail, 0));
    }

    #[test]
    fn what_cannot_be_run_is_said() {
        let with = |from: &str, to: &str| turn(&LOGIN.replace(from, to), &at(59, 0), &[], &Event::Begin);
        assert_eq!(with("GEZDGNBV", "1EZDGNBV"), Err("the secret is no Base32".to_owned()));
        assert_eq!(with("\"digits\": 8", "\"digits\": 4"), Err("a code has 6 to 8 digits and a period above 0".into()));
        assert!(with("\"digits\": 8", "\"algorithm\": \"MD5\"").is_err());
        assert!(with("\"user\"", "\"usr\"").is_err());
    }
}
