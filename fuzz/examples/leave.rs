//! Reads an input of the target `decide` and writes the state that it leaves, an end of line, and its last record.
//! `seeds.py` makes the corpora of `state` and `record` with it.

use std::io::{self, Read as _, Write as _};

fn main() -> io::Result<()> {
    let mut looks = Vec::new();
    io::stdin().read_to_end(&mut looks)?;
    let (state, record) = davy_fuzz::leave(&looks).ok_or_else(|| io::Error::other("not an input of `decide`"))?;
    let mut out = io::stdout();
    writeln!(out, "{state}")?;
    out.write_all(&record)
}
