//! From a text that SQLite reads to statements that PostgreSQL takes: it prepares one statement at a time, whose
//! parameters are numbered without holes, and knows nothing of SQLite's hints.

use std::{
    collections::HashMap,
    sync::{LazyLock, PoisonError, RwLock},
};

/// One statement of a text.
#[derive(Debug)]
pub(in crate::store::sql) struct Part {
    text: &'static str,
    /// Which of the text's values are its parameters, from 0.
    wanted: Box<[usize]>,
}

impl Part {
    /// As PostgreSQL takes it.
    pub(in crate::store::sql) const fn text(&self) -> &'static str {
        self.text
    }

    /// Its values, out of those of the whole text. One that was not bound is left out, which PostgreSQL refuses.
    pub(in crate::store::sql) fn values<'v, V>(&self, all: &'v [V]) -> impl Iterator<Item = &'v V> {
        self.wanted.iter().filter_map(|index| all.get(*index))
    }
}

/// The statements of a text. Each text is translated once and kept for good: texts are literals of the program.
pub(in crate::store::sql) fn parts(text: &'static str) -> &'static [Part] {
    static KNOWN: LazyLock<RwLock<HashMap<&'static str, &'static [Part]>>> = LazyLock::new(RwLock::default);
    if let Some(parts) = KNOWN.read().unwrap_or_else(PoisonError::into_inner).get(text) {
        return parts;
    }
    let mut known = KNOWN.write().unwrap_or_else(PoisonError::into_inner);
    known.entry(text).or_insert_with(|| Box::leak(translated(text)))
}

fn translated(text: &str) -> Box<[Part]> {
    split(text).into_iter().map(|statement| renumbered(&without_hints(&statement))).collect()
}

/// Splits a script at its semicolons, but for those in quotes.
fn split(text: &str) -> Vec<String> {
    let (mut statements, mut current, mut quote) = (Vec::new(), String::new(), None);
    for c in text.chars() {
        match (quote, c) {
            (None, ';') => statements.push(std::mem::take(&mut current)),
            (None, '\'' | '"') => quote = Some(c),
            (Some(open), c) if open == c => quote = None,
            _ => {}
        }
        if quote.is_some() || c != ';' {
            current.push(c);
        }
    }
    statements.push(current);
    statements.retain(|statement| !statement.trim().is_empty());
    statements
}

/// Takes out `indexed by …` and `not indexed`. PostgreSQL's planner knows the tables' sizes.
fn without_hints(statement: &str) -> String {
    let mut words = statement.split_inclusive(char::is_whitespace).peekable();
    let mut kept = String::with_capacity(statement.len());
    while let Some(word) = words.next() {
        let next = words.peek().map(|next| next.trim_end());
        match (word.trim_end(), next) {
            ("indexed", Some("by")) => {
                words.next();
                words.next();
            }
            ("not", Some("indexed")) => {
                words.next();
            }
            _ => kept.push_str(word),
        }
        if !kept.ends_with(char::is_whitespace) {
            kept.push(' ');
        }
    }
    kept
}

fn renumbered(statement: &str) -> Part {
    let (mut text, mut wanted) = (String::with_capacity(statement.len()), Vec::new());
    let mut pieces = statement.split('$');
    text.push_str(pieces.next().unwrap_or_default());
    for piece in pieces {
        let end = piece.find(|c: char| !c.is_ascii_digit()).unwrap_or(piece.len());
        let (digits, rest) = piece.split_at(end);
        match digits.parse::<usize>() {
            Ok(number) if number > 0 => {
                let known = wanted.iter().position(|index| *index == number - 1);
                let place = known.unwrap_or_else(|| {
                    wanted.push(number - 1);
                    wanted.len() - 1
                });
                text.push_str(&format!("${}", place + 1));
            }
            _ => {
                text.push('$');
                text.push_str(digits);
            }
        }
        text.push_str(rest);
    }
    Part { text: Box::leak(text.trim().to_owned().into_boxed_str()), wanted: wanted.into() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_script_becomes_statements_with_parameters_of_their_own() {
        let parts = translated(
            "delete from a indexed by a_b where b = $3 and c <> ';';
             insert into d (e) select $1 || '$' from f as g not indexed cross join h where i = $3 and $1 = $3;\n",
        );
        let texts: Vec<_> =
            parts.iter().map(|part| part.text.split_whitespace().collect::<Vec<_>>().join(" ")).collect();
        assert_eq!(
            texts,
            [
                "delete from a where b = $1 and c <> ';'",
                "insert into d (e) select $1 || '$' from f as g cross join h where i = $2 and $1 = $2",
            ]
        );
        assert_eq!([&*parts[0].wanted, &*parts[1].wanted], [&[2][..], &[0, 2][..]]);
    }

    #[test]
    fn a_text_is_translated_once() {
        assert!(std::ptr::eq(parts("select 1"), parts("select 1")));
    }
}
