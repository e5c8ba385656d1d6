//! The tables of a database as its own catalog has them, so that none can be forgotten, and whether two databases have the
//! same ones.

use std::collections::{BTreeMap, BTreeSet};

use super::{
    super::{
        conn::Conn,
        postgres::open::USABLE_FROM,
        statement::{self, either},
        token_key,
    },
    errors::{CopyError, not_read},
    mark::MARK,
};

/// What is not copied: each database counts its own migrations; the newest ids of PostgreSQL are the numbers that
/// `numbers` carries on; leases hold for seconds, and nobody works for a shop that is being copied.
const APART: [&str; 3] = ["_sqlx_migrations", "newest_ids", "leases"];

/// The kinds of values that columns have.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Int,
    Text,
    Bytes,
    /// In SQLite a number, 0 or 1.
    Bool,
}

impl Kind {
    /// By its name in either database.
    fn of(name: &str) -> Option<Self> {
        match name {
            "integer" | "bigint" => Some(Self::Int),
            "text" => Some(Self::Text),
            "blob" | "bytea" => Some(Self::Bytes),
            "boolean" => Some(Self::Bool),
            _ => None,
        }
    }

    /// The one kind of a column that is of these in the two databases.
    fn common(self, other: Self) -> Option<Self> {
        match (self, other) {
            (Self::Int, Self::Bool) | (Self::Bool, Self::Int) => Some(Self::Bool),
            (one, other) => (one == other).then_some(one),
        }
    }
}

/// A column.
#[derive(Clone, Debug)]
pub(super) struct Column {
    pub(super) name: String,
    pub(super) kind: Kind,
}

/// A table that both databases have.
#[derive(Debug)]
pub(super) struct Table {
    pub(super) name: String,
    pub(super) columns: Vec<Column>,
    /// Its primary key, as places among the columns.
    pub(super) key: Vec<usize>,
    /// What keeps the target's triggers from adding rows that are copied themselves, and what ends that.
    pub(super) before: Vec<String>,
    pub(super) after: Vec<String>,
}

impl Table {
    /// As statements name it.
    pub(super) fn quoted(&self) -> String {
        quoted(&self.name)
    }

    /// Its columns, as statements name them.
    pub(super) fn quoted_columns(&self) -> String {
        self.columns.iter().map(|column| quoted(&column.name)).collect::<Vec<_>>().join(", ")
    }

    /// The columns of its key, in the key's order.
    pub(super) fn key_columns(&self) -> Vec<Column> {
        self.key.iter().map(|place| self.columns[*place].clone()).collect()
    }

    /// Which rows are the shop's. Of the settings the mark is the copy's own, those of versions are the database's, and the
    /// key of the log-in tokens may be a file.
    pub(super) fn condition(&self) -> String {
        match &*self.name {
            "settings" => {
                let others = [MARK, token_key::ROW, USABLE_FROM, "text_rules"];
                format!("key not in ('{}')", others.join("', '"))
            }
            _ => "true".to_owned(),
        }
    }

    /// Whether a database is made with rows in it.
    pub(super) fn is_born_filled(&self) -> bool {
        self.name == "order_log"
    }
}

/// A name as both databases take it.
pub(super) fn quoted(name: &str) -> String {
    format!("\"{name}\"")
}

/// The tables of one database.
#[derive(Default)]
pub(super) struct Catalog(BTreeMap<String, Found>);

#[derive(Default)]
struct Found {
    /// By name: of which kind, and at which place of the primary key, from 1.
    columns: BTreeMap<String, (Kind, i64)>,
    refers_to: BTreeSet<String>,
    before: Vec<String>,
    after: Vec<String>,
}

impl Catalog {
    /// Reads a database's catalog.
    pub(super) async fn read(conn: &mut Conn) -> Result<Self, CopyError> {
        let mut catalog = Self::default();
        for (table, column, kind, place) in columns(conn).await.map_err(not_read("the tables"))? {
            if APART.contains(&&*table) {
                continue;
            }
            let known = Kind::of(&kind);
            let kind =
                known.ok_or_else(|| CopyError::Schema(format!("{table}.{column} is of type {kind}")))?;
            catalog.0.entry(table).or_default().columns.insert(column, (kind, place));
        }
        for (table, other) in references(conn).await.map_err(not_read("the references"))? {
            if let Some(found) = catalog.0.get_mut(&table) {
                found.refers_to.insert(other);
            }
        }
        for (table, before, after) in triggers(conn).await.map_err(not_read("the triggers"))? {
            if let Some(found) = catalog.0.get_mut(&table) {
                found.before.push(before);
                found.after.push(after);
            }
        }
        Ok(catalog)
    }
}

