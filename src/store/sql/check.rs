//! Proves stock, orders and log against each other, in one read transaction: nothing is written, and what the shop does
//! meanwhile is not seen. Each statement finds one kind of contradiction and says a line for each.

use super::{
    conn::Conn,
    statement::{self, either},
};

/// What is wrong, a line each; of one kind no more than a hundred.
pub(super) async fn contradictions(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    conn.begin_reading().await?;
    let mut found = damage(conn).await?;
    // What follows relies on a file that can be read.
    if found.is_empty() {
        found.extend(log(conn).await?);
        found.extend(events(conn).await?);
        found.extend(cancellations(conn).await?);
        found.extend(orders(conn).await?);
        found.extend(lines(conn).await?);
        found.extend(goods(conn).await?);
        found.extend(sources(conn).await?);
    }
    conn.script("rollback").await?;
    Ok(found)
}

/// The pages of the file, its indexes and its references. PostgreSQL looks after its own, as long as it is let: an import
/// may have switched that off.
async fn damage(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(either(
        "select 'the file is damaged: ' || integrity_check
         from pragma_integrity_check
         where integrity_check <> 'ok'
         union all
         select 'row ' || ifnull(rowid, '?') || ' of ' || [table] || ' refers to a row of ' || parent
             || ' that is not there'
         from pragma_foreign_key_check
         limit 100",
        "select 'the index ' || relname || ' is not complete'
         from pg_index join pg_class on pg_class.oid = indexrelid
         where not indisvalid and relnamespace = cast(cast(current_schema() as text) as regnamespace)
         union all
         select 'the constraint ' || conname || ' was not checked for all rows'
         from pg_constraint
         where not convalidated and connamespace = cast(cast(current_schema() as text) as regnamespace)
         union all
         select 'the trigger ' || tgname || ' of ' || relname || ' is switched off'
         from pg_trigger join pg_class on pg_class.oid = tgrelid
         where
             tgenabled in ('D', 'R') and relnamespace = cast(cast(current_schema() as text) as regnamespace)
         limit 100",
    ))
    .fetch_all(conn)
    .await
}

