//! Changing JSON: the same value in another order, and values that are almost the same.

use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

/// Writes `value` with the keys of every object, and the items of the named lists, in another order.
pub(crate) fn shuffled(value: &Value, lists: &[&str], seed: u64) -> String {
    let mut order = Order(seed);
    let mut out = String::new();
    write(value, false, lists, &mut order, &mut out);
    out
}

fn write(value: &Value, shuffles: bool, lists: &[&str], order: &mut Order, out: &mut String) {
    match value {
        Value::Object(entries) => {
            let mut entries: Vec<(&String, &Value)> = entries.iter().collect();
            order.shuffle(&mut entries);
            out.push('{');
            for (position, (key, value)) in entries.into_iter().enumerate() {
                let comma = if position > 0 { ", " } else { "" };
                *out += &format!("{comma}{}: ", Value::from(key.as_str()));
                write(value, lists.contains(&key.as_str()), lists, order, out);
            }
            out.push('}');
        }
        Value::Array(items) => {
            let mut items: Vec<&Value> = items.iter().collect();
            if shuffles {
                order.shuffle(&mut items);
            }
            out.push('[');
            for (position, item) in items.into_iter().enumerate() {
                if position > 0 {
                    out.push(',');
                }
                write(item, false, lists, order, out);
            }
            out.push(']');
        }
        leaf => *out += &leaf.to_string(),
    }
}

/// A small generator: proptest picks the seed.
struct Order(u64);

impl Order {
    fn next(&mut self, below: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % below
    }

    fn shuffle<T>(&mut self, items: &mut [T]) {
        for last in (1..items.len()).rev() {
            items.swap(last, self.next(last + 1));
        }
    }
}

/// Values at which types and arithmetic end.
fn edges() -> Vec<Value> {
    vec![
        json!(0),
        json!(1),
        json!(-1),
        json!(2),
        json!(34),
        json!(127),
        json!(-128),
        json!(4_294_967_295_u64),
        json!(9_007_199_254_740_991_u64),
        json!(9_007_199_254_740_992_u64),
        json!(u64::MAX),
        json!(0.5),
        json!(1e308),
        json!(-1e308),
        json!(null),
        json!("1970-01-01T00:00:00Z"),
        json!("9999-12-30T22:00:00Z"),
        json!("0%"),
        json!("counts"),
    ]
}

/// `value` with every leaf in turn at every edge.
pub(crate) fn at_every_edge(value: &Value) -> impl Iterator<Item = Value> + '_ {
    let mut paths = Vec::new();
    collect_paths(value, String::new(), &mut paths);
    let is_leaf = |path: &String| value.pointer(path).is_some_and(|place| !place.is_object() && !place.is_array());
    paths.into_iter().filter(is_leaf).flat_map(move |path| {
        edges().into_iter().map(move |edge| {
            let mut changed = value.clone();
            put(&mut changed, &path, edge);
            changed
        })
    })
}

/// A small change at one place of a JSON value.
#[derive(Debug, Clone)]
pub(crate) struct Mutation {
    at: Index,
    other: Index,
    change: Change,
}

#[derive(Debug, Clone)]
enum Change {
    Replace(Value),
    FlipBit(u8),
    CopyOther,
    SwapWithOther,
    Remove,
    Repeat,
}

pub(crate) fn mutation() -> impl Strategy<Value = Mutation> {
    let change = prop_oneof![
        4 => select(edges()).prop_map(Change::Replace),
        4 => (0..64_u8).prop_map(Change::FlipBit),
        2 => Just(Change::CopyOther),
        2 => Just(Change::SwapWithOther),
        1 => Just(Change::Remove),
        1 => Just(Change::Repeat),
    ];
    (any::<Index>(), any::<Index>(), change).prop_map(|(at, other, change)| Mutation { at, other, change })
}

/// Applies each change after which `parses` still holds.
pub(crate) fn mutated(value: Value, mutations: &[Mutation], parses: impl Fn(&Value) -> bool) -> Value {
    mutations.iter().fold(value, |value, mutation| {
        let changed = mutation.apply(value.clone());
        if parses(&changed) { changed } else { value }
    })
}

impl Mutation {
    fn apply(&self, mut value: Value) -> Value {
        let mut paths = Vec::new();
        collect_paths(&value, String::new(), &mut paths);
        let (path, other) = (&paths[self.at.index(paths.len())], &paths[self.other.index(paths.len())]);
        match &self.change {
            Change::Replace(new) => put(&mut value, path, new.clone()),
            Change::FlipBit(bit) => {
                if let Some(leaf) = value.pointer_mut(path) {
                    flip(leaf, *bit);
                }
            }
            Change::CopyOther => {
                let copy = value.pointer(other).cloned().unwrap_or_default();
                put(&mut value, path, copy);
            }
            Change::SwapWithOther => {
                let (a, b) = (value.pointer(path).cloned(), value.pointer(other).cloned());
                put(&mut value, path, b.unwrap_or_default());
                put(&mut value, other, a.unwrap_or_default());
            }
            Change::Remove | Change::Repeat => {
                let (parent, key) = path.rsplit_once('/').unwrap_or_default();
                match value.pointer_mut(parent) {
                    Some(Value::Array(items)) => {
                        let at: usize = key.parse().unwrap_or(0);
                        if let Change::Remove = self.change {
                            items.remove(at);
                        } else {
                            items.insert(at, items[at].clone());
                        }
                    }
                    Some(Value::Object(entries)) => {
                        entries.remove(key);
                    }
                    _ => {}
                }
            }
        }
        value
    }
}

fn put(value: &mut Value, path: &str, new: Value) {
    if let Some(place) = value.pointer_mut(path) {
        *place = new;
    }
}

/// Flips a bit of a number, or of one letter of a text.
fn flip(leaf: &mut Value, bit: u8) {
    match leaf {
        Value::Bool(truth) => *truth = !*truth,
        Value::Number(number) => {
            if let Some(integer) = number.as_i64() {
                *leaf = json!(integer ^ (1 << (bit % 63)));
            } else if let Some(float) = number.as_f64() {
                *leaf = json!(f64::from_bits(float.to_bits() ^ (1 << bit)));
            }
        }
        Value::String(text) if !text.is_empty() => {
            let mut bytes = text.clone().into_bytes();
            let at = usize::from(bit / 5) % bytes.len();
            bytes[at] ^= 1 << (bit % 5);
            if let Ok(flipped) = String::from_utf8(bytes) {
                *text = flipped;
            }
        }
        _ => {}
    }
}

fn collect_paths(value: &Value, path: String, paths: &mut Vec<String>) {
    match value {
        Value::Object(entries) => {
            entries.iter().for_each(|(key, value)| collect_paths(value, format!("{path}/{key}"), paths));
        }
        Value::Array(items) => {
            items.iter().enumerate().for_each(|(at, item)| collect_paths(item, format!("{path}/{at}"), paths));
        }
        _ => {}
    }
    paths.push(path);
}
