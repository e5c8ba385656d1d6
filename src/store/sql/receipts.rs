//! Receipts: what sources sent, and what became of each.

use super::{
    conn::Conn,
    rows::ReceiptRow,
    statement,
    writer::{STEP, Tx},
};
use crate::{
    domain::SourceId,
    store::{Became, Heard, KeptBody, Receipt, ReceiptId, ReceiptQuery, SourceError, StoreError, Via},
};

fn via_name(via: Via) -> &'static str {
    match via {
        Via::Hook => "hook",
        Via::Poll => "poll",
    }
}

/// Keeps what came with what became of it; what is tried again keeps its receipt.
pub(super) async fn record(
    tx: &mut Tx,
    heard: Heard,
    number: Option<&str>,
    became: &Became,
) -> Result<(), StoreError> {
    if let Some(ReceiptId(again)) = heard.again {
        statement::query(
            "update receipts
             set outcome = $2, why = $3, number = $4, order_id = coalesce($5, order_id)
             where receipt_id = $1",
        )
        .bind(again)
        .bind(became.outcome.name())
        .bind(&became.why)
        .bind(number)
        .bind(became.order_id.map(|id| id.0))
        .execute(&mut tx.conn)
        .await?;
        return Ok(());
    }
    statement::query(
        "insert into receipts (
             source_id, received_at, via, topic, number, outcome, why, order_id, headers, body
         )
         values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10)",
    )
    .bind(heard.source.record.id.as_str())
    .bind(heard.at.as_millis())
    .bind(via_name(heard.via))
    .bind(heard.topic)
    .bind(number)
    .bind(became.outcome.name())
    .bind(&became.why)
    .bind(became.order_id.map(|id| id.0))
    .bind(heard.headers)
    .bind(heard.body.map(|body| body.to_vec()))
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

/// Receipts of a source, newest first.
pub(super) async fn list(
    conn: &mut Conn,
    id: &SourceId,
    query: ReceiptQuery,
) -> Result<Vec<Receipt>, StoreError> {
    let found = statement::query_as::<ReceiptRow>(
        "select receipt_id, received_at, via, topic, number, outcome, why, order_id, body
         from receipts
         where source_id = $1 and (outcome = $2 or $2 is null) and receipt_id < $3
         order by receipt_id desc
         limit $4",
    )
    .bind(id.as_str())
    .bind(query.outcome.map(|outcome| outcome.name()))
    .bind(query.before.map_or(i64::MAX, |before| before.0))
    .bind(query.limit)
    .fetch_all(conn)
    .await?;
    Ok(found.into_iter().map(ReceiptRow::receipt).collect())
}

/// What a receipt is read again from, if that is still kept.
pub(super) async fn body(
    conn: &mut Conn,
    id: &SourceId,
    receipt: ReceiptId,
) -> Result<Option<KeptBody>, SourceError> {
    let found = statement::query_as::<(String, Option<String>, Option<String>, Option<Vec<u8>>)>(
        "select via, topic, headers, body
         from receipts
         where source_id = $1 and receipt_id = $2",
    )
    .bind(id.as_str())
    .bind(receipt.0)
    .fetch_optional(conn)
    .await?;
    let (via, topic, headers, body) = found.ok_or(SourceError::NotFound)?;
    let via = if via == "poll" { Via::Poll } else { Via::Hook };
    Ok(body.map(|body| KeptBody { via, topic, headers, body: body.into() }))
}

/// Forgets bodies that came before a moment, then the oldest receipts beyond `keep`.
pub(super) async fn forget(
    tx: &mut Tx,
    bodies_before: crate::domain::Timestamp,
    keep: u64,
) -> Result<u64, StoreError> {
    let bodies = statement::query(
        "update receipts
         set body = null, headers = null
         where receipt_id in (
             select receipt_id
             from receipts
             where body is not null and received_at < $1
             order by received_at
             limit $2
         )",
    )
    .bind(bodies_before.as_millis())
    .bind(STEP)
    .execute(&mut tx.conn)
    .await?;
    let beyond = statement::query(
        "delete from receipts
         where receipt_id in (
             select receipt_id
             from receipts
             where receipt_id <= (select max(receipt_id) from receipts) - $1
             order by receipt_id
             limit $2
         )",
    )
    .bind(i64::try_from(keep).unwrap_or(i64::MAX))
    .bind(STEP)
    .execute(&mut tx.conn)
    .await?;
    Ok(bodies.rows_affected() + beyond.rows_affected())
}
