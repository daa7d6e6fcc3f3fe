//! Rules that look at one step at a time: what is accepted and probably wrong, and what is never meant.

use super::step::{MUTATING, Section};
use crate::Name;
use crate::document::Position;
use crate::document::decode::{Report, Spanned};
use crate::document::diagnostic::{DiagnosticCode as Code, shown};
use crate::document::probe::{Capture, CrossHost, HttpMethod, ProbeStep, Redirects, Tree, TreeValue};
use crate::probe::plan::{CheckTest, RequestPlan, RetryPlan, StepPlan, Test, TestKind};
use crate::probe::template::{Body, Part, Text, parts};

/// Whether a request with this method changes something.
pub(super) fn changes(method: HttpMethod) -> bool {
    MUTATING.contains(&method)
}

/// P011 and P014: what may happen twice, and what may reach others.
pub(super) fn request(
    step: &ProbeStep,
    request: &RequestPlan,
    retry: &RetryPlan,
    redirects: &Redirects,
    report: &mut Report,
) {
    let twice = matches!(request.method, HttpMethod::Post | HttpMethod::Patch) && retry.attempts > 1;
    if twice && !request.idempotency_key {
        let message = format!("a {} that is repeated may do its work twice", request.method);
        report.warn(Code::ProbeIdempotency, &step.position, message, "add `idempotencyKey: true` to the request");
    }
    let credentials = ["authorization", "cookie", "proxy-authorization"];
    let secret = request.auth.is_some() || request.headers.iter().any(|(name, _)| credentials.contains(&name.as_str()));
    if secret && redirects.cross_host() == CrossHost::KeepAuth && redirects.max().get() > 0 {
        let message = "a redirect takes the credentials of this request to another host";
        let position = redirects.cross_host.as_ref().map_or(&step.position, |given| &given.position);
        report.warn(Code::ProbeCredentials, position, message, "use `crossHost: stripAuth`");
    }
}

/// P005 and P006: steps that notice nothing, or little.
pub(super) fn expectations(step: &ProbeStep, compiled: &StepPlan, section: Section, report: &mut Report) {
    let captures = compiled.captures.iter().any(|capture| !capture.optional);
    if compiled.checks.is_empty() && !captures && compiled.poll.is_none() {
        let message = format!("the step `{}` expects nothing of the answer", shown(&compiled.id));
        report.warn(
            Code::ProbeNoExpectation,
            &step.position,
            message,
            "add `expect: { status: 2xx }` and what the body must hold",
        );
        return;
    }
    // What is given and was refused is reported already.
    let says_more = step.expect.as_ref().is_some_and(|expect| {
        let expect = &expect.value;
        expect.jsonpath.is_some() || expect.body.is_some() || expect.header.is_some() || !expect.whole
    });
    let only_status = !compiled.checks.is_empty()
        && !says_more
        && compiled.checks.iter().all(|check| matches!(check.test, CheckTest::Status(_)))
        && !captures
        && compiled.poll.is_none();
    // Of what cleans up, the status says all.
    if only_status
        && section != Section::Teardown
        && let Some(check) = compiled.checks.first()
    {
        let message = "only the status is expected; an error page with the same status would pass";
        report.warn(Code::ProbeStatusOnly, &check.position, message, "add an expectation on the body or a header");
    }
}

