//! The input document as values of CEL: maps are looked into in place, and only what a rule reads becomes a value.

use std::any::Any;
use std::sync::Arc;

use cel_interpreter::common::traits::{Container, Indexer, Sizer};
use cel_interpreter::common::types::{self, CelBool, CelDouble, CelInt, CelList, CelMap, CelNull, CelString, Type};
use cel_interpreter::common::value::{CowVal, StaticVal, Val};
use cel_interpreter::{Context, Env, ExecutionError};
use davy::Fact;
use davy::rule::Shape;

/// A map of the document, and what may stand in it.
///
/// It cannot be gone through: a map of CEL has no order, and lists have one.
#[derive(Debug, Clone)]
struct View {
    fact: Fact,
    shape: Shape,
}

/// The variables of a rule: the keys of the document.
pub(super) struct Variables {
    pub(super) context: Context<'static, 'static>,
}

impl Variables {
    /// Of a document of this shape.
    pub(super) fn of(document: &Fact, root: Shape, env: &Arc<Env>) -> Self {
        let mut context = Context::with_env(Arc::clone(env));
        if let Fact::Map(entries) = document {
            for (key, fact) in entries.iter() {
                let shape = root.field(key).unwrap_or(Shape::Anything);
                context.add_variable_as_val(key.as_str(), value(fact, shape));
            }
        }
        Self { context }
    }
}

/// A value of the document. Integers stay integers, except where a number is not always one.
fn value(fact: &Fact, shape: Shape) -> Box<dyn Val> {
    match fact {
        Fact::Null => Box::new(CelNull),
        Fact::Bool(value) => Box::new(CelBool::from(*value)),
        Fact::Integer(integer) if shape == Shape::Number => Box::new(CelDouble::from(*integer as f64)),
        Fact::Integer(integer) => Box::new(CelInt::from(*integer)),
        Fact::Number(number) => Box::new(CelDouble::from(*number)),
        Fact::Text(text) => Box::new(CelString::from(text.to_string())),
        Fact::List(items) => {
            let of = shape.element().unwrap_or(Shape::Anything);
            Box::new(CelList::from(items.iter().map(|item| value(item, of)).collect::<Vec<_>>()))
        }
        Fact::Map(_) => Box::new(View { fact: fact.clone(), shape }),
    }
}

impl View {
    fn find(&self, key: &dyn Val) -> Result<Option<&Fact>, ExecutionError> {
        match key.downcast_ref::<CelString>() {
            Some(key) => Ok(self.fact.get(key.inner())),
            None => {
                Err(ExecutionError::UnexpectedType { got: key.get_type().name().to_owned(), want: "string".to_owned() })
            }
        }
    }
}

impl Val for View {
    fn get_type(&self) -> &Type {
        <Self as Val>::cel_type()
    }

    fn cel_type() -> &'static Type {
        &types::MAP_TYPE
    }

    fn as_container(&self) -> Option<&dyn Container> {
        Some(self)
    }

    fn as_indexer<'b, 'v>(&'b self) -> Option<&'b (dyn Indexer + 'v)>
    where
        Self: 'v,
    {
        Some(self)
    }

    fn as_sizer(&self) -> Option<&dyn Sizer> {
        Some(self)
    }

    fn equals(&self, other: &dyn Val) -> bool {
        match (other.downcast_ref::<View>(), other.downcast_ref::<CelMap>()) {
            (Some(other), _) => self.fact == other.fact,
            // Maps that are written out are refused when a rule is loaded.
            (None, Some(_)) | (None, None) => false,
        }
    }

    fn clone_as_boxed<'v>(&self) -> Box<dyn Val + 'v>
    where
        Self: 'v,
    {
        Box::new(self.clone())
    }

    fn as_any(&self) -> Option<&dyn Any> {
        Some(self)
    }
}

impl StaticVal for View {}

impl Container for View {
    fn contains(&self, key: &dyn Val) -> Result<bool, ExecutionError> {
        self.find(key).map(|found| found.is_some())
    }
}

impl Indexer for View {
    fn get<'b, 'v>(&'b self, key: &dyn Val) -> Result<CowVal<'b, 'v>, ExecutionError>
    where
        Self: 'v,
    {
        let name = key.downcast_ref::<CelString>().map_or("", |key| key.inner());
        let found = self.find(key)?.ok_or_else(|| ExecutionError::no_such_key(name))?;
        let shape = self.shape.field(name).unwrap_or(Shape::Anything);
        Ok(CowVal::Owned(value(found, shape)))
    }

    fn steal<'v>(self: Box<Self>, key: &dyn Val) -> Result<Box<dyn Val + 'v>, ExecutionError>
    where
        Self: 'v,
    {
        self.get(key).map(CowVal::into_owned)
    }
}

impl Sizer for View {
    fn size(&self) -> CelInt {
        match &self.fact {
            Fact::Map(map) => CelInt::from(i64::try_from(map.len()).unwrap_or(i64::MAX)),
            _ => CelInt::from(0),
        }
    }
}
