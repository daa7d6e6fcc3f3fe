//! Text with values in it.

use serde_json::Value as Json;

/// A compiled template: text and the slots whose values stand in it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Text(pub(crate) Vec<Piece>);

#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Piece {
    Plain(String),
    Slot(usize),
}

/// A compiled JSON value with templates as its texts.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Body {
    Plain(Json),
    Text(Text),
    List(Vec<Body>),
    Object(Vec<(String, Body)>),
}

/// What a text refers to, or how it is malformed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Part<'a> {
    Plain(String),
    Name(&'a str),
    Unclosed,
}

/// The parts of a template as written: `${name}`, and `$${` for a plain `${`.
pub(crate) fn parts(text: &str) -> Vec<Part<'_>> {
    let mut parts = Vec::new();
    let mut plain = String::new();
    let mut rest = text;
    while let Some(at) = rest.find("${") {
        let (before, from) = rest.split_at_checked(at).unwrap_or((rest, ""));
        let inner = from.get(2..).unwrap_or_default();
        if let Some(before) = before.strip_suffix('$') {
            plain.push_str(before);
            plain.push_str("${");
            rest = inner;
            continue;
        }
        plain.push_str(before);
        if !plain.is_empty() {
            parts.push(Part::Plain(std::mem::take(&mut plain)));
        }
        match inner.split_once('}') {
            Some((name, after)) => {
                parts.push(Part::Name(name.trim()));
                rest = after;
            }
            None => {
                parts.push(Part::Unclosed);
                return parts;
            }
        }
    }
    plain.push_str(rest);
    if !plain.is_empty() {
        parts.push(Part::Plain(plain));
    }
    parts
}

/// The values of the slots; nothing in those that were never set.
pub(crate) type Slots = Vec<Option<Json>>;

/// A slot that has no value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Unset(pub(crate) usize);

impl Text {
    /// Text without values.
    pub(crate) fn plain(text: &str) -> Self {
        Self(vec![Piece::Plain(text.to_owned())])
    }

    /// The slots that it refers to.
    pub(crate) fn slots(&self) -> impl Iterator<Item = usize> + '_ {
        self.0.iter().filter_map(|piece| match piece {
            Piece::Slot(slot) => Some(*slot),
            Piece::Plain(_) => None,
        })
    }

    /// The text if no value stands in it.
    pub(crate) fn literal(&self) -> Option<&str> {
        match self.0.as_slice() {
            [] => Some(""),
            [Piece::Plain(text)] => Some(text),
            _ => None,
        }
    }

    /// As text.
    pub(crate) fn render(&self, slots: &Slots) -> Result<String, Unset> {
        self.render_with(slots, |value| value)
    }

    /// As a path. Where other text stands around a value, the value cannot end the path: a blank, `?` and `#` in it
    /// are encoded.
    pub(crate) fn render_path(&self, slots: &Slots) -> Result<String, Unset> {
        if self.0.len() < 2 {
            return self.render(slots);
        }
        self.render_with(slots, |value| super::url::encode_in_path(&super::redact::encoded(&value)))
    }

    fn render_with(&self, slots: &Slots, encode: impl Fn(String) -> String) -> Result<String, Unset> {
        let mut text = String::new();
        for piece in &self.0 {
            match piece {
                Piece::Plain(plain) => text.push_str(plain),
                Piece::Slot(slot) => text.push_str(&encode(as_text(value(slots, *slot)?))),
            }
        }
        Ok(text)
    }

    /// As a value: a template that is one reference keeps the type of what it refers to.
    pub(crate) fn value(&self, slots: &Slots) -> Result<Json, Unset> {
        match self.0.as_slice() {
            [Piece::Slot(slot)] => value(slots, *slot).cloned(),
            _ => self.render(slots).map(Json::String),
        }
    }
}

impl Body {
    /// As JSON, with the keys in the order of the document.
    pub(crate) fn text(&self, slots: &Slots) -> Result<String, Unset> {
        Ok(match self {
            Self::Plain(_) | Self::Text(_) => json_text(&self.value(slots)?),
            Self::List(items) => {
                let items: Vec<String> = items.iter().map(|item| item.text(slots)).collect::<Result<_, _>>()?;
                format!("[{}]", items.join(","))
            }
            Self::Object(entries) => {
                let entries = entries
                    .iter()
                    .map(|(key, value)| Ok(format!("{}:{}", Json::from(key.as_str()), value.text(slots)?)));
                format!("{{{}}}", entries.collect::<Result<Vec<_>, _>>()?.join(","))
            }
        })
    }

    pub(crate) fn value(&self, slots: &Slots) -> Result<Json, Unset> {
        Ok(match self {
            Self::Plain(value) => value.clone(),
            Self::Text(text) => text.value(slots)?,
            Self::List(items) => Json::Array(items.iter().map(|item| item.value(slots)).collect::<Result<_, _>>()?),
            Self::Object(entries) => {
                let entries = entries.iter().map(|(key, value)| Ok((key.clone(), value.value(slots)?)));
                Json::Object(entries.collect::<Result<_, _>>()?)
            }
        })
    }
}

fn value(slots: &Slots, slot: usize) -> Result<&Json, Unset> {
    slots.get(slot).and_then(Option::as_ref).ok_or(Unset(slot))
}

/// Text as it is, `null` as nothing, everything else as JSON.
pub(crate) fn as_text(value: &Json) -> String {
    match value {
        Json::String(text) => text.clone(),
        Json::Null => String::new(),
        other => json_text(other),
    }
}

/// A value as JSON, with its keys in an order that does not depend on what a host's tree makes of `serde_json`.
pub(crate) fn json_text(value: &Json) -> String {
    match value {
        Json::Array(_) | Json::Object(_) => {
            let canonical = crate::canonical_json(value).ok().and_then(|bytes| String::from_utf8(bytes).ok());
            canonical.unwrap_or_else(|| value.to_string())
        }
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn references_are_told_from_plain_text() {
        let plain = |text: &str| Part::Plain(text.to_owned());
        assert_eq!(parts("a ${ b } c"), [plain("a "), Part::Name("b"), plain(" c")]);
        assert_eq!(parts("$${a} $1"), [plain("${a} $1")]);
        assert_eq!(parts("$$${a}"), [plain("$${a}")]);
        assert_eq!(parts("x ${a"), [plain("x "), Part::Unclosed]);
        assert_eq!(parts(""), []);
        assert_eq!(parts("${a}${b}"), [Part::Name("a"), Part::Name("b")]);
    }

    #[test]
    fn a_lone_reference_keeps_its_type() {
        let slots = vec![Some(serde_json::json!([1])), None];
        let (lone, within) = (Text(vec![Piece::Slot(0)]), Text(vec![Piece::Plain("x".to_owned()), Piece::Slot(0)]));
        assert_eq!(lone.value(&slots), Ok(serde_json::json!([1])));
        assert_eq!(within.value(&slots), Ok(serde_json::json!("x[1]")));
        assert_eq!(Text(vec![Piece::Slot(1)]).value(&slots), Err(Unset(1)));
    }
}
