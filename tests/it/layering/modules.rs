//! The modules of a crate, and which of them uses items of which. It reads `use` declarations, with groups, aliases,
//! globs and re-exports, paths within code, and calls of a type's own methods that another module adds to it. It does not
//! know types: of other method calls it sees the `use` or the path that brought the type in.

use std::{
    collections::{BTreeMap, BTreeSet},
    fs, iter,
    path::{Path, PathBuf},
};

/// The names from the crate's root down to a module or an item.
pub type Names = Vec<String>;

/// All modules of a crate.
pub struct Modules(BTreeMap<Names, Module>);

/// One file.
pub struct Module {
    /// Relative to the root of the crate.
    pub file: String,
    /// As it is written.
    pub text: String,
    /// What it defines itself, but for what is inside of its items.
    items: BTreeSet<String>,
    imports: Vec<Import>,
    /// Paths in the code, as written.
    paths: Vec<Names>,
    /// All names in the code outside of `use` declarations.
    names: BTreeSet<String>,
    /// Methods that it adds to types of its own or of other modules, with the type as written.
    methods: Vec<(Names, String)>,
    /// Methods that are called on `self`.
    self_calls: BTreeSet<String>,
}

/// One name that a `use` declaration brings in.
struct Import {
    /// How it is called here; `*` for a glob.
    name: String,
    /// As it is written.
    path: Names,
    is_public: bool,
}

impl Modules {
    /// The files of a folder, without those that hold tests.
    pub fn read(root: &Path) -> Self {
        fn walk(folder: &Path, found: &mut Vec<PathBuf>) {
            for entry in fs::read_dir(folder).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() {
                    walk(&path, found);
                } else if path.extension().is_some_and(|extension| extension == "rs") {
                    found.push(path);
                }
            }
        }
        let mut paths = Vec::new();
        walk(root, &mut paths);
        Self::of(paths.iter().filter_map(|path| {
            let file = path.strip_prefix(root).unwrap().to_str().unwrap();
            (!file.contains("tests")).then(|| (file.to_owned(), fs::read_to_string(path).unwrap()))
        }))
    }

    /// These files, by their paths.
    pub fn of(files: impl IntoIterator<Item = (String, String)>) -> Self {
        let module = |(file, text): (String, String)| {
            let mut names: Names = file.strip_suffix(".rs").unwrap().split('/').map(str::to_owned).collect();
            names.pop_if(|last| last == "mod" || last == "lib");
            (names, Module::parse(file, text))
        };
        Self(files.into_iter().map(module).collect())
    }

    pub fn iter(&self) -> impl Iterator<Item = (&Names, &Module)> {
        self.0.iter()
    }

    /// Every path of a module, from the crate's root or else from the name of another crate.
    pub fn references(&self, module: &Names) -> Vec<Reference> {
        let of = &self.0[module];
        let imports = of.imports.iter().map(|import| &import.path);
        imports.chain(&of.paths).filter_map(|path| self.reference(module, path)).collect()
    }

    /// The modules that define what a module uses. What it re-exports counts only when it uses that itself.
    pub fn used_by(&self, module: &Names) -> BTreeSet<Names> {
        let of = &self.0[module];
        let named = |import: &Import| match import.name.as_str() {
            "*" => {
                of.names.iter().map(|name| [&import.path[..], std::slice::from_ref(name)].concat()).collect()
            }
            name if import.is_public && !of.names.contains(name) => Vec::new(),
            _ => vec![import.path.clone()],
        };
        let imported = of.imports.iter().flat_map(named);
        let used = imported.chain(of.paths.iter().cloned()).filter_map(|path| {
            match self.reference(module, &path)? {
                Reference::Here(names) => self.defining(&names, 0),
                Reference::Elsewhere(_) => None,
            }
        });
        used.chain(self.extending(module)).filter(|used| used != module).collect()
    }

    /// The modules whose methods a module's own types call on themselves.
    fn extending(&self, module: &Names) -> impl Iterator<Item = Names> {
        let calls = &self.0[module].self_calls;
        self.0.iter().flat_map(move |(other, of)| {
            let called = of.methods.iter().filter(move |(of_type, name)| {
                calls.contains(name)
                    && matches!(self.reference(other, of_type), Some(Reference::Here(names))
                        if self.defining(&names, 0).as_ref() == Some(module))
            });
            called.map(move |_| other.clone())
        })
    }

    fn reference(&self, module: &Names, path: &[String]) -> Option<Reference> {
        self.absolute(module, path, 0)
    }

    /// A path in a module from the root down.
    fn absolute(&self, module: &Names, path: &[String], depth: usize) -> Option<Reference> {
        let (first, rest) = path.split_first()?;
        let here = |mut base: Names| {
            base.extend_from_slice(rest);
            Some(Reference::Here(base))
        };
        match first.as_str() {
            _ if depth > 16 => None,
            "crate" | "shopbell" | "shopbell_bench" => here(Names::new()),
            "self" => here(module.clone()),
            "super" => {
                let parent = module[..module.len().checked_sub(1)?].to_vec();
                let from_parent: Names = iter::once("self".to_owned()).chain(rest.iter().cloned()).collect();
                match rest.first().map(String::as_str) {
                    Some("super") => self.absolute(&parent, rest, depth + 1),
                    _ => self.absolute(&parent, &from_parent, depth + 1),
                }
            }
            _ => {
                let imports = &self.0[module].imports;
                if let Some(import) =
                    imports.iter().find(|import| import.name == *first && import.path != path)
                {
                    let whole = [&import.path[..], rest].concat();
                    return self.absolute(module, &whole, depth + 1);
                }
                let child = [&module[..], std::slice::from_ref(first)].concat();
                if self.0.contains_key(&child) {
                    return here(child);
                }
                (!self.0[module].items.contains(first)).then(|| Reference::Elsewhere(first.clone()))
            }
        }
    }

    /// The module that defines an item, through re-exports; nothing for a module itself.
    fn defining(&self, names: &[String], depth: usize) -> Option<Names> {
        let end = (0..=names.len()).rev().find(|&end| self.0.contains_key(&names[..end]))?;
        let (module, rest) = (names[..end].to_vec(), &names[end..]);
        let item = rest.first()?;
        let of = &self.0[&module];
        if of.items.contains(item) || depth > 16 {
            return Some(module);
        }
        let reexported = of.imports.iter().filter(|import| import.name == *item || import.name == "*");
        reexported
            .filter_map(|import| {
                let skip = usize::from(import.name != "*");
                let whole = [&import.path[..], &rest[skip..]].concat();
                match self.absolute(&module, &whole, depth)? {
                    Reference::Here(names) => self.defining(&names, depth + 1),
                    Reference::Elsewhere(_) => None,
                }
            })
            .next()
    }

    /// The circles among modules: for each use that lies on one, the shortest.
    pub fn circles(&self) -> BTreeSet<String> {
        let used: BTreeMap<&Names, BTreeSet<Names>> =
            self.0.keys().map(|module| (module, self.used_by(module))).collect();
        let mut circles = BTreeSet::new();
        for (from, to) in used.iter().flat_map(|(from, used)| used.iter().map(move |to| (*from, to))) {
            let Some(mut circle) = way(&used, to, from) else { continue };
            let least = circle.iter().enumerate().min_by_key(|(_, module)| *module).unwrap().0;
            circle.rotate_left(least);
            circle.push(circle[0].clone());
            let files: Vec<_> = circle.iter().map(|module| self.0[module].file.as_str()).collect();
            circles.insert(files.join(" → "));
        }
        circles
    }
}

