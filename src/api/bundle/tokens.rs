//! Source text of a module to tokens, as far as shortening it needs: what is a name, a string, a regular expression, and
//! what may be left out. Not for: what a name refers to (`names.rs`).

use std::borrow::Cow;

use super::css;

/// What a token is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    /// A name or a keyword.
    Word,
    /// `#name`.
    Private,
    Number,
    String,
    /// A stretch of a template, with the backtick, `${` or `}` at its ends.
    Template,
    Regex,
    /// Everything else.
    Sign,
}

/// A token, and whether a line ended before it.
#[derive(Clone, Debug)]
pub(super) struct Token<'a> {
    pub(super) kind: Kind,
    pub(super) text: Cow<'a, str>,
    pub(super) on_new_line: bool,
}

impl Token<'_> {
    pub(super) fn is(&self, text: &str) -> bool {
        matches!(self.kind, Kind::Sign | Kind::Word) && self.text == text
    }
}

/// Signs of several characters, the longest first.
const SIGNS: [&str; 31] = [
    ">>>=", "...", "===", "!==", "**=", "<<=", ">>=", ">>>", "??=", "&&=", "||=", "=>", "?.", "??", "++",
    "--", "&&", "||", "==", "!=", "<=", ">=", "+=", "-=", "*=", "/=", "%=", "&=", "|=", "**", "<<",
];
/// Words after which a slash begins a regular expression.
const BEFORE_REGEX: [&str; 9] = ["return", "typeof", "case", "in", "of", "delete", "void", "await", "yield"];
/// The comment before a template that is a style sheet.
const CSS: &str = "/* css */";

/// The tokens of a module; `None` for one that ends within a string, a template, a comment or a regular expression.
pub(super) fn tokens(source: &str) -> Option<Vec<Token<'_>>> {
    let mut scanner =
        Scanner { rest: source, tokens: Vec::new(), on_new_line: false, is_css: false, open: Vec::new() };
    while scanner.skip_blank()? {
        scanner.token()?;
    }
    scanner.open.is_empty().then_some(scanner.tokens)
}

struct Scanner<'a> {
    rest: &'a str,
    tokens: Vec<Token<'a>>,
    on_new_line: bool,
    /// Whether the next template is a style sheet.
    is_css: bool,
    /// For each open brace whether it belongs to a template.
    open: Vec<bool>,
}

impl<'a> Scanner<'a> {
    /// Whether there is another token.
    fn skip_blank(&mut self) -> Option<bool> {
        loop {
            let blank = self.rest.trim_start();
            self.on_new_line |= self.rest[..self.rest.len() - blank.len()].contains('\n');
            self.rest = blank;
            let comment = if blank.starts_with("//") {
                blank.find('\n').unwrap_or(blank.len())
            } else if blank.starts_with("/*") {
                self.is_css = blank.starts_with(CSS);
                blank.find("*/")? + 2
            } else {
                return Some(!blank.is_empty());
            };
            self.on_new_line |= blank[..comment].contains('\n');
            self.rest = &blank[comment..];
        }
    }

    fn token(&mut self) -> Option<()> {
        let first = self.rest.chars().next()?;
        match first {
            '\'' | '"' => {
                let end = end_of_string(self.rest, first)?;
                self.take(Kind::String, end);
            }
            '`' => self.template()?,
            '}' if self.open.last() == Some(&true) => {
                self.open.pop();
                self.template()?;
            }
            '#' => {
                let end = 1 + word_length(&self.rest[1..]);
                self.take(Kind::Private, end);
            }
            _ if first.is_ascii_digit() => {
                let end = self.rest.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '.' | '_')));
                self.number(end.unwrap_or(self.rest.len()));
            }
            _ if is_of_word(first) => {
                let end = word_length(self.rest);
                self.take(Kind::Word, end);
            }
            '/' if self.may_be_regex() => {
                let end = end_of_regex(self.rest)?;
                self.take(Kind::Regex, end);
            }
            _ => self.sign(first)?,
        }
        Some(())
    }

    fn sign(&mut self, first: char) -> Option<()> {
        match first {
            '{' => self.open.push(false),
            '}' => drop(self.open.pop()?),
            _ => {}
        }
        let long = SIGNS.iter().find(|sign| self.rest.starts_with(**sign));
        let end = long.map_or(first.len_utf8(), |sign| sign.len());
        self.take(Kind::Sign, end);
        Some(())
    }

    /// From a backtick, or from the brace that ends an expression inside, up to the next of either.
    fn template(&mut self) -> Option<()> {
        let bytes = self.rest.as_bytes();
        let mut at = 1;
        loop {
            match *bytes.get(at)? {
                b'\\' => at += 2,
                b'`' => break at += 1,
                b'$' if bytes.get(at + 1) == Some(&b'{') => {
                    self.open.push(true);
                    break at += 2;
                }
                _ => at += 1,
            }
        }
        let is_css = std::mem::take(&mut self.is_css);
        let text = self.rest.get(..at)?;
        let short = if is_css { css::shorten(text).into() } else { text.into() };
        self.push(Kind::Template, short, at);
        Some(())
    }

    /// Without what is only there to be read: `10_000` is `1e4`.
    fn number(&mut self, end: usize) {
        let digits = self.rest[..end].replace('_', "");
        let short = digits.trim_end_matches('0');
        let zeros = digits.len() - short.len();
        let is_plain = digits.bytes().all(|byte| byte.is_ascii_digit()) && !short.is_empty();
        let text = if is_plain && zeros > 2 { format!("{short}e{zeros}") } else { digits };
        self.push(Kind::Number, text.into(), end);
    }

    fn may_be_regex(&self) -> bool {
        self.tokens.last().is_none_or(|last| match last.kind {
            Kind::Sign => !matches!(&*last.text, ")" | "]" | "}"),
            Kind::Word => BEFORE_REGEX.contains(&&*last.text),
            Kind::Template => last.text.ends_with("${"),
            _ => false,
        })
    }

    fn take(&mut self, kind: Kind, end: usize) {
        let text = &self.rest[..end];
        self.push(kind, text.into(), end);
    }

    fn push(&mut self, kind: Kind, text: Cow<'a, str>, end: usize) {
        let on_new_line = std::mem::take(&mut self.on_new_line);
        self.tokens.push(Token { kind, text, on_new_line });
        self.rest = &self.rest[end..];
    }
}

pub(super) fn is_of_word(character: char) -> bool {
    character.is_alphanumeric() || matches!(character, '_' | '$')
}

fn word_length(text: &str) -> usize {
    text.find(|character| !is_of_word(character)).unwrap_or(text.len())
}

fn end_of_string(text: &str, quote: char) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return None,
            _ if character == quote => return Some(at + 1),
            _ => {}
        }
    }
    None
}

fn end_of_regex(text: &str) -> Option<usize> {
    let (mut escaped, mut in_class) = (false, false);
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '\n' => return None,
            '[' => in_class = true,
            ']' => in_class = false,
            '/' if !in_class => return Some(at + 1 + word_length(&text[at + 1..])),
            _ => {}
        }
    }
    None
}