/// The numbers of the log have no holes, from the first that was not pruned.
async fn log(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "select 'the log has a hole: event ' || sequence || ' follows ' || before
         from (
             select
                 sequence,
                 lag(sequence, 1, (select pruned_sequence from order_log)) over (order by sequence) as before
             from order_events
         ) as steps
         where sequence <> before + 1
         union all
         select 'the log has a hole: offset ' || announced_as || ' follows ' || before
         from (
             select
                 announced_as,
                 lag(announced_as, 1, (select pruned_offset from order_log)) over (order by announced_as) as before
             from order_events
             where announced_as is not null
         ) as steps
         where announced_as <> before + 1
         union all
         select 'offset ' || later.announced_as || ' is earlier in the log than the offset before it'
         from order_events as later join order_events as earlier on earlier.announced_as = later.announced_as - 1
         where earlier.sequence > later.sequence
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// Every order has its event, unless that was pruned, and the event says what the order does.
async fn events(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    // Ids of orders grow with the log: what is older than the oldest event that is kept was pruned, if anything was.
    statement::query_scalar(
        "with oldest as (
             select
                 case when pruned_sequence > 0 or pruned_offset > 0 then
                     coalesce(
                         (select min(order_id) from order_events where kind = 'placed'), 9223372036854775807
                     )
                 else 0 end as order_id
             from order_log
         )
         select 'order ' || order_id || ' has no event in the log'
         from orders
         where
             order_id >= (select order_id from oldest)
             and not exists (
                 select 1
                 from order_events as placed
                 where placed.order_id = orders.order_id and placed.kind = 'placed'
             )
         union all
         select 'the event of order ' || order_id || ' does not say what the order does'
         from order_events
         where
             kind = 'placed'
             and (
                 exists (
                     select 1
                     from (
                         select count(*) - 1 as others, sum(quantity) as pieces
                         from order_items
                         where order_items.order_id = order_events.order_id
                     ) as held
                     where others is distinct from other_goods or pieces is distinct from order_events.quantity
                 )
                 or not exists (
                     select 1
                     from order_items as named
                     where
                         named.order_id = order_events.order_id and named.goods_id = order_events.goods_id
                         and named.name = first_goods_name
                 )
             )
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// Every canceled order has its event, and what was announced is withdrawn.
async fn cancellations(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "select 'order ' || order_id || ' is canceled, but the log does not say so'
         from orders join order_events as placed using (order_id)
         where
             status = 'canceled' and placed.kind = 'placed'
             and not exists (
                 select 1
                 from order_events as canceled
                 where canceled.order_id = orders.order_id and canceled.kind = 'canceled'
             )
         union all
         select 'order ' || order_id || ' is not canceled, but the log says so'
         from orders join order_events using (order_id)
         where status <> 'canceled' and kind = 'canceled'
         union all
         select 'the cancellation of order ' || order_id || ' does not withdraw its alert'
         from order_events as canceled join order_events as placed using (order_id)
         where
             canceled.kind = 'canceled' and placed.kind = 'placed'
             and canceled.withdraws is distinct from placed.announced_as
         union all
         select 'the cancellation of order ' || order_id || ' comes before the order in the log'
         from order_events as canceled join order_events as placed using (order_id)
         where canceled.kind = 'canceled' and placed.kind = 'placed' and canceled.sequence < placed.sequence
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// Totals are the sums of the lines.
async fn orders(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "select 'order ' || order_id || ' has no lines'
         from orders
         where not exists (select 1 from order_items where order_items.order_id = orders.order_id)
         union all
         select 'order ' || order_id || ' has the total ' || total || ', its lines come to ' || sum(price * quantity)
         from orders join order_items using (order_id)
         where source_id is null
         group by order_id
         having total <> sum(price * quantity)
         union all
         select 'an idempotency key names order ' || order_id || ', which is of another account'
         from idempotency_keys as keys join orders using (order_id)
         where keys.user_id <> orders.user_id
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// A line took all of its pieces or none, and returned what it took, once its order was canceled, or nothing.
async fn lines(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "select
             'order ' || order_id || ' has ' || quantity || ' pieces of goods ' || goods_id || ', took ' || taken
             || ' and returned ' || returned
         from orders join order_items using (order_id)
         where
             taken not in (0, quantity) or returned not in (0, taken)
             or (returned > 0 and status <> 'canceled')
         union all
         select 'goods ' || goods_id || ' were ordered and are neither sold nor gone'
         from order_items
         where
             not exists (select 1 from goods where goods.goods_id = order_items.goods_id)
             and not exists (select 1 from gone_goods where gone_goods.goods_id = order_items.goods_id)
         group by goods_id
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// A stock is what was changed by hand, less what orders took, and what they returned.
async fn goods(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "with changed as (
             select goods_id, sum(change) as pieces
             from stock_changes
             group by goods_id
         ),
         sold as (
             select goods_id, sum(taken - returned) as pieces
             from order_items
             where taken > 0
             group by goods_id
         ),
         expected as (
             select goods.goods_id, stock, coalesce(changed.pieces, 0) - coalesce(sold.pieces, 0) as pieces
             from goods
                 left join changed on changed.goods_id = goods.goods_id
                 left join sold on sold.goods_id = goods.goods_id
         )
         select 'goods ' || goods_id || ' have a stock of ' || stock || ', which cannot be'
         from goods
         where stock < 0
         union all
         select
             'goods ' || goods_id || ' have a stock of ' || stock
             || ', changes and orders come to ' || pieces
         from expected
         where stock is not null and pieces <> stock
         union all
         select 'goods ' || goods_id || ' are on sale under the number of goods that are gone'
         from goods join gone_goods using (goods_id)
         limit 100",
    )
    .fetch_all(conn)
    .await
}

/// What is known of an order of a source is what the order is.
async fn sources(conn: &mut Conn) -> Result<Vec<String>, sqlx::Error> {
    statement::query_scalar(
        "select 'order ' || order_id || ' is ' || status || ', its source was heard to say ' || state
         from orders join source_orders using (order_id)
         where (status, state) not in (values ('placed', 'paid'), ('canceled', 'withdrawn'))
         union all
         select 'order ' || order_id || ' belongs to nobody: it has neither an account nor a source'
         from orders
         where user_id is null and source_id is null
         union all
         select 'order ' || order_id || ' is of source ' || source_id || ', which said nothing of it'
         from orders
         where source_id is not null and not exists (
             select 1
             from source_orders as heard
             where heard.order_id = orders.order_id and heard.source_id = orders.source_id
         )
         union all
         select 'order ' || min(number) || ' of source ' || min(source_id) || ' is not told apart from another'
         from source_orders
         where order_id is not null
         group by order_id
         having count(*) > 1
         limit 100",
    )
    .fetch_all(conn)
    .await
}
