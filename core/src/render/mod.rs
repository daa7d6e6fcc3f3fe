//! Prose made from decisions: for a terminal and for a page. Only renderers write sentences;
//! decisions hold codes, numbers and facts.

mod calendar;
mod html;
mod markdown;
mod noise;
mod sentence;
mod shadow;
mod text;

pub use calendar::{change_reason, change_sentence};
pub use html::html;
pub use markdown::markdown;
pub use sentence::{flip_sentence, sentence};
pub use shadow::shadow_sentence;
pub use text::{Colour, text, text_with};

impl std::fmt::Display for crate::Decision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&text(self))
    }
}
