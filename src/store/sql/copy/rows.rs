//! Rows of any table as values that both databases have, read page by page in the order of their keys. Keys are compared
//! byte by byte and number by number in both, so that their orders are the same.

use futures_util::TryStreamExt as _;
use sqlx::{
    Arguments as _, AssertSqlSafe, Postgres, Row as _, Sqlite,
    postgres::{PgArguments, PgRow},
    sqlite::{SqliteArguments, SqliteRow},
};

use super::{
    super::conn::{Conn, Connected},
    catalog::{Column, Kind, Table, quoted},
};

/// The most bytes of texts and blobs that a page holds, but for its last row.
const PAGE_BYTES: usize = 4 << 20;

/// A value.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Cell {
    Null,
    /// A boolean is 0 or 1.
    Int(i64),
    Text(String),
    Bytes(Vec<u8>),
}

/// A row: a value for each column, or for each of the key.
pub(super) type Row = Vec<Cell>;

impl Cell {
    fn size(&self) -> usize {
        match self {
            Self::Null | Self::Int(_) => 0,
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
        }
    }

    /// Replaces what PostgreSQL's texts cannot hold by the character that stands for what could not be kept.
    fn without_nul(&mut self) {
        if let Self::Text(text) = self
            && text.contains('\0')
        {
            *text = text.replace('\0', "\u{fffd}");
        }
    }
}

/// Reads a table, or what of it lies behind a key.
pub(super) struct Cursor<'t> {
    table: &'t Table,
    after: Option<Row>,
    most: usize,
    /// How many rows the next page may have: fewer than `most` where rows are wide.
    limit: usize,
    without_nul: bool,
}

impl<'t> Cursor<'t> {
    /// Pages have `most` rows at most.
    pub(super) fn new(table: &'t Table, after: Option<Row>, most: usize, without_nul: bool) -> Self {
        Self { table, after, most, limit: most, without_nul }
    }

    /// The next page; an empty one is behind the last row.
    pub(super) async fn next(&mut self, conn: &mut Conn) -> Result<Vec<Row>, sqlx::Error> {
        let sql = select(self.table, self.after.is_some());
        let key = self.after.as_deref().unwrap_or_default();
        let mut page = read(conn, sql, &self.table.columns, key, self.limit).await?;
        self.limit = match page.len() < self.limit {
            true => page.len().max(1),
            false => self.most.min(self.limit * 2),
        };
        if let Some(last) = page.last() {
            self.after = Some(key_of(self.table, last));
        }
        if self.without_nul {
            page.iter_mut().flatten().for_each(Cell::without_nul);
        }
        Ok(page)
    }
}

/// A row's key.
pub(super) fn key_of(table: &Table, row: &[Cell]) -> Row {
    table.key.iter().map(|place| row[*place].clone()).collect()
}

/// The number of a table's rows.
pub(super) async fn count(conn: &mut Conn, table: &Table) -> Result<u64, sqlx::Error> {
    let sql = format!("select count(*) from {} where {} limit $1", table.quoted(), table.condition());
    let column = [Column { name: "count".to_owned(), kind: Kind::Int }];
    match read(conn, sql, &column, &[], 1).await?.first().map(Vec::as_slice) {
        Some([Cell::Int(count)]) => Ok(u64::try_from(*count).unwrap_or_default()),
        _ => Ok(0),
    }
}

/// The highest key that there is.
pub(super) async fn last_key(conn: &mut Conn, table: &Table) -> Result<Option<Row>, sqlx::Error> {
    let columns = table.key_columns();
    let list = |direction: &str| {
        let names = columns.iter().map(|column| quoted(&column.name) + direction);
        names.collect::<Vec<_>>().join(", ")
    };
    let (from, condition) = (table.quoted(), table.condition());
    let sql =
        format!("select {} from {from} where {condition} order by {} limit $1", list(""), list(" desc"));
    Ok(read(conn, sql, &columns, &[], 1).await?.pop())
}

