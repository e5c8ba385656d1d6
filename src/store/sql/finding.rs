//! Which orders a search means: by their number, by their buyer, by the names of their goods. Names are looked for among the
//! names that there are, which are few; from there an index leads to the orders, newest first. Only words
//! that many goods and buyers have are looked for in the orders themselves, from the newest on.

use std::collections::BTreeSet;

use super::{
    conn::Conn,
    statement::{self, Query, Scalar, either},
};
use crate::{
    domain::{OrderId, text},
    store::StoreError,
};

/// The most goods and accounts whose orders are looked up one by one. What more of them have in common is in so many orders
/// that a page of them is found from the newest on.
const MOST: u32 = 200;

/// A statement that reads ids.
type Ids = Query<Scalar<i64>>;

/// A query in the values of columns.
pub(super) struct Filter {
    pub(super) status: Option<&'static str>,
    pub(super) source: Option<String>,
    /// Orders of this shop only.
    pub(super) here: bool,
    /// Moments, both of them included.
    pub(super) from: i64,
    pub(super) to: i64,
    /// The order behind which the list goes on, and when it came.
    pub(super) after: i64,
    pub(super) after_at: i64,
    pub(super) limit: u32,
}

/// The ids of a page, newest first; `None` when there is nothing to look for in the text.
pub(super) async fn find(
    conn: &mut Conn,
    text: &str,
    filter: &Filter,
) -> Result<Option<Vec<i64>>, StoreError> {
    let (words, nickname) = (text::search_words(text), text::likeness(text));
    if words.is_empty() && nickname.is_empty() {
        return Ok(None);
    }
    let words = serde_json::json!(words).to_string();
    let goods = goods_called(conn, &words).await?;
    let accounts = accounts_called(conn, &nickname).await?;
    let mut found: BTreeSet<i64> = exactly(conn, text, filter).await?.into_iter().collect();
    found.extend(if goods.len().max(accounts.len()) > MOST as usize {
        from_the_newest(conn, &words, &nickname, filter).await?
    } else {
        let mut ids = of_goods(conn, &goods, filter).await?;
        ids.extend(of_accounts(conn, &accounts, filter).await?);
        ids
    });
    Ok(Some(found.into_iter().rev().take(filter.limit as usize).collect()))
}

/// Binds what all of these statements are filtered by, as their first seven values.
fn filtered(query: Ids, filter: &Filter) -> Ids {
    query
        .bind(filter.after)
        .bind(filter.from)
        .bind(filter.to)
        .bind(filter.limit)
        .bind(filter.status)
        .bind(&filter.source)
        .bind(filter.here)
}

/// Goods of which a name has all words, up to one more than are looked up.
async fn goods_called(conn: &mut Conn, words: &str) -> Result<Vec<i64>, StoreError> {
    Ok(statement::query_scalar(either(
        "select distinct goods_id
         from goods_names
         where $1 <> '[]' and not exists (select 1 from json_each($1) where instr(form, cast(value as blob)) = 0)
         limit $2",
        "select distinct goods_id
         from goods_names
         where $1 <> '[]' and not exists (select 1 from json_each($1) where instr(form, atom) = 0)
         limit $2",
    ))
    .bind(words)
    .bind(MOST + 1)
    .fetch_all(conn)
    .await?)
}

/// Accounts whose nickname contains a text, up to one more than are looked up.
async fn accounts_called(conn: &mut Conn, nickname: &str) -> Result<Vec<i64>, StoreError> {
    Ok(statement::query_scalar(
        "select user_id
         from users indexed by users_listed
         where $1 <> '' and instr(nickname_key, $1) > 0 and erased_at is null
         limit $2",
    )
    .bind(nickname)
    .bind(MOST + 1)
    .fetch_all(conn)
    .await?)
}

/// Orders with this number, here or at their source, and those whose source calls their buyer so.
async fn exactly(conn: &mut Conn, text: &str, filter: &Filter) -> Result<Vec<i64>, StoreError> {
    let text = text.trim();
    let number = text.trim_start_matches('#');
    let found = statement::query_scalar(either(
        "select order_id
         from orders
         where
             order_id in (
                 select $8
                 union all
                 select order_id from source_orders where number in ($9, $10) and order_id is not null
                 union all
                 select order_id from orders where buyer = $11 collate nocase
             )
             and order_id < $1 and created_at between $2 and $3
             and (status = $5 or $5 is null) and (source_id = $6 or $6 is null) and (not $7 or source_id is null)
         order by order_id desc
         limit $4",
        "select order_id
         from orders
         where
             order_id in (
                 select $8
                 union all
                 select order_id from source_orders where number in ($9, $10) and order_id is not null
                 union all
                 select order_id from orders where lower(buyer) = $11
             )
             and order_id < $1 and created_at between $2 and $3
             and (status = $5 or $5 is null) and (source_id = $6 or $6 is null) and (not $7 or source_id is null)
         order by order_id desc
         limit $4",
    ));
    Ok(filtered(found, filter)
        .bind(OrderId::parse(number).map(|id| id.0))
        .bind(number)
        .bind(text)
        .bind(text.to_ascii_lowercase())
        .fetch_all(conn)
        .await?)
}

