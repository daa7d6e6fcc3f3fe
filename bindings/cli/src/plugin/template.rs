//! What plugins begin from: one folder per language in `plugins/templates`, which also are davy's own guests in its tests.

use clap::ValueEnum;

/// A language with a template.
#[derive(Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Language {
    /// With the crate `davy-plugin`
    Rust,
    /// One header, no library
    C,
    /// By componentize-py
    Python,
    /// By componentize-qjs
    #[value(name = "javascript")]
    JavaScript,
    /// By hand, on the canonical ABI
    #[value(name = "assemblyscript")]
    AssemblyScript,
    /// WebAssembly's own text, by hand
    Wat,
}

macro_rules! files {
    ($folder:literal: $($path:literal),*) => {
        &[$( ($path, include_str!(concat!("../../../../plugins/templates/", $folder, "/", $path))) ),*]
    };
}

impl Language {
    /// The template's files, by their paths within its folder.
    pub(super) const fn files(self) -> &'static [(&'static str, &'static str)] {
        match self {
            Self::Rust => files!("rust": "Cargo.toml", "src/lib.rs", "README.md"),
            Self::C => files!(
                "c": "davy_plugin.h", "queue_headroom.c", "queue_headroom_test.c", "is_there.c", "is_there_test.c", "README.md"
            ),
            Self::Python => files!("python": "queue_headroom.py", "README.md"),
            Self::JavaScript => files!("javascript": "queue_headroom.js", "README.md"),
            Self::AssemblyScript => files!("assemblyscript": "queue_headroom.ts", "exports.mjs", "README.md"),
            Self::Wat => files!("wat": "queue_headroom.wat", "README.md"),
        }
    }

    /// Whether its tools read the worlds.
    pub(super) const fn needs_worlds(self) -> bool {
        matches!(self, Self::Python | Self::JavaScript)
    }

    /// Whether its text can be renamed: by hand, lengths stand beside texts.
    pub(super) const fn is_renamed(self) -> bool {
        !matches!(self, Self::Wat)
    }
}