/// The statement for a page: the values are those of the key, if it is not the first one, and the limit.
fn select(table: &Table, is_behind: bool) -> String {
    let names: Vec<_> = table.key_columns().iter().map(|column| quoted(&column.name)).collect();
    let (key, condition) = (names.join(", "), table.condition());
    let values = if is_behind { names.len() } else { 0 };
    let behind = match values {
        0 => String::new(),
        values => {
            let list: Vec<_> = (1..=values).map(|number| format!("${number}")).collect();
            format!("and ({key}) > ({})", list.join(", "))
        }
    };
    let (columns, from, limit) = (table.quoted_columns(), table.quoted(), values + 1);
    format!("select {columns} from {from} where {condition} {behind} order by {key} limit ${limit}")
}

/// Reads so many rows, or fewer when they are wide.
async fn read(
    conn: &mut Conn,
    sql: String,
    columns: &[Column],
    key: &[Cell],
    limit: usize,
) -> Result<Vec<Row>, sqlx::Error> {
    let sql = AssertSqlSafe(sql);
    let last = i64::try_from(limit).unwrap_or(i64::MAX);
    let (mut page, mut bytes) = (Vec::new(), 0);
    let mut take = |row: Row| {
        bytes += row.iter().map(Cell::size).sum::<usize>();
        page.push(row);
        bytes < PAGE_BYTES
    };
    match conn.connected() {
        Connected::Sqlite(conn) => {
            let mut values = in_sqlite(key.to_vec())?;
            values.add(last).map_err(sqlx::Error::Encode)?;
            let mut rows = sqlx::query_with::<Sqlite, _>(sql, values).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                if !take(of_sqlite(&row, columns)?) {
                    break;
                }
            }
        }
        Connected::Postgres(conn) => {
            let mut values = in_postgres(key)?;
            values.add(last).map_err(sqlx::Error::Encode)?;
            let mut rows = sqlx::query_with::<Postgres, _>(sql, values).fetch(conn);
            while let Some(row) = rows.try_next().await? {
                if !take(of_postgres(&row, columns)?) {
                    break;
                }
            }
        }
    }
    Ok(page)
}

/// A row's values for a statement.
pub(super) fn in_sqlite(row: Row) -> Result<SqliteArguments, sqlx::Error> {
    let mut values = SqliteArguments::default();
    for cell in row {
        match cell {
            Cell::Null => values.add(None::<i64>),
            Cell::Int(number) => values.add(number),
            Cell::Text(text) => values.add(text),
            Cell::Bytes(bytes) => values.add(bytes),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(values)
}

/// A key's values, of which none is null and none a boolean.
fn in_postgres(key: &[Cell]) -> Result<PgArguments, sqlx::Error> {
    let mut values = PgArguments::default();
    for cell in key {
        match cell {
            Cell::Null => values.add(None::<i64>),
            Cell::Int(number) => values.add(*number),
            Cell::Text(text) => values.add(text.as_str()),
            Cell::Bytes(bytes) => values.add(bytes.as_slice()),
        }
        .map_err(sqlx::Error::Encode)?;
    }
    Ok(values)
}

fn of_sqlite(row: &SqliteRow, columns: &[Column]) -> Result<Row, sqlx::Error> {
    let cell = |(at, column): (usize, &Column)| -> Result<Cell, sqlx::Error> {
        Ok(match column.kind {
            Kind::Int | Kind::Bool => row.try_get::<Option<i64>, _>(at)?.map_or(Cell::Null, Cell::Int),
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Cell::Null, Cell::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}

fn of_postgres(row: &PgRow, columns: &[Column]) -> Result<Row, sqlx::Error> {
    let cell = |(at, column): (usize, &Column)| -> Result<Cell, sqlx::Error> {
        Ok(match column.kind {
            Kind::Int => row.try_get::<Option<i64>, _>(at)?.map_or(Cell::Null, Cell::Int),
            Kind::Bool => {
                row.try_get::<Option<bool>, _>(at)?.map_or(Cell::Null, |flag| Cell::Int(flag.into()))
            }
            Kind::Text => row.try_get::<Option<String>, _>(at)?.map_or(Cell::Null, Cell::Text),
            Kind::Bytes => row.try_get::<Option<Vec<u8>>, _>(at)?.map_or(Cell::Null, Cell::Bytes),
        })
    };
    columns.iter().enumerate().map(cell).collect()
}
