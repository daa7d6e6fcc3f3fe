//! tmp
#[test]
fn smoke() {
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../policies/checkout");
    let bundle = davy::Bundle::from_files([("rollouts.yaml", std::fs::read(format!("{root}/rollouts.yaml")).unwrap())])
        .unwrap_or_else(|e| panic!("{e}"));
    for w in bundle.warnings() {
        println!("{w}");
    }
    let engine = davy::Engine::new(&bundle);
    for name in ["healthy", "inconclusive", "regressed"] {
        let snapshot =
            davy::Snapshot::from_json(&std::fs::read(format!("{root}/snapshots/{name}.json")).unwrap()).unwrap();
        let state = davy::State::new();
        let step = engine.decide(&state, &snapshot);
        println!("{}", step.decision);
        let record = step.seal().unwrap();
        println!("state {} record {}", step.state.to_json().len(), record.bytes().len());
        let again = davy::Record::from_bytes(record.bytes()).unwrap();
        again.replay(&engine, &state, &snapshot).unwrap();
    }
    println!("{}", davy::page(&bundle));
}
