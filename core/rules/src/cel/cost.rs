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
    /// Whether the work over a document of this heft is more than [`CEL_WORK`].
    pub(super) fn exceeds(&self, document: &Fact, heft: u64) -> bool {
        // Looking each place up again takes longer than most rules do.
        self.at_most(heft) > CEL_WORK && self.over(document) > CEL_WORK
    }

    /// The work over any document of this heft: no text or list in it is larger.
    fn at_most(&self, heft: u64) -> u64 {
        match self {
            Self::Step(parts) => parts.iter().fold(1, |sum: u64, part| sum.saturating_add(part.at_most(heft))),
            Self::Read(_) | Self::Whole(_) => heft.saturating_add(1),
            Self::Loop { over, each } => {
                let turns = match over {
                    Over::Place(_) => heft,
                    Over::Written(turns) => *turns,
                };
                turns.saturating_mul(each.at_most(heft).saturating_add(1)).saturating_add(1)
            }
        }
    }

    /// The work over a document; more than [`CEL_WORK`] is not counted to its end.
    fn over(&self, document: &Fact) -> u64 {
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
            Self::Whole(steps) => 1_u64.saturating_add(largest(document, steps, &|fact| heft(fact))),
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

/// All that is in a value, which is what is looked at when it is compared.
pub(super) fn heft(fact: &Fact) -> u64 {
    let one = |fact: &Fact| heft(fact).saturating_add(1);
    match fact {
        Fact::Text(text) => text.len() as u64 / 8,
        Fact::List(items) => items.iter().fold(0, |sum: u64, item| sum.saturating_add(one(item))),
        Fact::Map(map) => map
            .iter()
            .fold(0, |sum: u64, (key, item)| sum.saturating_add(key.len() as u64 / 8).saturating_add(one(item))),
        Fact::Null | Fact::Bool(_) | Fact::Integer(_) | Fact::Number(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn steps(path: &str) -> Vec<Step> {
        let to = |part: &str| if part == "*" { To::Each } else { To::Key(part.to_owned()) };
        path.split('.').map(|part| Step { to: to(part), asked: false }).collect()
    }

    #[test]
    fn the_bound_by_heft_is_never_below_the_work() {
        let fact = |json: &str| -> Fact { serde_json::from_str(json).unwrap() };
        let looped = |each: Cost| Cost::Loop { over: Over::Place(steps("l")), each: Box::new(each) };
        let costs = [
            Cost::Read(steps("t")),
            Cost::Read(steps("l")),
            Cost::Whole(steps("m")),
            looped(Cost::Step(vec![Cost::Read(steps("l.*")), Cost::Whole(steps("m"))])),
            looped(looped(Cost::Read(steps("t")))),
            Cost::Loop { over: Over::Written(7), each: Box::new(Cost::Read(steps("t"))) },
        ];
        for document in [
            "{}",
            r#"{"t": "a text of more than sixteen bytes", "l": [[1, 2], "a longer text", {"a": [1]}], "m": {"a": {"b": [1, null]}}}"#,
            r#"{"l": [], "m": {}, "t": 1}"#,
        ] {
            let document = fact(document);
            for cost in &costs {
                assert!(cost.at_most(heft(&document)) >= cost.over(&document), "{cost:?} {document:?}");
            }
        }
    }
}
