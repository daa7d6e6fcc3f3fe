//! The fuzz corpus of rules, replayed on stable Rust without a fuzzer, and its seeds mangled.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures, and how often to mangle them")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test that cannot go on should stop"
)]
#![allow(unreachable_pub, reason = "the fuzz target is a library of its own")]

#[path = "../../../fuzz/src/rules.rs"]
mod rules;

const CORPUS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/rules");

/// Names and bytes, by name.
fn seeds() -> Vec<(String, Vec<u8>)> {
    let paths = std::fs::read_dir(CORPUS).unwrap().map(|entry| entry.unwrap().path());
    let mut seeds: Vec<_> = paths
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect();
    seeds.sort();
    assert!(seeds.len() >= 45);
    seeds
}

#[test]
fn every_seed_is_read_or_refused_as_its_name_says() {
    let wrong: Vec<String> = seeds()
        .into_iter()
        .filter(|(name, data)| rules::holds(data) == name.starts_with("refused-"))
        .map(|(name, _)| name)
        .collect();
    assert!(wrong.is_empty(), "not {wrong:?}");
}

/// Numbers that look like chance and are the same every time: xorshift.
struct Chance(u64);

impl Chance {
    fn below(&mut self, end: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % end.max(1) as u64) as usize
    }

    fn part<'a>(&mut self, data: &'a [u8]) -> &'a [u8] {
        let from = self.below(data.len() + 1);
        let to = (from + self.below(24)).min(data.len());
        &data[from..to]
    }
}

const WORDS: [&str; 24] = [
    "[",
    "]",
    "{",
    "}",
    "(",
    ")",
    " if ",
    "not ",
    "some x in ",
    "every x in ",
    " := ",
    " == ",
    "input.facts.",
    "with ",
    "else ",
    "default ",
    "has(",
    ".all(x, ",
    " && ",
    " || ",
    "!",
    "\"",
    "`",
    "é",
];

fn mangled(seeds: &[(String, Vec<u8>)], chance: &mut Chance) -> Vec<u8> {
    let mut data = seeds[chance.below(seeds.len())].1.clone();
    for _ in 0..=chance.below(4) {
        let (at, end) = (chance.below(data.len() + 1), chance.below(24));
        let end = (at + end).min(data.len());
        match chance.below(5) {
            0 if at < data.len() => data[at] = chance.below(256) as u8,
            1 => drop(data.drain(at..end)),
            2 => {
                let part = data[at..end].to_vec();
                data.splice(at..at, part.repeat(1 + chance.below(8)));
            }
            3 => {
                let other = chance.below(seeds.len());
                let part = chance.part(&seeds[other].1).to_vec();
                data.splice(at..at, part);
            }
            _ => drop(data.splice(at..at, WORDS[chance.below(WORDS.len())].bytes())),
        }
    }
    data
}

/// `DAVY_MANGLED` says how many; a few hundred unless it does.
#[test]
fn seeds_that_were_mangled_are_read_or_refused_too_on_a_small_stack() {
    let runs: usize = std::env::var("DAVY_MANGLED").ok().and_then(|runs| runs.parse().ok()).unwrap_or(300);
    let begin: u64 = std::env::var("DAVY_MANGLED_FROM").ok().and_then(|seed| seed.parse().ok()).unwrap_or(1);
    let run = move || {
        let (seeds, mut chance) = (seeds(), Chance(begin.wrapping_mul(0x9e37_79b9_7f4a_7c15)));
        let mut read = 0;
        for _ in 0..runs {
            let data = mangled(&seeds, &mut chance);
            let shown = String::from_utf8_lossy(&data).into_owned();
            // A panic must tell what it was about.
            let held = std::panic::catch_unwind(|| rules::holds(&data));
            read += usize::from(held.unwrap_or_else(|_| panic!("{shown}")));
        }
        assert!(read * 20 > runs, "{read} of {runs} were read: the rest says little");
        println!("{read} of {runs} were read");
    };
    std::thread::Builder::new().stack_size(2 << 20).spawn(run).unwrap().join().unwrap();
}
