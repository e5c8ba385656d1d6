//! Several modules as one, in less text: what other sites embed is one file over the wire, though its source is many.
//!
//! Comments, indentation and line ends go, and the modules' own names become short ones; all else stays as it was written.
//! It knows the statements that our modules are made of, and says which it does not know.
//!
//! Not for: modules of others, dead code, or sending the result (`assets.rs`).

use std::collections::{BTreeMap, BTreeSet, HashMap};

mod css;
mod error;
mod modules;
mod names;
mod tokens;

pub(super) use error::BundleError;
use modules::Module;
use names::Role;
use tokens::{Kind, Token, is_of_word};

/// A name, wherever it is written.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
enum Id {
    /// A module's own, by the module's number.
    Top(usize, String),
    /// Known in one part of a module.
    Inner(usize, usize, String),
    /// `#name`, in the classes of a module.
    Private(usize, String),
}

/// The module at a path below the root, with all that it imports.
///
/// # Errors
/// A module is missing, or is not written as ours are.
pub(super) fn bundle(entry: &str, read: impl Fn(&str) -> Option<String>) -> Result<String, BundleError> {
    let sources = modules::collect(entry, read)?;
    let modules =
        sources.iter().map(|(path, source)| Module::parse(path, source)).collect::<Result<Vec<_>, _>>()?;
    let program = Program::of(&modules);
    let mut out = Writer::default();
    for (at, module) in modules.iter().enumerate() {
        let mut unneeded = unneeded_brackets(&module.tokens);
        unneeded.extend(program.literals(at).iter().flat_map(|(start, ..)| *start..start + LITERAL_TOKENS));
        for place in (0..module.tokens.len()).filter(|place| !unneeded.contains(place)) {
            out.put(&module.tokens[place], &program.text(at, place));
        }
        out.end_statement();
    }
    if let Some(entry) = modules.last() {
        let exports = entry.exports.iter().map(|(name, own)| {
            let own = program.short_name(modules.len() - 1, own);
            if own == *name { own } else { format!("{own} as {name}") }
        });
        let exports: Vec<_> = exports.collect();
        if !exports.is_empty() {
            out.text.push_str(&format!("export{{{}}}", exports.join(",")));
        }
    }
    Ok(out.text)
}

/// All modules and the short names of theirs.
struct Program<'m, 's> {
    modules: &'m [Module<'s>],
    short: HashMap<Id, String>,
}

impl<'m, 's> Program<'m, 's> {
    fn of(modules: &'m [Module<'s>]) -> Self {
        let mut program = Self { modules, short: HashMap::new() };
        let mut uses: BTreeMap<Id, usize> = BTreeMap::new();
        let mut foreign: BTreeSet<&str> = BTreeSet::new();
        for (at, module) in modules.iter().enumerate() {
            for (place, token) in module.tokens.iter().enumerate() {
                match program.id(at, place) {
                    Some(id) => *uses.entry(id).or_default() += 1,
                    None if token.kind == Kind::Word => drop(foreign.insert(&token.text)),
                    None => {}
                }
            }
        }
        let mut ids: Vec<_> = uses.into_iter().collect();
        // Stable: the same source is always the same text.
        ids.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        // Other letters for names of modules than for what is known in one part only, so that none hides another.
        let free = |letters| short_names(letters).filter(|name| !foreign.contains(name.as_str()));
        let mut top = free(UPPER);
        let (mut inner, mut private) = (HashMap::new(), HashMap::new());
        let literals: Vec<_> = (0..modules.len()).flat_map(|module| program.literals(module)).collect();
        program.short.extend(literals.into_iter().map(|(_, id, value)| (id, value)));
        for (id, _) in ids {
            if program.short.contains_key(&id) {
                continue;
            }
            let name = match id {
                Id::Top(..) => top.next(),
                Id::Inner(module, part, _) => {
                    inner.entry((module, part)).or_insert_with(|| free(LOWER)).next()
                }
                Id::Private(module, _) => {
                    let names = private.entry(module).or_insert_with(|| short_names(LOWER));
                    names.next().map(|name| format!("#{name}"))
                }
            };
            program.short.extend(name.map(|name| (id, name)));
        }
        program
    }

    /// Numbers and strings that have a name, by where that is declared; but for those that are exported from the whole.
    fn literals(&self, module: usize) -> Vec<(usize, Id, String)> {
        let Module { tokens, exports, .. } = &self.modules[module];
        let is_last = module + 1 == self.modules.len();
        let named = (0..tokens.len()).filter_map(|at| {
            let (name, value) = literal_at(tokens, at)?;
            let is_exported = is_last && exports.values().any(|own| own == name);
            let id = self.id(module, at + 1).filter(|id| matches!(id, Id::Top(..)) && !is_exported)?;
            Some((at, id, value.to_owned()))
        });
        named.collect()
    }

    /// What a token refers to; `None` for what keeps its text.
    fn id(&self, module: usize, place: usize) -> Option<Id> {
        let Module { tokens, names, .. } = &self.modules[module];
        let text = &*tokens[place].text;
        if tokens[place].kind == Kind::Private {
            return Some(Id::Private(module, text.to_owned()));
        }
        if names.roles[place] == Role::Fixed {
            return None;
        }
        let part = names.parts[place];
        // A part's own name hides the module's.
        let is_inner = names.inner.contains(&(part, text.to_owned()));
        if is_inner { Some(Id::Inner(module, part, text.to_owned())) } else { self.id_of_top(module, text) }
    }

    /// What a name is that is a module's own, or another's.
    fn id_of_top(&self, module: usize, name: &str) -> Option<Id> {
        let here = &self.modules[module];
        if let Some((path, exported)) = here.imports.get(name) {
            let from = self.modules.iter().position(|module| module.path == *path)?;
            return self.id_of_top(from, self.modules[from].exports.get(exported)?);
        }
        here.names.top.contains(name).then(|| Id::Top(module, name.to_owned()))
    }

    fn short_name(&self, module: usize, name: &str) -> String {
        let short = self.id_of_top(module, name).and_then(|id| self.short.get(&id));
        short.cloned().unwrap_or_else(|| name.to_owned())
    }

    fn text(&self, module: usize, place: usize) -> String {
        let Module { tokens, names, .. } = &self.modules[module];
        let (token, role) = (&tokens[place], names.roles[place]);
        if role == Role::Name
            && let Some((_, short)) = SHORTER.iter().find(|(word, _)| token.is(word))
        {
            return (*short).to_owned();
        }
        let short = self.id(module, place).and_then(|id| self.short.get(&id));
        let Some(short) = short else { return token.text.to_string() };
        if role == Role::Shorthand { format!("{}:{short}", token.text) } else { short.clone() }
    }
}

