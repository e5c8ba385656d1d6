//! A shop moves into another database (`shopbell copy`): all rows of all tables, batch by batch, and then both databases are
//! read again and compared.
//!
//! The source is read as it was at one moment. The target has a mark from the first row on until all is compared: nobody
//! serves it meanwhile, and a copy that was broken off goes on behind the highest key of each table. The log keeps its epoch,
//! unlike that of a backup: the source is given up, and whoever has an offset goes on from it.

mod catalog;
mod compare;
mod errors;
mod filling;
pub(super) mod mark;
mod numbers;
mod rows;
mod side;
mod way;

use self::{
    catalog::Table,
    errors::{not_read, not_written},
    rows::Cursor,
    way::Way,
};
pub(in crate::store) use self::{errors::CopyError, side::Side, way::Progress};
use super::check;

/// The most rows that are held, written and committed together.
const BATCH: usize = 1000;

/// Copies, and returns the number of rows. `progress` is told what is done, and how many of how many rows.
pub(in crate::store) async fn copy(
    source: Side,
    target: Side,
    progress: &mut Progress<'_>,
) -> Result<u64, CopyError> {
    in_batches(source, target, BATCH, progress).await
}

/// Copies in batches of so many rows at most.
pub(in crate::store::sql) async fn in_batches(
    mut source: Side,
    mut target: Side,
    batch: usize,
    progress: &mut Progress<'_>,
) -> Result<u64, CopyError> {
    let copied = run(&mut source, &mut target, batch, progress).await;
    source.close().await;
    target.close().await;
    copied
}

async fn run(
    source: &mut Side,
    target: &mut Side,
    batch: usize,
    progress: &mut Progress<'_>,
) -> Result<u64, CopyError> {
    source.hold_still().await?;
    let tables = catalog::agree(source.catalog().await?, target.catalog().await?)?;
    let moment = source.moment().await?;
    if source.text_rules().await? != target.text_rules().await? {
        return Err(CopyError::OldRules);
    }
    let key = source.token_key().await?;
    begin(target, &tables, &moment, key.as_deref()).await?;

    let counted = counts(source, &tables).await?;
    let there = counts(target, &tables).await?;
    let (rows, there) = (counted.iter().sum::<u64>(), there.iter().sum());
    let mut way = Way::new(rows * 2, there, progress);
    for table in &tables {
        fill(source, target, table, batch, &mut way).await?;
    }
    let numbers = numbers::given(&mut source.conn).await.map_err(not_read("the numbers"))?;
    numbers::carry_on(&mut target.conn, &tables, &numbers).await.map_err(not_written("the numbers"))?;
    target.keep_token_key(key.as_deref()).await?;

    let found = compare::differences(source, target, &tables, batch, &mut way).await?;
    if !found.is_empty() {
        return Err(CopyError::Differs(found));
    }
    filling::analyze(&mut target.conn, &tables).await.map_err(not_written("the statistics"))?;
    source.let_go().await?;
    contradictions(source, target).await?;
    if source.moment().await? != moment || counts(source, &tables).await? != counted {
        return Err(CopyError::Moved);
    }
    mark::remove(&mut target.conn).await.map_err(not_written("the mark"))?;
    Ok(rows)
}

/// Marks an empty target, or finds that it is a part of this copy.
async fn begin(
    target: &mut Side,
    tables: &[Table],
    moment: &str,
    key: Option<&str>,
) -> Result<(), CopyError> {
    if let (Some(kept), Some(key)) = (target.token_key().await?, key)
        && kept != key
    {
        return Err(CopyError::OtherKey);
    }
    match mark::found(&mut target.conn).await.map_err(not_read("the mark"))? {
        Some(begun) if begun == moment => return Ok(()),
        Some(_) => return Err(CopyError::OtherCopy),
        None => {}
    }
    for table in tables.iter().filter(|table| !table.is_born_filled()) {
        if rows::count(&mut target.conn, table).await.map_err(not_read(&table.name))? > 0 {
            return Err(CopyError::Filled(table.name.clone()));
        }
    }
    mark::set(&mut target.conn, moment).await.map_err(not_written("the mark"))
}

async fn counts(side: &mut Side, tables: &[Table]) -> Result<Vec<u64>, CopyError> {
    let mut counts = Vec::with_capacity(tables.len());
    for table in tables {
        counts.push(rows::count(&mut side.conn, table).await.map_err(not_read(&table.name))?);
    }
    Ok(counts)
}

/// Writes the rows of a table that lie behind the last one that is there.
async fn fill(
    source: &mut Side,
    target: &mut Side,
    table: &Table,
    batch: usize,
    way: &mut Way<'_, '_>,
) -> Result<(), CopyError> {
    let last = rows::last_key(&mut target.conn, table).await.map_err(not_read(&table.name))?;
    let mut cursor = Cursor::new(table, last, batch, target.takes_no_nul());
    loop {
        let page = cursor.next(&mut source.conn).await.map_err(not_read(&table.name))?;
        if page.is_empty() {
            return Ok(());
        }
        let written = page.len();
        filling::insert(&mut target.conn, table, page).await.map_err(not_written(&table.name))?;
        way.went("copying", &table.name, written);
    }
}

/// What is wrong with the copy by `shopbell check`, and was not with the source.
async fn contradictions(source: &mut Side, target: &mut Side) -> Result<(), CopyError> {
    let mut found = check::contradictions(&mut target.conn).await.map_err(not_read("the copy"))?;
    if !found.is_empty() {
        let known = check::contradictions(&mut source.conn).await.map_err(not_read("the source"))?;
        found.retain(|line| !known.contains(line));
    }
    if found.is_empty() { Ok(()) } else { Err(CopyError::Differs(found)) }
}
