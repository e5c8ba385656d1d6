//! Rows of any table, written a batch at a time.

use std::sync::Arc;

use sqlx::{Arguments as _, AssertSqlSafe, PgConnection, SqliteConnection, postgres::PgArguments};

use super::{
    super::conn::{Conn, Connected},
    catalog::{Column, Kind, Table},
    rows::{Cell, Row, in_sqlite},
};

/// Writes rows in one transaction, in which the table's triggers do nothing: what they would write is copied, too.
pub(super) async fn insert(conn: &mut Conn, table: &Table, rows: Vec<Row>) -> Result<(), sqlx::Error> {
    conn.begin_writing().await?;
    let done = disarmed(conn, table, rows).await;
    let ended = conn.script(if done.is_ok() { "commit" } else { "rollback" }).await;
    // The first cause counts: where the disk is full, SQLite has rolled back all by itself.
    done.and(ended)
}

async fn disarmed(conn: &mut Conn, table: &Table, rows: Vec<Row>) -> Result<(), sqlx::Error> {
    for sql in &table.before {
        run(conn, sql.clone()).await?;
    }
    match conn.connected() {
        Connected::Sqlite(conn) => one_by_one(conn, table, rows).await?,
        Connected::Postgres(conn) => at_once(conn, table, &rows).await?,
    }
    for sql in &table.after {
        run(conn, sql.clone()).await?;
    }
    Ok(())
}

/// Has PostgreSQL look at the tables, so that its plans are not those of empty ones.
pub(super) async fn analyze(conn: &mut Conn, tables: &[Table]) -> Result<(), sqlx::Error> {
    if let Connected::Postgres(_) = conn.connected() {
        for table in tables {
            run(conn, format!("analyze {}", table.quoted())).await?;
        }
    }
    Ok(())
}

async fn run(conn: &mut Conn, sql: String) -> Result<(), sqlx::Error> {
    match conn.connected() {
        Connected::Sqlite(conn) => {
            sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(conn).await.map(drop)
        }
        Connected::Postgres(conn) => {
            sqlx::query(AssertSqlSafe(sql)).persistent(false).execute(conn).await.map(drop)
        }
    }
}

/// SQLite is in this process: a row costs no trip.
async fn one_by_one(conn: &mut SqliteConnection, table: &Table, rows: Vec<Row>) -> Result<(), sqlx::Error> {
    let values: Vec<_> = (1..=table.columns.len()).map(|number| format!("${number}")).collect();
    let (into, columns, values) = (table.quoted(), table.quoted_columns(), values.join(", "));
    let sql: Arc<str> = format!("insert into {into} ({columns}) values ({values})").into();
    for row in rows {
        sqlx::query_with(AssertSqlSafe(Arc::clone(&sql)), in_sqlite(row)?).execute(&mut *conn).await?;
    }
    Ok(())
}

/// One statement for all rows: each parameter is an array, a column's values.
async fn at_once(conn: &mut PgConnection, table: &Table, rows: &[Row]) -> Result<(), sqlx::Error> {
    let mut values = PgArguments::default();
    let mut arrays = Vec::with_capacity(table.columns.len());
    for (place, column) in table.columns.iter().enumerate() {
        let kind =
            add(&mut values, column, rows.iter().map(|row| &row[place])).map_err(sqlx::Error::Encode)?;
        arrays.push(format!("${}::{kind}[]", place + 1));
    }
    let (into, columns, arrays) = (table.quoted(), table.quoted_columns(), arrays.join(", "));
    let sql = format!("insert into {into} ({columns}) select * from unnest({arrays})");
    sqlx::query_with(AssertSqlSafe(sql), values).execute(conn).await.map(drop)
}

/// Adds a column's values, and returns the name of their type.
fn add<'r>(
    values: &mut PgArguments,
    column: &Column,
    cells: impl Iterator<Item = &'r Cell>,
) -> Result<&'static str, sqlx::error::BoxDynError> {
    let int = |cell: &Cell| if let Cell::Int(number) = cell { Some(*number) } else { None };
    match column.kind {
        Kind::Int => {
            values.add(cells.map(int).collect::<Vec<_>>())?;
            Ok("bigint")
        }
        Kind::Bool => {
            values.add(cells.map(|cell| int(cell).map(|number| number != 0)).collect::<Vec<_>>())?;
            Ok("boolean")
        }
        Kind::Text => {
            let text = |cell: &'r Cell| if let Cell::Text(text) = cell { Some(text.as_str()) } else { None };
            values.add(cells.map(text).collect::<Vec<_>>())?;
            Ok("text")
        }
        Kind::Bytes => {
            let bytes = |cell: &'r Cell| if let Cell::Bytes(bytes) = cell { Some(&**bytes) } else { None };
            values.add(cells.map(bytes).collect::<Vec<Option<&[u8]>>>())?;
            Ok("bytea")
        }
    }
}
