//! Errors that GraphQL hides: it answers 200 whatever became of the query, and says the rest in the body.

use davy_plugin::{Action, Check, Conclusion, Event, Request, Response, Situation, parameters, step};
use serde_json::{Map, Value};

parameters! {
    /// What is asked, and what must be answered.
    pub struct Question {
        /// The path of the endpoint.
        path: String = "/graphql".to_owned(),
        /// The query.
        query: String,
        /// Its variables, as a JSON object in text.
        variables: String = "{}".to_owned(),
        /// Values that must be there and not null, as places in `data`: `cart.items`, `cart.items.0.price`.
        required: Vec<String> = Vec::new(),
        /// Values of `extensions.code` whose errors degrade the step instead of failing it.
        degraded: Vec<String> = Vec::new(),
        /// The value of the header `authorization`.
        authorization: Option<String> = None,
    }
}

step! {
    name: "graphql-errors", summary: "Asks a GraphQL endpoint, and fails for errors behind a status of 200", captures: [],
    fn turn(question: &Question, _at: &Situation, _state: &[u8], event: &Event) -> Result<Action, String> {
        match event {
            Event::Begin => ask(question),
            Event::Answered(answer) => {
                Ok(Action::Done(Conclusion { checks: judge(question, answer), captures: Vec::new() }))
            }
            Event::Failed(kind) => Ok(Action::Done(Conclusion {
                checks: vec![Check::that(false, "answer", "an answer", kind.as_str())],
                captures: Vec::new(),
            })),
        }
    }
}

fn ask(question: &Question) -> Result<Action, String> {
    let variables: Map<String, Value> =
        serde_json::from_str(&question.variables).map_err(|error| format!("`variables` is no JSON object: {error}"))?;
    let body = serde_json::json!({ "query": question.query, "variables": variables });
    let mut request = Request::post_json(question.path.as_str(), body.to_string())
        .header("accept", "application/graphql-response+json, application/json;q=0.9");
    if let Some(authorization) = &question.authorization {
        request = request.header("authorization", authorization);
    }
    Ok(Action::Send { state: Vec::new(), request })
}

fn judge(question: &Question, answer: &Response) -> Vec<Check> {
    let status = Check::that((200..300).contains(&answer.status), "status", "200 to 299", answer.status.to_string());
    let Ok(Value::Object(body)) = serde_json::from_slice(&answer.body) else {
        let what = if answer.truncated { "it is longer than is read" } else { "it is no JSON object" };
        return vec![status, Check::that(false, "body", "a GraphQL response", what)];
    };
    let mut checks = vec![status];
    match body.get("errors") {
        // The specification: an empty list is malformed, and says that something went wrong when it was made.
        Some(Value::Array(errors)) if !errors.is_empty() => {
            checks.extend(errors.iter().enumerate().map(|(index, error)| unmasked(question, index, error)));
        }
        Some(other) => checks.push(Check::that(false, "errors", "no such key", other.to_string())),
        None => checks.push(Check::that(true, "errors", "none", "none")),
    }
    let data = body.get("data");
    checks.push(Check::that(data.is_some_and(|data| !data.is_null()), "data", "a value", shown(data)));
    for place in &question.required {
        let found = data.and_then(|data| at(data, place));
        checks.push(Check::that(
            found.is_some_and(|value| !value.is_null()),
            format!("data.{place}"),
            "a value",
            shown(found),
        ));
    }
    checks
}

/// One error, with where it is from.
fn unmasked(question: &Question, index: usize, error: &Value) -> Check {
    let text = |key: &str| error.get(key).and_then(Value::as_str);
    let code = error.get("extensions").and_then(|more| more.get("code")).and_then(Value::as_str);
    let path: Vec<String> = error.get("path").and_then(Value::as_array).into_iter().flatten().map(segment).collect();
    let mut actual = text("message").unwrap_or("an error without a message").to_owned();
    if let Some(code) = code {
        actual = format!("{code}: {actual}");
    }
    if !path.is_empty() {
        actual = format!("{actual} (at `{}`)", path.join("."));
    }
    let mut check = Check::that(false, format!("errors[{index}]"), "no error", actual);
    if code.is_some_and(|code| question.degraded.iter().any(|known| known == code)) {
        check.verdict = davy_plugin::Verdict::Degraded;
    }
    check
}