/// P020: an expectation on something that differs each time.
pub(super) fn volatile(name: &str, test: &Test, position: &Position, report: &mut Report) {
    const VOLATILE: [&str; 20] = [
        "date",
        "age",
        "expires",
        "lastmodified",
        "etag",
        "xrequestid",
        "requestid",
        "xcorrelationid",
        "correlationid",
        "traceid",
        "traceparent",
        "xtraceid",
        "xamznrequestid",
        "cfray",
        "timestamp",
        "createdat",
        "updatedat",
        "nonce",
        "now",
        "setcookie",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    let fixed = match &test.kind {
        TestKind::Equals(body) => is_literal(body),
        TestKind::OneOf(items) => items.iter().all(is_literal),
        _ => false,
    };
    if fixed && VOLATILE.contains(&plain.as_str()) {
        let message = format!("`{}` differs from answer to answer", shown(name));
        report.warn(Code::ProbeVolatile, position, message, "expect its form with `regex` or `exists` instead");
    }
}

fn is_literal(body: &Body) -> bool {
    match body {
        Body::Plain(_) => true,
        Body::Text(text) => text.literal().is_some(),
        Body::List(items) => items.iter().all(is_literal),
        Body::Object(entries) => entries.iter().all(|(_, value)| is_literal(value)),
    }
}

/// P021: a capture that looks like a secret and would be shown.
pub(super) fn capture(name: &Spanned<Name>, capture: &Capture, report: &mut Report) {
    let source = [&capture.jsonpath, &capture.header, &capture.cookie].into_iter().flatten().next();
    let last = source.and_then(|source| source.value.rsplit(['.', '\'', '"', '[', ']']).find(|part| !part.is_empty()));
    let like = is_secret_like(name.value.as_str()) || last.is_some_and(is_secret_like) || capture.cookie.is_some();
    if like && capture.redact.is_none() {
        let message = format!("the capture `{}` looks like a secret and would be shown", name.value);
        let hint = "add `redact: true`, or `redact: false` if it is none".to_owned();
        report.error(Code::ProbeCapturedSecret, &name.position, message, hint);
    }
}

/// P004: a credential written into the document.
pub(super) fn literal(name: &str, text: &Text, position: &Position, report: &mut Report) {
    if text.literal().is_some_and(|text| !text.is_empty()) && (is_secret_like(name) || is_credential(name)) {
        refuse_literal(name, position, report);
    }
}

/// P004 in a JSON body.
pub(super) fn literal_in_tree(tree: &Tree, report: &mut Report) {
    match &tree.value {
        TreeValue::Object(entries) => {
            for (name, value) in entries {
                if let TreeValue::Text(text) = &value.value {
                    let plain = !parts(&text.0).iter().any(|part| matches!(part, Part::Name(_)));
                    if plain && !text.0.is_empty() && is_secret_like(name) {
                        refuse_literal(name, &value.position, report);
                    }
                }
                literal_in_tree(value, report);
            }
        }
        TreeValue::List(items) => items.iter().for_each(|item| literal_in_tree(item, report)),
        TreeValue::Plain(_) | TreeValue::Text(_) => {}
    }
}

fn refuse_literal(name: &str, position: &Position, report: &mut Report) {
    let message = format!("the value of `{}` looks like a credential that is written out", shown(name));
    let hint = "declare it under `secrets` and write `${secrets.name}`".to_owned();
    report.error(Code::ProbeLiteralSecret, position, message, hint);
}

/// Headers that carry credentials.
fn is_credential(name: &str) -> bool {
    ["authorization", "proxy-authorization", "cookie", "x-auth", "x-api-key"]
        .contains(&name.to_ascii_lowercase().as_str())
}

/// Whether something of this name is likely to be a secret.
pub(super) fn is_secret_like(name: &str) -> bool {
    const SECRET: [&str; 12] = [
        "password",
        "passwd",
        "passphrase",
        "secret",
        "token",
        "apikey",
        "accesskey",
        "privatekey",
        "credential",
        "authorization",
        "sessionid",
        "cookie",
    ];
    const NOT: [&str; 14] = [
        "url",
        "uri",
        "path",
        "endpoint",
        "type",
        "name",
        "field",
        "header",
        "count",
        "ttl",
        "expiry",
        "expires",
        "limit",
        "expiresin",
    ];
    let plain: String = name.chars().filter(char::is_ascii_alphanumeric).collect::<String>().to_ascii_lowercase();
    SECRET.iter().any(|word| plain.contains(word)) && !NOT.iter().any(|word| plain.ends_with(word))
}
