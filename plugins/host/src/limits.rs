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

impl Default for Limits {
    fn default() -> Self {
        Self::DEFAULT
    }
}
