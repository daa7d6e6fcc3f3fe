//! Prose made from decisions: for a terminal and for a page. Only renderers write sentences;
//! decisions hold codes, numbers and facts.

mod markdown;
mod sentence;
mod text;

pub use markdown::markdown;
pub use sentence::{flip_sentence, sentence};
pub use text::{Colour, text, text_with};

impl std::fmt::Display for crate::Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text(self))
    }
}
