//! Tests in Rego: what passes, what fails and where, and what cannot be run.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

use davy::Diagnostic;
use davy_rules::{RegoTestOutcome as Outcome, RegoTestRun, RegoTests};

const RULE: &str = "package ticket

deny contains \"no ticket\" if not input.facts.ticket

deny contains \"bad ticket\" if not startswith(input.facts.ticket, \"CHG-\")
";

fn tests(text: &str) -> Result<RegoTests, Vec<Diagnostic>> {
    RegoTests::from_files([("ticket.rego", RULE)], [("dir/ticket_test.rego", text)])
}

fn run(text: &str) -> Vec<RegoTestRun> {
    tests(text).unwrap_or_else(|wrong| panic!("{wrong:?}")).run()
}

fn of_package(text: &str) -> String {
    format!("package ticket_test\n\nimport data.ticket\n\n{text}")
}

#[test]
fn rules_that_begin_with_test_pass_where_they_are_true() {
    let runs = run(&of_package(
        "test_good if count(ticket.deny) == 0 with input as {\"facts\": {\"ticket\": \"CHG-1\"}}

test_bad if {
	denied := ticket.deny with input.facts.ticket as \"X-1\"
	denied == {\"bad ticket\"}
}

test_mocked if ticket.deny == {\"bad ticket\"} with input.facts.ticket as \"a\" with startswith as starts

starts(_, _) := false

helper := 1

todo_test_later if 1 == 2
",
    ));
    let found: Vec<(&str, &Outcome, u32)> =
        runs.iter().map(|run| (run.name.as_str(), &run.outcome, run.position.line)).collect();
    assert_eq!(
        found,
        [
            ("ticket_test.test_good", &Outcome::Passed, 5),
            ("ticket_test.test_bad", &Outcome::Passed, 7),
            ("ticket_test.test_mocked", &Outcome::Passed, 12),
            ("ticket_test.todo_test_later", &Outcome::Skipped, 18),
        ]
    );
    // Both conditions are looked at, and neither holds.
    let reached: Vec<String> = runs[0].reached.iter().map(ToString::to_string).collect();
    assert_eq!(reached, ["ticket.rego:3:30", "ticket.rego:5:31"]);
}

#[test]
fn a_test_of_the_package_itself_sees_its_rules() {
    let runs = run(
        "package ticket\n\ntest_none if deny == set() with input as {}\n\ntest_set if count(deny) == 1 with input.facts.ticket as \"a\"\n",
    );
    assert_eq!(runs[1].outcome, Outcome::Passed);
    let Outcome::Failed { value, .. } = &runs[0].outcome else { panic!("{:?}", runs[0]) };
    assert_eq!(value, "undefined");
}

#[test]
fn a_test_that_is_not_true_tells_how_far_it_came() {
    let text = of_package(
        "test_it if {
	denied := ticket.deny with input.facts.ticket as \"X\"
	count(denied) == 2
	\"never\" in denied
}

test_false := false

test_last if {
	1 == 1
	print(\"seen\", 1)
	count(ticket.deny) == 7
}

test_one_line if 1 == 2

test_text := \"yes\"
",
    );
    let runs = run(&text);
    let failed: Vec<(&str, String)> = runs
        .iter()
        .map(|run| match &run.outcome {
            Outcome::Failed { value, at } => (value.as_str(), at.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(
        failed,
        [
            ("undefined", "dir/ticket_test.rego:7:1".to_owned()),
            ("false", "dir/ticket_test.rego:11:1".to_owned()),
            ("undefined", "dir/ticket_test.rego:16:1".to_owned()),
            ("undefined", "dir/ticket_test.rego:19:1".to_owned()),
            ("\"yes\"", "dir/ticket_test.rego:21:1".to_owned()),
        ]
    );
    assert_eq!(runs[2].printed, ["dir/ticket_test.rego:15: seen 1"]);
}

#[test]
fn a_test_that_cannot_be_evaluated_says_where() {
    let runs = run(&of_package("test_it if {\n\tx := 1 / 0\n\tx == 1\n}\n"));
    let Outcome::Broken { problem, at } = &runs[0].outcome else { panic!("{:?}", runs[0]) };
    assert_eq!((problem.contains("zero"), at.to_string().as_str()), (true, "dir/ticket_test.rego:6:9"), "{problem}");
    // In a rule, whose statements were put on lines of their own.
    let broken = "package ticket\n\ndeny contains \"a\" if { input.x; 1 / input.y == 1 }\n";
    let tests = of_package("test_it if count(ticket.deny) == 0 with input as {\"x\": 1, \"y\": 0}\n");
    let tests = RegoTests::from_files([("t.rego", broken)], [("t_test.rego", tests.as_str())]).unwrap();
    let Outcome::Broken { at, .. } = &tests.run()[0].outcome else { panic!() };
    assert_eq!(at.to_string(), "t.rego:3:1");
}

#[test]
fn tests_that_cannot_be_read_are_reported_where_they_are_wrong() {
    let rows = [
        ("package a\n\ntest_x if {\n", "U001 dir/ticket_test.rego:3"),
        ("test_x := true\n", "U001 dir/ticket_test.rego:1"),
        (&format!("package a\ntest_x if x == {}1{}", "[".repeat(20), "]".repeat(20)), "U002 dir/ticket_test.rego:2"),
    ];
    for (text, expected) in rows {
        let wrong = tests(text).unwrap_err();
        let first = format!("{} {}:{}", wrong[0].code, wrong[0].position.file, wrong[0].position.line);
        assert_eq!(first, expected, "{text}: {wrong:?}");
    }
}

#[test]
fn tests_that_go_round_end() {
    let text = of_package("a if b\n\nb if a\n\ntest_rules if a\n\nf(x) := f(x)\n\ntest_function if f(1) == 1\n");
    let wrong = tests(&text).unwrap_err();
    assert_eq!(wrong[0].to_string(), "dir/ticket_test.rego:5:1: error U002: `a` uses itself");
    for circle in [
        "f(x) := f(x)\n\ntest_x if f(1) == 1",
        "f(x) := g(x) + 1\n\ng(x) := [f(y) | y := x][0]\n\ntest_x if f(1) == 1",
        "test_x if data.ticket_test.test_x",
        "import data.ticket_test as me\n\ntest_x if every y in [1] { me[\"test_x\"] == y }",
        "test_x if count(data.ticket_test) > 0",
    ] {
        let wrong = tests(&of_package(circle)).unwrap_err();
        assert!(wrong[0].message.ends_with("uses itself"), "{circle}: {wrong:?}");
    }
    // Rules that use each other are one thing, names that only look alike another.
    for fine in
        ["a := 1\n\nb := a + a\n\nc := [a, b]\n\ntest_x if c == [1, 2]", "f(a) := a\n\na := f(1)\n\ntest_x if a == 1"]
    {
        assert!(run(&of_package(fine)).iter().all(|run| run.outcome == Outcome::Passed), "{fine}");
    }
}