/// Those of `const NAME = VALUE;`.
const LITERAL_TOKENS: usize = 5;

/// Name and value of `const NAME = VALUE;`, if that is what begins at a token.
fn literal_at<'t>(tokens: &'t [Token<'_>], at: usize) -> Option<(&'t str, &'t str)> {
    let [keyword, name, equals, value, end] = tokens.get(at..at + LITERAL_TOKENS)? else { return None };
    let is = keyword.is("const") && name.kind == Kind::Word && equals.is("=") && end.is(";");
    let is_literal = matches!(value.kind, Kind::Number | Kind::String);
    (is && is_literal).then_some((&*name.text, &*value.text))
}

/// Round brackets that say nothing: around an arrow function's one parameter, and around a name and its members, where our
/// modules have them for a cast in a comment.
fn unneeded_brackets(tokens: &[Token<'_>]) -> BTreeSet<usize> {
    let mut found = BTreeSet::new();
    for open in (0..tokens.len()).filter(|at| tokens[*at].is("(")) {
        let inner = tokens[open + 1..].iter().take_while(|token| {
            matches!(token.kind, Kind::Word | Kind::Private) || token.is(".") || token.is("?.")
        });
        let length = inner.count();
        let close = open + 1 + length;
        if length == 0 || !tokens.get(close).is_some_and(|token| token.is(")")) {
            continue;
        }
        let before = open.checked_sub(1).map(|at| &tokens[at]);
        let is_call = before.is_none_or(|token| {
            token.kind != Kind::Sign || [")", "]", "}", "?."].iter().any(|sign| token.is(sign))
        });
        let is_arrow = tokens.get(close + 1).is_some_and(|token| token.is("=>"));
        if is_arrow && length == 1 || !is_arrow && !is_call {
            found.extend([open, close]);
        }
    }
    found
}

/// What says the same as a keyword. Nothing is assigned to a constant, so that one word will do for both.
const SHORTER: [(&str, &str); 4] =
    [("const", "let"), ("true", "!0"), ("false", "!1"), ("undefined", "void 0")];

/// Letters, those first that our code has most of: what is compressed is smaller when fewer letters do more.
const LOWER: &str = "etisnroaclhdpumfgybvwkxqzj";
const UPPER: &str = "ETISNROACLHDPUMFGYBVWKXQZJ";

/// Names that begin with these letters: of one letter, then of two. None is a keyword.
fn short_names(letters: &str) -> impl Iterator<Item = String> {
    let two = letters.chars().flat_map(|first| LOWER.chars().map(move |second| format!("{first}{second}")));
    let is_free = |name: &String| !["as", "do", "if", "in", "of"].contains(&name.as_str());
    letters.chars().map(String::from).chain(two.filter(is_free))
}

/// Tokens as text, with a space or a line end only where it means something.
#[derive(Default)]
struct Writer {
    text: String,
    last: Option<Kind>,
}

impl Writer {
    fn put(&mut self, token: &Token<'_>, text: &str) {
        if matches!(text, "}" | "]" | ")") && self.text.ends_with(',')
            || text == "}" && self.text.ends_with(';')
        {
            self.text.pop();
        }
        let touches = matches!((self.text.chars().next_back(), text.chars().next()), (Some(last), Some(first))
            if joins(last, first));
        if token.on_new_line && self.ends_operand() && begins_operand(token) {
            // No semicolon: the line's end may be the statement's.
            self.text.push('\n');
        } else if touches {
            self.text.push(' ');
        }
        self.text.push_str(text);
        self.last = Some(token.kind);
    }

    fn ends_operand(&self) -> bool {
        match self.last {
            Some(Kind::Sign) => {
                self.text.ends_with([')', ']']) || self.text.ends_with("++") || self.text.ends_with("--")
            }
            Some(Kind::Template) => self.text.ends_with('`'),
            last => last.is_some(),
        }
    }

    fn end_statement(&mut self) {
        if !self.text.is_empty() && !self.text.ends_with([';', '}']) {
            self.text.push(';');
        }
        self.last = Some(Kind::Sign);
    }
}

fn begins_operand(token: &Token<'_>) -> bool {
    match token.kind {
        Kind::Sign => matches!(&*token.text, "{" | "++" | "--" | "!" | "~" | "@" | "*"),
        Kind::Template => token.text.starts_with('`'),
        _ => true,
    }
}

/// Whether two characters side by side would be read as one token.
fn joins(last: char, first: char) -> bool {
    let is_name = |character| is_of_word(character) || character == '#';
    is_of_word(last) && is_name(first) || matches!((last, first), ('+', '+') | ('-', '-') | ('/', '/' | '*'))
}

#[cfg(test)]
mod tests;
