//! Free facts: plain JSON that a host knows and only rules understand.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use serde::de::{self, DeserializeSeed, Deserializer, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Serialize, Serializer};
use thiserror::Error;

/// The deepest nesting of lists and maps.
const DEEPEST: usize = 16;
/// The most values, lists and maps included.
const MOST_VALUES: usize = 16_384;
/// The most bytes of text, keys included.
const MOST_BYTES: usize = 256 << 10;
/// The largest magnitude of a number: beyond, neighbours are not whole numbers apart, and no two readers agree.
const LARGEST: i64 = (1 << 53) - 1;
/// How `serde_json` hands over numbers when a host switches on `arbitrary_precision`.
const NUMBER_AS_TEXT: &str = "$serde_json::private::Number";

/// One value: what JSON knows, with integers kept apart from other numbers.
///
/// A number without a fraction is an integer, also where JSON wrote `1.0`. Cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub enum Fact {
    /// JSON's null.
    Null,
    /// True or false.
    Bool(bool),
    /// A whole number from −(2^53 − 1) to 2^53 − 1.
    Integer(i64),
    /// Another finite number of smaller magnitude than 2^53.
    Number(f64),
    /// Text.
    Text(Arc<str>),
    /// A list.
    List(Arc<[Fact]>),
    /// A map, in the order of its keys.
    Map(Arc<BTreeMap<String, Fact>>),
}

/// What a host knows beside what it measured: tickets, approvals, replicas, images. No gate reads it; rules do.
///
/// At most 256 KiB of text, 16 384 values and 16 levels.
///
/// ```
/// use davy::{Fact, Facts};
/// let facts: Facts = serde_json::from_str(r#"{ "ticket": "CHG-17", "replicas": 3 }"#)?;
/// assert_eq!(facts.get("replicas"), Some(&Fact::Integer(3)));
/// # Ok::<(), serde_json::Error>(())
/// ```
#[derive(Debug, Clone, PartialEq, Default, Serialize)]
#[serde(transparent)]
pub struct Facts(Arc<BTreeMap<String, Fact>>);

/// Facts that are too many, too deep, or hold a number that has no exact form.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum FactError {
    /// Lists or maps lie too deep in each other.
    #[error("S040: facts nest at most {DEEPEST} levels deep")]
    Depth,
    /// There are too many values, or too much text.
    #[error("S041: facts hold at most {MOST_VALUES} values and {MOST_BYTES} bytes of text")]
    Size,
    /// A number is too large or not finite.
    #[error("S042: a number of the facts is not between -(2^53 - 1) and 2^53 - 1")]
    Number,
    /// A key stands twice in one map.
    #[error("S043: a key of the facts stands twice")]
    DuplicateKey,
}

impl Facts {
    /// Takes facts that are within the limits.
    ///
    /// # Errors
    /// [`FactError`] for the first limit that is broken.
    pub fn new(facts: BTreeMap<String, Fact>) -> Result<Self, FactError> {
        let mut size = Size::default();
        facts.iter().try_for_each(|(key, fact)| size.add_text(key).and_then(|()| size.add(fact, 1)))?;
        Ok(Self(Arc::new(facts)))
    }

    /// The fact of this name.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Fact> {
        self.0.get(key)
    }

    /// Every fact, by name.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &Fact)> {
        self.0.iter().map(|(key, fact)| (key.as_str(), fact))
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn to_fact(&self) -> Fact {
        Fact::Map(Arc::clone(&self.0))
    }
}

impl Fact {
    /// The value below this key, if this is a map that has it.
    #[must_use]
    pub fn get(&self, key: &str) -> Option<&Fact> {
        match self {
            Self::Map(map) => map.get(key),
            _ => None,
        }
    }

    /// A finite number, as an integer where it is one; nothing for what has no exact form.
    #[must_use]
    pub fn number(number: f64) -> Option<Self> {
        let within = number.is_finite() && number.abs() <= LARGEST as f64;
        let whole = within && number.trunc().total_cmp(&number).is_eq();
        // Minus zero is zero; whole numbers within the limits are exact as integers.
        let zero = number.abs() < f64::MIN_POSITIVE && number.abs().to_bits() == 0;
        within.then_some(if whole || zero { Self::Integer(number as i64) } else { Self::Number(number) })
    }

    /// A number that was measured, however large; nothing for what is not finite.
    pub(crate) fn measured(number: f64) -> Option<Self> {
        Self::number(number).or_else(|| number.is_finite().then_some(Self::Number(number)))
    }

    /// A map of these entries; entries without a value are left out.
    pub(crate) fn map<const N: usize>(entries: [(&str, Option<Fact>); N]) -> Self {
        entries.into_iter().filter_map(|(key, fact)| Some((key.to_owned(), fact?))).collect()
    }

    pub(crate) fn text(text: impl fmt::Display) -> Self {
        Self::Text(text.to_string().into())
    }

