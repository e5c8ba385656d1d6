//! Which modules there are, and what they import and export: the statements that go when several become one.
//! Not for: names inside a module (`names.rs`).

use std::collections::BTreeMap;

use super::{
    error::BundleError,
    names::{self, Names},
    tokens::{Kind, Token, tokens},
};
use crate::api::pages;

/// Path and exported name.
type Source = (String, String);

/// A module without its imports and exports.
#[derive(Debug)]
pub(super) struct Module<'s> {
    pub(super) path: String,
    pub(super) tokens: Vec<Token<'s>>,
    pub(super) names: Names,
    /// What a name here is elsewhere.
    pub(super) imports: BTreeMap<String, Source>,
    /// What an exported name is here.
    pub(super) exports: BTreeMap<String, String>,
}

/// The modules behind an entry by path, each after those that it imports.
pub(super) fn collect(
    entry: &str,
    read: impl Fn(&str) -> Option<String>,
) -> Result<Vec<(String, String)>, BundleError> {
    let mut found: Vec<(String, String)> = Vec::new();
    let mut begun = vec![entry.to_owned()];
    visit(entry.to_owned(), &read, &mut begun, &mut found)?;
    Ok(found)
}

fn visit(
    path: String,
    read: &impl Fn(&str) -> Option<String>,
    begun: &mut Vec<String>,
    found: &mut Vec<(String, String)>,
) -> Result<(), BundleError> {
    let source = read(&path).ok_or_else(|| BundleError::Missing(path.clone()))?;
    for specifier in pages::imports(&source) {
        let Some(next) = pages::resolve(&path, specifier).filter(|next| !begun.contains(next)) else {
            continue;
        };
        begun.push(next.clone());
        visit(next, read, begun, found)?;
    }
    found.push((path, source));
    Ok(())
}

impl<'s> Module<'s> {
    /// # Errors
    /// The text ends within a token, or has an import or export of a form that is not ours.
    pub(super) fn parse(path: &str, source: &'s str) -> Result<Self, BundleError> {
        let all = tokens(source).ok_or_else(|| BundleError::Unclosed(path.to_owned()))?;
        let mut reader = Reader { path, tokens: &all, at: 0, kept: Vec::new() };
        let (mut imports, mut exports) = (BTreeMap::new(), BTreeMap::new());
        let mut depth = 0_usize;
        while let Some(token) = all.get(reader.at) {
            let is_statement = depth == 0 && !reader.is_next(".") && !reader.is_next("(");
            if is_statement && token.is("import") {
                imports.extend(reader.import()?);
            } else if is_statement && token.is("export") {
                exports.extend(reader.export(&mut imports)?);
            } else {
                let (opens, closes) = (["{", "(", "["], ["}", ")", "]"]);
                depth += usize::from(
                    opens.iter().any(|sign| token.is(sign))
                        || token.kind == Kind::Template && token.text.ends_with("${"),
                );
                depth -= usize::from(
                    closes.iter().any(|sign| token.is(sign))
                        || token.kind == Kind::Template && token.text.starts_with('}'),
                )
                .min(depth);
                reader.kept.push(token.clone());
                reader.at += 1;
            }
        }
        let tokens = reader.kept;
        let names = names::find(&tokens);
        Ok(Self { path: path.to_owned(), tokens, names, imports, exports })
    }
}

struct Reader<'t, 's> {
    path: &'t str,
    tokens: &'t [Token<'s>],
    at: usize,
    kept: Vec<Token<'s>>,
}

/// A list in braces: what it is called before and after `as`.
type Pairs = Vec<(String, String)>;

impl Reader<'_, '_> {
    fn is_next(&self, text: &str) -> bool {
        self.tokens.get(self.at + 1).is_some_and(|token| token.is(text))
    }

    fn take(&mut self) -> Result<&str, BundleError> {
        let token = self.tokens.get(self.at).ok_or_else(|| BundleError::Unclosed(self.path.to_owned()))?;
        self.at += 1;
        Ok(&token.text)
    }

    fn unknown<T>(&self) -> Result<T, BundleError> {
        let from = self.at.saturating_sub(3);
        let near: Vec<_> = self.tokens.iter().skip(from).take(4).map(|token| &*token.text).collect();
        Err(BundleError::Unknown(self.path.to_owned(), near.join(" ")))
    }

    /// `import './a.js';` and `import { b, c as d } from './a.js';`
    fn import(&mut self) -> Result<Vec<(String, Source)>, BundleError> {
        self.at += 1;
        if self.tokens.get(self.at).is_some_and(|token| token.kind == Kind::String) {
            self.from()?;
            return Ok(Vec::new());
        }
        let pairs = self.pairs()?;
        if self.take()? != "from" {
            return self.unknown();
        }
        let path = self.from()?;
        Ok(pairs.into_iter().map(|(theirs, own)| (own, (path.clone(), theirs))).collect())
    }

    /// `export const a`, `export class B`, `export { c, d as e };` and the last with `from`.
    fn export(&mut self, imports: &mut BTreeMap<String, Source>) -> Result<Pairs, BundleError> {
        self.at += 1;
        let declares = self.tokens.get(self.at).is_some_and(|token| {
            ["const", "let", "class", "function", "async"].iter().any(|word| token.is(word))
        });
        if declares {
            let is_async = self.tokens[self.at].is("async");
            let name = self.tokens.get(self.at + 1 + usize::from(is_async));
            return match name.filter(|name| name.kind == Kind::Word) {
                Some(name) => Ok(vec![(name.text.to_string(), name.text.to_string())]),
                None => self.unknown(),
            };
        }
        let pairs = self.pairs()?;
        if self.tokens.get(self.at).is_some_and(|token| token.is("from")) {
            self.at += 1;
            let path = self.from()?;
            // Under a name that nothing else here can have.
            let pairs = pairs.into_iter().map(|(theirs, exported)| {
                let own = format!("{path} {theirs}");
                imports.insert(own.clone(), (path.clone(), theirs));
                (exported, own)
            });
            return Ok(pairs.collect());
        }
        if self.take()? != ";" {
            return self.unknown();
        }
        Ok(pairs.into_iter().map(|(own, exported)| (exported, own)).collect())
    }

    fn pairs(&mut self) -> Result<Pairs, BundleError> {
        if self.take()? != "{" {
            return self.unknown();
        }
        let mut pairs = Vec::new();
        loop {
            let first = self.take()?.to_owned();
            if first == "}" {
                return Ok(pairs);
            }
            let mut second = first.clone();
            if self.tokens.get(self.at).is_some_and(|token| token.is("as")) {
                self.at += 1;
                second = self.take()?.to_owned();
            }
            pairs.push((first, second));
            match self.take()? {
                "," => {}
                "}" => return Ok(pairs),
                _ => return self.unknown(),
            }
        }
    }

    /// The specifier and the semicolon behind it, as a path below the root.
    fn from(&mut self) -> Result<String, BundleError> {
        let specifier = self.take()?.trim_matches(['\'', '"']).to_owned();
        let path = pages::resolve(self.path, &specifier);
        match path {
            Some(path) if self.take()? == ";" => Ok(path),
            _ => self.unknown(),
        }
    }
}
