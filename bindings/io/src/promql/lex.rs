//! The tokens of PromQL, as far as finding selectors needs them.

use super::error::{TextError, shown};

/// The longest text that is read, in bytes.
const LONGEST: usize = 16 << 10;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A metric, label, function or keyword.
    Name,
    /// A number or duration.
    Number,
    /// A string with its quotes.
    Text,
    /// Everything in square brackets: a range or a subquery.
    Range,
    /// Anything else: one operator, bracket, comma.
    Sign,
}

/// One token, and where it stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: &'a str,
    /// In bytes from the beginning.
    pub(super) at: usize,
}

impl<'a> Token<'a> {
    pub(super) fn is(self, sign: &str) -> bool {
        self.kind == Kind::Sign && self.text == sign
    }

    /// A word that PromQL reads in any case.
    pub(super) fn is_word(self, words: &[&str]) -> bool {
        self.kind == Kind::Name && words.iter().any(|word| word.eq_ignore_ascii_case(self.text))
    }

    pub(super) fn end(self) -> usize {
        self.at + self.text.len()
    }
}

/// What is wrong at a place.
pub(super) fn syntax(text: &str, at: usize, cause: impl Into<String>) -> TextError {
    let column = text.get(..at).unwrap_or(text).chars().count() + 1;
    TextError::Syntax { text: shown(text), column, cause: cause.into() }
}

/// Cuts a text into tokens; white space and comments are left out.
pub(super) fn lex(text: &str) -> Result<Vec<Token<'_>>, TextError> {
    if text.len() > LONGEST {
        return Err(syntax(text, 0, format!("it is longer than {LONGEST} bytes")));
    }
    let mut tokens = Vec::new();
    let mut at = 0;
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        let Some(first) = rest.chars().next() else { break };
        let skipped = match first {
            '#' => rest.find('\n').unwrap_or(rest.len()),
            space if space.is_ascii_whitespace() => 1,
            _ => 0,
        };
        if skipped > 0 {
            at += skipped;
            continue;
        }
        let (kind, length) = token(rest, first).map_err(|cause| syntax(text, at, cause))?;
        tokens.push(Token { kind, text: rest.get(..length).unwrap_or(rest), at });
        at += length;
    }
    Ok(tokens)
}

/// The kind and length of the token at the beginning of `rest`.
fn token(rest: &str, first: char) -> Result<(Kind, usize), String> {
    let while_true = |accept: fn(char) -> bool| rest.find(|c| !accept(c)).unwrap_or(rest.len());
    let second = rest.chars().nth(1).unwrap_or(' ');
    match first {
        'a'..='z' | 'A'..='Z' | '_' | ':' => {
            Ok((Kind::Name, while_true(|c| c.is_ascii_alphanumeric() || c == '_' || c == ':')))
        }
        '0'..='9' => Ok((Kind::Number, number(rest))),
        '.' if second.is_ascii_digit() => Ok((Kind::Number, number(rest))),
        '"' | '\'' | '`' => {
            let mut escaped = false;
            for (place, c) in rest.char_indices().skip(1) {
                match c {
                    _ if escaped => escaped = false,
                    '\\' if first != '`' => escaped = true,
                    '\n' if first != '`' => break,
                    _ if c == first => return Ok((Kind::Text, place + 1)),
                    _ => {}
                }
            }
            Err("a string that does not end".to_owned())
        }
        '[' => match rest.find(']') {
            Some(end) => Ok((Kind::Range, end + 1)),
            None => Err("`[` without `]`".to_owned()),
        },
        '=' if matches!(second, '~' | '=') => Ok((Kind::Sign, 2)),
        '!' if matches!(second, '~' | '=') => Ok((Kind::Sign, 2)),
        '<' | '>' if second == '=' => Ok((Kind::Sign, 2)),
        '{' | '}' | '(' | ')' | ',' | '@' | '=' | '<' | '>' | '+' | '-' | '*' | '/' | '%' | '^' => Ok((Kind::Sign, 1)),
        other => Err(format!("{other:?} is not PromQL")),
    }
}

/// Digits, a fraction, an exponent, units: whatever could belong to a number or a duration.
fn number(rest: &str) -> usize {
    let hexadecimal = rest.starts_with("0x") || rest.starts_with("0X");
    let mut before = ' ';
    for (place, c) in rest.char_indices() {
        let sign_of_exponent = matches!(c, '+' | '-') && matches!(before, 'e' | 'E') && !hexadecimal;
        if !(c.is_ascii_alphanumeric() || c == '.' || c == '_' || sign_of_exponent) {
            return place;
        }
        before = c;
    }
    rest.len()
}