    /// What a value of the engine's own looks like to a rule; nulls are left out of maps, as things that are not known.
    pub(crate) fn of_json(json: &serde_json::Value) -> Option<Self> {
        Some(match json {
            serde_json::Value::Null => return None,
            serde_json::Value::Bool(value) => Self::Bool(*value),
            serde_json::Value::Number(number) => match number.as_i64().filter(|it| it.abs() <= LARGEST) {
                Some(integer) => Self::Integer(integer),
                None => number.as_f64().and_then(Self::measured)?,
            },
            serde_json::Value::String(text) => Self::Text(text.as_str().into()),
            serde_json::Value::Array(items) => {
                Self::List(items.iter().map(|item| Self::of_json(item).unwrap_or(Self::Null)).collect())
            }
            serde_json::Value::Object(map) => {
                map.iter().filter_map(|(key, value)| Some((key.clone(), Self::of_json(value)?))).collect()
            }
        })
    }
}

impl FromIterator<(String, Fact)> for Fact {
    fn from_iter<I: IntoIterator<Item = (String, Fact)>>(entries: I) -> Self {
        Self::Map(Arc::new(entries.into_iter().collect()))
    }
}

impl FromIterator<Fact> for Fact {
    fn from_iter<I: IntoIterator<Item = Fact>>(items: I) -> Self {
        Self::List(items.into_iter().collect())
    }
}

impl From<crate::Count> for Fact {
    fn from(count: crate::Count) -> Self {
        // A count is at most 2^53 - 1.
        Self::Integer(i64::try_from(count.get()).unwrap_or(LARGEST))
    }
}

impl From<bool> for Fact {
    fn from(value: bool) -> Self {
        Self::Bool(value)
    }
}

/// What has been added up so far.
#[derive(Default)]
struct Size {
    values: usize,
    bytes: usize,
}

impl Size {
    fn add(&mut self, fact: &Fact, depth: usize) -> Result<(), FactError> {
        if depth > DEEPEST {
            return Err(FactError::Depth);
        }
        self.add_value()?;
        match fact {
            Fact::Null | Fact::Bool(_) => Ok(()),
            Fact::Integer(integer) => {
                if integer.unsigned_abs() > LARGEST.unsigned_abs() {
                    Err(FactError::Number)
                } else {
                    Ok(())
                }
            }
            // A whole number has one form, which is the integer's.
            Fact::Number(number) => match Fact::number(*number) {
                Some(Fact::Number(_)) => Ok(()),
                _ => Err(FactError::Number),
            },
            Fact::Text(text) => self.add_text(text),
            Fact::List(items) => items.iter().try_for_each(|item| self.add(item, depth + 1)),
            Fact::Map(map) => {
                map.iter().try_for_each(|(key, value)| self.add_text(key).and_then(|()| self.add(value, depth + 1)))
            }
        }
    }

    fn add_value(&mut self) -> Result<(), FactError> {
        self.values += 1;
        if self.values > MOST_VALUES { Err(FactError::Size) } else { Ok(()) }
    }

    fn add_text(&mut self, text: &str) -> Result<(), FactError> {
        self.bytes = self.bytes.saturating_add(text.len());
        if self.bytes > MOST_BYTES { Err(FactError::Size) } else { Ok(()) }
    }
}

impl Serialize for Fact {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Self::Null => serializer.serialize_unit(),
            Self::Bool(value) => serializer.serialize_bool(*value),
            Self::Integer(integer) => serializer.serialize_i64(*integer),
            Self::Number(number) => serializer.serialize_f64(*number),
            Self::Text(text) => serializer.serialize_str(text),
            Self::List(items) => serializer.collect_seq(items.iter()),
            Self::Map(map) => serializer.collect_map(map.iter()),
        }
    }
}

impl<'de> Deserialize<'de> for Fact {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut size = Size::default();
        Reader { size: &mut size, depth: 1 }.deserialize(deserializer)
    }
}

impl<'de> Deserialize<'de> for Facts {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let mut size = Size::default();
        match (Reader { size: &mut size, depth: 0 }).deserialize(deserializer)? {
            Fact::Map(map) => Ok(Self(map)),
            _ => Err(de::Error::custom("facts are an object")),
        }
    }
}

/// Reads a value while keeping to the limits, so that nothing large is built before it is refused.
struct Reader<'s> {
    size: &'s mut Size,
    depth: usize,
}

