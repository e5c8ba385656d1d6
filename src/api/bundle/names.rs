//! Which words of a module are names of its own, and may be called otherwise.
//!
//! A word stays what it is after a dot, as a key of an object, as the name of a member of a class, and where the module
//! declares nothing of that name. All of a module's names that are spelled alike are treated alike, whatever their scope:
//! what one shadows it shadows under any other name, too.
//!
//! Not for: choosing the other names (`mod.rs`).

use std::collections::BTreeSet;

use super::tokens::{Kind, Token};

/// What a token is to whom renames.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// Stays: no name, a keyword, a key, a member.
    Fixed,
    /// Refers to what has that name here.
    Name,
    /// Key and name at once, as in `{ name }`.
    Shorthand,
}

/// What was found of a module's tokens.
#[derive(Debug, Default)]
pub(super) struct Names {
    /// One for each token.
    pub(super) roles: Vec<Role>,
    /// Declared for all of the module.
    pub(super) top: BTreeSet<String>,
    /// Declared within one of its parts.
    pub(super) inner: BTreeSet<(usize, String)>,
    /// For each token the part that it is in: a statement of the module or a member of a class. What is declared within a
    /// part is known there alone.
    pub(super) parts: Vec<usize>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Bracket {
    Block,
    /// A literal or a pattern.
    Object,
    Class,
    /// Round, square, or of a template.
    Other,
}

struct Open {
    bracket: Bracket,
    at: usize,
    /// Question marks whose colon is still to come.
    conditions: usize,
    /// Whether a key or a member may begin here.
    at_key: bool,
}

/// What may stand before a brace that begins a block.
const BEFORE_BLOCK: [&str; 10] = [";", "{", "}", ")", "=>", "else", "try", "finally", "do", "static"];
/// What may stand before the name of a member or key and is none itself.
const ACCESS: [&str; 4] = ["get", "set", "async", "static"];
/// Words before brackets that hold no parameters.
const NO_FUNCTION: [&str; 5] = ["if", "for", "while", "switch", "with"];

/// Finds the names of a module, from whose tokens imports and exports were taken.
pub(super) fn find(tokens: &[Token<'_>]) -> Names {
    let mut finder =
        Finder { tokens, names: Names::default(), open: Vec::new(), class_ahead: false, part: 0 };
    for at in 0..tokens.len() {
        finder.names.parts.push(finder.part);
        let role = finder.visit(at);
        finder.names.roles.push(role);
        finder.part += usize::from(finder.ends_part(at));
    }
    finder.names
}

struct Finder<'t, 's> {
    tokens: &'t [Token<'s>],
    names: Names,
    open: Vec<Open>,
    /// A class was named whose brace is still to come.
    class_ahead: bool,
    part: usize,
}

impl Finder<'_, '_> {
    fn text(&self, at: Option<usize>) -> &str {
        let token = at.and_then(|at| self.tokens.get(at));
        token.filter(|token| matches!(token.kind, Kind::Sign | Kind::Word)).map_or("", |token| &token.text)
    }

    fn is_word(&self, at: usize) -> bool {
        self.tokens.get(at).is_some_and(|token| token.kind == Kind::Word)
    }

    fn ends_part(&self, at: usize) -> bool {
        let is_outside = match &*self.open {
            [] => true,
            [open] => open.bracket == Bracket::Class,
            _ => false,
        };
        is_outside && matches!(self.text(Some(at)), ";" | "{" | "}")
    }

    fn visit(&mut self, at: usize) -> Role {
        match self.tokens[at].kind {
            Kind::Word => return self.word(at),
            Kind::Template => {
                if self.tokens[at].text.starts_with('}') {
                    self.open.pop();
                }
                if self.tokens[at].text.ends_with("${") {
                    self.push(Bracket::Other, at);
                }
            }
            Kind::Sign => self.sign(at),
            _ => self.leave_key(),
        }
        Role::Fixed
    }

    fn sign(&mut self, at: usize) {
        match self.text(Some(at)) {
            "{" => {
                let bracket = self.brace(at);
                self.push(bracket, at);
            }
            "(" => {
                self.leave_key();
                self.push(Bracket::Other, at);
            }
            "[" => self.push(Bracket::Other, at),
            ")" => {
                if let Some(open) = self.open.pop() {
                    self.parameters(open.at, at);
                }
            }
            "]" => drop(self.open.pop()),
            "}" => {
                let closed = self.open.pop();
                if let Some(outer) = self.open.last_mut().filter(|outer| outer.bracket == Bracket::Class) {
                    outer.at_key |= closed.is_some_and(|open| open.bracket == Bracket::Block);
                }
            }
            sign @ ("?" | ":" | "," | ";" | "=") => {
                let sign = sign.to_owned();
                if let Some(open) = self.open.last_mut() {
                    match &*sign {
                        "?" => open.conditions += 1,
                        ":" => open.conditions = open.conditions.saturating_sub(1),
                        "," => open.at_key |= open.bracket == Bracket::Object,
                        ";" => open.at_key |= open.bracket == Bracket::Class,
                        _ => open.at_key = false,
                    }
                }
            }
            _ => {}
        }
    }

