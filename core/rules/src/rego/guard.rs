//! What is refused before the parser of Rego sees it: its own limits leave room for work that doubles with each
//! level of nesting, and for trees deeper than a stack.

use davy::document::DiagnosticCode as Code;

use crate::limits::{REGO_BYTES, REGO_DEPTH, REGO_PARSE_WORK, REGO_TREE_DEPTH};
use crate::text::Report;

/// Whether the text may be parsed; what is wrong is reported.
pub(super) fn is_safe(text: &str, report: &mut Report<'_>) -> bool {
    if text.len() > REGO_BYTES {
        let message = format!("the rule has {} bytes; at most {REGO_BYTES} are read", text.len());
        report.error(Code::RuleBudget, (1, 1), message, None);
        return false;
    }
    let mut guard = Guard::default();
    let mut tokens = Tokens { rest: text, line: 1, column: 1, broke: false };
    while let Some(token) = tokens.next() {
        if let Err(what) = guard.take(&token) {
            report.error(Code::RuleBudget, token.at, what, "split it into rules with names of their own".to_owned());
            return false;
        }
    }
    true
}

/// What has been opened and chained so far.
#[derive(Default)]
struct Guard {
    /// Per open bracket: whether it is a literal's, and the operators since it opened.
    open: Vec<(bool, usize)>,
    /// Operators outside of all brackets.
    chain: usize,
    work: u64,
    after_operator: bool,
}

impl Guard {
    fn take(&mut self, token: &Token<'_>) -> Result<(), String> {
        let literals = self.open.iter().filter(|(literal, _)| *literal).count();
        self.work = self.work.saturating_add(1_u64 << literals.min(40));
        if self.work > REGO_PARSE_WORK {
            return Err("this nests so deep and so often that parsing it would take too long".to_owned());
        }
        if token.is_huge_number() {
            return Err(format!("the number `{}` is too large", crate::text::shown(token.text)));
        }
        let continues = self.after_operator || token.is_operator();
        if (token.first_of_line && !continues) || matches!(token.text, ";" | "," | ":") {
            self.reset();
        }
        match token.text {
            "[" | "{" | "(" => {
                self.grow();
                self.open.push((token.text != "(", 0));
                if self.open.len() > REGO_DEPTH {
                    return Err(format!("brackets nest at most {REGO_DEPTH} deep"));
                }
            }
            "]" | "}" | ")" => drop(self.open.pop()),
            _ if token.is_operator() || token.text == "not" => self.grow(),
            _ => {}
        }
        self.after_operator = token.is_operator();
        let depth = self.open.iter().map(|(_, chain)| chain + 1).sum::<usize>() + self.chain;
        if depth > REGO_TREE_DEPTH {
            return Err(format!("more than {REGO_TREE_DEPTH} operators and brackets stand around one value"));
        }
        Ok(())
    }

    fn grow(&mut self) {
        match self.open.last_mut() {
            Some((_, chain)) => *chain += 1,
            None => self.chain += 1,
        }
    }

    fn reset(&mut self) {
        match self.open.last_mut() {
            Some((_, chain)) => *chain = 0,
            None => self.chain = 0,
        }
    }
}

struct Token<'a> {
    text: &'a str,
    at: (u32, u32),
    first_of_line: bool,
}

impl Token<'_> {
    fn is_operator(&self) -> bool {
        matches!(
            self.text,
            "+" | "-" | "*" | "/" | "%" | "&" | "|" | "=" | "!" | "<" | ">" | "." | "in" | "else" | "with"
        )
    }

    /// Digits that make no number of 64 bits, or an exponent that makes a number of thousands of digits.
    fn is_huge_number(&self) -> bool {
        let is_number = self.text.starts_with(|c: char| c.is_ascii_digit());
        let exponent = self.text.find(['e', 'E']).map_or(0, |at| self.text.len() - at);
        is_number && (self.text.len() > 24 || exponent > 4)
    }
}

/// A reader of tokens that is as coarse as the guard needs: words, numbers, single characters; texts and comments
/// are left out.
struct Tokens<'a> {
    rest: &'a str,
    line: u32,
    column: u32,
    broke: bool,
}

