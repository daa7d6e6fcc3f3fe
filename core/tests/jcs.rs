//! The published test vectors of RFC 8785, which are not part of this repository: `DAVY_CASES` says where they are.
#![expect(clippy::disallowed_methods, reason = "tests read fixtures")]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test that cannot go on should stop")]

use std::path::Path;

#[test]
fn the_published_vectors_have_the_published_canonical_form() {
    let Ok(cases) = std::env::var("DAVY_CASES") else {
        println!("skipped: DAVY_CASES is not set");
        return;
    };
    let folder = Path::new(&cases).join("jcs");
    let mut compared = 0;
    for entry in std::fs::read_dir(folder.join("input")).unwrap() {
        let input = entry.unwrap().path();
        let value: serde_json::Value = serde_json::from_slice(&std::fs::read(&input).unwrap()).unwrap();
        let expected = std::fs::read(folder.join("output").join(input.file_name().unwrap())).unwrap();
        assert_eq!(davy::canonical_json(&value).unwrap(), expected.trim_ascii_end(), "{}", input.display());
        compared += 1;
    }
    assert_eq!(compared, 6);
}
