//! Shopify: webhooks of an app's or a shop's admin, over orders, refunds and products, and the three that privacy laws ask for.
//!
//! What is said of one order is the same whole order each time, so that the topic decides little: `orders/updated` may come
//! before `orders/create`, and either may say that it is paid.

use super::{
    Buyer, ForeignId, Incoming, Privacy, Refusal, Secret, State, Told, ToldGoods, ToldLine, ToldOrder,
    WebUrl, foreign,
    json::Object,
    money, signature,
    told::{self, whole},
};
use crate::domain::{Currency, Timestamp};

/// How many numbers of orders one privacy request may name.
const MAX_REDACTED: usize = 10_000;
/// An order whose sale is this much older than its record was brought in from elsewhere, in milliseconds.
const IMPORTED_MS: i64 = 3_600_000;

/// Whether `X-Shopify-Hmac-SHA256` is the digest of the body. After a rotation it may be the old secret's for an hour.
pub(super) fn verify(secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let given = incoming.header("x-shopify-hmac-sha256").and_then(signature::base64);
    let given = given.ok_or(Refusal::BadSignature("there is no X-Shopify-Hmac-SHA256 in base64"))?;
    let known = secrets
        .iter()
        .any(|secret| signature::signed(secret.expose().as_bytes(), &[incoming.body], &[&given]));
    known.then_some(()).ok_or(Refusal::BadSignature("X-Shopify-Hmac-SHA256 is not by the source's secret"))
}

/// What a topic and a body say.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    let topic = incoming.header("x-shopify-topic").ok_or(Refusal::malformed("X-Shopify-Topic is missing"))?;
    let body = || Object::body(incoming.body);
    match topic {
        "orders/create" | "orders/paid" | "orders/updated" | "orders/cancelled" => {
            order(&body()?, topic, incoming).map(|order| Told::Order(Box::new(order)))
        }
        "refunds/create" => refund(&body()?),
        "products/create" | "products/update" => Ok(goods(&body()?, incoming)),
        "products/delete" => Ok(Told::GoodsGone { foreign_id: Some(number(&body()?, "id")?), sku: None }),
        "customers/redact" => {
            let orders = numbers(&body()?, "orders_to_redact");
            Ok(Told::Privacy(Privacy::ForgetBuyer { orders }))
        }
        "customers/data_request" => {
            let orders = numbers(&body()?, "orders_requested");
            Ok(Told::Privacy(Privacy::Report { orders }))
        }
        "shop/redact" => Ok(Told::Privacy(Privacy::ForgetShop)),
        other => Ok(Told::Nothing(format!("the topic {} means nothing here", foreign::word(other)))),
    }
}

fn number(body: &Object<'_>, name: &str) -> Result<ForeignId, Refusal> {
    whole(body, name).ok_or_else(|| Refusal::malformed(format!("the body has no {name}")))
}

fn numbers(body: &Object<'_>, name: &str) -> Vec<ForeignId> {
    body.texts(name, MAX_REDACTED).iter().filter_map(|number| ForeignId::parse(number)).collect()
}

fn order(body: &Object<'_>, topic: &str, incoming: &Incoming<'_>) -> Result<ToldOrder, Refusal> {
    let number = number(body, "id")?;
    // Not the presentment currency: `total_price` and `price` are in the shop's.
    let currency = body.read_as("currency", |code| code.parse().ok());
    let total =
        currency.and_then(|currency| body.read_as("total_price", |text| money::total(text, currency)));
    let lines = body.objects("line_items", told::MAX_LINES);
    let lines = lines.iter().filter_map(|item| line(item, currency)).collect();
    let test = incoming.header("x-shopify-test").is_some_and(|value| value.eq_ignore_ascii_case("true"));
    let past = |at: Option<Timestamp>| at.map(|at| at.min(incoming.now));
    let created = body.moment("created_at");
    let placed = body.moment("processed_at").or(created);
    Ok(ToldOrder {
        number,
        state: state(body),
        buyer: buyer(body),
        ordered_at: past(placed),
        paid_at: past(paid_at(body, topic, created, placed)),
        test: test || body.flag("test").unwrap_or(false),
        total,
        lines: told::lines(lines, total),
    })
}

