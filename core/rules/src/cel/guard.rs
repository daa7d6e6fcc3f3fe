//! What is refused before the parser of CEL sees it: each level of its grammar takes some twenty frames of the stack.

use davy::document::DiagnosticCode as Code;

use crate::limits::{CEL_BYTES, CEL_DEPTH, CEL_TOKENS, CEL_TREE_DEPTH};
use crate::text::Report;

/// Whether the text may be parsed; what is wrong is reported.
pub(super) fn is_safe(text: &str, report: &mut Report<'_>) -> bool {
    if text.len() > CEL_BYTES {
        let message = format!("the rule has {} bytes; at most {CEL_BYTES} are read", text.len());
        report.error(Code::RuleBudget, (1, 1), message, None);
        return false;
    }
    let mut open: Vec<usize> = vec![0];
    let mut tokens = 0;
    let mut scan = Scan { rest: text, line: 1, column: 1 };
    while let Some((token, at)) = scan.next() {
        tokens += 1;
        let wrong = take(token, &mut open);
        let depth: usize = open.iter().sum::<usize>() + open.len() - 1;
        let what = match wrong {
            Some(wrong) => wrong,
            None if open.len() > CEL_DEPTH + 1 => format!("brackets nest at most {CEL_DEPTH} deep"),
            None if depth > CEL_TREE_DEPTH => {
                format!("more than {CEL_TREE_DEPTH} operators and brackets stand around one value")
            }
            None if tokens > CEL_TOKENS => format!("a rule has at most {CEL_TOKENS} words and signs"),
            None => continue,
        };
        report.error(Code::RuleBudget, at, what, "split it into several rules".to_owned());
        return false;
    }
    true
}

/// Counts one token; says what cannot be.
fn take(token: &str, open: &mut Vec<usize>) -> Option<String> {
    match token {
        "(" | "[" | "{" => open.push(0),
        ")" | "]" | "}" if open.len() > 1 => {
            open.pop();
        }
        // Neighbours of these are balanced, and elements of a list stand beside each other.
        "&&" | "||" | "," => open.last_mut().into_iter().for_each(|chain| *chain = 0),
        "+" | "-" | "*" | "/" | "%" | "!" | "." | "?" | ":" | "<" | ">" | "<=" | ">=" | "==" | "!=" | "in" => {
            open.last_mut().into_iter().for_each(|chain| *chain += 1);
        }
        _ if token.starts_with(|c: char| c.is_ascii_digit()) && token.len() > 24 => {
            return Some(format!("the number `{}` is too large", crate::text::shown(token)));
        }
        "`" => return Some("quoted names are not read".to_owned()),
        _ => {}
    }
    None
}

/// A token, and how deep in brackets it stands.
pub(super) struct Token<'a> {
    pub(super) text: &'a str,
    pub(super) at: (u32, u32),
    /// Where it begins, in bytes.
    pub(super) start: usize,
    pub(super) depth: usize,
}

/// Every token of a text.
pub(super) fn outermost(text: &str) -> Vec<Token<'_>> {
    let mut scan = Scan { rest: text, line: 1, column: 1 };
    let (mut tokens, mut depth) = (Vec::new(), 0_usize);
    while let Some((token, at)) = scan.next() {
        if matches!(token, ")" | "]" | "}") {
            depth = depth.saturating_sub(1);
        }
        let start = text.len() - scan.rest.len() - token.len();
        tokens.push(Token { text: token, at, start, depth });
        if matches!(token, "(" | "[" | "{") {
            depth += 1;
        }
    }
    tokens
}

/// A reader of tokens that is as coarse as the guard needs.
struct Scan<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
}

impl<'a> Scan<'a> {
    fn next(&mut self) -> Option<(&'a str, (u32, u32))> {
        loop {
            let first = self.rest.chars().next()?;
            if first.is_whitespace() {
                self.skip(first.len_utf8());
            } else if self.rest.starts_with("//") {
                self.skip(self.rest.find('\n').unwrap_or(self.rest.len()));
            } else {
                break;
            }
        }
        let at = (self.line, self.column);
        let length = self.length();
        let token = self.rest.get(..length)?;
        self.skip(length);
        Some((token, at))
    }

