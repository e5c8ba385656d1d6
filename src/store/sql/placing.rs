//! Placing an order (docs/contract.md §3, "`BUY` rules"): idempotency key, basket, stock, names and prices, order and alert,
//! in one job of the writer. Reading and canceling orders is in `orders` and `reading`.

use serde_json::json;

use super::{
    alerts,
    authority::session_key,
    carts, catalog,
    conn::Conn,
    errors::is_missing,
    reading,
    statement::{self, either},
    stock,
    writer::Tx,
};
use crate::{
    domain::{
        Basket, Elsewhere, Goods, GoodsId, IdempotencyKey, Line, NewOrder, Notification, Offset, Order,
        OrderId, OrderItem, OrderStatus, OwnOrder, Price, Publication, Quantity, SessionId, Silence,
        Timestamp, UserId, id::MAX_SAFE_INTEGER,
    },
    store::{Denied, OrderError, PlacedOrder, StoreError},
};

/// Places an order, or finds the one that was placed under its key.
pub(super) async fn place(tx: &mut Tx, request: NewOrder) -> Result<PlacedOrder, OrderError> {
    let NewOrder { user_id, session, basket, expected_total, key, trace, at } = request;
    let fingerprint = basket.fingerprint();
    // First of all: a repeat is the same order even if the goods are gone or sold out since.
    if let Some(key) = &key
        && let Some(found) = replay(tx, user_id, key, &fingerprint).await?
    {
        return Ok(found);
    }
    let wanted = resolve(&mut tx.conn, user_id, basket).await?;
    let goods = reserve(tx, &wanted.lines, at).await?;
    let counted = goods.iter().map(|goods| goods.stock.is_some()).collect();
    let silent = alerts::silent(tx).await?;
    let told = goods.iter().position(|goods| goods.about.announce && !silent.has(&goods.category));
    let is_category = goods.iter().any(|goods| goods.about.announce);
    let silence = if is_category { Silence::Category } else { Silence::Goods };
    let elsewhere = goods.get(told.unwrap_or_default()).and_then(elsewhere);
    let (items, total) = price(&wanted.lines, goods, tx)?;
    if let Some(expected) = expected_total.filter(|expected| *expected != total) {
        return Err(OrderError::PriceChanged { expected, total });
    }
    let key = key.map(|key| (key, fingerprint));
    let draft = Draft { user_id, session, items, counted, told, silence, elsewhere, total, key, at };
    let placed = write(tx, draft).await?;
    if wanted.empties_cart {
        carts::empty(&mut tx.conn, user_id).await?;
    }
    tx.news.trace(trace);
    Ok(placed)
}

/// Finds the order that was placed under a key, as it was placed.
async fn replay(
    tx: &mut Tx,
    user: UserId,
    key: &IdempotencyKey,
    fingerprint: &str,
) -> Result<Option<PlacedOrder>, OrderError> {
    let found = statement::query_as::<(String, i64, Option<i64>)>(
        "select fingerprint, order_id, announced_as
         from idempotency_keys left join (
             select order_id, announced_as
             from order_events
             where kind = 'placed'
         ) as placed using (order_id)
         where user_id = $1 and key = $2",
    )
    .bind(user.0)
    .bind(key.as_str())
    .fetch_optional(&mut tx.conn)
    .await?;
    let Some((used_for, id, announced_as)) = found else { return Ok(None) };
    if used_for != fingerprint {
        return Err(OrderError::KeyReused);
    }
    let order = reading::find(&mut tx.conn, tx.currency, OrderId(id), Some(user)).await?;
    let mut order = order.ok_or_else(|| StoreError::Corrupt(format!("there is no order {id}")))?;
    // The same answer as the first time, also when the order was canceled since.
    order.status = OrderStatus::Placed;
    Ok(Some(PlacedOrder { order, notification: announced_as.map(Offset), replayed: true }))
}

/// What a basket comes to.
struct Wanted {
    lines: Vec<Line>,
    empties_cart: bool,
}

async fn resolve(conn: &mut Conn, user: UserId, basket: Basket) -> Result<Wanted, OrderError> {
    let lines = match basket {
        Basket::Lines(lines) => return Ok(Wanted { lines, empties_cart: false }),
        Basket::Single(goods_id) => return single(conn, user, goods_id).await,
        Basket::Cart => {
            let lines = carts::lines(conn, user).await?;
            (!lines.is_empty()).then_some(lines).ok_or(OrderError::CartEmpty)?
        }
        Basket::CartOf { goods_id, lines: count } => {
            let lines = carts::lines(conn, user).await?;
            let as_shown = lines.len() == count && lines.iter().any(|line| line.goods_id == goods_id);
            as_shown.then_some(lines).ok_or(OrderError::CartChanged)?
        }
    };
    Ok(Wanted { lines, empties_cart: true })
}

async fn single(conn: &mut Conn, user: UserId, goods_id: GoodsId) -> Result<Wanted, OrderError> {
    let lines = carts::lines(conn, user).await?;
    Ok(match lines.as_slice() {
        [only] if only.goods_id == goods_id => Wanted { lines, empties_cart: true },
        _ => Wanted { lines: vec![Line { goods_id, quantity: Quantity::ONE }], empties_cart: false },
    })
}

