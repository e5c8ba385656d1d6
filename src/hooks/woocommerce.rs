//! WooCommerce: its webhooks over orders and products, of the REST API's version 3, and orders that are read over that API.
//!
//! `X-WC-Webhook-Delivery-ID` is made of the second and the webhook, so that two orders may have the same; nothing here
//! looks at it.

use super::{
    Buyer, ForeignId, Incoming, Refusal, Secret, State, Told, ToldGoods, ToldLine, ToldOrder, WebUrl,
    entities, foreign,
    json::Object,
    money, signature,
    told::{self, whole},
};
use crate::domain::{Currency, Timestamp};

/// Whether `X-WC-Webhook-Signature` is the digest of the body. The form that is sent when a webhook is saved is not signed.
pub(super) fn verify(secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    if is_ping(incoming) {
        return Ok(());
    }
    let given = incoming.header("x-wc-webhook-signature").and_then(signature::base64);
    let given = given.ok_or(Refusal::BadSignature("there is no X-WC-Webhook-Signature in base64"))?;
    // WooCommerce decodes entities in a secret before it signs, and WordPress may have made some of what was typed.
    let signs = |key: &str| signature::signed(key.as_bytes(), &[incoming.body], &[&given]);
    let known = secrets
        .iter()
        .any(|secret| signs(&entities::decoded_as_secret(secret.expose())) || signs(secret.expose()));
    known.then_some(()).ok_or(Refusal::BadSignature("X-WC-Webhook-Signature is not by the source's secret"))
}

/// `webhook_id=N`, unsigned: the delivery URL is being saved. It wants to be answered with exactly 200.
fn is_ping(incoming: &Incoming<'_>) -> bool {
    let number = incoming.body.strip_prefix(b"webhook_id=");
    number.is_some_and(|number| (1..=20).contains(&number.len()) && number.iter().all(u8::is_ascii_digit))
        && !incoming.has("x-wc-webhook-signature")
}

/// What a topic and a body say.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    if is_ping(incoming) {
        return Ok(Told::Ping);
    }
    let topic =
        incoming.header("x-wc-webhook-topic").ok_or(Refusal::malformed("X-WC-Webhook-Topic is missing"))?;
    let body = || Object::body(incoming.body);
    match topic {
        "order.created" | "order.updated" | "order.restored" => order_or_why(&body()?, incoming.now),
        "order.deleted" => {
            Ok(Told::Withdrawn { number: number(&body()?)?, why: "the order was deleted".to_owned() })
        }
        "product.created" | "product.updated" | "product.restored" => goods(&body()?, incoming),
        "product.deleted" => Ok(Told::GoodsGone { foreign_id: Some(number(&body()?)?), sku: None }),
        other => Ok(Told::Nothing(format!("the topic {} means nothing here", foreign::word(other)))),
    }
}

/// The headers with which an order of a page is read.
pub const PAGED_HEADERS: &[(&str, &[u8])] = &[("x-wc-webhook-topic", b"order.updated")];

/// An order of a page of `GET /wc/v3/orders`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PagedOrder {
    /// Its number.
    pub number: ForeignId,
    /// When it last changed, by the shop's clock.
    pub modified_at: Option<Timestamp>,
    /// Its JSON as it came, which is what `order.updated` would send.
    pub body: String,
}

/// The orders of a page of `GET /wc/v3/orders`.
///
/// # Errors
/// [`Refusal::Malformed`] where it is not a list of orders.
pub fn paged_orders(body: &[u8]) -> Result<Vec<PagedOrder>, Refusal> {
    Object::list(body)?
        .into_iter()
        .map(|(order, text)| {
            let modified_at = order.moment("date_modified_gmt");
            Ok(PagedOrder { number: number(&order)?, modified_at, body: text.to_owned() })
        })
        .collect()
}

fn number(body: &Object<'_>) -> Result<ForeignId, Refusal> {
    whole(body, "id").ok_or_else(|| Refusal::malformed("the body has no id"))
}