/// The shortest way from one module to another, both included.
fn way(used: &BTreeMap<&Names, BTreeSet<Names>>, from: &Names, to: &Names) -> Option<Vec<Names>> {
    let mut came_from: BTreeMap<&Names, &Names> = BTreeMap::from([(from, from)]);
    let mut open = std::collections::VecDeque::from([from]);
    while let Some(module) = open.pop_front() {
        if module == to {
            let back = iter::successors(Some(module), |&at| (at != from).then(|| came_from[at]));
            let mut way: Vec<Names> = back.cloned().collect();
            way.reverse();
            return Some(way);
        }
        for next in used.get(module).into_iter().flatten() {
            if !came_from.contains_key(next) {
                came_from.insert(next, module);
                open.push_back(next);
            }
        }
    }
    None
}

/// What a path leads to.
pub enum Reference {
    /// Names of this crate.
    Here(Names),
    /// Another crate, or a name of the language.
    Elsewhere(String),
}

impl Module {
    fn parse(file: String, text: String) -> Self {
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap();
        let tokens = tokens(code);
        let mut parser = Parser { tokens: &tokens, at: 0 };
        let mut module = Self {
            file,
            items: BTreeSet::new(),
            imports: Vec::new(),
            paths: Vec::new(),
            names: BTreeSet::new(),
            methods: Vec::new(),
            self_calls: BTreeSet::new(),
            text: String::new(),
        };
        let mut depth = 0;
        let mut extended = None;
        while let Some(token) = parser.next() {
            match token {
                "{" => depth += 1,
                "}" => depth -= 1,
                "use" if parser.peek() != Some("<") => {
                    let is_public = parser.at > 1 && [")", "pub"].contains(&tokens[parser.at - 2].as_str());
                    parser.tree(&mut Names::new(), &mut |name, path| {
                        module.imports.push(Import { name, path, is_public });
                    });
                }
                "struct" | "enum" | "trait" | "fn" | "const" | "static" | "type" | "macro_rules" => {
                    if depth == 0 {
                        parser.next_if("!");
                        module.items.extend(parser.peek().map(str::to_owned));
                    } else if depth == 1
                        && token == "fn"
                        && let (Some(extended), Some(name)) = (&extended, parser.peek())
                    {
                        module.methods.push((Names::clone(extended), name.to_owned()));
                    }
                }
                "impl" if depth == 0 => extended = parser.extended(),
                "self" if parser.peek() == Some(".") => {
                    module.self_calls.extend(tokens.get(parser.at + 1).cloned());
                }
                name if is_name(name) => {
                    let path = parser.path(name);
                    module.names.extend(path.first().cloned());
                    if path.len() > 1 {
                        module.paths.push(path);
                    }
                }
                _ => {}
            }
        }
        module.text = text;
        module
    }
}