impl<'de> DeserializeSeed<'de> for Reader<'_> {
    type Value = Fact;
    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Fact, D::Error> {
        if self.depth > DEEPEST {
            return Err(de::Error::custom(FactError::Depth));
        }
        self.size.add_value().map_err(de::Error::custom)?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Reader<'_> {
    type Value = Fact;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if self.depth == 0 { "an object" } else { "a value" })
    }

    fn visit_unit<E: de::Error>(self) -> Result<Fact, E> {
        Ok(Fact::Null)
    }

    fn visit_bool<E: de::Error>(self, value: bool) -> Result<Fact, E> {
        Ok(Fact::Bool(value))
    }

    fn visit_i64<E: de::Error>(self, value: i64) -> Result<Fact, E> {
        if value.unsigned_abs() > LARGEST.unsigned_abs() {
            return Err(E::custom(FactError::Number));
        }
        Ok(Fact::Integer(value))
    }

    fn visit_u64<E: de::Error>(self, value: u64) -> Result<Fact, E> {
        i64::try_from(value).map_err(|_| E::custom(FactError::Number)).and_then(|value| self.visit_i64(value))
    }

    fn visit_f64<E: de::Error>(self, value: f64) -> Result<Fact, E> {
        Fact::number(value).ok_or_else(|| E::custom(FactError::Number))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Fact, E> {
        self.size.add_text(text).map_err(E::custom)?;
        Ok(Fact::Text(text.into()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut access: A) -> Result<Fact, A::Error> {
        let Self { size, depth } = self;
        let mut items = Vec::new();
        while let Some(item) = access.next_element_seed(Reader { size: &mut *size, depth: depth + 1 })? {
            items.push(item);
        }
        Ok(Fact::List(items.into()))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut access: A) -> Result<Fact, A::Error> {
        let Self { size, depth } = self;
        let mut map = BTreeMap::new();
        while let Some(key) = access.next_key::<String>()? {
            if key == NUMBER_AS_TEXT {
                let text: String = access.next_value()?;
                return number_of_text(&text).ok_or_else(|| de::Error::custom(FactError::Number));
            }
            size.add_text(&key).map_err(de::Error::custom)?;
            let value = access.next_value_seed(Reader { size: &mut *size, depth: depth + 1 })?;
            if map.insert(key, value).is_some() {
                return Err(de::Error::custom(FactError::DuplicateKey));
            }
        }
        Ok(Fact::Map(Arc::new(map)))
    }
}

fn number_of_text(text: &str) -> Option<Fact> {
    match text.parse::<i64>() {
        Ok(integer) => (integer.unsigned_abs() <= LARGEST.unsigned_abs()).then_some(Fact::Integer(integer)),
        Err(_) => text.parse().ok().and_then(Fact::number),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::canonical_json;
    use proptest::prelude::*;

    fn read(json: &str) -> Result<Facts, String> {
        serde_json::from_str(json).map_err(|error| error.to_string())
    }

    #[test]
    fn integers_stay_integers_and_have_one_form() {
        let facts = read(r#"{"a": 1, "b": 1.0, "c": 1.5, "d": -0.0, "e": 9007199254740991}"#).unwrap();
        assert_eq!(facts.get("a"), facts.get("b"));
        assert_eq!(facts.get("c"), Some(&Fact::Number(1.5)));
        assert_eq!(facts.get("d"), Some(&Fact::Integer(0)));
        assert_eq!(facts.get("e"), Some(&Fact::Integer(LARGEST)));
    }

    #[test]
    fn what_has_no_exact_form_is_refused() {
        for (json, code) in [
            (r#"{"a": 9007199254740992}"#, "S042"),
            (r#"{"a": -1e300}"#, "S042"),
            (r#"{"a": {"b": 1, "b": 2}}"#, "S043"),
        ] {
            assert!(read(json).unwrap_err().starts_with(code), "{json}");
        }
        assert!(read("[1]").is_err());
    }

    #[test]
    fn limits_hold_while_reading() {
        let deep = format!("{{\"a\":{}1{}}}", "[".repeat(16), "]".repeat(16));
        assert!(read(&deep).unwrap_err().starts_with("S040"));
        let many = format!("{{\"a\":[{}1]}}", "1,".repeat(MOST_VALUES));
        assert!(read(&many).unwrap_err().starts_with("S041"));
        let long = format!("{{\"a\":\"{}\"}}", "x".repeat(MOST_BYTES));
        assert!(read(&long).unwrap_err().starts_with("S041"));
        let edge = format!("{{\"a\":{}1{}}}", "[".repeat(15), "]".repeat(15));
        assert!(read(&edge).is_ok());
    }

    fn fact() -> impl Strategy<Value = Fact> {
        let leaf = prop_oneof![
            Just(Fact::Null),
            any::<bool>().prop_map(Fact::Bool),
            (-LARGEST..=LARGEST).prop_map(Fact::Integer),
            any::<f64>().prop_filter_map("finite and not too large", Fact::number),
            ".{0,8}".prop_map(|text| Fact::Text(text.into())),
        ];
        leaf.prop_recursive(4, 32, 4, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..4).prop_map(|items| Fact::List(items.into())),
                prop::collection::btree_map(".{0,4}", inner, 0..4).prop_map(|map| Fact::Map(Arc::new(map))),
            ]
        })
    }

    proptest! {
        #[test]
        fn facts_come_back_from_their_canonical_form(facts in prop::collection::btree_map(".{0,4}", fact(), 0..6)) {
            let facts = Facts::new(facts).unwrap();
            let bytes = canonical_json(&facts).unwrap();
            let read: Facts = serde_json::from_slice(&bytes).unwrap();
            prop_assert_eq!(&read, &facts);
            prop_assert_eq!(canonical_json(&read).unwrap(), bytes);
        }
    }
}
