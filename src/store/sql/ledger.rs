//! All orders, as administrators see them: pages of them newest first, each along an index. Which orders a search means is
//! in `finding`.

use async_trait::async_trait;

use super::{
    SqlStore,
    conn::Conn,
    finding::{self, Filter},
    order_rows::RecordRow,
    reading::items_of,
    statement,
};
use crate::{
    domain::{Currency, OrderId, OrderRecord, OrderStatus, Timestamp},
    store::{LedgerQuery, LedgerStore, OrderedAt, StoreError},
};

#[async_trait]
impl LedgerStore for SqlStore {
    async fn ledger(&self, query: LedgerQuery) -> Result<Vec<OrderRecord>, StoreError> {
        let mut reader = self.reader().await?;
        let filter = filter_of(&mut reader, &query).await?;
        let found = match &query.text {
            Some(text) => finding::find(&mut reader, text, &filter).await?,
            None => None,
        };
        let ids = match found {
            Some(ids) => ids,
            None => list(&mut reader, &filter).await?,
        };
        records(&mut reader, self.currency, &ids).await
    }

    async fn order_record(&self, id: OrderId) -> Result<Option<OrderRecord>, StoreError> {
        Ok(records(&mut *self.reader().await?, self.currency, &[id.0]).await?.pop())
    }
}

/// A query in the values of columns.
async fn filter_of(conn: &mut Conn, query: &LedgerQuery) -> Result<Filter, StoreError> {
    let (mut after, mut after_at) = (i64::MAX, i64::MAX);
    if let Some(id) = query.after {
        after = id.0;
        let at = statement::query_scalar("select created_at from orders where order_id = $1")
            .bind(id.0)
            .fetch_optional(conn)
            .await?;
        after_at = at.unwrap_or(i64::MAX);
    }
    let source = match &query.place {
        Some(OrderedAt::Source(id)) => Some(id.as_str().to_owned()),
        _ => None,
    };
    Ok(Filter {
        status: query.status.map(OrderStatus::name),
        source,
        here: query.place == Some(OrderedAt::Here),
        from: query.from.map_or(i64::MIN, Timestamp::as_millis),
        to: query.to.map_or(i64::MAX, |to| to.as_millis().saturating_sub(1)),
        after,
        after_at,
        limit: query.limit,
    })
}

/// The ids of a page, newest first. A statement for each index.
async fn list(conn: &mut Conn, filter: &Filter) -> Result<Vec<i64>, StoreError> {
    let statement = if filter.source.is_some() {
        statement::query_scalar(
            "select order_id
             from orders indexed by orders_of_source
             where
                 source_id = $7 and created_at between $1 and $2 and (created_at < $3 or order_id < $4)
                 and (status = $6 or $6 is null)
             order by created_at desc, order_id desc
             limit $5",
        )
    } else if filter.status == Some(OrderStatus::Canceled.name()) {
        statement::query_scalar(
            "select order_id
             from orders indexed by orders_canceled
             where
                 status = 'canceled' and created_at between $1 and $2 and (created_at < $3 or order_id < $4)
                 and (not $8 or source_id is null)
             order by created_at desc, order_id desc
             limit $5",
        )
    } else {
        statement::query_scalar(
            "select order_id
             from orders indexed by orders_by_time
             where
                 created_at between $1 and $2 and (created_at < $3 or order_id < $4)
                 and (status = $6 or $6 is null) and (not $8 or source_id is null)
             order by created_at desc, order_id desc
             limit $5",
        )
    };
    Ok(statement
        .bind(filter.from)
        .bind(filter.to.min(filter.after_at))
        .bind(filter.after_at)
        .bind(filter.after)
        .bind(filter.limit)
        .bind(filter.status)
        .bind(&filter.source)
        .bind(filter.here)
        .fetch_all(conn)
        .await?)
}

/// The orders of a page with all that stands beside them, in its order.
async fn records(conn: &mut Conn, currency: Currency, ids: &[i64]) -> Result<Vec<OrderRecord>, StoreError> {
    // The page is the outer loop: its order is that of the list.
    let found = statement::query_as::<RecordRow>(
        "select
             orders.order_id, orders.user_id, orders.status, orders.total, orders.created_at, orders.source_id,
             orders.currency, orders.ordered_at, orders.buyer, orders.silence, orders.canceled_at,
             users.nickname, sources.name as source_name, sources.kind as source_kind,
             source_orders.number, order_events.announced_as
         from json_each($1) as page
             cross join orders
             left join users on users.user_id = orders.user_id and users.erased_at is null
             left join sources on sources.source_id = orders.source_id
             left join source_orders on source_orders.order_id = orders.order_id
             left join order_events on order_events.order_id = orders.order_id and order_events.kind = 'placed'
         where orders.order_id = cast(page.value as bigint)
         order by page.key",
    )
    .bind(serde_json::json!(ids).to_string())
    .fetch_all(&mut *conn)
    .await?;
    let mut items = items_of(conn, currency, ids).await?;
    let with_items = |row: RecordRow| {
        let items = items.remove(&row.order.order_id).unwrap_or_default();
        row.record(items, currency)
    };
    found.into_iter().map(with_items).collect()
}
