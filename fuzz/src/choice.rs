//! The bundles that states, records and snapshots are decided with.

use std::sync::LazyLock;

use davy::{Bundle, Engine, SnapshotError, State};

static ENGINES: LazyLock<[Engine; 7]> = LazyLock::new(|| {
    [
        include_str!("../../policies/checkout/rollouts.yaml"),
        davy::starter("checkout").as_ref(),
        include_str!("../bundles/argo.yaml"),
        include_str!("../bundles/flagger.yaml"),
        include_str!("../bundles/everything.yaml"),
        include_str!("../bundles/bare.yaml"),
        include_str!("../bundles/kayenta.yaml"),
    ]
    .map(|text| match Bundle::from_files([("rollouts.yaml", text)]) {
        Ok(bundle) => Engine::new(&bundle),
        Err(error) => panic!("{error}\n{text}"),
    })
});

/// All of them, in the order of their numbers.
pub(crate) fn all() -> &'static [Engine] {
    &*ENGINES
}

/// The one that a byte stands for: a digit in a corpus, anything in a fuzzer.
pub(crate) fn of(byte: u8) -> &'static Engine {
    let number = usize::from(byte.wrapping_sub(b'0')) % ENGINES.len();
    &ENGINES[number]
}

/// Reads a state, in which a digest of nothing but zeros stands for the bundle's: so a state in a
/// corpus belongs to whichever bundle is chosen, however that is edited.
pub(crate) fn state(engine: &Engine, json: &[u8]) -> Result<State, SnapshotError> {
    match std::str::from_utf8(json) {
        Ok(text) => State::from_json(text.replace(&zeros(), &engine.digest().to_string()).as_bytes()),
        Err(_) => State::from_json(json),
    }
}

/// Writes a state as [`state`] reads it.
pub(crate) fn state_json(engine: &Engine, state: &State) -> String {
    let json = String::from_utf8(state.to_json()).expect("JSON is UTF-8");
    json.replace(&engine.digest().to_string(), &zeros())
}

fn zeros() -> String {
    format!("sha256:{}", "0".repeat(64))
}
