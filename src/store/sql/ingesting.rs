//! Keeping what a source says (docs/contract.md §4): one state machine for each order, keyed by the source's own number for
//! it, in one job of the writer. Unseen or unpaid becomes paid, which places the order and tells it; each of them becomes
//! withdrawn, which is the end. Whatever else is said changes nothing.

use serde_json::json;

use super::{
    alerts, audit, authority,
    foreign_goods::{self, Bought},
    orders, privacy, receipts, statement,
    writer::Tx,
};
use crate::{
    domain::{
        Elsewhere, GoodsId, Notification, Offset, OrderId, Price, Publication, Quantity, Silence, SourceId,
        Timestamp, id::MAX_SAFE_INTEGER,
    },
    hooks::{ForeignId, State, Told, ToldOrder},
    store::{Became, Deed, Heard, Outcome, Source, SourceError, StoreError, Via},
};

/// Keeps what was heard and says what became of it.
pub(super) async fn keep(tx: &mut Tx, mut heard: Heard) -> Result<Became, SourceError> {
    authority::admin::<SourceError>(tx, heard.by, heard.at).await?;
    let source = heard.source.clone();
    let (id, at) = (&source.record.id, heard.at);
    let what = std::mem::replace(&mut heard.what, Err(String::new()));
    let (number, became) = match what {
        Ok(Told::Order(order)) => {
            let became = order_told(tx, &source, &order, at).await?;
            (Some(order.number), became)
        }
        Ok(Told::Withdrawn { number, why }) => {
            let became = withdrawn(tx, id, &number, &why, at).await?;
            (Some(number), became)
        }
        Ok(Told::Refund { number, amount }) => {
            let became = refunded(tx, &source, &number, amount, &heard.digest, at).await?;
            (Some(number), became)
        }
        other => {
            held(tx, id).await?;
            (None, not_of_an_order(tx, &source, other, at).await?)
        }
    };
    tx.news.trace(heard.trace);
    // What is fetched again and again is news only where it changes something.
    let nothing_new = matches!(became.outcome, Outcome::Unchanged | Outcome::Ignored);
    if heard.via == Via::Poll && heard.again.is_none() && nothing_new {
        return Ok(became);
    }
    if heard.again.is_some() {
        let details = json!({ "sourceId": id.as_str(), "outcome": became.outcome.name() });
        let subject = source.record.settings.name.as_str().to_owned();
        audit::record(tx, heard.by, at, Deed { action: "source.retry", subject, details }).await?;
    }
    receipts::record(tx, heard, number.as_ref().map(ForeignId::as_str), &became).await?;
    Ok(became)
}

/// That the source was not removed meanwhile.
async fn held(tx: &mut Tx, id: &SourceId) -> Result<(), SourceError> {
    let held: bool = statement::query_scalar(
        "select exists (select 1 from sources where source_id = $1 and removed_at is null)",
    )
    .bind(id.as_str())
    .fetch_one(&mut tx.conn)
    .await?;
    held.then_some(()).ok_or(SourceError::NotFound)
}

fn became(outcome: Outcome, why: impl Into<String>) -> Became {
    Became { outcome, why: why.into(), order_id: None, notification: None }
}

async fn not_of_an_order(
    tx: &mut Tx,
    source: &Source,
    what: Result<Told, String>,
    at: Timestamp,
) -> Result<Became, StoreError> {
    let told = match what {
        Ok(told) => told,
        Err(why) => return Ok(became(Outcome::Malformed, why)),
    };
    Ok(match told {
        Told::Goods(goods) => became(Outcome::Goods, foreign_goods::keep(tx, source, &goods, at).await?),
        Told::GoodsGone { foreign_id, sku } => {
            let done = foreign_goods::forget(tx, source, sku.as_deref(), foreign_id.as_ref(), at).await?;
            became(Outcome::Goods, done)
        }
        Told::Privacy(request) => {
            became(Outcome::Privacy, privacy::serve(tx, &source.record.id, request).await?)
        }
        Told::Ping => became(Outcome::Ignored, "it asks whether somebody is there"),
        Told::Nothing(why) => became(Outcome::Ignored, why),
        // Those of orders were taken before.
        Told::Order(_) | Told::Withdrawn { .. } | Told::Refund { .. } => {
            became(Outcome::Ignored, "it is about an order")
        }
    })
}

