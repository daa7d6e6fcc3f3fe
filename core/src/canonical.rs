//! Canonical JSON: one text for one value (RFC 8785), so that digests of records mean something.
//!
//! Keys are sorted by their UTF-16 code units, numbers are written as ECMAScript writes doubles,
//! and strings escape only what they must. Integers beyond 2^53 − 1 and numbers that are not
//! finite have no canonical form and are refused. Works on any [`serde::Serialize`] type and never
//! goes through `serde_json::Value`, whose behaviour a host's feature flags can change.

use std::borrow::Cow;
use std::cmp::Ordering;
use std::fmt::{self, Display};

use serde::ser::{self, Serialize};
use thiserror::Error;

/// A value that has no canonical form.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum CanonicalError {
    /// NaN or infinity.
    #[error("C001: a number that is not finite has no canonical form")]
    NotFinite,
    /// An integer that doubles cannot hold exactly.
    #[error("C002: the integer {0} is beyond 2^53 - 1; write it as text")]
    InexactInteger(i128),
    /// A map key that is not text.
    #[error("C003: a map key that is not text")]
    Key,
    /// Whatever a `Serialize` implementation refused.
    #[error("C004: {0}")]
    Custom(String),
}

/// The canonical text of `value`, in UTF-8.
///
/// # Errors
/// [`CanonicalError`] for values that have no canonical form.
///
/// ```
/// # use std::collections::BTreeMap;
/// let value = BTreeMap::from([("b", 1.0), ("a", 1e21)]);
/// assert_eq!(davy::canonical_json(&value)?, br#"{"a":1e+21,"b":1}"#);
/// # Ok::<(), davy::CanonicalError>(())
/// ```
pub fn canonical_json<T: Serialize + ?Sized>(value: &T) -> Result<Vec<u8>, CanonicalError> {
    let mut writer = Writer { out: Vec::with_capacity(1024) };
    value.serialize(&mut writer)?;
    Ok(writer.out)
}

struct Writer {
    out: Vec<u8>,
}

impl Writer {
    fn text(&mut self, text: &str) {
        self.out.push(b'"');
        let mut plain_from = 0;
        for (index, byte) in text.bytes().enumerate() {
            let escape: &[u8] = match byte {
                b'"' => b"\\\"",
                b'\\' => b"\\\\",
                0x08 => b"\\b",
                0x09 => b"\\t",
                0x0a => b"\\n",
                0x0c => b"\\f",
                0x0d => b"\\r",
                0..0x20 => b"\\u00",
                _ => continue,
            };
            self.out.extend_from_slice(text.as_bytes().get(plain_from..index).unwrap_or_default());
            self.out.extend_from_slice(escape);
            if escape.len() == 4 {
                self.out.extend_from_slice(format!("{byte:02x}").as_bytes());
            }
            plain_from = index + 1;
        }
        self.out.extend_from_slice(text.as_bytes().get(plain_from..).unwrap_or_default());
        self.out.push(b'"');
    }

    fn integer(&mut self, integer: i128) -> Result<(), CanonicalError> {
        const LARGEST: u128 = (1 << 53) - 1;
        if integer.unsigned_abs() > LARGEST {
            return Err(CanonicalError::InexactInteger(integer));
        }
        let mut digits = [0_u8; 20];
        let mut rest = integer.unsigned_abs() as u64;
        let mut used = 0;
        for digit in digits.iter_mut().rev() {
            *digit = b'0' + (rest % 10) as u8;
            rest /= 10;
            used += 1;
            if rest == 0 {
                break;
            }
        }
        if integer < 0 {
            self.out.push(b'-');
        }
        self.out.extend_from_slice(digits.get(20 - used..).unwrap_or_default());
        Ok(())
    }

    fn tagged(&mut self, variant: &str) {
        self.out.push(b'{');
        self.text(variant);
        self.out.push(b':');
    }
}

