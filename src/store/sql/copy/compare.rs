//! Reads both databases in the order of their keys and says what is not the same. Values are compared, not what a database
//! makes of them as texts; they are not said, because they may be secrets.

use std::{cmp::Ordering, collections::VecDeque};

use super::{
    super::conn::Conn,
    catalog::Table,
    errors::{CopyError, not_read},
    rows::{Cell, Cursor, Row, key_of},
    side::Side,
    way::Way,
};

/// The most differences that are named.
const NAMED: usize = 100;

/// A table's rows, one after the other.
struct Walk<'t> {
    cursor: Cursor<'t>,
    page: VecDeque<Row>,
}

impl<'t> Walk<'t> {
    fn new(table: &'t Table, batch: usize, without_nul: bool) -> Self {
        Self { cursor: Cursor::new(table, None, batch, without_nul), page: VecDeque::new() }
    }

    /// The next row, unless there is none.
    async fn next(&mut self, conn: &mut Conn) -> Result<Option<Row>, sqlx::Error> {
        if self.page.is_empty() {
            self.page = self.cursor.next(conn).await?.into();
        }
        Ok(self.page.pop_front())
    }
}

/// What is not the same, a line for each row.
pub(super) async fn differences(
    source: &mut Side,
    target: &mut Side,
    tables: &[Table],
    batch: usize,
    way: &mut Way<'_, '_>,
) -> Result<Vec<String>, CopyError> {
    let mut found = Vec::new();
    for table in tables {
        let without_nul = target.takes_no_nul();
        let compared = of_table(source, target, (table, batch, without_nul), way, &mut found).await;
        compared.map_err(not_read(&table.name))?;
    }
    Ok(found)
}

async fn of_table(
    source: &mut Side,
    target: &mut Side,
    (table, batch, without_nul): (&Table, usize, bool),
    way: &mut Way<'_, '_>,
    found: &mut Vec<String>,
) -> Result<(), sqlx::Error> {
    let mut original = Walk::new(table, batch, without_nul);
    let mut copied = Walk::new(table, batch, false);
    let (mut compared, mut one) = (0, original.next(&mut source.conn).await?);
    let mut other = copied.next(&mut target.conn).await?;
    while found.len() < NAMED {
        let order = match (&one, &other) {
            (None, None) => break,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some(one), Some(other)) => key_of(table, one).cmp(&key_of(table, other)),
        };
        found.extend(difference(table, order, one.as_deref(), other.as_deref()));
        if order.is_le() {
            one = original.next(&mut source.conn).await?;
            compared += 1;
        }
        if order.is_ge() {
            other = copied.next(&mut target.conn).await?;
        }
        if compared == batch || one.is_none() {
            way.went("comparing", &table.name, std::mem::take(&mut compared));
        }
    }
    Ok(())
}

/// What is to be said of two rows of which the one or the other comes first.
fn difference(
    table: &Table,
    order: Ordering,
    one: Option<&[Cell]>,
    other: Option<&[Cell]>,
) -> Option<String> {
    let name = &table.name;
    match (order, one, other) {
        (Ordering::Less, Some(one), _) => Some(format!("{name} {} is not in the copy", key(table, one))),
        (Ordering::Greater, _, Some(other)) => {
            Some(format!("{name} {} is only in the copy", key(table, other)))
        }
        (Ordering::Equal, Some(one), Some(other)) if one != other => {
            let columns = table.columns.iter().zip(one.iter().zip(other));
            let differ = columns.filter(|(_, (one, other))| one != other).map(|(column, _)| &*column.name);
            Some(format!("{name} {} differs in {}", key(table, one), differ.collect::<Vec<_>>().join(", ")))
        }
        _ => None,
    }
}

/// A row's key as people read it. What a source signs with is a part of one.
fn key(table: &Table, row: &[Cell]) -> String {
    let part = |place: &usize| match &row[*place] {
        _ if table.columns[*place].name.contains("secret") => "(hidden)".to_owned(),
        Cell::Null => "null".to_owned(),
        Cell::Int(number) => number.to_string(),
        Cell::Text(text) => format!("{text:?}"),
        Cell::Bytes(bytes) => format!("{:?}", String::from_utf8_lossy(bytes)),
    };
    table.key.iter().map(part).collect::<Vec<_>>().join(" ")
}
