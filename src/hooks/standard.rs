//! Standard Webhooks 1.0, for backends of one's own, and scripts with a bearer secret.
//!
//! These bodies are written for this program, so that what is wrong in them is said, not passed over.

use super::{
    Buyer, ForeignId, Incoming, Refusal, Secret, State, Told, ToldGoods, ToldLine, ToldOrder, WebUrl,
    foreign, json::Object, money, signature, told,
};
use crate::domain::{Currency, Price, Quantity, ThumbnailUrl};

/// Whether `webhook-signature` holds one signature `v1` of `id.timestamp.body`; or, where there is none, whether the bearer
/// of a secret sent it.
pub(super) fn verify(secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    if incoming.has("webhook-signature") || !incoming.has("authorization") {
        return signed(secrets, incoming);
    }
    let bearer = incoming.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim_start())
    });
    let token = bearer.ok_or(Refusal::BadSignature("Authorization is not one bearer secret"))?;
    let known = secrets.iter().any(|secret| signature::same(secret.expose().as_bytes(), token.as_bytes()));
    known.then_some(()).ok_or(Refusal::BadSignature("this bearer secret is none of the source's"))
}

fn signed(secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let header = |name: &str| incoming.header(name).filter(|value| !value.is_empty());
    let (Some(id), Some(at), Some(signatures)) =
        (header("webhook-id"), header("webhook-timestamp"), header("webhook-signature"))
    else {
        return Err(Refusal::BadSignature(
            "webhook-id, webhook-timestamp and webhook-signature, each once, or Authorization: Bearer is needed",
        ));
    };
    if !signature::is_now(at, incoming.now) {
        return Err(Refusal::BadSignature("webhook-timestamp is more than five minutes away from now"));
    }
    let given: Vec<_> = signatures
        .split(' ')
        .filter_map(|versioned| versioned.strip_prefix("v1,"))
        .filter_map(signature::base64)
        .collect();
    let given: Vec<_> = given.iter().map(Vec::as_slice).collect();
    let parts = [id.as_bytes(), b".", at.as_bytes(), b".", incoming.body];
    let known = secrets.iter().filter_map(Secret::decoded).any(|key| signature::signed(&key, &parts, &given));
    known
        .then_some(())
        .ok_or(Refusal::BadSignature("webhook-signature holds no signature by the source's secret"))
}

/// What `{type, timestamp?, data}` says.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    let body = Object::body(incoming.body)?;
    let kind = body.text("type").ok_or_else(|| Refusal::malformed("type is required"))?;
    let data = || body.object("data").ok_or_else(|| Refusal::malformed("data is an object"));
    match kind.as_ref() {
        "order.paid" => order(&data()?, incoming).map(|order| Told::Order(Box::new(order))),
        "order.canceled" => {
            Ok(Told::Withdrawn { number: number(&data()?)?, why: "the order was canceled".to_owned() })
        }
        "goods.upserted" => goods(&data()?, incoming).map(|goods| Told::Goods(Box::new(goods))),
        "goods.deleted" => gone(&data()?),
        other => Ok(Told::Nothing(format!("{} is no event that is known here", foreign::word(other)))),
    }
}

fn number(data: &Object<'_>) -> Result<ForeignId, Refusal> {
    required(data, "orderId", ForeignId::parse, "orderId is a number or a text of 1 to 200 characters")
}

fn order(data: &Object<'_>, incoming: &Incoming<'_>) -> Result<ToldOrder, Refusal> {
    let number = number(data)?;
    let items = data.objects("items", told::MAX_LINES + 1);
    if items.is_empty() || items.len() > told::MAX_LINES {
        return Err(Refusal::malformed("items is a list of 1 to 500 objects"));
    }
    let currency = currency(data, &items, incoming.currency)?;
    let lines = items.iter().map(|item| line(item, currency)).collect::<Result<Vec<_>, _>>()?;
    let total = optional(data, "total", |text| money::total(text, currency), "total is a sum of money")?;
    let ordered_at =
        optional(data, "orderedAt", foreign::moment, "orderedAt is a time as RFC 3339 writes it")?;
    Ok(ToldOrder {
        number,
        state: State::Paid,
        buyer: buyer(data),
        ordered_at: ordered_at.map(|at| at.min(incoming.now)),
        paid_at: None,
        test: flag(data, "test")?,
        total: total.or_else(|| sum(&lines, currency)),
        lines,
    })
}

/// `buyer` is a name, or `{firstName, lastName}`.
fn buyer(data: &Object<'_>) -> Option<Buyer> {
    if let Some(parts) = data.object("buyer") {
        let part = |name| parts.read_as(name, foreign::person);
        return Buyer::of(part("firstName"), part("lastName"));
    }
    Buyer::whole(&data.read_as("buyer", foreign::person)?)
}