impl ser::Error for CanonicalError {
    fn custom<T: Display>(message: T) -> Self {
        Self::Custom(message.to_string())
    }
}

macro_rules! integers {
    ($($method:ident: $type:ty),*) => { $(
        fn $method(self, value: $type) -> Result<(), CanonicalError> {
            self.integer(i128::from(value))
        }
    )* };
}

impl<'a> ser::Serializer for &'a mut Writer {
    type Ok = ();
    type Error = CanonicalError;
    type SerializeSeq = List<'a>;
    type SerializeTuple = List<'a>;
    type SerializeTupleStruct = List<'a>;
    type SerializeTupleVariant = List<'a>;
    type SerializeMap = Object<'a>;
    type SerializeStruct = Object<'a>;
    type SerializeStructVariant = Object<'a>;

    integers!(serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64);
    integers!(serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64);

    fn serialize_bool(self, value: bool) -> Result<(), CanonicalError> {
        self.out.extend_from_slice(if value { b"true" } else { b"false" });
        Ok(())
    }

    fn serialize_f32(self, value: f32) -> Result<(), CanonicalError> {
        self.serialize_f64(f64::from(value))
    }

    fn serialize_f64(self, value: f64) -> Result<(), CanonicalError> {
        if !value.is_finite() {
            return Err(CanonicalError::NotFinite);
        }
        self.out.extend_from_slice(ryu_js::Buffer::new().format_finite(value).as_bytes());
        Ok(())
    }

    fn serialize_char(self, value: char) -> Result<(), CanonicalError> {
        self.text(value.encode_utf8(&mut [0; 4]));
        Ok(())
    }

    fn serialize_str(self, value: &str) -> Result<(), CanonicalError> {
        self.text(value);
        Ok(())
    }

    fn collect_str<T: Display + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        let start = self.out.len();
        self.out.push(b'"');
        let mut sink = Unescaped { out: &mut self.out, plain: true };
        let written = fmt::Write::write_fmt(&mut sink, format_args!("{value}"));
        let plain = sink.plain;
        written.map_err(|_| CanonicalError::Custom("a value refused to be written".to_owned()))?;
        if plain {
            self.out.push(b'"');
        } else {
            self.out.truncate(start);
            self.text(&value.to_string());
        }
        Ok(())
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<(), CanonicalError> {
        Err(CanonicalError::Custom("bytes have no canonical form; write them as text".to_owned()))
    }

    fn serialize_none(self) -> Result<(), CanonicalError> {
        self.serialize_unit()
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<(), CanonicalError> {
        self.out.extend_from_slice(b"null");
        Ok(())
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<(), CanonicalError> {
        self.serialize_unit()
    }

    fn serialize_unit_variant(self, _: &'static str, _: u32, variant: &'static str) -> Result<(), CanonicalError> {
        self.text(variant);
        Ok(())
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(self, _: &'static str, value: &T) -> Result<(), CanonicalError> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<(), CanonicalError> {
        self.tagged(variant);
        value.serialize(&mut *self)?;
        self.out.push(b'}');
        Ok(())
    }

    fn serialize_seq(self, _: Option<usize>) -> Result<List<'a>, CanonicalError> {
        self.out.push(b'[');
        Ok(List { writer: self, first: true, closing: b"]" })
    }

    fn serialize_tuple(self, len: usize) -> Result<List<'a>, CanonicalError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_struct(self, _: &'static str, len: usize) -> Result<List<'a>, CanonicalError> {
        self.serialize_seq(Some(len))
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<List<'a>, CanonicalError> {
        self.tagged(variant);
        self.out.push(b'[');
        Ok(List { writer: self, first: true, closing: b"]}" })
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Object<'a>, CanonicalError> {
        Ok(Object::open(self, b"}"))
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Object<'a>, CanonicalError> {
        Ok(Object::open(self, b"}"))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Object<'a>, CanonicalError> {
        self.tagged(variant);
        Ok(Object::open(self, b"}}"))
    }
}