/// The newest orders of each of some goods. The second table function is read once for each row of the first: so the
/// newest of each come along the index, and no more of them than a page.
async fn of_goods(conn: &mut Conn, goods: &[i64], filter: &Filter) -> Result<Vec<i64>, StoreError> {
    let found = statement::query_scalar(either(
        "select found.value
         from json_each($8) as wanted cross join json_each((
             select json_group_array(order_id)
             from (
                 select distinct order_id
                 from order_items
                 where
                     goods_id = wanted.value and order_id < $1
                     and exists (
                         select 1
                         from orders
                         where
                             orders.order_id = order_items.order_id and created_at between $2 and $3
                             and (status = $5 or $5 is null) and (source_id = $6 or $6 is null)
                             and (not $7 or source_id is null)
                     )
                 order by order_id desc
                 limit $4
             )
         )) as found",
        "select found.order_id
         from json_each($8) as wanted cross join lateral (
             select distinct order_id
             from order_items
             where
                 goods_id = cast(wanted.value as bigint) and order_id < $1
                 and exists (
                     select 1
                     from orders
                     where
                         orders.order_id = order_items.order_id and created_at between $2 and $3
                         and (status = $5 or $5 is null) and (source_id = $6 or $6 is null)
                         and (not $7 or source_id is null)
                 )
             order by order_id desc
             limit $4
         ) as found",
    ));
    Ok(filtered(found, filter).bind(serde_json::json!(goods).to_string()).fetch_all(conn).await?)
}

/// The newest orders of each of some accounts, as [`of_goods`].
async fn of_accounts(conn: &mut Conn, accounts: &[i64], filter: &Filter) -> Result<Vec<i64>, StoreError> {
    if filter.source.is_some() {
        return Ok(Vec::new());
    }
    Ok(statement::query_scalar(either(
        "select found.value
         from json_each($6) as wanted cross join json_each((
             select json_group_array(order_id)
             from (
                 select order_id
                 from orders indexed by orders_of_user
                 where
                     user_id = wanted.value and order_id < $1 and created_at between $2 and $3
                     and (status = $5 or $5 is null)
                 order by order_id desc
                 limit $4
             )
         )) as found",
        "select found.order_id
         from json_each($6) as wanted cross join lateral (
             select order_id
             from orders
             where
                 user_id = cast(wanted.value as bigint) and order_id < $1 and created_at between $2 and $3
                 and (status = $5 or $5 is null)
             order by order_id desc
             limit $4
         ) as found",
    ))
    .bind(filter.after)
    .bind(filter.from)
    .bind(filter.to)
    .bind(filter.limit)
    .bind(filter.status)
    .bind(serde_json::json!(accounts).to_string())
    .fetch_all(conn)
    .await?)
}

/// Orders of such goods or accounts, looking at one after the other: the plus keeps SQLite from looking up each of the goods
/// for each order instead.
async fn from_the_newest(
    conn: &mut Conn,
    words: &str,
    nickname: &str,
    filter: &Filter,
) -> Result<Vec<i64>, StoreError> {
    let found = statement::query_scalar(either(
        "select order_id
         from orders not indexed
         where
             order_id < $1 and created_at between $2 and $3
             and (status = $5 or $5 is null) and (source_id = $6 or $6 is null) and (not $7 or source_id is null)
             and (
                 user_id in (
                     select user_id
                     from users indexed by users_listed
                     where $9 <> '' and instr(nickname_key, $9) > 0 and erased_at is null
                 )
                 or exists (
                     select 1
                     from order_items
                     where
                         order_items.order_id = orders.order_id
                         and +goods_id in (
                             select goods_id
                             from goods_names
                             where
                                 $8 <> '[]'
                                 and not exists (
                                     select 1 from json_each($8) where instr(form, cast(value as blob)) = 0
                                 )
                         )
                 )
             )
         order by order_id desc
         limit $4",
        "select order_id
         from orders
         where
             order_id < $1 and created_at between $2 and $3
             and (status = $5 or $5 is null) and (source_id = $6 or $6 is null) and (not $7 or source_id is null)
             and (
                 user_id in (
                     select user_id
                     from users
                     where $9 <> '' and instr(nickname_key, $9) > 0 and erased_at is null
                 )
                 or exists (
                     select 1
                     from order_items
                     where
                         order_items.order_id = orders.order_id
                         and goods_id in (
                             select goods_id
                             from goods_names
                             where
                                 $8 <> '[]'
                                 and not exists (
                                     select 1 from json_each($8) where instr(form, atom) = 0
                                 )
                         )
                 )
             )
         order by order_id desc
         limit $4",
    ));
    Ok(filtered(found, filter).bind(words).bind(nickname).fetch_all(conn).await?)
}