/// The one currency of an order: its own, or that of its items.
fn currency(data: &Object<'_>, items: &[Object<'_>], shop: Currency) -> Result<Currency, Refusal> {
    let of = |object: &Object<'_>| {
        optional(object, "currency", |code| code.parse().ok(), "currency is a code of ISO 4217, such as USD")
    };
    let mut found = of(data)?;
    for item in items {
        let Some(own) = of(item)? else { continue };
        if *found.get_or_insert(own) != own {
            return Err(Refusal::malformed("all items of an order have one currency"));
        }
    }
    Ok(found.unwrap_or(shop))
}

fn line(item: &Object<'_>, currency: Currency) -> Result<ToldLine, Refusal> {
    let what = described(item, currency)?;
    let name = what.name.ok_or_else(|| Refusal::malformed("name is required for each item"))?;
    let quantity = optional(
        item,
        "quantity",
        |text| Quantity::parse(text).ok(),
        "quantity is a whole number from 1 to 999",
    )?;
    Ok(ToldLine {
        sku: what.sku,
        foreign_id: what.foreign_id,
        name: Some(name),
        quantity: quantity.map_or(1, Quantity::get),
        price: what.price,
        url: what.url,
        thumbnail: what.thumbnail,
    })
}

fn goods(data: &Object<'_>, incoming: &Incoming<'_>) -> Result<ToldGoods, Refusal> {
    let currency = currency(data, &[], incoming.currency)?;
    let goods = described(data, currency)?;
    let identified = goods.sku.is_some() || goods.foreign_id.is_some();
    identified.then_some(goods).ok_or_else(|| Refusal::malformed("sku or goodsId is required"))
}

fn gone(data: &Object<'_>) -> Result<Told, Refusal> {
    let (sku, foreign_id) = (sku(data)?, goods_id(data)?);
    if sku.is_none() && foreign_id.is_none() {
        return Err(Refusal::malformed("sku or goodsId is required"));
    }
    Ok(Told::GoodsGone { foreign_id, sku })
}

/// What an item of an order and goods have in common.
fn described(of: &Object<'_>, currency: Currency) -> Result<ToldGoods, Refusal> {
    let name = optional(of, "name", foreign::goods_name, "name is a text with something to see")?;
    let price =
        optional(of, "price", |text| money::price(text, currency), "price is a sum of money from 0 up")?;
    let url = optional(of, "url", WebUrl::parse, "url is an http or https address")?;
    let thumbnail = optional(of, "thumbnailUrl", picture, "thumbnailUrl is an http or https address")?;
    Ok(ToldGoods { foreign_id: goods_id(of)?, sku: sku(of)?, name, price, url, thumbnail })
}

fn sku(of: &Object<'_>) -> Result<Option<String>, Refusal> {
    optional(of, "sku", foreign::sku, "sku is a text of 1 to 100 characters")
}

fn goods_id(of: &Object<'_>) -> Result<Option<ForeignId>, Refusal> {
    optional(of, "goodsId", ForeignId::parse, "goodsId is a number or a text of 1 to 200 characters")
}

fn picture(text: &str) -> Option<ThumbnailUrl> {
    foreign::picture(text)
}

/// The sum of all lines, where each says its price.
fn sum(lines: &[ToldLine], currency: Currency) -> Option<Price> {
    let minor = lines
        .iter()
        .try_fold(0_i64, |sum, line| sum.checked_add(line.price?.minor.checked_mul(line.quantity)?))?;
    Some(Price { minor, currency })
}

fn flag(data: &Object<'_>, name: &str) -> Result<bool, Refusal> {
    match data.flag(name) {
        None if data.has(name) => Err(Refusal::malformed(format!("{name} is true or false"))),
        flag => Ok(flag.unwrap_or(false)),
    }
}

fn required<T>(
    of: &Object<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    rule: &str,
) -> Result<T, Refusal> {
    optional(of, name, parse, rule)?.ok_or_else(|| Refusal::malformed(rule))
}

/// A member that may be absent, empty or `null`; if it is there, it holds to its rule.
fn optional<T>(
    of: &Object<'_>,
    name: &str,
    parse: impl FnOnce(&str) -> Option<T>,
    rule: &str,
) -> Result<Option<T>, Refusal> {
    match of.text(name) {
        Some(text) if text.trim().is_empty() => Ok(None),
        Some(text) => parse(&text).map(Some).ok_or_else(|| Refusal::malformed(rule)),
        None if of.has(name) => Err(Refusal::malformed(rule)),
        None => Ok(None),
    }
}
