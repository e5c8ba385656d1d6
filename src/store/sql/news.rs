//! News as endpoints are told them: order events and goods events as one log. Order events are written with their orders
//! (`placing`, `orders`); goods events here, in the transaction of what they tell.

use async_trait::async_trait;

use super::{
    SqlStore,
    conn::Conn,
    news_rows::{GoodsData, NewsRow},
    reading,
    rows::GoodsRow,
    statement::{self, either},
    writer::{STEP, Tx},
};
use crate::{
    domain::{Currency, Goods, GoodsAction, NewsItem, Place, Stock, Timestamp, Told, Topic},
    store::{Backlog, NewsStore, StoreError},
};

#[async_trait]
impl NewsStore for SqlStore {
    async fn news_after(&self, place: Place, limit: u32) -> Result<Vec<NewsItem>, StoreError> {
        let mut reader = self.reader().await?;
        // Goods events lie behind the order event that they name, hence before the next one: `null` comes first.
        let found = statement::query_as::<NewsRow>(
            "with orders_after as (
                 select
                     event.sequence, event.kind, event.order_id, event.created_at, placed.nickname,
                     sources.name as source
                 from order_events as event
                     left join order_events as placed on
                         placed.order_id = event.order_id and placed.kind = 'placed'
                     left join orders on orders.order_id = event.order_id
                     left join sources on sources.source_id = orders.source_id
                 where event.sequence > $1
                 order by event.sequence
                 limit $3
             ),
             goods_after as (
                 select after_order, goods_event, topic, goods_id, data, created_at
                 from goods_events
                 where goods_event > $2
                 order by goods_event
                 limit $3
             )
             select
                 sequence as order_event, null as goods_event, kind, order_id as subject,
                 null as data, nickname, source, created_at
             from orders_after
             union all
             select after_order, goods_event, topic, goods_id, data, null, null, created_at
             from goods_after
             order by order_event, goods_event nulls first
             limit $3",
        )
        .bind(place.orders)
        .bind(place.goods)
        .bind(limit)
        .fetch_all(&mut reader)
        .await?;
        items(&mut reader, self.currency, place, found).await
    }

    async fn end_of_news(&self) -> Result<Place, StoreError> {
        end(&mut *self.reader().await?).await
    }

    async fn backlog(&self) -> Result<Backlog, StoreError> {
        let (events, oldest) = statement::query_as::<(i64, Option<i64>)>(
            "with enabled as (
                 select endpoint_id, place_orders, place_goods
                 from endpoints
                 where disabled_at is null
             ),
             waiting as (
                 select event_at
                 from deliveries join enabled using (endpoint_id)
                 where next_at is not null
             )
             select
                 cast(
                     coalesce((select sum(sequence - place_orders) from enabled cross join order_log_reach), 0)
                     + coalesce((
                         select sum(coalesce((select max(goods_event) from goods_events), place_goods) - place_goods)
                         from enabled
                     ), 0)
                     + (select count(*) from waiting)
                     as bigint
                 ),
                 (
                     select min(at)
                     from (
                         select min(created_at) as at
                         from order_events
                         where sequence = (select min(place_orders) + 1 from enabled)
                         union all
                         select min(created_at)
                         from goods_events
                         where goods_event = (select min(place_goods) + 1 from enabled)
                         union all
                         select min(event_at) from waiting
                     ) as moments
                 )",
        )
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(Backlog {
            events: u64::try_from(events).unwrap_or_default(),
            oldest: oldest.map(Timestamp::from_millis),
        })
    }

    async fn prune_goods_events(&self, before: Timestamp, unsent: Timestamp) -> Result<u64, StoreError> {
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    // As with the log of orders, always a beginning.
                    let pruned = statement::query(
                        "with oldest as (
                             select goods_event, created_at
                             from goods_events
                             order by goods_event
                             limit $1
                         ),
                         first_kept as (
                             select min(goods_event) as goods_event
                             from oldest
                             where
                                 created_at >= $2
                                 or (
                                     created_at >= $3
                                     and goods_event > (
                                         select min(place)
                                         from (
                                             select place_goods as place
                                             from endpoints
                                             union all
                                             select goods_event - 1
                                             from deliveries
                                             where next_at is not null and goods_event is not null
                                         ) as places
                                     )
                                 )
                         )
                         delete from goods_events
                         where goods_event in (
                             select oldest.goods_event
                             from oldest cross join first_kept
                             where
                                 first_kept.goods_event is null
                                 or oldest.goods_event < first_kept.goods_event
                         )",
                    )
                    .bind(STEP)
                    .bind(before.as_millis())
                    .bind(unsent.as_millis())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(pruned.rows_affected())
                })
            })
            .await
    }
}

