//! The input document as values of Rego, made once per decision and shared by all rules.

use std::cell::RefCell;
use std::sync::Arc;

use davy::Fact;
use regorus::Value;
use regorus::rvm::{Program, RegoVM};

use crate::limits::REGO_INSTRUCTIONS;

/// A machine with the document loaded.
pub(super) struct Machine {
    pub(super) vm: RefCell<RegoVM>,
    loaded: RefCell<Option<Arc<Program>>>,
}

impl Machine {
    pub(super) fn with(document: &Fact) -> Self {
        let mut vm = RegoVM::new();
        vm.set_input(value(document));
        vm.set_strict_builtin_errors(true);
        vm.set_max_instructions(REGO_INSTRUCTIONS);
        // There are no rules of this program yet that data could contradict.
        let _ = vm.set_data(Value::new_object());
        Self { vm: RefCell::new(vm), loaded: RefCell::new(None) }
    }

    /// Has it judge this program from now on; that takes a while, and is done once where it judges it again.
    pub(super) fn load(&self, program: &Arc<Program>) {
        let mut loaded = self.loaded.borrow_mut();
        if loaded.as_ref().is_none_or(|known| !Arc::ptr_eq(known, program)) {
            self.vm.borrow_mut().load_program(Arc::clone(program));
            *loaded = Some(Arc::clone(program));
        }
    }
}

/// A value of the document; integers stay integers.
pub(super) fn value(fact: &Fact) -> Value {
    match fact {
        Fact::Null => Value::Null,
        Fact::Bool(value) => Value::Bool(*value),
        Fact::Integer(integer) => Value::from(*integer),
        Fact::Number(number) => Value::from(*number),
        Fact::Text(text) => Value::String(Arc::clone(text)),
        Fact::List(items) => Value::from(items.iter().map(value).collect::<Vec<_>>()),
        Fact::Map(map) => Value::Object(Arc::new(
            map.iter().map(|(key, fact)| (Value::String(key.as_str().into()), value(fact))).collect(),
        )),
    }
}
