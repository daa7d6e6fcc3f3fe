//! What is missing is not false, in both languages.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

mod support;

use davy::{Asked, Verdict};
use support::*;

/// What the sentence of the only finding names as missing, or what else was said.
fn missing(engine: &davy::Engine, facts: &str) -> String {
    let said = says(engine, facts);
    assert_eq!(said.len(), 1, "{said:?}");
    let (_, rest) = said[0].split_once("r: ").unwrap();
    match rest.split_once(" not there") {
        Some((paths, _)) => paths.trim_end_matches(" is").trim_end_matches(" are").replace('`', ""),
        None => said[0].split(' ').nth(1).unwrap().to_owned(),
    }
}

/// A rule that has this instead of labels, and a condition on what it gets.
fn labels(default: &str, condition: &str) -> String {
    format!("deny contains \"x\" if {{\n\ty := object.get(input.facts, [\"labels\"], {default})\n\t{condition}\n}}")
}

#[test]
fn rego_holds_where_something_it_reads_is_not_there() {
    for (rule, facts, expected) in [
        ("deny contains \"x\" if input.facts.n > 3", "{}", "facts.n"),
        ("deny contains \"x\" if input.facts.n > 3", r#"{"n": 1}"#, "rules.passed"),
        // A value that is null is there.
        ("deny contains \"x\" if input.facts.n == 3", r#"{"n": null}"#, "rules.passed"),
        // Both branches of what would be false already.
        ("deny contains \"x\" if {\n\tinput.facts.a == 1\n\tinput.facts.b == 1\n}", r#"{"a": 2}"#, "facts.b"),
        ("deny contains \"x\" if {\n\tinput.facts.a == 1\n\tinput.facts.b == 1\n}", "{}", "facts.a, facts.b"),
        // A negation of more than the place itself is no question.
        ("deny contains \"x\" if not startswith(input.facts.t, \"CHG\")", "{}", "facts.t"),
        // `not` of the place itself is one.
        ("deny contains \"x\" if not input.facts.t", "{}", "rules.deny"),
        (
            "deny contains \"x\" if not input.facts.t\ndeny contains \"y\" if not startswith(input.facts.t, \"C\")",
            r#"{"t": "C"}"#,
            "rules.passed",
        ),
        ("deny contains \"x\" if object.get(input.facts, \"n\", 9) > 3", "{}", "rules.deny"),
        ("deny contains \"x\" if object.get(input, [\"facts\", \"n\"], 0) > 3", "{}", "rules.passed"),
        // A default says what it means that nothing is there as far as it has what is read of it.
        (&labels("{}", "y.team == \"a\""), "{}", "facts.labels.team"),
        (&labels("null", "y.team == \"a\""), "{}", "facts.labels.team"),
        (&labels("{\"owner\": \"\"}", "y.team == \"a\""), "{}", "facts.labels.team"),
        (&labels("{\"team\": {}}", "y.team.name == \"a\""), "{}", "facts.labels.team.name"),
        (&labels("{\"team\": \"\"}", "y.team == \"a\""), "{}", "rules.passed"),
        (&labels("{\"team\": \"a\"}", "y.team == \"a\""), "{}", "rules.deny"),
        (&labels("{\"team\": \"\"}", "y.team == \"a\""), r#"{"labels": {}}"#, "facts.labels.team"),
        (&labels("{}", "object.get(y, \"team\", \"\") == \"a\""), "{}", "rules.passed"),
        (&labels("{}", "not y.team"), "{}", "rules.deny"),
        (&labels("[]", "some z in y\n\tz.team == \"a\""), "{}", "rules.passed"),
        (&labels("[{}]", "some z in y\n\tz.team == \"a\""), "{}", "facts.labels[*].team"),
        (
            "deny contains \"x\" if {\n\ty := object.get(input.facts.m, input.release.environment, {})\n\ty.n > 3\n}",
            r#"{"m": {"test": {"n": 1}}}"#,
            "facts.m.prod.n",
        ),
        ("default n := 0\nn := input.facts.n\ndeny contains \"x\" if n > 3", "{}", "rules.passed"),
        // A default of a condition says nothing about what it reads.
        ("default big := false\nbig if input.facts.n > 3\ndeny contains \"x\" if big", "{}", "facts.n"),
        // Through variables, rules, functions, loops and comprehensions.
        ("deny contains \"x\" if {\n\ty := input.facts\n\ty.n > 3\n}", "{}", "facts.n"),
        ("n := input.facts.n\ndeny contains \"x\" if n > 3", "{}", "facts.n"),
        ("big(x) if x.n > 3\ndeny contains \"x\" if big(input.facts)", "{}", "facts.n"),
        (
            "deny contains i.name if {\n\tsome i in input.facts.images\n\ti.n > 3\n}",
            r#"{"images": [{"name": "a", "n": 1}, {"name": "b"}]}"#,
            "facts.images[1].n",
        ),
        (
            "deny contains \"x\" if {\n\tsome i\n\tinput.facts.images[i].n > 3\n}",
            r#"{"images": [{"n": 1}, {}]}"#,
            "facts.images[1].n",
        ),
        (
            "deny contains \"x\" if {\n\tevery i in input.facts.images { i.n > 3 }\n}",
            r#"{"images": [{}]}"#,
            "facts.images[0].n",
        ),
        (
            "deny contains \"x\" if count([i | some i in input.facts.images; i.n > 3]) > 0",
            r#"{"images": [{}]}"#,
            "facts.images[0].n",
        ),
        (
            "deny contains \"x\" if {\n\tapps := [i | some i in input.facts.images; i.app]\n\tsome a in apps\n\ta.n > 3\n}",
            r#"{"images": [{"app": true}]}"#,
            "facts.images[0].n",
        ),
        // No element, nothing to be missing.
        ("deny contains \"x\" if {\n\tsome i in input.facts.images\n\ti.n > 3\n}", r#"{"images": []}"#, "rules.passed"),
        // A key that stands at another place is looked for itself.
        (
            "deny contains \"x\" if input.facts.approvals[input.release.environment] != true",
            r#"{"approvals": {"prod": true}}"#,
            "rules.passed",
        ),
        (
            "deny contains \"x\" if input.facts.approvals[input.release.environment] != true",
            r#"{"approvals": {"test": true}}"#,
            "facts.approvals.prod",
        ),
        // A key that is none leads nowhere.
        (
            "deny contains \"x\" if input.facts.m[input.facts.k].n > 3",
            r#"{"k": 5, "m": {"5": {"n": 1}}}"#,
            "facts.m[facts.k].n",
        ),
        (
            "deny contains \"x\" if input.facts.m[input.facts.k].n > 3",
            r#"{"k": 1, "m": [{"n": 1}, {}]}"#,
            "facts.m[1].n",
        ),
        (
            "deny contains \"x\" if input.facts.m[input.facts.k].n > 3",
            r#"{"k": 1, "m": [{}, {"n": 1}]}"#,
            "rules.passed",
        ),
        // What is declared is looked for.
        (
            "# reads: facts.approvals[*].by\ndeny contains \"x\" if {\n\tsome who in input.facts.owners\n\tinput.facts.approvals[who].by != who\n}",
            r#"{"owners": ["a"], "approvals": {"a": {}}}"#,
            "facts.approvals.a.by",
        ),
        // Of several declarations that can be meant, all are looked for.
        (
            "# reads: facts.approvals[*].by\n# reads: facts.approvals[*].role\ndeny contains \"x\" if {\n\tone := input.facts.approvals[lower(input.facts.who)]\n\tone.by != \"x\"\n}",
            r#"{"who": "A", "approvals": {"a": {"by": "x"}}}"#,
            "facts.approvals.a.role",
        ),
        (
            "# reads: facts.a.n, facts.b.n\ndeny contains \"x\" if {\n\ty := union({{input.facts.a}, {input.facts.b}})\n\tsome z in y\n\tz.n > 3\n}",
            r#"{"a": {"n": 1}, "b": {}}"#,
            "facts.b.n",
        ),
        // What gates leave open is missing like anything else.
        ("deny contains \"x\" if input.scores.health < 50", "{}", "scores.health"),
    ] {
        let engine = rego(rule);
        assert_eq!(missing(&engine, facts), expected, "{rule}\n{facts}");
    }
}

/// Variables that are bound after they are used, where `regorus` takes that.
#[test]
fn a_chain_of_variables_is_followed_against_its_order() {
    for assign in ["=", ":="] {
        let text =
            "package r\ndeny contains \"x\" if {\n\td.n > 3\n\td IS c.x\n\tc IS b.x\n\tb IS a.x\n\ta IS input.facts\n}";
        if let Ok(engine) = with_file("r.rego", &text.replace("IS", assign)) {
            assert_eq!(missing(&engine, r#"{"x": {"x": {"x": {}}}}"#), "facts.x.x.x.n", "{assign}");
        }
    }
}

#[test]
fn a_table_that_a_rule_writes_out_has_the_keys_that_are_looked_for() {
    const TABLE: &str = "floor := {\"eu\": 3, \"us\": 5}";
    let compared = "deny contains \"x\" if input.facts.n < floor[input.facts.region]";
    let given = |other: &str| {
        format!("deny contains \"x\" if input.facts.n < floor[object.get(input.facts, \"region\", \"{other}\")]")
    };
    let loops = "deny contains \"x\" if {\n\tsome zone in input.facts.zones\n\tzone.n < floor[zone.region]\n}";
    for (rule, facts, expected) in [
        (compared, r#"{"n": 4, "region": "eu"}"#, "rules.passed"),
        (compared, r#"{"n": 4, "region": "us"}"#, "rules.deny"),
        (compared, r#"{"n": 4, "region": "mars"}"#, "floor[facts.region]"),
        (compared, r#"{"n": 4, "region": 5}"#, "floor[facts.region]"),
        (compared, r#"{"n": 4}"#, "facts.region"),
        // Through variables, functions, rules and loops.
        (
            "deny contains \"x\" if {\n\tregion := input.facts.region\n\tleast := floor[region]\n\tinput.facts.n < least\n}",
            r#"{"n": 4, "region": "mars"}"#,
            "floor[facts.region]",
        ),
        (
            "of(region) := floor[region]\ndeny contains \"x\" if input.facts.n < of(input.facts.region)",
            r#"{"n": 4, "region": "mars"}"#,
            "floor[facts.region]",
        ),
        (
            "least := floor[input.facts.region]\ndeny contains \"x\" if not input.facts.n >= least",
            r#"{"n": 4, "region": "mars"}"#,
            "floor[facts.region]",
        ),
        (
            "deny contains \"x\" if input.facts.n < data.r.floor[input.facts.region]",
            r#"{"n": 4, "region": "mars"}"#,
            "data.r.floor[facts.region]",
        ),
        (loops, r#"{"zones": [{"n": 9, "region": "eu"}, {"n": 9, "region": "mars"}]}"#, "floor[facts.zones[1].region]"),
        (loops, r#"{"zones": [{"n": 9, "region": "eu"}, {"n": 4, "region": "us"}]}"#, "rules.deny"),
        // Asked about.
        ("deny contains \"x\" if not floor[input.facts.region]", r#"{"region": "mars"}"#, "rules.deny"),
        ("deny contains \"x\" if floor[input.facts.region]", r#"{"region": "mars"}"#, "rules.passed"),
        ("deny contains \"x\" if floor[input.facts.region]", r#"{"region": "eu"}"#, "rules.deny"),
        (
            &format!("{compared}\ndeny contains \"y\" if not floor[input.facts.region]"),
            r#"{"n": 4, "region": "mars"}"#,
            "rules.deny",
        ),
        // That a condition of its own is not true says nothing of a comparison.
        (
            &format!("{compared}\ndeny contains \"y\" if floor[input.facts.region]"),
            r#"{"n": 4, "region": "mars"}"#,
            "floor[facts.region]",
        ),
        (
            "deny contains \"x\" if input.facts.n < object.get(floor, input.facts.region, 5)",
            r#"{"n": 4, "region": "mars"}"#,
            "rules.deny",
        ),
        (
            "default least := 5\nleast := floor[input.facts.region]\ndeny contains \"x\" if input.facts.n < least",
            r#"{"n": 4, "region": "mars"}"#,
            "rules.deny",
        ),
        // What is there instead is a key, or is none.
        (&given("us"), r#"{"n": 4}"#, "rules.deny"),
        (&given("us"), r#"{"n": 4, "region": "mars"}"#, "floor[facts.region]"),
        (&given("mars"), r#"{"n": 4}"#, "facts.region"),
    ] {
        let engine = rego(&format!("{TABLE}\n{rule}"));
        assert_eq!(missing(&engine, facts), expected, "{rule}\n{facts}");
    }
}

#[test]
fn cel_holds_where_something_it_reads_is_not_there() {
    for (rule, facts, expected) in [
        ("facts.n <= 3", "{}", "facts.n"),
        ("facts.n <= 3", r#"{"n": 1}"#, "rules.passed"),
        // Both sides of what the language itself would absorb.
        ("false && facts.n <= 3", "{}", "facts.n"),
        ("true || facts.n <= 3", "{}", "facts.n"),
        ("facts.a == 1 && facts.b == 1", r#"{"a": 2}"#, "facts.b"),
        ("facts.a == 1 ? facts.b == 1 : facts.c == 1", r#"{"a": 1, "b": 1}"#, "facts.c"),
        // Asked about.
        ("has(facts.n) && facts.n <= 3", "{}", "rules.deny"),
        ("!has(facts.n) || facts.n <= 3", "{}", "rules.passed"),
        ("!has(facts.n) || facts.n <= 3", r#"{"n": 4}"#, "rules.deny"),
        ("has(facts.n) ? facts.n <= 3 : true", "{}", "rules.passed"),
        ("'n' in facts && facts.n <= 3", "{}", "rules.deny"),
        ("has(facts.a) && has(facts.a.b) && facts.a.b == 1", r#"{"a": {}}"#, "rules.deny"),
        // The wrong way round, it is not asked about.
        ("facts.n <= 3 && has(facts.n)", "{}", "facts.n"),
        ("has(facts.n) || facts.n <= 3", "{}", "facts.n"),
        ("has(facts.other) && facts.n <= 3", "{}", "facts.n"),
        // Deeper, through loops.
        ("facts.images.all(i, i.n <= 3)", r#"{"images": [{"n": 1}, {}]}"#, "facts.images[1].n"),
        ("facts.images.exists(i, i.n <= 3)", r#"{"images": [{"n": 1}, {}]}"#, "facts.images[1].n"),
        ("facts.images.all(i, !has(i.n) || i.n <= 3)", r#"{"images": [{}]}"#, "rules.passed"),
        ("facts.images.filter(i, i.app).all(i, i.n <= 3)", r#"{"images": [{"app": true}]}"#, "facts.images[0].n"),
        ("facts.images.map(i, i.n).all(n, n <= 3)", r#"{"images": [{}]}"#, "facts.images[0].n"),
        ("facts.images.all(i, i.n <= 3)", r#"{"images": []}"#, "rules.passed"),
        ("facts.images.all(i, i.n <= 3)", "{}", "facts.images[*].n"),
        ("facts.approvals[release.environment]", r#"{"approvals": {"test": true}}"#, "facts.approvals.prod"),
        ("facts.list[1] == 1", r#"{"list": [1]}"#, "facts.list[1]"),
        ("scores.health >= 50", "{}", "scores.health"),
        ("observations.errors.bad < 5", "{}", "observations.errors.bad"),
    ] {
        let engine = cel(rule);
        assert_eq!(missing(&engine, facts), expected, "{rule}\n{facts}");
    }
}

#[test]
fn a_set_whose_input_is_there_is_judged_although_another_is_blind() {
    let engine = rego("fail contains \"f\" if input.facts.a > 3\nhold contains \"h\" if input.facts.b > 3");
    let decision = decide(&engine, &snapshot(Asked::Keep, r#"{"a": 4}"#));
    assert_eq!(decision.verdict, Verdict::Abort);
    let said = of_rules(&decision);
    assert!(said[0].starts_with("fail rules.fail") && said[1].starts_with("hold rules.missing"), "{said:?}");
    // And what cannot be judged never fails: the negation would be true of what is not there.
    let engine = rego("fail contains \"f\" if not startswith(input.facts.t, \"x\")");
    assert_eq!(decide(&engine, &snapshot(Asked::Keep, "{}")).verdict, Verdict::Hold);
}

#[test]
fn what_cannot_be_followed_must_be_declared() {
    let lists: String = (1..=65).map(|n| format!("\tx{n} := [x{}]\n", n - 1)).collect();
    let deep =
        format!("package r\ndeny contains \"x\" if {{\n\tx0 := input.facts\n{lists}\tsome y in x65\n\ty.n > 3\n}}");
    for (file, text) in [
        (
            "r.rego",
            "package r\ndeny contains \"x\" if {\n\tkey := lower(input.facts.who)\n\tinput.facts.approvals[key].by != \"x\"\n}",
        ),
        (
            "r.rego",
            "package r\ndeny contains \"x\" if {\n\ty := union({{input.facts}, {input.release}})\n\tsome z in y\n\tz.n > 3\n}",
        ),
        (
            "r.rego",
            "package r\ndeny contains \"x\" if {\n\ty := object.get(input.facts.m, lower(input.facts.k), {})\n\ty.n > 3\n}",
        ),
        (
            "r.rego",
            "package r\ndeny contains \"x\" if {\n\ty := object.get(input.facts, \"a\", input.facts.b)\n\ty.n > 3\n}",
        ),
        // What nests too deep to be followed is computed.
        ("r.rego", &deep),
        ("r.cel", "facts.approvals[facts.a + facts.b].by == 'x'"),
        ("r.cel", "facts.a[facts.list[0] == 1 ? 'x' : 'y']"),
    ] {
        let codes = diagnostics(file, text);
        assert!(codes.iter().any(|code| code.starts_with("U005")), "{text}: {codes:?}");
    }
    let declared = "// reads: facts.approvals[*].by\nfacts.approvals[facts.a + facts.b].by == 'x'";
    assert_eq!(diagnostics("r.cel", declared), [""; 0]);
    let engine = cel(declared);
    assert_eq!(missing(&engine, r#"{"a": "x", "b": "y", "approvals": {"z": {}}}"#), "facts.approvals.z.by");
    // Of several that can be meant, all are looked for.
    let several = cel(&format!("// reads: facts.approvals[*].role\n{declared}"));
    let of = r#"{"a": "x", "b": "y", "approvals": {"z": {"by": "x"}}}"#;
    assert_eq!(missing(&several, of), "facts.approvals.z.role");
    // The key itself may still not be there, which the language says.
    assert_eq!(missing(&engine, r#"{"a": "x", "b": "y", "approvals": {"z": {"by": "x"}}}"#), "rules.broken");
}

/// Where the finding of a rule in CEL points to.
fn place(engine: &davy::Engine, facts: &str) -> String {
    let decision = decide(engine, &snapshot(Asked::Start, facts));
    let finding = decision.findings.iter().find(|it| it.code() == "rules.missing").unwrap();
    finding.source.as_ref().unwrap().to_string()
}

#[test]
fn what_is_missing_is_shown_where_it_is_read() {
    let engine = cel("facts.a == 1 &&\n  facts.list.all(one,\n    one.b.c[0] > 2) && has(facts.d.e)");
    assert_eq!(place(&engine, "{}"), "r.cel:1:1");
    assert_eq!(place(&engine, r#"{"a": 1, "list": [{}], "d": {}}"#), "r.cel:3:5");
    assert_eq!(place(&engine, r#"{"a": 1, "list": []}"#), "r.cel:3:28");
    // In the lines of the document that an expression stands in.
    let rules = "    - name: floor\n      cel: |\n        facts.a >= 3 &&\n          facts.b > 1\n";
    let bundle = davy::Bundle::from_files([("rollouts.yaml", rollout(rules, ""))]).unwrap();
    let engine = davy::Engine::builder(&bundle).rules(davy_rules::languages()).build().unwrap();
    assert_eq!(place(&engine, r#"{"a": 3}"#), "rollouts.yaml:11:11");
}

#[test]
fn a_rule_that_is_read_in_too_many_ways_to_be_searched_holds() {
    // The first condition is never true, so that judging the rule itself would end at once, and find nothing.
    let clause = |key: &str| {
        format!(
            "deny contains \"x\" if {{\n\tinput.facts.on == true\n\tsome e in input.facts.m[input.facts.{key}]\n\te.n > 3\n}}\n"
        )
    };
    let keys: Vec<String> = (0..30).map(|n| format!("k{n}")).collect();
    let rule: String = keys.iter().map(|key| clause(key)).chain([clause("last")]).collect();
    let facts = |length: usize| {
        let keys: String = keys.iter().map(|key| format!("\"{key}\": \"a\", ")).collect();
        let list = vec!["{\"n\": 1}"; length].join(",");
        format!("{{ \"on\": false, {keys}\"last\": \"b\", \"m\": {{ \"a\": [{list}], \"b\": [{{}}] }} }}")
    };
    let engine = rego(&rule);
    assert_eq!(missing(&engine, &facts(100)), "facts.m.b[0].n");
    let said = says(&engine, &facts(7900));
    assert!(said[0].starts_with("hold rules.exhausted"), "{said:?}");
}
