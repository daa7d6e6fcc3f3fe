//! What a value must be.

use serde_json::{Value as Json, json};

use super::value::Tree;
use crate::document::declare::{keywords, record};
use crate::document::decode::{Decode, Definitions, Report, long_form};
use crate::document::openslo::Number;
use crate::document::yaml::Node;

record! {
    /// What a value must be; everything given must hold.
    pub struct Matcher {
        /// Equal to this. Numbers are equal by value, `2` and `2.0` too; text never equals a number.
        equals: Tree = "equals", optional;
        /// Different from this.
        not_equals: Tree = "notEquals", optional;
        /// One of these.
        one_of: Vec<Tree> = "in", optional;
        /// A number above this.
        gt: Number = "gt", optional;
        /// A number of at least this.
        gte: Number = "gte", optional;
        /// A number below this.
        lt: Number = "lt", optional;
        /// A number of at most this.
        lte: Number = "lte", optional;
        /// Text with this in it, or a list with this item.
        contains: Tree = "contains", optional;
        /// Text that begins so.
        starts_with: String = "startsWith", optional;
        /// Text that ends so.
        ends_with: String = "endsWith", optional;
        /// Text in which this regular expression matches somewhere.
        regex: String = "regex", optional;
        /// Of this type.
        of_type: JsonType = "type", optional;
        /// There at all, or not.
        exists: bool = "exists", optional;
        /// Text, a list or an object without content, or with some.
        empty: bool = "empty", optional;
        /// Each of the values that a path finds. Without a value it fails: nothing was seen to hold.
        all: Match = "all", optional;
        /// At least one of the values that a path finds.
        any: Match = "any", optional;
        /// None of the values that a path finds.
        none: Match = "none", optional;
        /// The number of values that a path finds.
        count: Match = "count", optional;
    }
}

keywords! {
    /// A type of JSON.
    pub enum JsonType {
        /// Text.
        String = "string",
        /// A number.
        Number = "number",
        /// A number without a fraction.
        Integer = "integer",
        /// `true` or `false`.
        Boolean = "boolean",
        /// A list.
        Array = "array",
        /// An object.
        Object = "object",
        /// `null`.
        Null = "null",
    }
}

/// What a value must be: a [`Matcher`], or for short the number, text or truth value that it must equal.
#[derive(Debug, Clone, PartialEq)]
pub struct Match(pub Box<Matcher>);

impl Decode for Match {
    fn decode(node: &Node, report: &mut Report) -> Option<Self> {
        let long = long_form("equals", node);
        Matcher::decode(long.as_ref().unwrap_or(node), report).map(|matcher| Self(Box::new(matcher)))
    }

    fn schema(definitions: &mut Definitions) -> Json {
        let long = Matcher::schema(definitions);
        let short =
            json!({ "type": ["string", "number", "boolean", "null"], "description": "Short for `equals` alone." });
        json!({ "anyOf": [long, short] })
    }
}
