//! Every statement of the store is one of the schema's, and returns what its caller reads.
//!
//! The statements are found in the sources, so that none can be forgotten: each is the literal after an
//! `sqlx::query…(`, or this test fails.

use std::{collections::BTreeMap, fs, path::Path};

use sqlx::{AssertSqlSafe, Column, SqlSafeStr, Statement as _};

use super::*;

/// Their statements are pragmas and transactions, which every test runs.
const WITHOUT_SENTENCES: [&str; 2] = ["open.rs", "writer.rs"];

/// A call of `sqlx::query`, `query_as` or `query_scalar`.
struct Call<'a> {
    /// File and what follows `sqlx::query`, to name it.
    place: String,
    sql: String,
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

fn sources() -> Vec<(String, String)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("src/store/sqlite");
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let files = entries.filter(|path| path.is_file() && !path.ends_with("tests.rs"));
    files
        .map(|path| {
            let source = fs::read_to_string(&path).unwrap();
            // A type that is imported is no statement.
            let source = source.lines().filter(|line| !line.starts_with("use sqlx::")).collect::<Vec<_>>();
            (path.file_name().unwrap().to_string_lossy().into_owned(), source.join("\n"))
        })
        .collect()
}

/// The statements of a source.
pub(super) fn of(file: &str) -> Vec<String> {
    let sources = sources();
    let of_file = sources.iter().filter(|(name, _)| name == file);
    of_file.flat_map(|(name, source)| calls(name, source)).map(|call| call.sql).collect()
}

/// The calls in a source.
fn calls<'a>(file: &str, source: &'a str) -> Vec<Call<'a>> {
    let mut rest = source.split("sqlx::query");
    rest.next();
    rest.map(|call| read(file, call)).collect()
}

fn read<'a>(file: &str, call: &'a str) -> Call<'a> {
    let place = format!("{file}: sqlx::query{}", call.lines().next().unwrap());
    let name = &call[..call.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap()];
    let (turbofish, arguments) = match call[name.len()..].strip_prefix("::<_, ") {
        Some(generic) => generic.split_once(">(").unwrap(),
        None => ("", &call[name.len() + 1..]),
    };
    let literal = arguments.trim_start().strip_prefix('"');
    let literal = literal.unwrap_or_else(|| panic!("{place} has no literal statement"));
    let sql = literal[..literal.find('"').unwrap()].replace(r"\\", r"\");
    let row = match (name, turbofish.strip_prefix('(')) {
        ("", _) => Row::None,
        ("_scalar", _) => Row::Columns(1),
        ("_as", Some(tuple)) => Row::Columns(tuple.split(", ").count()),
        ("_as", None) if !turbofish.is_empty() => Row::Struct(turbofish),
        _ => panic!("{place} does not name its row"),
    };
    Call { place, sql, row }
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

#[tokio::test]
async fn every_statement_is_one_of_the_schema_and_returns_what_is_read() {
    let (_store, folder) = fresh().await;
    let mut conn = raw(&folder.path().join("shop.db")).await;
    let sources = sources();
    let rows: String =
        sources.iter().filter(|(file, _)| file.ends_with("rows.rs")).map(|(_, source)| &**source).collect();
    let structs = structs(&rows);
    let mut prepared = 0;
    for (file, source) in &sources {
        if WITHOUT_SENTENCES.contains(&file.as_str()) {
            continue;
        }
        let others = source.replace("sqlx::query", "");
        for way in ["query(", "query::", "query_as", "query_scalar", "raw_sql", "QueryBuilder", "execute(\""]
        {
            assert!(!others.contains(way), "{file}: statements begin with sqlx::query, not with {way}");
        }
        for Call { place, sql, row } in calls(file, source) {
            assert!(
                !sql.replace("count(*)", "").replace("price * quantity", "").contains('*'),
                "{place}: columns are named"
            );
            let mut found = columns(&mut conn, &place, &sql).await;
            match row {
                Row::None => assert_eq!(found, [""; 0], "{place}: nobody reads this"),
                Row::Columns(count) => assert_eq!(found.len(), count, "{place} returns {found:?}"),
                Row::Struct(name) => {
                    let mut fields = structs[name].clone();
                    found.sort_unstable();
                    fields.sort_unstable();
                    assert_eq!(found, fields, "{place}");
                }
            }
            prepared += 1;
        }
    }
    assert!(prepared >= 30, "only {prepared} statements were found");
}
