//! Lines of iCalendar: unfolded, and taken apart into name, parameters and value.

use crate::calendar::CalendarError;

/// The largest file that is read, in bytes.
const MAX_BYTES: usize = 4 << 20;

/// A property of a component.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Property {
    /// In capitals.
    pub(super) name: String,
    /// Names in capitals, values without their quotes.
    parameters: Vec<(String, String)>,
    pub(super) value: String,
    /// The line that it begins in, from 1.
    pub(super) line: u32,
}

impl Property {
    /// The value of a parameter.
    pub(super) fn parameter(&self, name: &str) -> Option<&str> {
        self.parameters.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
    }
}

/// The properties of a file in their order (RFC 5545, 3.1).
pub(super) fn read(bytes: &[u8]) -> Result<Vec<Property>, CalendarError> {
    if bytes.len() > MAX_BYTES {
        return Err(CalendarError::ics(1, format!("the file has {} bytes; at most {MAX_BYTES} are read", bytes.len())));
    }
    // Lines may be folded within a character, so they are joined before they are text.
    let mut logical: Vec<(u32, Vec<u8>)> = Vec::new();
    for (number, line) in (1..).zip(bytes.split(|byte| *byte == b'\n')) {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        match (line.split_first(), logical.last_mut()) {
            (Some((b' ' | b'\t', rest)), Some((_, last))) => last.extend_from_slice(rest),
            (None, _) => {}
            _ => logical.push((number, line.to_vec())),
        }
    }
    let without_mark = |bytes: Vec<u8>| bytes.strip_prefix(b"\xef\xbb\xbf").map_or(bytes.clone(), <[u8]>::to_vec);
    logical
        .into_iter()
        .map(|(line, bytes)| {
            let text =
                String::from_utf8(without_mark(bytes)).map_err(|_| CalendarError::ics(line, "it is not UTF-8"))?;
            property(&text, line).ok_or_else(|| CalendarError::ics(line, "it is not `NAME:value`"))
        })
        .collect()
}

/// `NAME;PARAM=value;PARAM="quoted":value`.
fn property(text: &str, line: u32) -> Option<Property> {
    let name_end = text.find([';', ':'])?;
    let (name, mut rest) = text.split_at_checked(name_end)?;
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if !is_name(name) {
        return None;
    }
    let mut parameters = Vec::new();
    while let Some(parameter) = rest.strip_prefix(';') {
        let (key, after) = parameter.split_once('=')?;
        if !is_name(key) {
            return None;
        }
        let end = end_of_values(after)?;
        let (values, after) = after.split_at_checked(end)?;
        parameters.push((key.to_ascii_uppercase(), values.replace('"', "")));
        rest = after;
    }
    let value = rest.strip_prefix(':')?.to_owned();
    Some(Property { name: name.to_ascii_uppercase(), parameters, value, line })
}

/// Where the values of a parameter end: at the first `;` or `:` outside quotes.
fn end_of_values(text: &str) -> Option<usize> {
    let mut quoted = false;
    for (place, byte) in text.bytes().enumerate() {
        match byte {
            b'"' => quoted = !quoted,
            b';' | b':' if !quoted => return Some(place),
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_unfolded_and_taken_apart() {
        let text = "DTSTART;TZID=\"Europe/\r\n Berlin\";X-A=b:2026\r\n\t1224T180000\r\n\r\nsummary:Fr\u{e9}\n";
        let read = read(text.as_bytes()).unwrap();
        assert_eq!((read[0].name.as_str(), read[0].value.as_str(), read[0].line), ("DTSTART", "20261224T180000", 1));
        assert_eq!((read[0].parameter("TZID"), read[0].parameter("X-A")), (Some("Europe/Berlin"), Some("b")));
        assert_eq!((read[1].name.as_str(), read[1].line), ("SUMMARY", 5));
    }

    #[test]
    fn what_is_no_line_is_refused_with_its_number() {
        for text in [
            "BEGIN:VCALENDAR\nnonsense\n",
            "BEGIN:VCALENDAR\n:x\n",
            "BEGIN:VCALENDAR\nA;B:c\n",
            "BEGIN:VCALENDAR\nA;B=\"c:d\n",
        ] {
            let error = read(text.as_bytes()).unwrap_err().to_string();
            assert!(error.starts_with("C005: line 2: "), "{error}");
        }
    }
}