/// What is known of an order of a source.
struct Known {
    state: Stage,
    /// Minor units that were given back.
    refunds: i64,
}

/// How far it has come.
enum Stage {
    Unseen,
    Unpaid,
    Paid(OrderId),
    Withdrawn,
}

/// What is known of an order, if its source was not removed meanwhile.
async fn known(tx: &mut Tx, source: &SourceId, number: &ForeignId) -> Result<Known, SourceError> {
    let (held, state, order_id, refunds) = statement::query_as::<(bool, Option<String>, Option<i64>, i64)>(
        "select
             exists (select 1 from sources where source_id = $1 and removed_at is null),
             (select state from source_orders where source_id = $1 and number = $2),
             (select order_id from source_orders where source_id = $1 and number = $2),
             (
                 select cast(coalesce(sum(amount), 0) as bigint)
                 from source_refunds
                 where source_id = $1 and number = $2
             )",
    )
    .bind(source.as_str())
    .bind(number.as_str())
    .fetch_one(&mut tx.conn)
    .await?;
    let state = match (state.as_deref(), order_id) {
        _ if !held => return Err(SourceError::NotFound),
        (None, _) => Stage::Unseen,
        (Some("paid"), Some(id)) => Stage::Paid(OrderId(id)),
        (Some("unpaid"), _) => Stage::Unpaid,
        (Some(_), _) => Stage::Withdrawn,
    };
    Ok(Known { state, refunds })
}

async fn order_told(
    tx: &mut Tx,
    source: &Source,
    order: &ToldOrder,
    at: Timestamp,
) -> Result<Became, SourceError> {
    let id = &source.record.id;
    let known = known(tx, id, &order.number).await?;
    Ok(match (&order.state, known.state) {
        (State::Withdrawn(why), stage) | (State::Failed(why), stage @ Stage::Paid(_)) => {
            withdraw(tx, id, &order.number, stage, why, at).await?
        }
        (_, Stage::Withdrawn) => became(Outcome::Unchanged, "the order was withdrawn before"),
        (_, Stage::Paid(order_id)) => {
            Became { order_id: Some(order_id), ..became(Outcome::Unchanged, "the order was known before") }
        }
        (State::Unpaid(why) | State::Failed(why), Stage::Unseen) => {
            mark(tx, id, &order.number, "unpaid", at).await?;
            became(Outcome::Kept, format!("not paid yet: {why}"))
        }
        (State::Unpaid(why) | State::Failed(why), Stage::Unpaid) => {
            became(Outcome::Unchanged, format!("not paid yet: {why}"))
        }
        (State::Paid, Stage::Unseen | Stage::Unpaid) => paid(tx, source, order, known.refunds, at).await?,
    })
}

/// Sets the state of an order that has no row of ours.
async fn mark(
    tx: &mut Tx,
    source: &SourceId,
    number: &ForeignId,
    state: &'static str,
    at: Timestamp,
) -> Result<(), StoreError> {
    statement::query(
        "insert into source_orders (source_id, number, state, updated_at)
         values ($1, $2, $3, $4)
         on conflict (source_id, number) do update set state = excluded.state, updated_at = excluded.updated_at",
    )
    .bind(source.as_str())
    .bind(number.as_str())
    .bind(state)
    .bind(at.as_millis())
    .execute(&mut tx.conn)
    .await?;
    Ok(())
}

async fn withdrawn(
    tx: &mut Tx,
    source: &SourceId,
    number: &ForeignId,
    why: &str,
    at: Timestamp,
) -> Result<Became, SourceError> {
    let known = known(tx, source, number).await?;
    Ok(withdraw(tx, source, number, known.state, why, at).await?)
}

async fn withdraw(
    tx: &mut Tx,
    source: &SourceId,
    number: &ForeignId,
    stage: Stage,
    why: &str,
    at: Timestamp,
) -> Result<Became, StoreError> {
    match stage {
        Stage::Withdrawn => Ok(became(Outcome::Unchanged, "the order was withdrawn before")),
        Stage::Unseen | Stage::Unpaid => {
            mark(tx, source, number, "withdrawn", at).await?;
            Ok(became(Outcome::Kept, format!("withdrawn before it was paid, so it is never told: {why}")))
        }
        Stage::Paid(order_id) => {
            let notification = orders::write_cancellation(tx, order_id, at).await?;
            let order_id = Some(order_id);
            Ok(Became { order_id, notification, ..became(Outcome::Withdrawn, why) })
        }
    }
}

