//! The texts of a policy as PromQL: selectors of raw series, and expressions.

mod error;
mod expression;
mod lex;
mod selector;

pub use error::TextError;
pub(crate) use expression::Expression;
pub(crate) use selector::{Matcher, Selector, matchers};