    fn push(&mut self, bracket: Bracket, at: usize) {
        let at_key = matches!(bracket, Bracket::Object | Bracket::Class);
        self.open.push(Open { bracket, at, conditions: 0, at_key });
    }

    fn leave_key(&mut self) {
        if let Some(open) = self.open.last_mut().filter(|open| open.bracket == Bracket::Object) {
            open.at_key = false;
        }
    }

    fn brace(&mut self, at: usize) -> Bracket {
        if std::mem::take(&mut self.class_ahead) {
            return Bracket::Class;
        }
        let before = self.text(at.checked_sub(1));
        let begins = at == 0 || BEFORE_BLOCK.contains(&before);
        let is_case = before == ":" && self.open.last().is_none_or(|open| open.bracket == Bracket::Block);
        if begins || is_case { Bracket::Block } else { Bracket::Object }
    }

    fn word(&mut self, at: usize) -> Role {
        let (before, word, after) = (
            self.text(at.checked_sub(1)).to_owned(),
            self.text(Some(at)).to_owned(),
            self.text(Some(at + 1)).to_owned(),
        );
        if matches!(&*before, "." | "?.") {
            return Role::Fixed;
        }
        if let Some(open) = self.open.last_mut().filter(|open| open.at_key) {
            if open.bracket == Bracket::Class {
                return Role::Fixed;
            }
            let is_access = ACCESS.contains(&&*word) && !matches!(&*after, ":" | "," | "}" | "(" | "=");
            open.at_key = is_access;
            return match &*after {
                _ if is_access => Role::Fixed,
                _ if before == "..." => Role::Name,
                "," | "}" | "=" => Role::Shorthand,
                _ => Role::Fixed,
            };
        }
        match &*word {
            "class" => self.class_ahead = true,
            "const" | "let" | "var" => self.declarators(at + 1),
            _ => {}
        }
        if matches!(&*before, "class" | "function") || after == "=>" {
            self.declare(at, after != "=>" && self.open.is_empty());
        }
        Role::Name
    }

    /// From after `const` to the end of the statement, or to `of` or `in`.
    fn declarators(&mut self, mut at: usize) {
        let top = self.open.is_empty();
        loop {
            if self.is_word(at) {
                self.declare(at, top);
            } else if matches!(self.text(Some(at)), "{" | "[") {
                self.pattern(at, top);
            }
            let mut depth = 0_usize;
            loop {
                let Some(token) = self.tokens.get(at) else { return };
                if token.kind == Kind::Template {
                    depth = (depth + usize::from(token.text.ends_with("${")))
                        .saturating_sub(usize::from(token.text.starts_with('}')));
                }
                match self.text(Some(at)) {
                    "(" | "[" | "{" => depth += 1,
                    ")" | "]" | "}" if depth == 0 => return,
                    ")" | "]" | "}" => depth -= 1,
                    ";" | "of" | "in" if depth == 0 => return,
                    "," if depth == 0 => break,
                    _ => {}
                }
                at += 1;
            }
            at += 1;
        }
    }

    /// The names within brackets that turn out to hold parameters.
    fn parameters(&mut self, open: usize, close: usize) {
        let is_function = match self.text(Some(close + 1)) {
            "=>" => true,
            "{" => !NO_FUNCTION.contains(&self.text(open.checked_sub(1))),
            _ => false,
        };
        if is_function {
            self.pattern(open, false);
        }
    }

    /// The names that a pattern binds, from its bracket on; what is called or is a default binds nothing.
    fn pattern(&mut self, open: usize, top: bool) {
        let mut brackets = Vec::new();
        for at in open..self.tokens.len() {
            match self.text(Some(at)) {
                "(" | "[" | "{" => brackets.push(at),
                ")" | "]" | "}" => drop(brackets.pop()),
                _ => {}
            }
            if brackets.is_empty() {
                return;
            }
            let calls = brackets.iter().skip(1).any(|at| self.text(Some(*at)) == "(");
            let before = self.text(at.checked_sub(1));
            let binds =
                matches!(before, "(" | "[" | "{" | "," | ":" | "...") && self.text(Some(at + 1)) != ":";
            if binds && !calls && self.is_word(at) {
                self.declare(at, top);
            }
        }
    }

    fn declare(&mut self, at: usize, top: bool) {
        let name = self.tokens[at].text.to_string();
        if top {
            self.names.top.insert(name)
        } else {
            self.names.inner.insert((self.part, name))
        };
    }
}