/// Reads the goods of all lines, in their order, and takes the pieces out of the stock of those that are counted.
async fn reserve(tx: &mut Tx, lines: &[Line], at: Timestamp) -> Result<Vec<Goods>, OrderError> {
    let ids: Vec<GoodsId> = lines.iter().map(|line| line.goods_id).collect();
    let mut found = catalog::find_all(&mut tx.conn, tx.currency, &ids).await?;
    let (mut goods, mut counted) = (Vec::with_capacity(lines.len()), Vec::new());
    for line in lines {
        let index = found.iter().position(|goods| goods.goods_id == line.goods_id);
        let these = found.swap_remove(index.ok_or(OrderError::GoodsNotFound(line.goods_id))?);
        if !these.about.listed {
            return Err(OrderError::GoodsNotFound(line.goods_id));
        }
        if let Some(left) = these.stock {
            if left < line.quantity.get() {
                let name = these.name.as_str().to_owned();
                return Err(OrderError::OutOfStock { goods_id: line.goods_id, name, left });
            }
            counted.push((line.goods_id, line.quantity.get()));
        }
        goods.push(these);
    }
    if !counted.is_empty() {
        stock::take(tx, &counted, at).await?;
    }
    Ok(goods)
}

/// The lines with names and prices as they are now, and their sum.
fn price(lines: &[Line], goods: Vec<Goods>, tx: &Tx) -> Result<(Vec<OrderItem>, Price), OrderError> {
    let item = |(line, goods): (&Line, Goods)| OrderItem {
        goods_id: line.goods_id,
        name: goods.name.as_str().to_owned(),
        price: goods.price,
        quantity: line.quantity,
    };
    let items: Vec<OrderItem> = lines.iter().zip(goods).map(item).collect();
    let total = items
        .iter()
        .try_fold(0_i64, |sum, item| sum.checked_add(item.price.minor.checked_mul(item.quantity.get())?));
    // Beyond it a JSON number would show another amount than is owed.
    let minor = total.filter(|minor| *minor <= MAX_SAFE_INTEGER).ok_or(OrderError::TooLarge)?;
    Ok((items, Price { minor, currency: tx.currency }))
}

/// An order that lacks only its number.
struct Draft {
    user_id: UserId,
    session: Option<SessionId>,
    items: Vec<OrderItem>,
    /// Which of the items were taken out of a counted stock.
    counted: Vec<bool>,
    /// The item that the alert names: the first whose goods may be told. Without one there is no alert.
    told: Option<usize>,
    /// Why there is none then.
    silence: Silence,
    elsewhere: Option<Box<Elsewhere>>,
    total: Price,
    key: Option<(IdempotencyKey, String)>,
    at: Timestamp,
}