impl<'a> Tokens<'a> {
    fn next(&mut self) -> Option<Token<'a>> {
        loop {
            let first = self.rest.chars().next()?;
            match first {
                '\n' => {
                    self.broke = true;
                    self.skip(1);
                }
                _ if first.is_whitespace() => self.skip(first.len_utf8()),
                '#' => self.skip(self.rest.find('\n').unwrap_or(self.rest.len())),
                '"' => {
                    let length = quoted(self.rest);
                    return Some(self.token(length));
                }
                '`' => {
                    let length = self.rest.get(1..)?.find('`').map_or(self.rest.len(), |end| end + 2);
                    return Some(self.token(length));
                }
                _ if is_word(first) => {
                    let is_number = first.is_ascii_digit();
                    let inside = |c: char| is_word(c) || (is_number && c == '.');
                    let length = self.rest.find(|c: char| !inside(c)).unwrap_or(self.rest.len());
                    return Some(self.token(length));
                }
                _ => return Some(self.token(first.len_utf8())),
            }
        }
    }

    fn token(&mut self, length: usize) -> Token<'a> {
        let text = self.rest.get(..length).unwrap_or_default();
        let token = Token { text, at: (self.line, self.column), first_of_line: std::mem::take(&mut self.broke) };
        self.skip(length);
        token
    }

    fn skip(&mut self, length: usize) {
        let (skipped, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        for c in skipped.chars() {
            if c == '\n' {
                self.line = self.line.saturating_add(1);
                self.column = 1;
            } else {
                self.column = self.column.saturating_add(1);
            }
        }
        self.rest = rest;
    }
}

fn is_word(c: char) -> bool {
    c.is_alphanumeric() || c == '_'
}

/// The length of a text in double quotes, the quotes included.
fn quoted(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            // A text ends with its line; what follows is the parser's to refuse.
            '\n' => return at,
            _ => {}
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
        let source = RuleSource::new(&name, "r.rego", text);
        let mut report = Report::new(&source);
        is_safe(text, &mut report);
        report.diagnostics.first().map(ToString::to_string)
    }

    #[test]
    fn ordinary_rules_are_far_from_the_limits() {
        let rule = "package a\n\ndeny contains {\"msg\": msg, \"code\": \"a.b\"} if {\n\tsome image in input.facts.images\n\tnot startswith(image.name, \"registry/\")\n\tmsg := sprintf(\"%s is %v\", [image.name, [i | some i in input.facts.images; i.kind == \"app\"]])\n}\n";
        assert_eq!(refused(&rule.repeat(20)), None);
    }

    #[test]
    fn nesting_is_bounded_before_the_parser_doubles_its_work() {
        for open in ["[", "{", "{\"a\":"] {
            let bomb = format!("package a\nx := {}1", open.repeat(20));
            assert!(refused(&bomb).is_some_and(|it| it.contains("U002")), "{open}");
        }
        // Less deep, and so often that it comes to the same.
        let wide = format!("package a\nx := {}", "[[[[[[[[[[[1]]]]]]]]]]],\n".repeat(200));
        assert!(refused(&wide).is_some());
        assert!(refused(&format!("package a\nx := {}1", "(".repeat(30))).is_some());
    }

    #[test]
    fn long_chains_are_trees_as_deep_as_they_are_long() {
        assert!(refused(&format!("package a\nx := 1{}", " + 1".repeat(100))).is_some());
        assert!(refused(&format!("package a\nx := 1{}", " +\n 1".repeat(100))).is_some());
        assert!(refused(&format!("package a\nx := input{}", ".a".repeat(100))).is_some());
        // One statement per line is no chain.
        assert_eq!(refused(&format!("package a\nx if {{\n{}}}", "\tinput.a == 1\n".repeat(100))), None);
    }

    #[test]
    fn brackets_in_texts_and_comments_do_not_count() {
        let text = format!("package a\n# {0}\nx := \"{0}\\\"{0}\"\ny := `{0}\n{0}`\n", "[".repeat(100));
        assert_eq!(refused(&text), None);
    }

    #[test]
    fn numbers_that_take_a_page_are_refused() {
        assert!(refused("package a\nx := 1e999999999").is_some());
        assert!(refused(&format!("package a\nx := {}", "9".repeat(100))).is_some());
        assert_eq!(refused("package a\nx := 1.5e10 + 9007199254740993"), None);
    }
}
