//! Placing an order (CONTRACT §3, "`BUY` rules"): idempotency key, basket, stock, names and prices, order and alert,
//! in one job of the writer. Reading and canceling orders is next door in `orders`.

use serde_json::json;
use sqlx::{Row, SqliteConnection};

use super::{accounts, carts, catalog, log, orders, writer::Tx};
use crate::{
    domain::{
        Basket, Goods, GoodsId, IdempotencyKey, Line, NewOrder, Offset, Order, OrderId, OrderItem,
        OrderStatus, Price, Quantity, Timestamp, UserId, id::MAX_SAFE_INTEGER,
    },
    store::{OrderError, PlacedOrder, StoreError},
};

/// Places an order, or finds the one that was placed under its key.
pub(super) async fn place(tx: &mut Tx, request: NewOrder) -> Result<PlacedOrder, OrderError> {
    let NewOrder { user_id, basket, key, at } = request;
    let fingerprint = basket.fingerprint();
    // First of all: a repeat is the same order even if the goods are gone or sold out since.
    if let Some(key) = &key
        && let Some(found) = replay(tx, user_id, key, &fingerprint).await?
    {
        return Ok(found);
    }
    let wanted = resolve(&mut tx.conn, user_id, basket).await?;
    let goods = reserve(tx, &wanted.lines, at).await?;
    let (items, total) = price(&wanted.lines, goods, tx)?;
    let buyer = buyer(&mut tx.conn, user_id).await?;
    let kept_key = key.as_ref().map(|key| (key, fingerprint.as_str()));
    let order_id = insert(&mut tx.conn, user_id, &items, total, kept_key, at).await?;
    let notification = alert(tx, order_id, buyer, &items, at).await?;
    if wanted.empties_cart {
        carts::empty(&mut tx.conn, user_id).await?;
    }
    let order = Order { order_id, user_id, status: OrderStatus::Placed, items, total, created_at: at };
    Ok(PlacedOrder { order, notification, replayed: false })
}

/// The order that was placed under a key, as it was placed.
async fn replay(
    tx: &mut Tx,
    user: UserId,
    key: &IdempotencyKey,
    fingerprint: &str,
) -> Result<Option<PlacedOrder>, OrderError> {
    let row = sqlx::query(
        "select fingerprint, order_id
         from idempotency_keys
         where user_id = ? and key = ?",
    )
    .bind(user.0)
    .bind(key.as_str())
    .fetch_optional(&mut tx.conn)
    .await?;
    let Some(row) = row else { return Ok(None) };
    if row.try_get::<&str, _>("fingerprint")? != fingerprint {
        return Err(OrderError::KeyReused);
    }
    let order_id = OrderId(row.try_get("order_id")?);
    let order = orders::find(&mut tx.conn, tx.currency, order_id, Some(user)).await?;
    let mut order = order.ok_or_else(|| StoreError::Corrupt(format!("there is no order {order_id}")))?;
    // The same answer as the first time, also when the order was canceled since.
    order.status = OrderStatus::Placed;
    let notification = log::alert_of(&mut tx.conn, order_id).await?;
    Ok(Some(PlacedOrder { order, notification, replayed: true }))
}

/// What a basket comes to.
struct Wanted {
    lines: Vec<Line>,
    empties_cart: bool,
}

async fn resolve(conn: &mut SqliteConnection, user: UserId, basket: Basket) -> Result<Wanted, OrderError> {
    let cart = |lines| Wanted { lines, empties_cart: true };
    match basket {
        Basket::Lines(lines) => Ok(Wanted { lines, empties_cart: false }),
        Basket::Cart => match carts::lines(conn, user).await? {
            lines if lines.is_empty() => Err(OrderError::CartEmpty),
            lines => Ok(cart(lines)),
        },
        Basket::CartOf { goods_id, lines: count, name } => {
            // These goods may really be called like an order of several.
            if catalog::is_named(conn, goods_id, &name).await? {
                return single(conn, user, goods_id).await;
            }
            let lines = carts::lines(conn, user).await?;
            let as_shown = lines.len() == count && lines.iter().any(|line| line.goods_id == goods_id);
            if as_shown { Ok(cart(lines)) } else { Err(OrderError::CartChanged) }
        }
        Basket::Single(goods_id) => single(conn, user, goods_id).await,
    }
}

async fn single(conn: &mut SqliteConnection, user: UserId, goods_id: GoodsId) -> Result<Wanted, OrderError> {
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
        let place = found.iter().position(|goods| goods.goods_id == line.goods_id);
        let these = found.swap_remove(place.ok_or(OrderError::GoodsNotFound(line.goods_id))?);
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
        catalog::take(tx, &counted, at).await?;
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

/// What the alert needs to know of the buyer.
struct Buyer {
    nickname: String,
    hidden: bool,
}

async fn buyer(conn: &mut SqliteConnection, user: UserId) -> Result<Buyer, OrderError> {
    let row = sqlx::query(
        "select nickname, hide_purchases
         from users
         where user_id = ?",
    )
    .bind(user.0)
    .fetch_optional(conn)
    .await?
    .ok_or_else(|| accounts::no_account(user))?;
    Ok(Buyer { nickname: row.try_get("nickname")?, hidden: row.try_get("hide_purchases")? })
}

/// Writes the order, its items and its key.
async fn insert(
    conn: &mut SqliteConnection,
    user: UserId,
    items: &[OrderItem],
    total: Price,
    key: Option<(&IdempotencyKey, &str)>,
    at: Timestamp,
) -> Result<OrderId, StoreError> {
    let items: Vec<_> =
        items.iter().map(|item| json!([item.goods_id, item.name, item.price.minor, item.quantity])).collect();
    // One script, because each trip to the connection's thread costs more than these statements. All of them see
    // the same parameters, and the order's id is still the last row id at the end: the tables written after `orders`
    // have no row ids.
    let order_id = sqlx::query_scalar(
        "insert into orders (user_id, status, total, created_at)
         values (?1, 'placed', ?2, ?3);

         insert into order_items (order_id, line, goods_id, name, price, quantity)
         select last_insert_rowid(), key, value ->> 0, value ->> 1, value ->> 2, value ->> 3
         from json_each(?4);

         insert into idempotency_keys (user_id, key, fingerprint, order_id, created_at)
         select ?1, ?5, ?6, last_insert_rowid(), ?3
         where ?5 is not null;

         select last_insert_rowid()",
    )
    .bind(user.0)
    .bind(total.minor)
    .bind(at.as_millis())
    .bind(serde_json::Value::from(items).to_string())
    .bind(key.map(|(key, _)| key.as_str().to_owned()))
    .bind(key.map(|(_, fingerprint)| fingerprint.to_owned()))
    .fetch_one(conn)
    .await?;
    Ok(OrderId(order_id))
}

/// Adds the order to the log, unless its buyer hides purchases.
async fn alert(
    tx: &mut Tx,
    order_id: OrderId,
    buyer: Buyer,
    items: &[OrderItem],
    at: Timestamp,
) -> Result<Option<Offset>, StoreError> {
    let Some(first) = items.first().filter(|_| !buyer.hidden) else { return Ok(None) };
    let purchase = log::Purchase {
        order_id,
        goods_id: first.goods_id,
        nickname: buyer.nickname,
        first_goods_name: first.name.clone(),
        other_goods: i64::try_from(items.len() - 1).unwrap_or(i64::MAX),
        quantity: items.iter().map(|item| item.quantity.get()).sum(),
    };
    log::add_purchase(tx, purchase, at).await.map(Some)
}
