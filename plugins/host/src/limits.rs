//! What a plugin may use.

use std::time::Duration;

/// What a plugin may use, in one call unless said otherwise. Reaching a limit is a fault with a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// Units of fuel: about one per instruction. The same call always spends the same.
    pub fuel: u64,
    /// How long a call may take by the clock. A net below the fuel: it should never be what ends a call.
    pub deadline: Duration,
    /// Bytes of memory, all memories together.
    pub memory: usize,
    /// Elements of tables, all tables together.
    pub table_elements: usize,
    /// Bytes of stack.
    pub stack: usize,
    /// Bytes that a result may have, all of its parts together.
    pub output: usize,
    /// Bytes that a component may have.
    pub component: usize,
}

impl Limits {
    /// Plenty for components of Rust, C and AssemblyScript.
    pub const DEFAULT: Limits = Limits {
        fuel: 100_000_000,
        deadline: Duration::from_millis(1000),
        memory: 64 << 20,
        table_elements: 20_000,
        stack: 256 << 10,
        output: 4 << 20,
        component: 4 << 20,
    };

    /// For components that carry an interpreter, as those of Python and JavaScript do.
    pub const INTERPRETERS: Limits = Limits {
        fuel: 2_000_000_000,
        deadline: Duration::from_millis(10_000),
        memory: 256 << 20,
        table_elements: 200_000,
        stack: 512 << 10,
        output: 4 << 20,
        component: 32 << 20,
    };
}

/// The most core instances, and the most tables, that a component may have. Interpreters have dozens.
pub(crate) const MOST_PARTS: u32 = 64;
/// The most memories that a component may have.
pub(crate) const MOST_MEMORIES: u32 = 8;

/// One of the limits, for messages.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Fuel,
    Deadline,
    Memory,
    TableElements,
    Stack,
    Component,
}

impl Limit {
    /// What somebody who has reached the limit can do: where it is set, and what has more unless it is set already.
    pub(crate) fn way_out(self, limits: &Limits) -> String {
        let field = match self {
            Self::Fuel => "fuel",
            Self::Deadline => "deadline",
            Self::Memory => "memory",
            Self::TableElements => "table_elements",
            Self::Stack => "stack",
            Self::Component => "component",
        };
        if self.of(limits) < self.of(&Limits::INTERPRETERS) {
            format!("`Limits::{field}`; `Limits::INTERPRETERS` allows more, on the command line `--interpreters`")
        } else {
            format!("`Limits::{field}`")
        }
    }

    const fn of(self, limits: &Limits) -> u128 {
        match self {
            Self::Fuel => limits.fuel as u128,
            Self::Deadline => limits.deadline.as_millis(),
            Self::Memory => limits.memory as u128,
            Self::TableElements => limits.table_elements as u128,
            Self::Stack => limits.stack as u128,
            Self::Component => limits.component as u128,
        }
    }
}

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_way_out_is_no_dead_end() {
        use Limit::{Component, Deadline, Fuel, Memory, Stack, TableElements};
        for limit in [Fuel, Deadline, Memory, TableElements, Stack, Component] {
            assert!(limit.way_out(&Limits::DEFAULT).contains("`--interpreters`"), "{limit:?}");
            assert!(!limit.way_out(&Limits::INTERPRETERS).contains("`--interpreters`"), "{limit:?}");
        }
    }
}
