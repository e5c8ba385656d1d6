//! The highest number that each table ever gave to a row: those of rows that are gone are not given again in the copy either.

use std::collections::BTreeMap;

use super::{
    super::{
        conn::{Conn, Connected},
        statement::{self, either},
    },
    catalog::Table,
    rows::{self, Cell},
};

/// The highest numbers, by table.
pub(super) type Numbers = BTreeMap<String, i64>;

/// Reads them from where the database keeps them.
pub(super) async fn given(conn: &mut Conn) -> Result<Numbers, sqlx::Error> {
    let found = statement::query_as::<(String, i64)>(either(
        "select name, seq
         from sqlite_sequence",
        "select tables.relname::text, coalesce(pg_sequence_last_value(sequences.oid::regclass), 0)
         from pg_class as sequences
             join pg_depend as links on links.objid = sequences.oid and links.deptype in ('a', 'i')
             join pg_class as tables on tables.oid = links.refobjid
         where
             sequences.relkind = 'S' and tables.relnamespace = current_schema()::text::regnamespace
         union all
         select of_table, newest
         from newest_ids",
    ))
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().collect())
}

/// Has the target go on from there, and from what its rows have: not every database keeps the number of every table.
pub(super) async fn carry_on(
    conn: &mut Conn,
    tables: &[Table],
    numbers: &Numbers,
) -> Result<(), sqlx::Error> {
    let counting = counting(conn).await?;
    for table in tables {
        let kept = numbers.get(&table.name).copied();
        let is_counting = counting.contains(&table.name);
        if kept.is_none() && !is_counting {
            continue;
        }
        let there = match rows::last_key(conn, table).await?.as_deref() {
            Some([Cell::Int(number)]) => *number,
            _ => 0,
        };
        let highest = kept.unwrap_or_default().max(there);
        match conn.connected() {
            _ if highest == 0 => {}
            Connected::Sqlite(_) if is_counting => in_sqlite(conn, &table.name, highest).await?,
            // A table without numbers that are never given again.
            Connected::Sqlite(_) => {}
            Connected::Postgres(_) if is_counting => sequence(conn, &table.name, highest).await?,
            Connected::Postgres(_) => newest_id(conn, &table.name, highest).await?,
        }
    }
    Ok(())
}

/// The tables whose numbers SQLite keeps, or PostgreSQL's sequences. (Comments are a part of what SQLite keeps of a table.)
async fn counting(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(either(
        "select name
         from sqlite_schema
         where type = 'table' and sql like '%primary key autoincrement%'",
        "select tables.relname::text
         from pg_class as tables join pg_attribute as columns on columns.attrelid = tables.oid
         where
             tables.relnamespace = current_schema()::text::regnamespace and columns.attidentity <> ''",
    ))
    .fetch_all(conn)
    .await
}

/// SQLite made the row when the first one came; without rows there is none, though numbers may have been given.
async fn in_sqlite(conn: &mut Conn, table: &str, highest: i64) -> Result<(), sqlx::Error> {
    let changed = statement::query("update sqlite_sequence set seq = $2 where name = $1")
        .bind(table)
        .bind(highest)
        .execute(conn)
        .await?;
    if changed.rows_affected() == 0 {
        statement::query("insert into sqlite_sequence (name, seq) values ($1, $2)")
            .bind(table)
            .bind(highest)
            .execute(conn)
            .await?;
    }
    Ok(())
}

async fn sequence(conn: &mut Conn, table: &str, highest: i64) -> Result<(), sqlx::Error> {
    statement::query(
        "select setval(sequences.oid::regclass, $2)
         from pg_class as sequences
             join pg_depend as links on links.objid = sequences.oid and links.deptype in ('a', 'i')
             join pg_class as tables on tables.oid = links.refobjid
         where
             sequences.relkind = 'S' and tables.relname = $1
             and tables.relnamespace = current_schema()::text::regnamespace",
    )
    .bind(table)
    .bind(highest)
    .execute(conn)
    .await
    .map(drop)
}

async fn newest_id(conn: &mut Conn, table: &str, highest: i64) -> Result<(), sqlx::Error> {
    statement::query(
        "insert into newest_ids (of_table, newest)
         values ($1, $2)
         on conflict (of_table) do update set newest = excluded.newest",
    )
    .bind(table)
    .bind(highest)
    .execute(conn)
    .await
    .map(drop)
}
