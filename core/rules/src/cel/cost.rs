//! What an expression can cost at most over one document, counted before it is judged: values looked at and bytes
//! copied. The language has no loops but those over lists, so that the count is exact enough to be a limit.

use davy::Fact;

use crate::limits::CEL_WORK;
use crate::read::{Step, To};

/// The cost of an expression, with the sizes of a document left open.
#[derive(Debug, Clone)]
pub(super) enum Cost {
    /// One step, and those of its parts.
    Step(Vec<Cost>),
    /// Reading what stands at a place: a text or a list is copied.
    Read(Vec<Step>),
    /// Comparing what stands at a place, maps included, with something else.
    Whole(Vec<Step>),
    /// Something for each element of a list.
    Loop { over: Over, each: Box<Cost> },
}

/// How many turns a loop has.
#[derive(Debug, Clone)]
pub(super) enum Over {
    /// As many as the list at a place has elements.
    Place(Vec<Step>),
    /// As many as were written out.
    Written(u64),
}

impl Cost {
    /// The work over a document; more than [`CEL_WORK`] is not counted to its end.
    pub(super) fn over(&self, document: &Fact) -> u64 {
        match self {
            Self::Step(parts) => {
                let mut sum = 1_u64;
                for part in parts {
                    if sum > CEL_WORK {
                        break;
                    }
                    sum = sum.saturating_add(part.over(document));
                }
                sum
            }
            Self::Read(steps) => 1_u64.saturating_add(largest(document, steps, &|fact| size(fact))),
            Self::Whole(steps) => 1_u64.saturating_add(largest(document, steps, &|fact| whole(fact))),
            Self::Loop { over, each } => {
                let turns = match over {
                    Over::Place(steps) => largest(document, steps, &|fact| match fact {
                        Fact::List(items) => items.len() as u64,
                        _ => 0,
                    }),
                    Over::Written(turns) => *turns,
                };
                turns.saturating_mul(each.over(document).saturating_add(1)).saturating_add(1)
            }
        }
    }
}

/// The largest measure of all that stands at a place.
fn largest(fact: &Fact, steps: &[Step], measure: &dyn Fn(&Fact) -> u64) -> u64 {
    let Some((first, rest)) = steps.split_first() else { return measure(fact) };
    let of = |fact: Option<&Fact>| fact.map_or(0, |fact| largest(fact, rest, measure));
    match (&first.to, fact) {
        (To::Key(key), fact) => of(fact.get(key)),
        (To::Index(index), Fact::List(items)) => of(items.get(*index)),
        (To::Each | To::KeyAt(_), Fact::List(items)) => {
            items.iter().map(|item| largest(item, rest, measure)).max().unwrap_or(0)
        }
        (To::Each | To::KeyAt(_), Fact::Map(map)) => {
            map.values().map(|item| largest(item, rest, measure)).max().unwrap_or(0)
        }
        _ => 0,
    }
}

/// What is copied when a value is read: eight bytes count as one value. Maps are looked into in place.
fn size(fact: &Fact) -> u64 {
    match fact {
        Fact::Text(text) => text.len() as u64 / 8,
        Fact::List(items) => items.iter().fold(items.len() as u64, |sum, item| sum.saturating_add(size(item))),
        Fact::Null | Fact::Bool(_) | Fact::Integer(_) | Fact::Number(_) | Fact::Map(_) => 0,
    }
}

/// What is looked at when a value is compared: all that is in it.
fn whole(fact: &Fact) -> u64 {
    let one = |fact: &Fact| whole(fact).saturating_add(1);
    match fact {
        Fact::Text(text) => text.len() as u64 / 8,
        Fact::List(items) => items.iter().fold(0, |sum: u64, item| sum.saturating_add(one(item))),
        Fact::Map(map) => map
            .iter()
            .fold(0, |sum: u64, (key, item)| sum.saturating_add(key.len() as u64 / 8).saturating_add(one(item))),
        Fact::Null | Fact::Bool(_) | Fact::Integer(_) | Fact::Number(_) => 0,
    }
}
