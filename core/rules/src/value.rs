//! What a value is to a walk: a place of the input, something made of places, or something computed.

use std::collections::BTreeMap;

use crate::limits::REGO_COPIES;
use crate::read::{Instead, Place, To};

/// A value, and how much of the input it can hold.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Known {
    pub(crate) is: Is,
    /// How many copies of one input value it can hold, at most.
    pub(crate) copies: u64,
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Is {
    /// What stands at a place of the input.
    Place(Place),
    /// A text that is written out.
    Text(String),
    /// A number, truth or other single value.
    Scalar,
    /// A position in, or a key of, what stands at a place.
    KeyOf(Box<Is>),
    /// A collection of such values.
    Of(Box<Is>),
    /// An object with these keys.
    Object(BTreeMap<String, Is>),
    /// Something whose parts cannot be told.
    Computed,
}

impl Known {
    pub(crate) fn scalar() -> Self {
        Self { is: Is::Scalar, copies: 1 }
    }

    pub(crate) fn computed(copies: u64) -> Self {
        Self { is: Is::Computed, copies }
    }

    pub(crate) fn of(is: Is) -> Self {
        Self { is, copies: 1 }
    }

    pub(crate) fn is_too_large(&self) -> bool {
        self.copies > REGO_COPIES
    }

    /// Whether more nests in it than is followed: what is made of values in values takes a part of the stack for each.
    pub(crate) fn is_too_deep(&self) -> bool {
        const DEEPEST: usize = 64;
        self.is.depth() > DEEPEST
    }
}

impl Is {
    /// What the elements of a collection are.
    pub(crate) fn element(&self) -> Is {
        match self {
            Self::Place(place) => place.step(To::Each).map_or(Self::Scalar, Self::Place),
            Self::Of(element) => (**element).clone(),
            Self::Object(fields) => fields.values().cloned().reduce(Self::or).unwrap_or(Self::Scalar),
            Self::Text(_) | Self::Scalar | Self::KeyOf(_) => Self::Scalar,
            Self::Computed => Self::Computed,
        }
    }

    /// Either of two values.
    pub(crate) fn or(self, other: Self) -> Self {
        match (self, other) {
            (one, other) if one == other => one,
            (one, other) if one.is_scalar() && other.is_scalar() => Self::Scalar,
            (Self::Of(one), Self::Of(other)) => Self::Of(Box::new(one.or(*other))),
            _ => Self::Computed,
        }
    }

    /// How deep it nests.
    pub(crate) fn depth(&self) -> usize {
        match self {
            Self::Of(is) | Self::KeyOf(is) => is.depth() + 1,
            Self::Object(fields) => fields.values().map(Self::depth).max().unwrap_or(0) + 1,
            Self::Place(place) => match place.instead() {
                Instead::Value(is) => is.depth() + 1,
                Instead::Nothing | Instead::Empty | Instead::Lacking => 0,
            },
            Self::Text(_) | Self::Scalar | Self::Computed => 0,
        }
    }

    fn is_scalar(&self) -> bool {
        matches!(self, Self::Scalar | Self::Text(_) | Self::KeyOf(_))
    }

    /// Whether an element of it is the same for every turn of a loop, and so copied in each.
    pub(crate) fn is_whole_place(&self) -> bool {
        matches!(self, Self::Place(place) if !place.steps.iter().any(|step| step.to == To::Each))
    }
}