/// Takes formatted text as long as nothing in it needs an escape.
struct Unescaped<'a> {
    out: &'a mut Vec<u8>,
    plain: bool,
}

impl fmt::Write for Unescaped<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        self.plain &= !text.bytes().any(|byte| byte < 0x20 || byte == b'"' || byte == b'\\');
        self.out.extend_from_slice(text.as_bytes());
        Ok(())
    }
}

struct List<'a> {
    writer: &'a mut Writer,
    first: bool,
    closing: &'static [u8],
}

impl List<'_> {
    fn item<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        if !std::mem::take(&mut self.first) {
            self.writer.out.push(b',');
        }
        value.serialize(&mut *self.writer)
    }

    fn close(self) {
        self.writer.out.extend_from_slice(self.closing);
    }
}

macro_rules! list {
    ($($trait:ident::$method:ident),*) => { $(
        impl ser::$trait for List<'_> {
            type Ok = ();
            type Error = CanonicalError;
            fn $method<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
                self.item(value)
            }
            fn end(self) -> Result<(), CanonicalError> {
                self.close();
                Ok(())
            }
        }
    )* };
}
list!(SerializeSeq::serialize_element, SerializeTuple::serialize_element);
list!(SerializeTupleStruct::serialize_field, SerializeTupleVariant::serialize_field);

/// Entries are written as they come and put into order at the end, if they are not already.
struct Object<'a> {
    writer: &'a mut Writer,
    start: usize,
    entries: Vec<Entry>,
    closing: &'static [u8],
}

struct Entry {
    key: Cow<'static, str>,
    /// Offsets of `"key":value` in the output.
    from: usize,
    to: usize,
}

impl<'a> Object<'a> {
    fn open(writer: &'a mut Writer, closing: &'static [u8]) -> Self {
        writer.out.push(b'{');
        let start = writer.out.len();
        Self { writer, start, entries: Vec::with_capacity(16), closing }
    }

    fn key(&mut self, key: Cow<'static, str>) {
        if !self.entries.is_empty() {
            self.writer.out.push(b',');
        }
        let from = self.writer.out.len();
        self.writer.text(&key);
        self.writer.out.push(b':');
        self.entries.push(Entry { key, from, to: from });
    }

    fn value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        value.serialize(&mut *self.writer)?;
        if let Some(entry) = self.entries.last_mut() {
            entry.to = self.writer.out.len();
        }
        Ok(())
    }

    fn close(mut self) {
        let in_order = self.entries.windows(2).all(|pair| match pair {
            [a, b] => utf16_order(&a.key, &b.key) == Ordering::Less,
            _ => true,
        });
        if !in_order {
            self.entries.sort_by(|a, b| utf16_order(&a.key, &b.key));
            let mut sorted = Vec::with_capacity(self.writer.out.len() - self.start);
            for entry in &self.entries {
                if !sorted.is_empty() {
                    sorted.push(b',');
                }
                sorted.extend_from_slice(self.writer.out.get(entry.from..entry.to).unwrap_or_default());
            }
            self.writer.out.truncate(self.start);
            self.writer.out.append(&mut sorted);
        }
        self.writer.out.extend_from_slice(self.closing);
    }
}

/// RFC 8785 §3.2.3: by UTF-16 code units, which for ASCII is by bytes.
fn utf16_order(a: &str, b: &str) -> Ordering {
    if a.is_ascii() && b.is_ascii() { a.cmp(b) } else { a.encode_utf16().cmp(b.encode_utf16()) }
}