/// Writes the order, its items, its key and its event in the log, which is announced with the buyer's name of this
/// moment unless the buyer hides purchases.
///
/// One script, because each trip to the connection's thread costs more than these statements. All of them see the
/// same parameters (`$1`, because sqlx counts wrongly where `?1` leaves out a number). Ids only grow and nobody else
/// writes meanwhile: hence the order that the first statement makes is the one with the highest id for the others, and
/// the next numbers of the log are one more than its newest. For PostgreSQL, where each statement of a script is a trip to a
/// server, it is one statement, whose parts hand on what they have made.
///
/// Whether the buyer still may order is asked by the first statement, which costs no trip of its own: the order of
/// someone who is banned, or whose log-in has ended, is neither placed nor canceled, which the table refuses.
async fn write(tx: &mut Tx, draft: Draft) -> Result<PlacedOrder, OrderError> {
    let Draft { user_id, session, items, counted, told, silence, elsewhere, total, key, at } = draft;
    let pieces = items.iter().map(|item| item.quantity.get()).sum();
    let (order_id, announced_as, nickname) =
        statement::query_as::<(i64, Option<i64>, Option<String>)>(either(
            "insert into orders (user_id, status, total, created_at, silence)
         values (
             $1,
             (
                 select 'placed'
                 from users
                 where
                     user_id = $1
                     and banned_at is null
                     and ($8 is null or exists (
                         select 1
                         from sessions
                         where
                             session_id = $8 and sessions.user_id = $1
                             and revoked_at is null and expires_at > $3
                     ))
             ),
             $2, $3,
             (
                 select case when hide_purchases then 'hidden' when $9 is null then $12 end
                 from users
                 where user_id = $1
             )
         );

         insert into order_items (order_id, line, goods_id, name, price, quantity, taken)
         select
             (select max(order_id) from orders), key,
             value ->> 0, value ->> 1, value ->> 2, value ->> 3, value ->> 4
         from json_each($4);

         insert into idempotency_keys (user_id, key, fingerprint, order_id, created_at)
         select $1, $5, $6, (select max(order_id) from orders), $3
         where $5 is not null;

         insert into order_events (
             sequence, announced_as, kind, order_id, goods_id, nickname,
             first_goods_name, other_goods, quantity, created_at, goods_url, thumbnail_url
         )
         values (
             (select sequence + 1 from order_log_reach),
             (
                 select latest + 1
                 from order_log_reach cross join users
                 where user_id = $1 and not hide_purchases and $9 is not null
             ),
             'placed',
             (select max(order_id) from orders),
             $4 -> ifnull($9, 0) ->> 0,
             (select nickname from users where user_id = $1 and not hide_purchases and $9 is not null),
             $4 -> ifnull($9, 0) ->> 1, json_array_length($4) - 1, $7, $3, $10, $11
         )
         returning order_id, announced_as, nickname",
            "with buyer as (
             select
                 nickname, hide_purchases, not hide_purchases and cast($9 as bigint) is not null as is_told,
                 banned_at is null and (
                     exists (
                         select 1
                         from sessions
                         where
                             session_id = $8 and sessions.user_id = $1
                             and revoked_at is null and expires_at > $3
                     )
                     or $8 is null
                 ) as may_order
             from users
             where user_id = $1
         ),
         placed as (
             insert into orders (user_id, status, total, created_at, silence)
             values (
                 $1, (select 'placed' from buyer where may_order), $2, $3,
                 (select case when hide_purchases then 'hidden' when $9 is null then $12 end from buyer)
             )
             returning order_id
         ),
         items as (
             insert into order_items (order_id, line, goods_id, name, price, quantity, taken)
             select
                 order_id, key, cast(value ->> 0 as bigint), value ->> 1, cast(value ->> 2 as bigint),
                 cast(value ->> 3 as bigint), cast(value ->> 4 as bigint)
             from placed cross join json_each($4)
             returning order_id, line, goods_id, name
         ),
         kept as (
             insert into idempotency_keys (user_id, key, fingerprint, order_id, created_at)
             select $1, $5, $6, order_id, $3
             from placed
             where cast($5 as text) is not null
         )
         insert into order_events (
             sequence, announced_as, kind, order_id, goods_id, nickname,
             first_goods_name, other_goods, quantity, created_at, goods_url, thumbnail_url
         )
         select
             sequence + 1, case when is_told then latest + 1 end, 'placed', order_id, goods_id,
             case when is_told then nickname end, name, json_array_length($4) - 1, $7, $3, $10, $11
         from items cross join buyer cross join order_log_reach
         where line = coalesce($9, 0)
         returning order_id, announced_as, nickname",
        ))
        .bind(user_id.0)
        .bind(total.minor)
        .bind(at.as_millis())
        .bind(as_json(&items, &counted))
        .bind(key.as_ref().map(|(key, _)| key.as_str()))
        .bind(key.as_ref().map(|(_, fingerprint)| fingerprint))
        .bind(pieces)
        .bind(session_key(session))
        .bind(told.map(|index| i64::try_from(index).unwrap_or_default()))
        .bind(elsewhere.as_ref().and_then(|elsewhere| elsewhere.goods_url.clone()))
        .bind(elsewhere.as_ref().and_then(|elsewhere| elsewhere.thumbnail_url.clone()))
        .bind(silence.name())
        .fetch_one(&mut tx.conn)
        .await
        .map_err(|error| match is_missing(&error, "orders.status") {
            true => Denied::LoggedOut.into(),
            false => OrderError::from(error),
        })?;
    let told = &items[told.unwrap_or_default()];
    let alert = announced_as.zip(nickname).map(|(id, nickname)| Publication {
        id: Offset(id),
        date: at,
        notification: Notification::Purchase {
            nickname: Some(nickname),
            goods_id: told.goods_id,
            first_goods_name: told.name.clone(),
            other_goods: i64::try_from(items.len() - 1).unwrap_or(i64::MAX),
            quantity: pieces,
            elsewhere,
        },
    });
    tx.news.publications.extend(alert);
    tx.news.own.push(OwnOrder {
        user_id,
        order_id: OrderId(order_id),
        announced_as: announced_as.map(Offset),
        status: OrderStatus::Placed,
    });
    let order = Order {
        order_id: OrderId(order_id),
        user_id: Some(user_id),
        origin: None,
        status: OrderStatus::Placed,
        items,
        total,
        created_at: at,
    };
    Ok(PlacedOrder { order, notification: announced_as.map(Offset), replayed: false })
}

/// What an alert says of goods that have a page elsewhere, where their picture is known, too.
fn elsewhere(goods: &Goods) -> Option<Box<Elsewhere>> {
    let url = goods.about.url.as_ref()?;
    Elsewhere::of(Some(url.as_str().to_owned()), Some(goods.thumbnail_url.as_str().to_owned()), None)
}

/// One argument for any number of items: `[[goods_id, name, price, quantity, taken], …]`.
fn as_json(items: &[OrderItem], counted: &[bool]) -> String {
    let item = |(item, &is_counted): (&OrderItem, &bool)| {
        let pieces = item.quantity.get();
        json!([item.goods_id, item.name, item.price.minor, pieces, if is_counted { pieces } else { 0 }])
    };
    serde_json::Value::from_iter(items.iter().zip(counted).map(item)).to_string()
}