/// `orders/paid` is sent at the moment of paying; but also for an old order that is brought in from another shop.
fn paid_at(
    body: &Object<'_>,
    topic: &str,
    created: Option<Timestamp>,
    placed: Option<Timestamp>,
) -> Option<Timestamp> {
    let imported = created?.as_millis() - placed?.as_millis() > IMPORTED_MS;
    (topic == "orders/paid" && !imported).then(|| body.moment("updated_at"))?
}

/// How an order stands, by `cancelled_at` and `financial_status`.
fn state(body: &Object<'_>) -> State {
    if body.has("cancelled_at") {
        return State::Withdrawn("the order was canceled".to_owned());
    }
    match body.text("financial_status").as_deref() {
        Some("paid" | "partially_paid" | "partially_refunded") => State::Paid,
        Some("refunded") => State::Withdrawn("the order was refunded in whole".to_owned()),
        Some("voided") => State::Withdrawn("the payment was voided".to_owned()),
        Some(other) => State::Unpaid(format!("its financial_status is {}", foreign::word(other))),
        None => State::Unpaid("it has no financial_status".to_owned()),
    }
}

/// The customer's name, else that of an address. All three may be missing or redacted.
fn buyer(body: &Object<'_>) -> Option<Buyer> {
    ["customer", "billing_address", "shipping_address"].into_iter().find_map(|place| {
        let person = body.object(place)?;
        let part = |name| person.read_as(name, foreign::person);
        Buyer::of(part("first_name"), part("last_name"))
    })
}

fn line(item: &Object<'_>, currency: Option<Currency>) -> Option<ToldLine> {
    Some(ToldLine {
        sku: item.read_as("sku", foreign::sku),
        foreign_id: whole(item, "product_id"),
        name: item
            .read_as("title", foreign::goods_name)
            .or_else(|| item.read_as("name", foreign::goods_name)),
        quantity: told::quantity(item)?,
        price: currency.and_then(|currency| item.read_as("price", |text| money::price(text, currency))),
        url: None,
        thumbnail: None,
    })
}

/// How much money a refund gave back. Whether that was all of it, only the order says.
fn refund(body: &Object<'_>) -> Result<Told, Refusal> {
    let number = number(body, "order_id")?;
    let transactions = body.objects("transactions", told::MAX_LINES);
    let given = transactions.iter().filter(|transaction| {
        transaction.text("kind").as_deref() == Some("refund")
            && transaction.text("status").as_deref() == Some("success")
    });
    let amounts = given.map(|transaction| {
        let currency = transaction.read_as("currency", |code| code.parse().ok())?;
        transaction.read_as("amount", |text| money::total(text, currency))
    });
    match amounts.collect::<Option<Vec<_>>>().as_deref().map(money::sum) {
        Some(None) => Ok(Told::Nothing("the refund gave no money back yet".to_owned())),
        Some(amount) => Ok(Told::Refund { number, amount }),
        None => Ok(Told::Refund { number, amount: None }),
    }
}

fn goods(body: &Object<'_>, incoming: &Incoming<'_>) -> Told {
    let Some(foreign_id) = whole(body, "id") else {
        return Told::Nothing("the product has no id".to_owned());
    };
    let variants = body.objects("variants", 2);
    let first = variants.first();
    let price = first.and_then(|first| first.read_as("price", |text| money::price(text, incoming.currency)));
    let sku = first.filter(|_| variants.len() == 1).and_then(|only| only.read_as("sku", foreign::sku));
    let image = body.object("image").or_else(|| body.objects("images", 1).pop());
    Told::Goods(Box::new(ToldGoods {
        foreign_id: Some(foreign_id),
        sku,
        name: body.read_as("title", foreign::goods_name),
        price,
        url: page(body, incoming),
        thumbnail: image.and_then(|image| image.read_as("src", foreign::picture)),
    }))
}

/// The page of a product that is published in the online shop.
fn page(body: &Object<'_>, incoming: &Incoming<'_>) -> Option<WebUrl> {
    let domain = incoming.header("x-shopify-shop-domain")?;
    let handle = body.text("handle")?;
    let is_host = domain.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte));
    let is_handle = !handle.is_empty() && !handle.contains(['/', '?', '#', '%', '\\']);
    let public = body.has("published_at") && is_host && is_handle;
    public.then(|| WebUrl::parse(&format!("https://{domain}/products/{handle}")))?
}