impl ser::SerializeMap for Object<'_> {
    type Ok = ();
    type Error = CanonicalError;
    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), CanonicalError> {
        // A key is text if its own canonical form is.
        let json = canonical_json(key)?;
        if json.first() != Some(&b'"') {
            return Err(CanonicalError::Key);
        }
        let key: String = serde_json::from_slice(&json).map_err(|_| CanonicalError::Key)?;
        self.key(Cow::Owned(key));
        Ok(())
    }
    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), CanonicalError> {
        self.value(value)
    }
    fn end(self) -> Result<(), CanonicalError> {
        self.close();
        Ok(())
    }
}

macro_rules! object {
    ($($trait:ident),*) => { $(
        impl ser::$trait for Object<'_> {
            type Ok = ();
            type Error = CanonicalError;
            fn serialize_field<T: Serialize + ?Sized>(&mut self, key: &'static str, value: &T) -> Result<(), CanonicalError> {
                self.key(Cow::Borrowed(key));
                self.value(value)
            }
            fn end(self) -> Result<(), CanonicalError> {
                self.close();
                Ok(())
            }
        }
    )* };
}
object!(SerializeStruct, SerializeStructVariant);

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::Serialize;

    fn text<T: Serialize>(value: &T) -> String {
        String::from_utf8(canonical_json(value).unwrap()).unwrap()
    }

    #[test]
    fn keys_are_sorted_by_utf16_code_units() {
        // U+1F600 sorts before U+FB33 in UTF-16 (as the surrogate D83D), after it in UTF-8.
        let value = std::collections::BTreeMap::from([("\u{fb33}", 1), ("\u{1f600}", 2), ("\r", 3), ("1", 4)]);
        assert_eq!(text(&value), "{\"\\r\":3,\"1\":4,\"\u{1f600}\":2,\"\u{fb33}\":1}");
    }

    #[test]
    fn fields_and_variants_are_sorted_at_every_depth() {
        #[derive(Serialize)]
        enum Kind {
            Pair { z: u8, a: u8 },
            Tuple(u8, u8),
            Unit,
        }
        #[derive(Serialize)]
        struct Outer {
            zebra: Kind,
            apple: Vec<Kind>,
        }
        let value = Outer { zebra: Kind::Pair { z: 1, a: 2 }, apple: vec![Kind::Unit, Kind::Tuple(3, 4)] };
        assert_eq!(text(&value), r#"{"apple":["Unit",{"Tuple":[3,4]}],"zebra":{"Pair":{"a":2,"z":1}}}"#);
    }

    #[test]
    fn what_has_no_canonical_form_is_refused() {
        assert_eq!(canonical_json(&f64::NAN), Err(CanonicalError::NotFinite));
        assert_eq!(canonical_json(&f64::INFINITY), Err(CanonicalError::NotFinite));
        assert_eq!(canonical_json(&(1_u64 << 53)), Err(CanonicalError::InexactInteger(1 << 53)));
        assert_eq!(text(&((1_u64 << 53) - 1)), "9007199254740991");
        assert_eq!(text(&-0.0), "0");
        assert_eq!(text(&i64::from(i32::MIN)), "-2147483648");
        let keys = std::collections::BTreeMap::from([(1, 1)]);
        assert_eq!(canonical_json(&keys), Err(CanonicalError::Key));
    }

    fn arbitrary_json() -> impl Strategy<Value = serde_json::Value> {
        let leaf = prop_oneof![
            Just(serde_json::Value::Null),
            any::<bool>().prop_map(Into::into),
            any::<i32>().prop_map(Into::into),
            any::<f64>().prop_filter("finite", |number| number.is_finite()).prop_map(Into::into),
            ".*".prop_map(Into::into),
        ];
        leaf.prop_recursive(4, 64, 8, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..8).prop_map(Into::into),
                prop::collection::btree_map(".*", inner, 0..8)
                    .prop_map(|map| serde_json::Value::Object(map.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn an_independent_implementation_writes_the_same(value in arbitrary_json()) {
            prop_assert_eq!(canonical_json(&value).unwrap(), serde_json_canonicalizer::to_vec(&value).unwrap());
        }
    }
}