#[derive(Clone, Copy)]
struct Parser<'a> {
    tokens: &'a [String],
    at: usize,
}

impl<'a> Parser<'a> {
    fn peek(&self) -> Option<&'a str> {
        self.tokens.get(self.at).map(String::as_str)
    }

    fn next(&mut self) -> Option<&'a str> {
        let token = self.peek()?;
        self.at += 1;
        Some(token)
    }

    fn next_if(&mut self, wanted: &str) -> bool {
        let found = self.peek() == Some(wanted);
        self.at += usize::from(found);
        found
    }

    /// A path whose first name was read.
    fn path(&mut self, first: &str) -> Names {
        let mut path = vec![first.to_owned()];
        while self.peek() == Some("::") && self.tokens.get(self.at + 1).is_some_and(|name| is_name(name)) {
            path.push(self.tokens[self.at + 1].clone());
            self.at += 2;
        }
        path
    }

    /// The type to which an `impl` adds methods of its own; nothing when it implements a trait.
    fn extended(mut self) -> Option<Names> {
        self.skip_generics();
        let first = self.next()?;
        let path = self.path(first);
        self.skip_generics();
        (self.peek() != Some("for")).then_some(path)
    }

    fn skip_generics(&mut self) {
        let mut depth = 0;
        while let Some(token) = self.peek() {
            match token {
                "<" => depth += 1,
                ">" if self.tokens[self.at - 1] != "-" => depth -= 1,
                _ if depth == 0 => return,
                _ => {}
            }
            self.at += 1;
        }
    }

    /// A tree of a `use` declaration, below a path.
    fn tree(&mut self, path: &mut Names, leaf: &mut impl FnMut(String, Names)) {
        let depth = path.len();
        while let Some(token) = self.next() {
            match token {
                "::" => {}
                "{" => {
                    while !self.next_if("}") {
                        self.tree(path, leaf);
                        self.next_if(",");
                    }
                    break;
                }
                "*" => {
                    leaf("*".to_owned(), path.clone());
                    break;
                }
                "as" => {
                    leaf(self.next().unwrap().to_owned(), path.clone());
                    break;
                }
                // A group may name the module itself.
                "self" if depth > 0 && path.len() == depth => {}
                name => path.push(name.to_owned()),
            }
            if token != "::" && !["::", "as"].contains(&self.peek().unwrap_or_default()) {
                leaf(path.last().unwrap().clone(), path.clone());
                break;
            }
        }
        path.truncate(depth);
    }
}

fn is_name(token: &str) -> bool {
    token.starts_with(|c: char| c.is_alphabetic() || c == '_')
}

/// Names, `::` and single characters, without comments, strings and characters.
fn tokens(code: &str) -> Vec<String> {
    let mut tokens = Vec::new();
    let mut rest = code;
    while let Some(first) = rest.chars().next() {
        let length = if rest.starts_with("//") {
            rest.find('\n').unwrap_or(rest.len())
        } else if let Some(length) = string(rest).or_else(|| character(rest)) {
            length
        } else if is_name(rest) {
            rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len())
        } else if rest.starts_with("::") {
            2
        } else {
            first.len_utf8()
        };
        let (token, after) = rest.split_at(length);
        if token == "::"
            || is_name(token) && string(rest).is_none()
            || token.len() == 1 && !first.is_whitespace()
        {
            tokens.push(token.to_owned());
        }
        rest = after;
    }
    tokens
}

/// The length of the string literal at the beginning.
fn string(code: &str) -> Option<usize> {
    let quote = code.find('"')?;
    let prefix = &code[..quote];
    let hashes = prefix.trim_start_matches(['b', 'c', 'r']);
    if prefix.len() > 8 || !hashes.chars().all(|c| c == '#') {
        return None;
    }
    let body = quote + 1;
    if prefix.contains('r') {
        let end = format!("\"{hashes}");
        return Some(body + code[body..].find(&end)? + end.len());
    }
    let mut escaped = false;
    let end = code[body..].find(|c| {
        let ends = c == '"' && !escaped;
        escaped = c == '\\' && !escaped;
        ends
    });
    Some(body + end? + 1)
}

/// The length of the character literal at the beginning; a lifetime is none.
fn character(code: &str) -> Option<usize> {
    let body = code.strip_prefix("b'").or_else(|| code.strip_prefix('\''))?;
    let begin = code.len() - body.len();
    let mut chars = body.char_indices();
    match chars.next()?.1 {
        '\\' => {
            chars.next();
            Some(begin + chars.find(|(_, c)| *c == '\'')?.0 + 1)
        }
        _ => chars.next().filter(|(_, c)| *c == '\'').map(|(at, _)| begin + at + 1),
    }
}
