//! What rules in Rego and CEL say, and how it is explained.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use davy::{Asked, Cause};
use support::*;

#[test]
fn each_set_of_rego_has_its_outcome() {
    for (set, said) in [
        ("fail", "fail rules.fail r: why"),
        ("deny", "fail rules.deny r: why"),
        ("hold", "hold rules.hold r: why"),
        ("warn", "pass rules.warn r: why"),
    ] {
        let engine = rego(&format!("{set} contains \"why\" if input.facts.n > 3"));
        let said = format!("{said}: input.facts.n > 3 (facts.n is 4)");
        assert_eq!(says(&engine, r#"{"n": 4}"#), [said]);
        assert_eq!(says(&engine, r#"{"n": 3}"#), ["pass rules.passed r: nothing against it"]);
    }
    let engine = rego("deny contains \"why\" if input.facts.n > 3");
    let later = decide(&engine, &snapshot(Asked::Promote, r#"{"n": 4}"#));
    assert!(of_rules(&later)[0].starts_with("hold rules.deny"), "only `start` is denied for good");
}

#[test]
fn members_are_texts_or_objects_with_a_code() {
    let engine = rego(
        "deny contains {\"msg\": msg, \"code\": \"image.unpinned\"} if {\n\tsome image in input.facts.images\n\tnot contains(image.ref, \"@sha256:\")\n\tmsg := sprintf(\"%s is not pinned\", [image.ref])\n}",
    );
    let decision = decide(
        &engine,
        &snapshot(Asked::Start, r#"{"images": [{"ref": "a:1"}, {"ref": "b@sha256:0"}, {"ref": "c:2"}]}"#),
    );
    let codes: Vec<String> = decision
        .findings
        .iter()
        .filter_map(|finding| match &finding.cause {
            Cause::RulesDeny { message, code, .. } => Some(format!("{} {message}", code.as_ref().unwrap())),
            _ => None,
        })
        .collect();
    assert_eq!(codes, ["image.unpinned a:1 is not pinned", "image.unpinned c:2 is not pinned"]);
}

#[test]
fn a_member_that_is_neither_holds_and_is_not_lost() {
    for member in ["5", "[\"why\"]", "{\"msg\": 5}", "{\"msg\": input.facts.text, \"code\": \"no code!\"}"] {
        let engine =
            rego(&format!("fail contains x if x := {member}\nwarn contains \"t\" if input.facts.text == \"\""));
        let said = says(&engine, r#"{"text": "a"}"#);
        assert!(said[0].starts_with("hold rules.broken"), "{member}: {said:?}");
    }
}

#[test]
fn a_cel_expression_is_true_of_what_may_go_on() {
    let engine = cel(
        "// message: three replicas are needed\n// outcome: hold\nfacts.replicas >= 3 && facts.zones.all(z, z != 'c')",
    );
    assert_eq!(says(&engine, r#"{"replicas": 3, "zones": ["a"]}"#), ["pass rules.passed r: nothing against it"]);
    assert_eq!(
        says(&engine, r#"{"replicas": 2, "zones": ["a"]}"#),
        ["hold rules.hold r: three replicas are needed: facts.replicas >= 3 (facts.replicas is 2)"]
    );
    let both = says(&engine, r#"{"replicas": 2, "zones": ["c"]}"#);
    assert!(
        both[0].ends_with("(facts.replicas is 2); facts.zones.all(z, z != 'c') (facts.zones is a list of 1)"),
        "{both:?}"
    );
}

#[test]
fn the_entry_says_more_than_the_file() {
    let file = "// message: of the file\n// outcome: hold\nfacts.n > 1";
    let rollout = rollout("    - { file: r.cel, message: of the entry, outcome: warn }", "");
    let bundle = davy::Bundle::from_files([("rollouts.yaml", rollout.as_str()), ("r.cel", file)]).unwrap();
    let engine = davy::Engine::builder(&bundle).rules(davy_rules::languages()).build().unwrap();
    assert!(says(&engine, r#"{"n": 1}"#)[0].starts_with("pass rules.warn r: of the entry"));
}

#[test]
fn integers_stay_integers_and_numbers_compare_across_kinds() {
    let engine =
        cel("facts.big == 9007199254740991 && facts.big % 2 == 1 && facts.half * 2.0 == 1.0 && weightPercent < 6");
    assert_eq!(says(&engine, r#"{"big": 9007199254740991, "half": 0.5}"#), ["pass rules.passed r: nothing against it"]);
    let engine = rego(
        "deny contains \"no\" if not input.facts.big + 1 == 9007199254740992\ndeny contains \"half\" if input.facts.half * 2 != 1\ndeny contains \"weight\" if input.weightPercent != 5",
    );
    assert_eq!(says(&engine, r#"{"big": 9007199254740991, "half": 0.5}"#), ["pass rules.passed r: nothing against it"]);
}

#[test]
fn both_languages_see_findings_time_and_release() {
    let facts = "{}";
    let more = "  steps: [{ weight: 5%, atLeast: 30m }]";
    let ask = Asked::Advance { to: "25%".parse().unwrap() };
    let rego = "package r\nwarn contains sprintf(\"%s %d %s %s\", [input.time.weekday, input.time.hour, input.release.environment, f.code]) if {\n\tsome f in input.findings\n\tf.outcome == \"hold\"\n}";
    let engine = with_more("r.rego", rego, more).unwrap();
    let said = of_rules(&decide(&engine, &snapshot(ask, facts)));
    assert!(said.iter().any(|said| said.starts_with("pass rules.warn r: friday 16 prod steps.dwell")), "{said:?}");
    let cel = "// outcome: warn\nasked.what == 'advance' && asked.toPercent == 25 && findings.exists(f, f.code == 'steps.dwell' && f.hold == 'waiting') && annotations['davy/risk'] != 'high'";
    let engine = with_more("r.cel", cel, more).unwrap();
    let said = of_rules(&decide(&engine, &snapshot(ask, facts)));
    assert!(
        said[0].contains("annotations['davy/risk'] != 'high' (annotations[\"davy/risk\"] is \"high\")"),
        "{said:?}"
    );
}

#[test]
fn an_error_while_judging_holds_with_its_place() {
    let engine = rego("fail contains \"x\" if {\n\tinput.facts.n / input.facts.zero > 1\n}");
    let decision = decide(&engine, &snapshot(Asked::Keep, r#"{"n": 1, "zero": 0}"#));
    let finding = decision.findings.iter().find(|it| it.code() == "rules.broken").unwrap();
    assert!(finding.source.as_ref().unwrap().to_string().starts_with("r.rego:4:"), "{decision}");
    let engine = cel("facts.n > 0 &&\n  facts.n / facts.zero > 1");
    let decision = decide(&engine, &snapshot(Asked::Keep, r#"{"n": 1, "zero": 0}"#));
    let finding = decision.findings.iter().find(|it| it.code() == "rules.broken").unwrap();
    assert_eq!(finding.source.as_ref().unwrap().to_string(), "r.cel:2:3", "{decision}");
    // A list is no set.
    let engine = rego("deny contains \"x\" if count(input.facts.list | {1}) > 5");
    assert!(says(&engine, r#"{"list": [1, 2]}"#)[0].starts_with("hold rules.broken"));
    // Comparing a text with a number has no answer in CEL.
    let engine = cel("facts.n > 0");
    assert!(says(&engine, r#"{"n": "one"}"#)[0].starts_with("hold rules.broken"));
}

#[test]
fn a_rule_or_function_with_two_values_holds_where_the_second_stands() {
    const ABOVE: &str = "deny contains \"x\" if input.facts.n > limit";
    for (rule, line) in [
        (format!("limit := 3 if input.facts.a\nlimit := 5 if input.facts.b\n{ABOVE}"), 4),
        (format!("default limit := 9\nlimit := 3 if input.facts.a\nlimit := 5 if input.facts.b\n{ABOVE}"), 5),
        (format!("limit := 3 if {{\n\tinput.facts.a\n}} else := 4\nlimit := 5 if input.facts.b\n{ABOVE}"), 6),
        (format!("limit(x) := 3 if x.a\nlimit(x) := 5 if x.b\n{ABOVE}(input.facts)"), 4),
        (format!("limit(3) := 3\nlimit(x) := 5 if x < 9\n{ABOVE}(input.facts.three)"), 4),
        (format!("limit := one if {{\n\tsome one in input.facts.list\n}}\n{ABOVE}"), 3),
        // Also where nothing would come of either, and under a negation.
        (format!("limit := 8 if input.facts.a\nlimit := 9 if input.facts.b\n{ABOVE}"), 4),
        (
            "limit := 3 if input.facts.a\nlimit := 5 if input.facts.b\ndeny contains \"x\" if not limit > 2".to_owned(),
            4,
        ),
    ] {
        let engine = rego(&rule);
        let facts = r#"{"a": true, "b": true, "n": 6, "three": 3, "list": [3, 5]}"#;
        let decision = decide(&engine, &snapshot(Asked::Start, facts));
        let said = of_rules(&decision);
        let is_held = said[0].starts_with("hold rules.broken") && said[0].contains("two values that differ");
        assert!(is_held && said.len() == 1, "{rule}: {said:?}");
        let finding = decision.findings.iter().find(|it| it.code() == "rules.broken").unwrap();
        let place = finding.source.as_ref().unwrap().to_string();
        assert!(place.starts_with(&format!("r.rego:{line}:")), "{rule}: {place}");
    }
}

#[test]
fn several_definitions_with_one_value_between_them_are_fine() {
    const ABOVE: &str = "deny contains \"x\" if input.facts.n > limit";
    for (rule, is_denied) in [
        // Of two, one is true, or none, or both with the same value.
        (format!("limit := 3 if input.facts.a\nlimit := 5 if input.facts.off\n{ABOVE}"), true),
        (format!("default limit := 9\nlimit := 3 if input.facts.off\nlimit := 5 if input.facts.off\n{ABOVE}"), false),
        (format!("limit := 3 if input.facts.a\nlimit := 3 if input.facts.b\n{ABOVE}"), true),
        (format!("limit := input.facts.three if input.facts.a\nlimit := 3 if input.facts.b\n{ABOVE}"), true),
        (format!("limit := one if {{\n\tsome one in input.facts.threes\n}}\n{ABOVE}"), true),
        ("big if input.facts.n > 3\nbig if {\n\tsome one in input.facts.list\n\tone > 1\n}\ndeny contains \"x\" if big".to_owned(), true),
        (format!("limit := 3 if {{\n\tinput.facts.a\n}} else := 5 if {{\n\tinput.facts.b\n}}\n{ABOVE}"), true),
        // A function has a value for each call, also where calls and rules stand in each other.
        (format!("limit(\"a\") := 1\nlimit(\"b\") := 4\n{ABOVE}(\"a\") + limit(\"b\")"), true),
        (format!("next(x) := 1 if x == 0\nnext(x) := 7 if x == 1\nlimit := next(next(0))\n{ABOVE}"), false),
        (
            format!(
                "next(x) := 1 if x == 0\nnext(x) := 2 if x == 1\nlimit := 3 if next(0) == 1\nlimit := 5 if next(1) == 1\n{ABOVE}"
            ),
            true,
        ),
    ] {
        let said = says(&rego(&rule), r#"{"a": true, "b": true, "off": false, "n": 6, "three": 3, "threes": [3, 3], "list": [3, 5]}"#);
        let expected = if is_denied { "fail rules.deny" } else { "pass rules.passed" };
        assert!(said.len() == 1 && said[0].starts_with(expected), "{rule}: {said:?}");
    }
}

#[test]
fn an_else_has_its_turn_after_a_loop_that_finds_nothing() {
    for limit in [
        "limit := one if {\n\tsome one in input.facts.list\n\tone > 8\n} else := 5",
        "limit := 9 if {\n\tsome one in input.facts.none\n\tone > 8\n} else := 5",
        "limit := 9 if {\n\tinput.facts.list[_] > 8\n} else := one if {\n\tsome one in input.facts.none\n} else := 5",
        "limit := 9 if {\n\tinput.facts.off\n} else := one if {\n\tsome one in input.facts.list\n\tone > 4\n} else := 7",
        "limit := of(input.facts.list, 8)\nof(list, n) := one if {\n\tsome one in list\n\tone > n\n} else := 5",
        "limit := of(input.facts.list, 4)\nof(list, n) := one if {\n\tsome one in list\n\tone > n\n} else := 7",
    ] {
        let engine = rego(&format!("{limit}\ndeny contains sprintf(\"%d\", [limit]) if input.facts.n > limit"));
        let said = says(&engine, r#"{"n": 6, "off": false, "none": [], "list": [3, 5]}"#);
        assert!(said.len() == 1 && said[0].starts_with("fail rules.deny r: 5"), "{limit}: {said:?}");
    }
}

#[test]
fn patterns_match_in_both_forms_and_what_is_no_text_holds() {
    let engine = cel("facts.t.matches('^[a-c]+$') && !matches(facts.t, 'd') && facts.l.all(x, x.matches('^[a-c]+$'))");
    assert_eq!(says(&engine, r#"{"t": "abc", "l": ["a", "b"]}"#), ["pass rules.passed r: nothing against it"]);
    assert!(says(&engine, r#"{"t": "abcd", "l": []}"#)[0].starts_with("fail rules.deny"));
    assert!(says(&engine, r#"{"t": "abc", "l": ["e"]}"#)[0].starts_with("fail rules.deny"));
    let said = says(&engine, r#"{"t": 5, "l": []}"#);
    assert!(
        said[0].starts_with("hold rules.broken") && said[0].contains("`matches` does not take int and string"),
        "{said:?}"
    );
}

#[test]
fn in_finds_what_is_there_in_lists_maps_and_sets() {
    for (collection, value, found) in [
        ("[1, 2, \"a\"]", "\"a\"", true),
        ("[1, 2, \"a\"]", "\"b\"", false),
        ("{\"k\": \"a\"}", "\"a\"", true),
        ("{\"k\": \"a\"}", "\"k\"", false),
        ("[[1, 2], {\"a\": 1}]", "{\"a\": 1}", true),
    ] {
        let engine = rego("warn contains \"x\" if input.facts.v in input.facts.c");
        let said = says(&engine, &format!("{{\"c\": {collection}, \"v\": {value}}}"));
        assert_eq!(said[0].starts_with("pass rules.warn"), found, "{collection} {value}: {said:?}");
    }
    let engine = rego("warn contains \"x\" if input.facts.v in {\"a\", \"b\"}");
    assert!(says(&engine, r#"{"v": "b"}"#)[0].starts_with("pass rules.warn"));
    assert!(says(&engine, r#"{"v": "c"}"#)[0].starts_with("pass rules.passed"));
}

#[test]
fn what_is_looked_for_in_no_collection_holds_in_both_languages() {
    let texts = ["deny contains \"x\" if \"a\" in input.facts.c", "deny contains \"x\" if not \"a\" in input.facts.c"];
    for collection in ["\"abc\"", "5", "null", "true"] {
        let facts = format!("{{\"c\": {collection}}}");
        for text in texts {
            let said = says(&rego(text), &facts);
            let is_held = said[0].starts_with("hold rules.broken") && said[0].contains("`in` looks into lists");
            assert!(is_held && said.len() == 1, "{text} {facts}: {said:?}");
        }
        let said = says(&cel("!('a' in facts.c)"), &facts);
        assert!(said[0].starts_with("hold rules.broken"), "{facts}: {said:?}");
    }
}

#[test]
fn values_of_different_kinds_have_no_order_and_hold_in_both_languages() {
    for n in ["\"2\"", "null", "true", "[1]"] {
        let facts = format!("{{\"n\": {n}}}");
        for engine in [
            rego("deny contains \"x\" if input.facts.n < 3"),
            rego("deny contains \"x\" if input.facts.n >= 3"),
            rego("deny contains \"x\" if not input.facts.n > 3"),
            cel("facts.n >= 3"),
        ] {
            let said = says(&engine, &facts);
            assert!(said.len() == 1 && said[0].starts_with("hold rules.broken"), "{facts}: {said:?}");
        }
    }
    // Nor is what comes after it in a list passed over.
    let engine = rego("deny contains i.name if {\n\tsome i in input.facts.images\n\ti.n > 3\n}");
    let said = says(&engine, r#"{"images": [{"name": "a", "n": "one"}, {"name": "b", "n": 9}]}"#);
    assert!(said[0].starts_with("hold rules.broken") && said[0].contains("have no order"), "{said:?}");
    // Values of one kind have one.
    let engine = rego("deny contains \"x\" if input.facts.a <= input.facts.b");
    for (facts, said) in [
        (r#"{"a": 1, "b": 1.5}"#, "fail rules.deny"),
        (r#"{"a": "b", "b": "a"}"#, "pass rules.passed"),
        (r#"{"a": [1, 2], "b": [1, 3]}"#, "fail rules.deny"),
    ] {
        assert!(says(&engine, facts)[0].starts_with(said), "{facts}");
    }
}

#[test]
fn what_was_judged_before_does_not_matter() {
    let engine = rego("deny contains sprintf(\"%v\", [x]) if some x in input.facts.list");
    let first = says(&engine, r#"{"list": [3, 1, 2]}"#);
    says(&engine, r#"{"list": []}"#);
    assert_eq!(says(&engine, r#"{"list": [3, 1, 2]}"#), first);
    assert_eq!(first.len(), 3, "in the order of the set: {first:?}");
}

#[test]
fn an_inline_rule_points_into_its_document() {
    let rules = "    - name: floor\n      cel: |\n        facts.replicas >= 3 &&\n          facts.n / facts.zero > 1\n";
    let bundle = davy::Bundle::from_files([("rollouts.yaml", rollout(rules, ""))]).unwrap();
    let engine = davy::Engine::builder(&bundle).rules(davy_rules::languages()).build().unwrap();
    let decision = decide(&engine, &snapshot(Asked::Start, r#"{"replicas": 3, "n": 1, "zero": 0}"#));
    let finding = decision.findings.iter().find(|it| it.code() == "rules.broken").unwrap();
    assert_eq!(finding.source.as_ref().unwrap().to_string(), "rollouts.yaml:11:11", "{decision}");
}