/// Table, column, type, place in the primary key.
async fn columns(conn: &mut Conn) -> Result<Vec<(String, String, String, i64)>, sqlx::Error> {
    statement::query_as::<(String, String, String, i64)>(either(
        "select tables.name, columns.name, lower(columns.type), columns.pk
         from sqlite_schema as tables join pragma_table_info(tables.name) as columns
         where tables.type = 'table' and tables.name not like 'sqlite!_%' escape '!'",
        "select
             tables.relname::text, columns.attname::text, format_type(columns.atttypid, null),
             coalesce(
                 (
                     select part.place
                     from pg_index as keys
                         cross join unnest(keys.indkey::int2[]) with ordinality as part (attnum, place)
                     where
                         keys.indrelid = tables.oid and keys.indisprimary and part.attnum = columns.attnum
                 ),
                 0
             )
         from pg_class as tables join pg_attribute as columns on columns.attrelid = tables.oid
         where
             tables.relnamespace = current_schema()::text::regnamespace and tables.relkind = 'r'
             and columns.attnum > 0 and not columns.attisdropped",
    ))
    .fetch_all(conn)
    .await
}

/// Table, and another that it refers to.
async fn references(conn: &mut Conn) -> Result<Vec<(String, String)>, sqlx::Error> {
    statement::query_as::<(String, String)>(either(
        "select tables.name, keys.[table]
         from sqlite_schema as tables join pragma_foreign_key_list(tables.name) as keys
         where tables.type = 'table'",
        "select tables.relname::text, others.relname::text
         from pg_constraint as keys
             join pg_class as tables on tables.oid = keys.conrelid
             join pg_class as others on others.oid = keys.confrelid
         where keys.contype = 'f' and tables.relnamespace = current_schema()::text::regnamespace",
    ))
    .fetch_all(conn)
    .await
}

/// Table, what disarms triggers of it, and what arms them again. SQLite can only forget them; both are undone with their
/// transaction.
async fn triggers(conn: &mut Conn) -> Result<Vec<(String, String, String)>, sqlx::Error> {
    statement::query_as::<(String, String, String)>(either(
        "select tbl_name, 'drop trigger [' || name || ']', sql
         from sqlite_schema
         where type = 'trigger'",
        "select distinct
             tables.relname::text,
             'alter table ' || quote_ident(tables.relname) || ' disable trigger user',
             'alter table ' || quote_ident(tables.relname) || ' enable trigger user'
         from pg_trigger as triggers join pg_class as tables on tables.oid = triggers.tgrelid
         where
             not triggers.tgisinternal and tables.relnamespace = current_schema()::text::regnamespace",
    ))
    .fetch_all(conn)
    .await
}

/// The tables of both databases, each behind those that it refers to.
pub(super) fn agree(source: Catalog, mut target: Catalog) -> Result<Vec<Table>, CopyError> {
    let differs = |what: String| Err(CopyError::Schema(what));
    let (mut tables, mut waiting) = (Vec::new(), BTreeMap::new());
    for (name, found) in source.0 {
        let Some(other) = target.0.remove(&name) else {
            return differs(format!("the target has no table {name}"));
        };
        let refers_to: BTreeSet<_> = found.refers_to.union(&other.refers_to).cloned().collect();
        waiting.insert(name.clone(), (refers_to, table(name, found, other)?));
    }
    if let Some(name) = target.0.keys().next() {
        return differs(format!("the source has no table {name}"));
    }
    while !waiting.is_empty() {
        let is_free = |name: &String, refers_to: &BTreeSet<String>| {
            refers_to.iter().all(|other| other == name || !waiting.contains_key(other))
        };
        let next = waiting.iter().find(|(name, (refers_to, _))| is_free(name, refers_to));
        let Some(next) = next.map(|(name, _)| name.clone()) else {
            return differs("some refer to each other in a circle".to_owned());
        };
        tables.extend(waiting.remove(&next).map(|(_, table)| table));
    }
    Ok(tables)
}

fn table(name: String, source: Found, mut target: Found) -> Result<Table, CopyError> {
    let (mut columns, mut key) = (Vec::new(), Vec::new());
    for (column, (kind, place)) in source.columns {
        let other = target.columns.remove(&column);
        let common = other.and_then(|(other, at)| kind.common(other).filter(|_| at == place));
        let Some(kind) = common else {
            return Err(CopyError::Schema(format!("{name}.{column} is not the same in both")));
        };
        if place > 0 {
            key.push((place, columns.len()));
        }
        columns.push(Column { name: column, kind });
    }
    if let Some(column) = target.columns.keys().next() {
        return Err(CopyError::Schema(format!("the source has no {name}.{column}")));
    }
    if key.is_empty() {
        return Err(CopyError::Schema(format!("{name} has no primary key")));
    }
    key.sort_unstable();
    let key = key.into_iter().map(|(_, place)| place).collect();
    Ok(Table { name, columns, key, before: target.before, after: target.after })
}
