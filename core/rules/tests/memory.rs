//! How much memory the hostile inputs take: measured at its peak, text, parser, program, document and decision together.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, reason = "a test that cannot go on should stop")]

#[path = "hostile/rows.rs"]
mod rows;
mod support;

use peak_alloc::PeakAlloc;

#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What refusing a text may take, in bytes.
const REFUSING: usize = 8 << 20;

/// What judging a rule over a document may take beyond the document, in bytes.
const JUDGING: usize = 4 << 20;

/// Runs `davy` as the tests of hostile inputs do, and says how many bytes more than before were in use at once.
fn peak(file: &'static str, text: String, facts: String) -> (String, usize) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    let ended = rows::ends(file, text, facts);
    (ended, MEMORY.peak_usage().saturating_sub(before))
}

/// One test, so that nothing else allocates meanwhile.
#[test]
fn hostile_inputs_end_within_a_few_megabytes() {
    // What is made once and kept: the tables of the languages.
    peak("r.rego", rows::rego_of("deny contains \"x\" if input.facts.x"), "{\"x\": 1}".to_owned());
    peak("r.cel", "facts.x == 1".to_owned(), "{\"x\": 1}".to_owned());
    let refused = |file| move |(what, text, ends)| (what, (file, text), "{\"x\": 1}".to_owned(), ends, REFUSING);
    let sources = rows::rego_sources().into_iter().map(refused("r.rego"));
    let sources = sources.chain(rows::cel_sources().into_iter().map(refused("r.cel")));
    let judged = rows::costly().into_iter().map(|(what, rule, facts, ends)| (what, rule, facts, ends, JUDGING));
    let mut lines = Vec::new();
    let mut wrong = Vec::new();
    for (what, (file, text), facts, expected, most) in sources.chain(judged) {
        let (ended, bytes) = peak(file, text, facts);
        let line = format!("{:>8} KiB  {what} ({file}): {ended}", bytes >> 10);
        if ended.split(' ').next() != expected.split(' ').next() || bytes > most {
            wrong.push(line.clone());
        }
        lines.push((bytes, line));
    }
    lines.sort();
    for (_, line) in &lines {
        println!("{line}");
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}