/// An order, or why there is none: a webhook whose owner may not read orders sends the refusal of WordPress instead, and
/// one of the old API another shape.
fn order_or_why(body: &Object<'_>, now: Timestamp) -> Result<Told, Refusal> {
    not_readable(body, "order").map_or_else(
        || order(body, now).map(|order| Told::Order(Box::new(order))),
        |why| Ok(Told::Nothing(why)),
    )
}

fn not_readable(body: &Object<'_>, what: &str) -> Option<String> {
    if body.has("id") {
        return None;
    }
    if let Some(code) = body.text("code") {
        let code = foreign::word(&code);
        return Some(format!("WordPress did not show the {what} to the webhook's owner ({code})"));
    }
    let legacy = body.object(what).is_some();
    legacy.then(|| "the webhook has the legacy API version; choose WP REST API Integration v3".to_owned())
}

fn order(body: &Object<'_>, now: Timestamp) -> Result<ToldOrder, Refusal> {
    let number = number(body)?;
    let currency = body.read_as("currency", |code| code.parse().ok());
    let total = currency.and_then(|currency| body.read_as("total", |text| money::total(text, currency)));
    let lines = body.objects("line_items", told::MAX_LINES);
    let lines = lines.iter().filter_map(|item| line(item, currency)).collect();
    let past = |name| body.moment(name).map(|at| at.min(now));
    Ok(ToldOrder {
        number,
        state: state(body),
        buyer: buyer(body),
        ordered_at: past("date_created_gmt"),
        paid_at: past("date_paid_gmt"),
        test: false,
        total,
        lines: told::lines(lines, total),
    })
}

/// How an order stands. `order.created` comes before it is paid.
fn state(body: &Object<'_>) -> State {
    let status = body.text("status");
    match status.as_deref().map(|status| status.strip_prefix("wc-").unwrap_or(status)) {
        Some("processing" | "completed") => State::Paid,
        Some("cancelled") => State::Withdrawn("the order was canceled".to_owned()),
        Some("refunded") => State::Withdrawn("the order was refunded in whole".to_owned()),
        // Whoever buys may try again, and then it is paid.
        Some("failed") => State::Failed("the payment failed".to_owned()),
        Some("trash") => State::Withdrawn("the order is in the trash".to_owned()),
        Some(other) => State::Unpaid(format!("its status is {}", foreign::word(other))),
        None => State::Unpaid("it has no status".to_owned()),
    }
}

fn buyer(body: &Object<'_>) -> Option<Buyer> {
    ["billing", "shipping"].into_iter().find_map(|place| {
        let person = body.object(place)?;
        let part = |name| person.read_as(name, |text| foreign::person(&entities::decoded(text)));
        Buyer::of(part("first_name"), part("last_name"))
    })
}

fn line(item: &Object<'_>, currency: Option<Currency>) -> Option<ToldLine> {
    let image = item.object("image");
    Some(ToldLine {
        sku: item.read_as("sku", foreign::sku),
        // Of a variation the goods are what it varies.
        foreign_id: whole(item, "product_id"),
        name: name(item),
        quantity: told::quantity(item)?,
        price: currency.and_then(|currency| item.read_as("price", |text| money::price(text, currency))),
        url: None,
        thumbnail: image.and_then(|image| image.read_as("src", foreign::picture)),
    })
}

fn name(of: &Object<'_>) -> Option<crate::domain::GoodsName> {
    of.read_as("name", |text| foreign::goods_name(&entities::decoded(text)))
}

fn goods(body: &Object<'_>, incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    if let Some(why) = not_readable(body, "product") {
        return Ok(Told::Nothing(why));
    }
    let foreign_id = number(body)?;
    let kind = body.text("type");
    if kind.as_deref() == Some("variation") {
        return Ok(Told::Nothing("a variation, and not the goods that it varies".to_owned()));
    }
    let published = body.text("status").as_deref() == Some("publish");
    let image = body.objects("images", 1).pop();
    Ok(Told::Goods(Box::new(ToldGoods {
        foreign_id: Some(foreign_id),
        sku: body.read_as("sku", foreign::sku),
        name: name(body),
        price: body.read_as("price", |text| money::price(text, incoming.currency)),
        url: body.read_as("permalink", WebUrl::parse).filter(|_| published),
        thumbnail: image.and_then(|image| image.read_as("src", foreign::picture)),
    })))
}