/// The value of a string token (Go's rules, as PromQL has them).
pub(super) fn unquote(token: &str) -> Option<String> {
    let inner = token.get(1..token.len().checked_sub(1)?)?;
    if token.starts_with('`') {
        return Some(inner.to_owned());
    }
    let mut bytes = Vec::with_capacity(inner.len());
    let mut rest = inner.chars();
    while let Some(c) = rest.next() {
        if c != '\\' {
            bytes.extend(c.encode_utf8(&mut [0; 4]).bytes());
            continue;
        }
        let escape = rest.next()?;
        let plain = match escape {
            'a' => 7,
            'b' => 8,
            'f' => 12,
            'n' => b'\n',
            'r' => b'\r',
            't' => b'\t',
            'v' => 11,
            '\\' | '\'' | '"' => u8::try_from(escape).ok()?,
            'x' => u8::try_from(digits(&mut rest, 2, 16, 0)?).ok()?,
            '0'..='7' => u8::try_from(digits(&mut rest, 2, 8, escape.to_digit(8)?)?).ok()?,
            'u' | 'U' => {
                let length = if escape == 'u' { 4 } else { 8 };
                let character = char::from_u32(digits(&mut rest, length, 16, 0)?)?;
                bytes.extend(character.encode_utf8(&mut [0; 4]).bytes());
                continue;
            }
            _ => return None,
        };
        bytes.push(plain);
    }
    String::from_utf8(bytes).ok()
}

fn digits(rest: &mut std::str::Chars<'_>, count: usize, radix: u32, start: u32) -> Option<u32> {
    (0..count).try_fold(start, |number, _| number.checked_mul(radix)?.checked_add(rest.next()?.to_digit(radix)?))
}

/// A string token with this value.
pub(super) fn quote(value: &str) -> String {
    let mut quoted = String::with_capacity(value.len() + 2);
    quoted.push('"');
    for c in value.chars() {
        match c {
            '"' | '\\' => quoted.extend(['\\', c]),
            '\n' => quoted.push_str("\\n"),
            c if c.is_control() => quoted.push_str(&format!("\\u{:04x}", u32::from(c))),
            c => quoted.push(c),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn texts(text: &str) -> Vec<&str> {
        lex(text).unwrap().into_iter().map(|token| token.text).collect()
    }

    #[test]
    fn tokens_are_those_of_promql() {
        assert_eq!(
            texts("sum by (le)(rate(a:b{c=~\"x\\\"}\"}[5m:1m] offset -5m)) # end }\n>= 1.5e-3"),
            [
                "sum",
                "by",
                "(",
                "le",
                ")",
                "(",
                "rate",
                "(",
                "a:b",
                "{",
                "c",
                "=~",
                "\"x\\\"}\"",
                "}",
                "[5m:1m]",
                "offset",
                "-",
                "5m",
                ")",
                ")",
                ">=",
                "1.5e-3"
            ]
        );
        assert_eq!(texts("0x1e+3"), ["0x1e", "+", "3"]);
        assert_eq!(texts("a=='b'!=`c\\`"), ["a", "==", "'b'", "!=", "`c\\`"]);
    }

    #[test]
    fn what_is_not_promql_is_refused_where_it_stands() {
        for (text, column) in [("a{b=\"c}", 5), ("a é", 3), ("ü", 1), ("a[5m", 2), ("a;b", 2), ("a{b='\n'}", 5)] {
            assert!(matches!(lex(text), Err(TextError::Syntax { column: at, .. }) if at == column), "{text}");
        }
        assert!(lex(&"a".repeat(LONGEST + 1)).is_err());
    }

    #[test]
    fn strings_are_read_by_gos_rules() {
        for (token, value) in [
            (r#""a\"b\\c\n""#, "a\"b\\c\n"),
            (r#"'\'\x41\101\u00e9\U0001F600'"#, "'AA\u{e9}\u{1f600}"),
            (r"`\n`", r"\n"),
        ] {
            assert_eq!(unquote(token).as_deref(), Some(value));
        }
        for token in [r#""\q""#, r#""\x4""#, r#""\ud800""#, r#""\777""#, r#""\xff""#] {
            assert_eq!(unquote(token), None, "{token}");
        }
    }

    proptest! {
        #[test]
        fn every_value_survives_quoting(value: String) {
            let quoted = quote(&value);
            prop_assert_eq!(unquote(&quoted), Some(value));
            let tokens = lex(&quoted).unwrap();
            prop_assert_eq!(tokens.len(), 1);
        }

        #[test]
        fn tokens_cover_the_text_in_order(text in "[ -~\n]{0,40}") {
            let Ok(tokens) = lex(&text) else { return Ok(()) };
            for pair in tokens.windows(2) {
                prop_assert!(pair[0].end() <= pair[1].at);
            }
            for token in tokens {
                prop_assert_eq!(&text[token.at..token.end()], token.text);
            }
        }
    }
}
