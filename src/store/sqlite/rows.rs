//! From rows to the domain's types. Columns are found by their names, so that queries may select `*`; what a row
//! holds was parsed when it was written and is trusted, as far as a type allows.

use sqlx::{Row, sqlite::SqliteRow};

use crate::{
    domain::{
        Category, Currency, Email, Goods, GoodsId, GoodsName, Nickname, Notification, Offset, Order, OrderId,
        OrderItem, OrderStatus, Price, Publication, Quantity, Role, ThumbnailUrl, Timestamp, User, UserId,
    },
    store::StoreError,
};

/// A name outside of what this version knows.
fn corrupt(what: &str, value: &dyn std::fmt::Display) -> StoreError {
    StoreError::Corrupt(format!("{what} is {value}"))
}

/// A number of pieces.
pub(super) fn quantity(row: &SqliteRow) -> Result<Quantity, StoreError> {
    let pieces = row.try_get("quantity")?;
    Quantity::new(pieces).ok_or_else(|| corrupt("a quantity", &pieces))
}

/// A moment.
pub(super) fn time(row: &SqliteRow, column: &str) -> Result<Timestamp, StoreError> {
    Ok(Timestamp::from_millis(row.try_get(column)?))
}

/// A row of `goods`.
pub(super) fn goods(row: &SqliteRow, currency: Currency) -> Result<Goods, StoreError> {
    Ok(Goods {
        goods_id: GoodsId(row.try_get("goods_id")?),
        name: GoodsName::trusted(row.try_get("name")?),
        thumbnail_url: ThumbnailUrl::trusted(row.try_get("thumbnail_url")?),
        category: Category::trusted(row.try_get("category")?),
        price: Price { minor: row.try_get("price")?, currency },
        stock: row.try_get("stock")?,
        created_at: time(row, "created_at")?,
        updated_at: time(row, "updated_at")?,
    })
}

/// How a role is kept.
pub(super) fn role_name(role: Role) -> &'static str {
    match role {
        Role::Member => "member",
        Role::Admin => "admin",
    }
}

/// A row of `users`.
pub(super) fn user(row: &SqliteRow) -> Result<User, StoreError> {
    Ok(User {
        user_id: UserId(row.try_get("user_id")?),
        email: Email::trusted(row.try_get("email")?),
        nickname: Nickname::trusted(row.try_get("nickname")?),
        role: match row.try_get("role")? {
            "member" => Role::Member,
            "admin" => Role::Admin,
            other => return Err(corrupt("a role", &other)),
        },
        hide_purchases: row.try_get("hide_purchases")?,
        created_at: time(row, "created_at")?,
    })
}

/// A row of `orders`, with its items.
pub(super) fn order(row: &SqliteRow, items: Vec<OrderItem>, currency: Currency) -> Result<Order, StoreError> {
    Ok(Order {
        order_id: OrderId(row.try_get("order_id")?),
        user_id: UserId(row.try_get("user_id")?),
        status: match row.try_get("status")? {
            "placed" => OrderStatus::Placed,
            "canceled" => OrderStatus::Canceled,
            other => return Err(corrupt("an order", &other)),
        },
        items,
        total: Price { minor: row.try_get("total")?, currency },
        created_at: time(row, "created_at")?,
    })
}

/// A row of `order_items`.
pub(super) fn item(row: &SqliteRow, currency: Currency) -> Result<OrderItem, StoreError> {
    Ok(OrderItem {
        goods_id: GoodsId(row.try_get("goods_id")?),
        name: row.try_get("name")?,
        price: Price { minor: row.try_get("price")?, currency },
        quantity: quantity(row)?,
    })
}

/// A row of `notifications`.
pub(super) fn publication(row: &SqliteRow) -> Result<Publication, StoreError> {
    let goods_id = GoodsId(row.try_get("goods_id")?);
    let notification = match row.try_get("kind")? {
        "purchase" => Notification::Purchase {
            nickname: row.try_get("nickname")?,
            goods_id,
            first_goods_name: row.try_get("first_goods_name")?,
            other_goods: row.try_get("other_goods")?,
            quantity: row.try_get("quantity")?,
        },
        "cancellation" => Notification::Cancellation { goods_id, canceled: Offset(row.try_get("canceled")?) },
        other => return Err(corrupt("a notification", &other)),
    };
    Ok(Publication { id: Offset(row.try_get("id")?), date: time(row, "created_at")?, notification })
}