    fn length(&self) -> usize {
        let rest = self.rest;
        let unprefixed = rest.trim_start_matches(['r', 'R', 'b', 'B']);
        let prefix = rest.len() - unprefixed.len();
        if prefix <= 2 && unprefixed.starts_with(['"', '\'']) {
            let raw = rest.get(..prefix).is_some_and(|prefix| prefix.contains(['r', 'R']));
            return prefix + quoted(unprefixed, raw);
        }
        let first = rest.chars().next().unwrap_or(' ');
        if first.is_alphanumeric() || first == '_' {
            let is_number = first.is_ascii_digit();
            let inside = |c: char| c.is_alphanumeric() || c == '_' || (is_number && c == '.');
            return rest.find(|c: char| !inside(c)).unwrap_or(rest.len());
        }
        let pair = ["&&", "||", "==", "!=", "<=", ">="].into_iter().find(|pair| rest.starts_with(pair));
        pair.map_or(first.len_utf8(), str::len)
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        for c in skipped.chars() {
            (self.line, self.column) =
                if c == '\n' { (self.line.saturating_add(1), 1) } else { (self.line, self.column.saturating_add(1)) };
        }
        self.rest = rest;
    }
}

/// The length of a text in quotes, with them.
fn quoted(text: &str, raw: bool) -> usize {
    let quote = text.get(..1).unwrap_or("\"");
    let triple = quote.repeat(3);
    let closing = if text.starts_with(&triple) { triple.as_str() } else { quote };
    let mut at = closing.len();
    while let Some(rest) = text.get(at..).filter(|rest| !rest.is_empty()) {
        if rest.starts_with(closing) {
            return at + closing.len();
        }
        let first = rest.chars().next().map_or(1, char::len_utf8);
        let second = rest.get(first..).and_then(|rest| rest.chars().next()).map_or(0, char::len_utf8);
        at += if rest.starts_with('\\') && !raw { first + second } else { first };
        if closing.len() == 1 && rest.starts_with('\n') {
            return at;
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use davy::rule::RuleSource;

    fn refused(text: &str) -> Option<String> {
        let name = "r".parse().unwrap();
        let source = RuleSource::new(&name, "r.cel", text);
        let mut report = Report::new(&source);
        is_safe(text, &mut report);
        report.diagnostics.first().map(ToString::to_string)
    }

    #[test]
    fn ordinary_rules_are_far_from_the_limits() {
        let rule =
            "facts.images.all(i, i.digest.startsWith('sha256:') && (!has(i.registry) || i.registry in ['a', 'b']))";
        assert_eq!(refused(rule), None);
        assert_eq!(refused(&[rule; 20].join(" && ")), None);
    }

    #[test]
    fn what_is_deep_or_long_is_refused_before_it_is_parsed() {
        for text in [
            format!("{}true{}", "(".repeat(9), ")".repeat(9)),
            format!("{}1{}", "[".repeat(96), "]".repeat(96)),
            format!("1{} == 1", " + 1".repeat(30)),
            format!("{}true", "!".repeat(30)),
            format!("facts{}", ".a".repeat(40)),
            format!("true{}", " ? true : true".repeat(20)),
            format!("true{}", " || true".repeat(1000)),
            "9".repeat(40),
            "facts.`a`".to_owned(),
            "x".repeat(CEL_BYTES + 1),
        ] {
            assert!(refused(&text).is_some_and(|it| it.contains("U002")), "{text}");
        }
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let brackets = "(".repeat(50);
        for text in [
            format!("\"{brackets}\\\"{brackets}\" == ''"),
            format!("r'{brackets}\\' == ''"),
            format!("'''{brackets}'{brackets}\n''' == ''"),
            format!("true // {brackets}\n"),
        ] {
            assert_eq!(refused(&text), None, "{text}");
        }
    }
}