/// Keeps a refund and withdraws the order if that makes it all of the money.
async fn refunded(
    tx: &mut Tx,
    source: &Source,
    number: &ForeignId,
    amount: Option<Price>,
    digest: &str,
    at: Timestamp,
) -> Result<Became, SourceError> {
    let Some(amount) = amount else {
        return Ok(became(Outcome::Ignored, "it does not say how much was given back"));
    };
    let id = &source.record.id;
    let total: Option<i64> = statement::query_scalar(
        "insert into source_refunds (source_id, number, digest, amount)
         values ($1, $2, $3, $4)
         on conflict (source_id, number, digest) do nothing;

         select total
         from source_orders join orders using (order_id)
         where source_orders.source_id = $1 and number = $2",
    )
    .bind(id.as_str())
    .bind(number.as_str())
    .bind(digest)
    .bind(amount.minor)
    .fetch_optional(&mut tx.conn)
    .await?;
    let known = known(tx, id, number).await?;
    match total {
        Some(total) if known.refunds >= total => {
            Ok(withdraw(tx, id, number, known.state, "all of it was refunded", at).await?)
        }
        _ => Ok(became(Outcome::Kept, "a part was refunded, the order stands")),
    }
}

/// Places an order that was paid, and tells it if it is news.
async fn paid(
    tx: &mut Tx,
    source: &Source,
    order: &ToldOrder,
    refunds: i64,
    at: Timestamp,
) -> Result<Became, StoreError> {
    let id = &source.record.id;
    let total = sum(order);
    if refunds > 0 && refunds >= total {
        mark(tx, id, &order.number, "withdrawn", at).await?;
        return Ok(became(Outcome::Kept, "all of it was refunded before, so it is never told"));
    }
    let bought = foreign_goods::of_lines(tx, source, &order.lines, at).await?;
    let silent = alerts::silent(tx).await?;
    let told = bought.iter().position(|goods| goods.announce && !silent.has(&goods.category));
    let unsaid = bought.iter().any(|goods| goods.announce).then_some(Silence::Category);
    let goods = if told.is_some() { None } else { unsaid.or(Some(Silence::Goods)) };
    let silence = silence(source, order, goods, at);
    let (code, why) = silence.unzip();
    let draft = Draft { source, order, bought, told: told.unwrap_or_default(), total, silence: code, at };
    let (order_id, notification) = write(tx, draft).await?;
    let outcome = if code.is_none() { Outcome::Told } else { Outcome::Kept };
    let why = why.unwrap_or_else(|| "the order was paid".to_owned());
    Ok(Became { order_id: Some(order_id), notification, ..became(outcome, why) })
}

/// Why an order is not told, if it is not. `goods` is why its goods are not.
fn silence(
    source: &Source,
    order: &ToldOrder,
    goods: Option<Silence>,
    at: Timestamp,
) -> Option<(Silence, String)> {
    let within = source.record.settings.announce_within;
    if order.test {
        return Some((Silence::Test, "a test order".to_owned()));
    }
    if let Some(since) = order.news_since().filter(|since| since.plus(within) < at) {
        return Some((Silence::Late, format!("no news any more: it is of {since}")));
    }
    goods.map(|goods| (goods, "orders of these goods are not told".to_owned()))
}

/// What an order comes to, in minor units.
fn sum(order: &ToldOrder) -> i64 {
    let lines = || {
        let line = |line: &crate::hooks::ToldLine| {
            line.price.map_or(0, |price| price.minor.saturating_mul(line.quantity))
        };
        order.lines.iter().map(line).fold(0_i64, i64::saturating_add)
    };
    order.total.map_or_else(lines, |total| total.minor).min(MAX_SAFE_INTEGER)
}

/// An order that lacks only its number.
struct Draft<'a> {
    source: &'a Source,
    order: &'a ToldOrder,
    bought: Vec<Bought>,
    /// Which of them the alert names.
    told: usize,
    total: i64,
    /// Why nobody is told.
    silence: Option<Silence>,
    at: Timestamp,
}