fn segment(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

/// The value at a place, as keys and indexes with dots between them.
fn at<'a>(data: &'a Value, place: &str) -> Option<&'a Value> {
    place.split('.').try_fold(data, |value, key| match value {
        Value::Object(entries) => entries.get(key),
        Value::Array(items) => items.get(key.parse::<usize>().ok()?),
        _ => None,
    })
}

fn shown(value: Option<&Value>) -> String {
    value.map_or_else(|| "nothing".to_owned(), |value| value.to_string().chars().take(80).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy_plugin::Verdict;

    /// An example of the specification (October 2021, 7.1.2): a field that failed, and data beside it.
    const PARTIAL: &str = r#"{ "errors": [{ "message": "Name for character with ID 1002 could not be fetched.",
        "locations": [{ "line": 6, "column": 7 }], "path": ["hero", "heroFriends", 1, "name"],
        "extensions": { "code": "CAN_NOT_FETCH_BY_ID" } }],
        "data": { "hero": { "name": "R2-D2", "heroFriends": [
            { "id": "1000", "name": "Luke Skywalker" }, { "id": "1002", "name": null } ] } } }"#;

    fn checks(parameters: &str, status: u16, body: &str) -> Vec<(String, Verdict, String)> {
        let answer = Response { status, body: body.as_bytes().to_vec(), ..Response::default() };
        match turn(parameters, &Situation::default(), &[], &Event::Answered(answer)) {
            Ok(Action::Done(done)) => done.checks.into_iter().map(|one| (one.what, one.verdict, one.actual)).collect(),
            other => vec![(format!("{other:?}"), Verdict::Fail, String::new())],
        }
    }

    fn worst(checks: &[(String, Verdict, String)]) -> Verdict {
        let is = |verdict| checks.iter().any(|(_, known, _)| *known == verdict);
        if is(Verdict::Fail) {
            Verdict::Fail
        } else if is(Verdict::Degraded) {
            Verdict::Degraded
        } else {
            Verdict::Pass
        }
    }

    #[test]
    fn an_error_behind_a_200_fails_and_says_where_it_is_from() {
        let found = checks(r#"{ "query": "{ hero }" }"#, 200, PARTIAL);
        assert_eq!(worst(&found), Verdict::Fail);
        let message =
            "CAN_NOT_FETCH_BY_ID: Name for character with ID 1002 could not be fetched. (at `hero.heroFriends.1.name`)";
        assert_eq!(found[1], ("errors[0]".to_owned(), Verdict::Fail, message.to_owned()));
    }

    #[test]
    fn known_errors_degrade_unless_what_is_needed_is_missing() {
        let known = |required: &str| {
            let parameters = format!(
                r#"{{ "query": "{{ hero }}", "degraded": ["CAN_NOT_FETCH_BY_ID"], "required": ["{required}"] }}"#
            );
            worst(&checks(&parameters, 200, PARTIAL))
        };
        assert_eq!(known("hero.heroFriends.0.name"), Verdict::Degraded);
        assert_eq!(known("hero.heroFriends.1.name"), Verdict::Fail);
        assert_eq!(known("hero.heroFriends.7.name"), Verdict::Fail);
    }

    #[test]
    fn an_answer_without_errors_passes_and_malformed_ones_fail() {
        let of = |status, body| worst(&checks(r#"{ "query": "{ a }" }"#, status, body));
        assert_eq!(of(200, r#"{ "data": { "a": 1 } }"#), Verdict::Pass);
        assert_eq!(of(500, r#"{ "data": { "a": 1 } }"#), Verdict::Fail);
        for body in [
            "<html>",
            "[]",
            "",
            r#"{ "data": null }"#,
            "{}",
            r#"{ "data": {}, "errors": [] }"#,
            r#"{ "data": {}, "errors": "no" }"#,
        ] {
            assert_eq!(of(200, body), Verdict::Fail, "{body}");
        }
    }

    #[test]
    fn the_question_is_sent_as_json() {
        let parameters = r#"{ "query": "query($id: ID) { cart(id: $id) { total } }", "variables": "{\"id\":7}", "authorization": "Bearer t" }"#;
        let Ok(Action::Send { request, .. }) = turn(parameters, &Situation::default(), &[], &Event::Begin) else {
            panic!("nothing was sent");
        };
        let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
        assert_eq!(body["variables"]["id"], 7);
        assert!(request.headers.contains(&("authorization".to_owned(), "Bearer t".to_owned())));
        assert!(turn(r#"{ "query": "{ a }", "variables": "7" }"#, &Situation::default(), &[], &Event::Begin).is_err());
    }
}
