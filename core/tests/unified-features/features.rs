//! Both features are on, or the other tests of this crate prove nothing.

#[test]
fn maps_keep_their_order_and_numbers_their_digits() {
    let text = r#"{"b":1.10,"a":123456789012345678901234567890}"#;
    let value: serde_json::Value = serde_json::from_str(text).unwrap();
    assert_eq!(value.to_string(), text);
}
