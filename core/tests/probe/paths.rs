//! RFC 9535 through the whole way of an expectation: compiled from a document, evaluated by a run.

use serde_json::{Value as Json, json};

use crate::host::{Host, answer};
use davy::ProbeFlows;

/// What a path finds, as a capture takes it; nothing where it is no path.
fn find(path: &str, document: &Json) -> Option<Json> {
    let quoted = Json::from(path).to_string();
    let text = format!(
        "apiVersion: davy/v1\nkind: ProbeFlow\nmetadata: {{ name: a }}\nspec:\n  targets: {{ prod: {{ baseUrl: https://shop.example }} }}\n  steps:\n    - {{ request: {{ path: / }}, capture: {{ found: {{ jsonpath: {quoted}, optional: true, redact: false }} }}, expect: {{ status: 200 }} }}\n    - {{ request: {{ path: /, method: PUT, json: {{ found: \"${{found}}\" }} }}, expect: {{ status: 200 }} }}\n"
    );
    let flows = ProbeFlows::from_files([("a.yaml", text)]).ok()?;
    let body = document.to_string();
    let mut host = Host::new(|_, _| answer(200, &body));
    let mut run = host.begin(flows.get("a").unwrap());
    host.finish(&mut run);
    let sent: Json = serde_json::from_slice(&host.asked[1].body.0).unwrap();
    Some(sent["found"].clone())
}

/// What a capture makes of so many values.
fn captured(values: &[Json]) -> Json {
    match values {
        [] => json!(""),
        [one] => one.clone(),
        several => json!(several),
    }
}

#[test]
fn the_examples_of_the_rfc_find_what_is_printed_there() {
    // RFC 9535, section 1.5.
    let store = json!({ "store": {
        "book": [
            { "category": "reference", "author": "Nigel Rees", "title": "Sayings of the Century", "price": 8.95 },
            { "category": "fiction", "author": "Evelyn Waugh", "title": "Sword of Honour", "price": 12.99 },
            { "category": "fiction", "author": "Herman Melville", "title": "Moby Dick", "isbn": "0-553-21311-3", "price": 8.99 },
            { "category": "fiction", "author": "J. R. R. Tolkien", "title": "The Lord of the Rings", "isbn": "0-395-19395-8", "price": 22.99 },
        ],
        "bicycle": { "color": "red", "price": 399 },
    } });
    let book = |index: usize| store["store"]["book"][index].clone();
    let authors = json!(["Nigel Rees", "Evelyn Waugh", "Herman Melville", "J. R. R. Tolkien"]);
    for (path, expected) in [
        ("$.store.book[*].author", authors.clone()),
        ("$..author", authors),
        ("$..book[2]", book(2)),
        ("$..book[2].author", json!("Herman Melville")),
        ("$..book[2].publisher", json!("")),
        ("$..book[-1]", book(3)),
        ("$..book[0,1]", json!([book(0), book(1)])),
        ("$..book[:2]", json!([book(0), book(1)])),
        ("$..book[?@.isbn]", json!([book(2), book(3)])),
        ("$..book[?@.price<10]", json!([book(0), book(2)])),
    ] {
        assert_eq!(find(path, &store), Some(expected), "{path}");
    }
    for path in ["", "$.", "store", "$[", "$..", "$.a b", " $", "$ ", "$[01]", "$[?@.a=1]", "$[?length(@)]"] {
        assert_eq!(find(path, &store), None, "{path}");
    }
}

/// The compliance suite is another's; it is run where its `cts.json` is at hand.
#[test]
#[expect(clippy::disallowed_methods, reason = "the suite is a file that is named from outside")]
fn the_compliance_suite_passes() {
    let Ok(path) = std::env::var("JSONPATH_CTS") else {
        println!("SKIPPED: set JSONPATH_CTS to the cts.json of jsonpath-standard/jsonpath-compliance-test-suite");
        return;
    };
    let suite: Json = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let tests = suite["tests"].as_array().unwrap();
    let mut wrong = Vec::new();
    for test in tests {
        let (name, selector) = (test["name"].as_str().unwrap(), test["selector"].as_str().unwrap());
        let found = find(selector, &test["document"]);
        let list = |value: &Json| captured(value.as_array().unwrap());
        // Documents hold no control characters but line breaks, so that these paths cannot be written in one.
        let unwritable = selector.chars().any(|c| c.is_control() && c != '\n');
        let fits = if unwritable || test["invalid_selector"] == json!(true) {
            found.is_none()
        } else if let Some(results) = test["results"].as_array() {
            results.iter().any(|result| found.as_ref() == Some(&list(result)))
        } else {
            found.as_ref() == Some(&list(&test["result"]))
        };
        if !fits {
            wrong.push(format!("{name}: {selector}: {found:?}"));
        }
    }
    assert!(wrong.is_empty() && tests.len() > 600, "{} of {}\n{}", wrong.len(), tests.len(), wrong.join("\n"));
}