impl Draft<'_> {
    /// One argument for any number of lines: `[[goods_id, name, price, quantity], …]`.
    fn lines(&self) -> (serde_json::Value, i64) {
        let mut pieces = 0;
        let lines = self.order.lines.iter().zip(&self.bought).map(|(line, goods)| {
            let quantity = line.quantity.clamp(1, Quantity::MAX);
            pieces += quantity;
            json!([goods.goods_id, goods.name, line.price.map_or(0, |price| price.minor), quantity])
        });
        (lines.collect(), pieces)
    }

    /// The code of the order's currency, where the source says one.
    fn currency(&self) -> Option<String> {
        let of_lines = self.order.lines.iter().find_map(|line| line.price);
        let said = self.order.total.or(of_lines).map(|price| price.currency);
        said.or(self.source.record.currency).map(|currency| currency.code().to_owned())
    }
}

/// Writes the order with its lines, its state and its event in the log, in one script as in `placing`.
async fn write(tx: &mut Tx, draft: Draft<'_>) -> Result<(OrderId, Option<Offset>), StoreError> {
    let Draft { source, order, at, total, silence, .. } = draft;
    let buyer = order.buyer.as_ref().and_then(|buyer| {
        source.record.settings.buyer.show(buyer.first_name.as_deref(), buyer.last_name.as_deref())
    });
    let (lines, pieces) = draft.lines();
    let told = &draft.bought[draft.told];
    let (order_id, announced_as) = statement::query_as::<(i64, Option<i64>)>(
        "insert into orders (
             user_id, status, total, created_at, source_id, currency, ordered_at, buyer, silence
         )
         values (null, 'placed', $1, $2, $3, $4, $5, $6, $15);

         insert into order_items (order_id, line, goods_id, name, price, quantity)
         select
             (select max(order_id) from orders), key,
             cast(value ->> 0 as bigint), value ->> 1, cast(value ->> 2 as bigint), cast(value ->> 3 as bigint)
         from json_each($7);

         insert into source_orders (source_id, number, state, order_id, updated_at)
         values ($3, $8, 'paid', (select max(order_id) from orders), $2)
         on conflict (source_id, number) do update
         set state = excluded.state, order_id = excluded.order_id, updated_at = excluded.updated_at;

         update sources
         set currency = $4
         where source_id = $3 and currency is distinct from $4 and $4 is not null;

         insert into order_events (
             sequence, announced_as, kind, order_id, goods_id, nickname,
             first_goods_name, other_goods, quantity, created_at, goods_url, thumbnail_url, ordered_at
         )
         values (
             (select sequence + 1 from order_log_reach),
             (select latest + 1 from order_log_reach where $9),
             'placed', (select max(order_id) from orders), $10, case when $9 then $6 end,
             $11, json_array_length($7) - 1, $12, $2, $13, $14, $5
         )
         returning order_id, announced_as",
    )
    .bind(total)
    .bind(at.as_millis())
    .bind(source.record.id.as_str())
    .bind(draft.currency())
    .bind(order.ordered_at.map(Timestamp::as_millis))
    .bind(buyer.clone())
    .bind(lines.to_string())
    .bind(order.number.as_str())
    .bind(silence.is_none())
    .bind(told.goods_id.0)
    .bind(&told.name)
    .bind(pieces)
    .bind(&told.url)
    .bind(&told.thumbnail_url)
    .bind(silence.map(Silence::name))
    .fetch_one(&mut tx.conn)
    .await?;
    let alert = announced_as.map(|id| alert(Offset(id), &draft, buyer, pieces));
    tx.news.publications.extend(alert);
    Ok((OrderId(order_id), announced_as.map(Offset)))
}

/// What the log says to the audience of an order that was just written.
fn alert(id: Offset, draft: &Draft<'_>, nickname: Option<String>, quantity: i64) -> Publication {
    let told = &draft.bought[draft.told];
    let notification = Notification::Purchase {
        nickname,
        goods_id: GoodsId(told.goods_id.0),
        first_goods_name: told.name.clone(),
        other_goods: i64::try_from(draft.bought.len() - 1).unwrap_or(i64::MAX),
        quantity,
        elsewhere: Elsewhere::of(told.url.clone(), told.thumbnail_url.clone(), draft.order.ordered_at),
    };
    Publication { id, date: draft.at, notification }
}