/// The end of all news.
pub(super) async fn end(conn: &mut Conn) -> Result<Place, StoreError> {
    // When all goods events were pruned their sequence knows the newest.
    let (orders, goods) = statement::query_as::<(i64, i64)>(either(
        "select
             sequence,
             coalesce((select seq from sqlite_sequence where name = 'goods_events'), 0)
         from order_log_reach",
        "select
             sequence,
             coalesce((select newest from newest_ids where of_table = 'goods_events'), 0)
         from order_log_reach",
    ))
    .fetch_one(conn)
    .await?;
    Ok(Place { orders, goods })
}

/// The place right before what happened at or after a moment.
pub(super) async fn place_of(conn: &mut Conn, since: Timestamp) -> Result<Place, StoreError> {
    let end = end(&mut *conn).await?;
    let (orders, goods) = statement::query_as::<(Option<i64>, Option<i64>)>(
        "select
             (select min(sequence) - 1 from order_events where created_at >= $1),
             (select min(goods_event) - 1 from goods_events where created_at >= $1)",
    )
    .bind(since.as_millis())
    .fetch_one(conn)
    .await?;
    Ok(Place { orders: orders.unwrap_or(end.orders), goods: goods.unwrap_or(end.goods) })
}

/// Finds one event; `None` when it was pruned, and for a test.
pub(super) async fn find(
    conn: &mut Conn,
    currency: Currency,
    told: Told,
) -> Result<Option<NewsItem>, StoreError> {
    let (order, goods) = match told {
        Told::Order(event) => (Some(event), None),
        Told::Goods(event) => (None, Some(event)),
        Told::Test => return Ok(None),
    };
    let found = statement::query_as::<NewsRow>(
        "select
             event.sequence as order_event, null as goods_event, event.kind, event.order_id as subject,
             null as data, placed.nickname, sources.name as source, event.created_at
         from order_events as event
             left join order_events as placed on
                 placed.order_id = event.order_id and placed.kind = 'placed'
             left join orders on orders.order_id = event.order_id
             left join sources on sources.source_id = orders.source_id
         where event.sequence = $1
         union all
         select after_order, goods_event, topic, goods_id, data, null, null, created_at
         from goods_events
         where goods_event = $2",
    )
    .bind(order)
    .bind(goods)
    .fetch_all(&mut *conn)
    .await?;
    Ok(items(conn, currency, Place::default(), found).await?.pop())
}

/// Puts the orders to their events.
async fn items(
    conn: &mut Conn,
    currency: Currency,
    from: Place,
    rows: Vec<NewsRow>,
) -> Result<Vec<NewsItem>, StoreError> {
    let ids: Vec<i64> = rows.iter().filter_map(NewsRow::order).collect();
    let orders = reading::find_all(conn, currency, &ids).await?;
    let mut place = from;
    let item = |row: NewsRow| {
        match row.goods_event {
            Some(event) => place.goods = event,
            None => place.orders = row.order_event,
        }
        let order = row.order().and_then(|id| orders.get(&id)).cloned();
        row.item(place, order, currency)
    };
    rows.into_iter().map(item).collect()
}

/// Writes what was done to goods by hand, if anyone is to be told.
pub(super) async fn goods_updated(
    tx: &mut Tx,
    action: GoodsAction,
    goods: &Goods,
    now: Timestamp,
) -> Result<(), StoreError> {
    let data = GoodsData { action: Some(action.into()), threshold: None, goods: GoodsRow::of(goods) };
    write(tx, Topic::GoodsUpdated, goods, &data, now).await
}

/// Writes that a stock fell to the threshold, if it just did and anyone is to be told.
pub(super) async fn stock_fell(
    tx: &mut Tx,
    before: Stock,
    goods: &Goods,
    now: Timestamp,
) -> Result<(), StoreError> {
    let threshold = tx.low_stock();
    let (Some(before), Some(after)) = (before, goods.stock) else { return Ok(()) };
    if before <= threshold || after > threshold {
        return Ok(());
    }
    let data = GoodsData { action: None, threshold: Some(threshold), goods: GoodsRow::of(goods) };
    write(tx, Topic::StockLow, goods, &data, now).await
}

async fn write(
    tx: &mut Tx,
    topic: Topic,
    goods: &Goods,
    data: &GoodsData,
    now: Timestamp,
) -> Result<(), StoreError> {
    let data = serde_json::to_string(data).map_err(StoreError::failed)?;
    statement::query(
        "insert into goods_events (after_order, topic, goods_id, data, created_at)
         select sequence, $1, $2, $3, $4
         from order_log_reach
         where exists (select 1 from endpoints)",
    )
    .bind(topic.name())
    .bind(goods.goods_id.0)
    .bind(data)
    .bind(now.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}
