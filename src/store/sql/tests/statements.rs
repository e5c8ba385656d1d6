//! Every statement of the store is one of the schema's, and returns what its caller reads.
//!
//! The statements are found in the sources, in all folders, so that none can be forgotten: each is the literal after a
//! `statement::query…(`, or two of them in an `either(`, or this test fails. One that only one database has is looked at there.

use std::{collections::BTreeMap, fs, path::Path};

use sqlx::{AssertSqlSafe, Column, SqlSafeStr, Statement as _};

use super::*;

/// Their statements are pragmas and transactions, which every test runs.
const WITHOUT_SENTENCES: [&str; 3] = ["conn.rs", "statement.rs", "writer.rs"];

/// What goes past `statement::query`: what is asked of a file of SQLite before it is a shop's, and statements that are made of a
/// schema while the program runs.
const BY_THEMSELVES: [&str; 3] = ["sqlite/", "copy/filling.rs", "copy/rows.rs"];

/// What only one database has a word for.
const OF_SQLITE: [&str; 1] = ["sqlite_"];
const OF_POSTGRES: [&str; 5] = ["pg_", "to_regclass", "current_setting", "newest_ids", "string_to_array"];

/// A call of `statement::query`, `query_as` or `query_scalar`.
pub(super) struct Call<'a> {
    /// File and what follows `statement::query`, to name it.
    pub(super) place: String,
    /// As SQLite reads it, unless only PostgreSQL has it.
    pub(super) sqlite: Option<String>,
    /// The other way round.
    pub(super) postgres: Option<String>,
    /// What a row is read as.
    row: Row<'a>,
}

enum Row<'a> {
    /// `query`: nothing is read.
    None,
    /// `query_scalar`, or `query_as` of a tuple: so many columns.
    Columns(usize),
    /// `query_as` of a struct: these columns.
    Struct(&'a str),
}

/// All sources but the tests', by their paths.
fn sources() -> Vec<(String, String)> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sql");
    let (mut folders, mut files) = (vec![root.clone()], Vec::new());
    while let Some(folder) = folders.pop() {
        for path in fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                let name = path.strip_prefix(&root).unwrap().to_string_lossy().into_owned();
                files.push((name, fs::read_to_string(&path).unwrap()));
            }
        }
    }
    files.retain(|(name, _)| !name.starts_with("tests"));
    files
}

/// The statements of a source, as SQLite reads them.
pub(super) fn of(file: &str) -> Vec<String> {
    let sources = sources();
    let of_file = sources.iter().filter(|(name, _)| name == file);
    of_file.flat_map(|(name, source)| calls(name, source)).filter_map(|call| call.sqlite).collect()
}

/// The calls in a source.
fn calls<'a>(file: &str, source: &'a str) -> Vec<Call<'a>> {
    let mut rest = source.split("statement::query");
    rest.next();
    rest.map(|call| read(file, call)).collect()
}

fn read<'a>(file: &str, call: &'a str) -> Call<'a> {
    let place = format!("{file}: statement::query{}", call.lines().next().unwrap());
    let name = &call[..call.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap()];
    let (turbofish, arguments) = match call[name.len()..].strip_prefix("::<") {
        Some(generic) => generic.split_once(">(").unwrap(),
        None => ("", &call[name.len() + 1..]),
    };
    let arguments = arguments.trim_start();
    let literal = |text: &str| {
        let text = text.strip_prefix('"').unwrap_or_else(|| panic!("{place} has no literal statement"));
        text[..text.find('"').unwrap()].replace(r"\\", r"\")
    };
    let (sqlite, postgres) = match arguments.strip_prefix("either(") {
        Some(both) => {
            let mut literals = both.trim_start().splitn(5, '"');
            let (first, second) = (literals.nth(1).unwrap(), literals.nth(1).unwrap());
            (Some(literal(&format!("\"{first}\""))), Some(literal(&format!("\"{second}\""))))
        }
        None => {
            let text = literal(arguments);
            let has_one_of = |words: &[&str]| words.iter().any(|word| text.contains(word));
            let (is_sqlites, is_postgres) = (has_one_of(&OF_SQLITE), has_one_of(&OF_POSTGRES));
            ((!is_postgres).then(|| text.clone()), (!is_sqlites).then(|| text.clone()))
        }
    };
    let row = match (name, turbofish.strip_prefix('(')) {
        ("", _) => Row::None,
        ("_scalar", _) => Row::Columns(1),
        ("_as", Some(tuple)) => Row::Columns(tuple.split(", ").count()),
        ("_as", None) if !turbofish.is_empty() => Row::Struct(turbofish),
        _ => panic!("{place} does not name its row"),
    };
    Call { place, sqlite, postgres, row }
}

/// The fields of every `FromRow` struct; those of a flattened one are its own.
fn structs(source: &str) -> BTreeMap<&str, Vec<&str>> {
    let mut found: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for text in source.split("#[derive(FromRow").skip(1) {
        let (name, body) = text.split_once("struct ").unwrap().1.split_once(" {").unwrap();
        let (mut fields, mut flat) = (Vec::new(), false);
        for line in body.split_once('}').unwrap().0.lines().map(str::trim) {
            let field = line.trim_start_matches("pub(super) ").trim_end_matches(',').split_once(": ");
            match field {
                Some((_, inner)) if flat => fields.extend(found[inner].clone()),
                Some((field, _)) => fields.push(field),
                None => {}
            }
            flat = line == "#[sqlx(flatten)]";
        }
        found.insert(name, fields);
    }
    found
}

/// The names of what a script returns: that of its last statement, the only one that may return something.
async fn columns(conn: &mut SqliteConnection, place: &str, script: &str) -> Vec<String> {
    let mut names = Vec::new();
    for sql in script.split(";\n") {
        assert!(names.is_empty(), "{place}: only the last statement of a script is read");
        let prepared = conn.prepare(AssertSqlSafe(sql).into_sql_str()).await;
        let prepared = prepared.unwrap_or_else(|error| panic!("{place}: {error}\n{sql}"));
        names = prepared.columns().iter().map(|column| column.name().to_owned()).collect();
    }
    names
}

/// The sentences of the sources, and the structs that rows are read as.
pub(super) struct Sentences {
    sources: Vec<(String, String)>,
}

impl Sentences {
    pub(super) fn new() -> Self {
        Self {
            sources: sources()
                .into_iter()
                .filter(|(file, _)| !WITHOUT_SENTENCES.contains(&&**file))
                .collect(),
        }
    }

    /// All of them.
    pub(super) fn all(&self) -> impl Iterator<Item = Call<'_>> {
        self.sources.iter().flat_map(|(file, source)| calls(file, source))
    }

    /// Checks that what statements return, by their names, is what their callers read.
    pub(super) fn check(&self, found: Vec<(Call<'_>, Vec<String>)>) {
        let rows: String = self
            .sources
            .iter()
            .filter(|(file, _)| file.ends_with("rows.rs"))
            .map(|(_, source)| &**source)
            .collect();
        let structs = structs(&rows);
        assert!(found.len() >= 30, "only {} statements were found", found.len());
        for (Call { place, row, .. }, mut found) in found {
            match row {
                // A function of PostgreSQL's that is called for what it does.
                Row::None if found == ["setval"] => {}
                Row::None => assert_eq!(found, [""; 0], "{place}: nobody reads this"),
                Row::Columns(count) => assert_eq!(found.len(), count, "{place} returns {found:?}"),
                Row::Struct(name) => {
                    let mut fields = structs[name].clone();
                    found.sort_unstable();
                    fields.sort_unstable();
                    assert_eq!(found, fields, "{place}");
                }
            }
        }
    }
}

#[test]
fn statements_are_found_and_name_their_columns() {
    let sentences = Sentences::new();
    let are_found = |file: &str| !BY_THEMSELVES.iter().any(|way| file.starts_with(way));
    for (file, source) in sentences.sources.iter().filter(|(file, _)| are_found(file)) {
        let others = source.replace("statement::query", "").replace("set_query(", "");
        for way in ["query(", "query::", "query_as", "query_scalar", "raw_sql", "QueryBuilder", "execute(\""]
        {
            assert!(!others.contains(way), "{file}: statements begin with statement::query, not with {way}");
        }
    }
    for Call { place, sqlite, postgres, .. } in sentences.all() {
        assert!(sqlite.is_some() || postgres.is_some(), "{place} is of both databases and of neither");
        for sql in [sqlite, postgres].into_iter().flatten() {
            let counted = sql.replace("count(*)", "").replace("price * quantity", "").replace(") * 1000", "");
            assert!(!counted.contains('*'), "{place}: columns are named");
        }
    }
}

#[tokio::test]
async fn every_statement_is_one_of_the_schema_and_returns_what_is_read() {
    let (_store, folder) = fresh().await;
    let mut conn = raw(&folder.path().join("shop.db")).await;
    let sentences = Sentences::new();
    let mut found = Vec::new();
    for call in sentences.all() {
        if let Some(sql) = &call.sqlite {
            let names = columns(&mut conn, &call.place, sql).await;
            found.push((call, names));
        }
    }
    sentences.check(found);
}

#[test]
fn statements_are_found_in_all_folders() {
    let sentences = Sentences::new();
    for folder in ["copy/", "postgres/"] {
        assert!(sentences.all().any(|call| call.place.starts_with(folder)), "{folder} has none");
    }
}
