//! Stripe Checkout: what was paid, and what was paid back.
//!
//! A session does not say what was bought: its event has no line items. What a shop writes into the session's `metadata` as
//! `goods_name`, `goods_sku`, `goods_quantity`, `goods_url` and `goods_thumbnail` does.

use super::{
    Buyer, ForeignId, Incoming, Refusal, Secret, State, Told, ToldLine, ToldOrder, WebUrl, foreign,
    json::Object, money, signature,
};
use crate::domain::{Currency, Price, Timestamp};

/// Currencies in which an amount is in the major unit, and those in which it is in thousandths; in all others it is in
/// hundredths, whatever ISO 4217 says (docs.stripe.com/currencies: ISK and UGX keep two decimals that are always 00).
const ZERO_DECIMALS: &str = "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF";
const THREE_DECIMALS: &str = "BHD JOD KWD OMR TND";

/// Whether one `v1` of `Stripe-Signature` is the digest of `t.body`, in hexadecimal digits. The secret is used as it stands:
/// what comes after `whsec_` is no base64 here.
pub(super) fn verify(secrets: &[Secret], incoming: &Incoming<'_>) -> Result<(), Refusal> {
    let header = incoming.header("stripe-signature").filter(|value| !value.is_empty());
    let header = header.ok_or(Refusal::BadSignature("there is no Stripe-Signature"))?;
    let values = |name: &'static str| {
        header.split(',').filter_map(move |pair| pair.split_once('=').filter(|(key, _)| *key == name))
    };
    let mut times = values("t").map(|(_, time)| time);
    let (Some(time), None) = (times.next(), times.next()) else {
        return Err(Refusal::BadSignature("Stripe-Signature does not have one t"));
    };
    if !signature::is_now(time, incoming.now) {
        return Err(Refusal::BadSignature(
            "the time of Stripe-Signature is more than five minutes away from now",
        ));
    }
    let given: Vec<_> = values("v1").filter_map(|(_, digest)| signature::hex(digest)).collect();
    let given: Vec<_> = given.iter().map(Vec::as_slice).collect();
    let parts = [time.as_bytes(), b".", incoming.body];
    let known = secrets.iter().any(|secret| signature::signed(secret.expose().as_bytes(), &parts, &given));
    known.then_some(()).ok_or(Refusal::BadSignature("Stripe-Signature holds no v1 by the source's secret"))
}

/// What an event says.
pub(super) fn read(incoming: &Incoming<'_>) -> Result<Told, Refusal> {
    let event = Object::body(incoming.body)?;
    let kind = event.text("type").ok_or(Refusal::malformed("the event has no type"))?;
    if event.text("object").is_some_and(|object| object.starts_with("v2.")) {
        return Ok(Told::Nothing("a thin event, which says nothing of an order".to_owned()));
    }
    let object = || {
        let data = event.object("data").and_then(|data| data.object("object"));
        data.ok_or(Refusal::malformed("the event has no data.object"))
    };
    match kind.as_ref() {
        "checkout.session.completed"
        | "checkout.session.async_payment_succeeded"
        | "checkout.session.async_payment_failed" => session(&event, &kind, &object()?, incoming.now),
        "charge.refunded" => refunded(&object()?),
        other => Ok(Told::Nothing(format!("the event {} means nothing here", foreign::word(other)))),
    }
}

/// A payment intent, else the session: a refund names the former only.
fn number(session: &Object<'_>) -> Result<ForeignId, Refusal> {
    let named = reference(session, "payment_intent").or_else(|| session.read_as("id", ForeignId::parse));
    named.ok_or(Refusal::malformed("the session has no id"))
}

/// An id, or an object that has one.
fn reference(of: &Object<'_>, name: &str) -> Option<ForeignId> {
    of.read_as(name, ForeignId::parse).or_else(|| of.object(name)?.read_as("id", ForeignId::parse))
}

fn session(event: &Object<'_>, kind: &str, session: &Object<'_>, now: Timestamp) -> Result<Told, Refusal> {
    if session.text("mode").as_deref() == Some("setup") {
        return Ok(Told::Nothing("nothing was paid: the session only keeps a means of payment".to_owned()));
    }
    let currency = session.read_as("currency", |code| code.to_ascii_uppercase().parse().ok());
    let amount =
        |name| currency.and_then(|currency| session.read_as(name, |text| self::amount(text, currency)));
    let total = amount("amount_total");
    // A session is made when its page is opened, which may be a day before it is completed.
    let happened = event.read_as("created", foreign::seconds).map(|at| at.min(now));
    let completed = kind == "checkout.session.completed";
    let test = event.flag("livemode").or_else(|| session.flag("livemode")) == Some(false);
    Ok(Told::Order(Box::new(ToldOrder {
        number: number(session)?,
        state: state(kind, session),
        buyer: buyer(session),
        ordered_at: if completed {
            happened
        } else {
            session.read_as("created", foreign::seconds).map(|at| at.min(now))
        },
        paid_at: happened.filter(|_| !completed),
        test,
        total,
        lines: vec![line(session, amount("amount_subtotal").or(total))],
    })))
}

fn state(kind: &str, session: &Object<'_>) -> State {
    match (kind, session.text("payment_status").as_deref()) {
        ("checkout.session.async_payment_failed", _) => State::Withdrawn("the payment failed".to_owned()),
        ("checkout.session.async_payment_succeeded", _) | (_, Some("paid" | "no_payment_required")) => {
            State::Paid
        }
        (_, Some(other)) => State::Unpaid(format!("its payment_status is {}", foreign::word(other))),
        (_, None) => State::Unpaid("it has no payment_status".to_owned()),
    }
}

/// The one name that was typed, the given name first as far as anyone knows.
fn buyer(session: &Object<'_>) -> Option<Buyer> {
    Buyer::whole(&session.object("customer_details")?.read_as("name", foreign::person)?)
}

/// What was bought, as far as the metadata say.
fn line(session: &Object<'_>, subtotal: Option<Price>) -> ToldLine {
    let Some(metadata) = session.object("metadata") else { return ToldLine::nameless(subtotal) };
    let quantity = metadata.read_as("goods_quantity", foreign::pieces).unwrap_or(1);
    let each = subtotal.filter(|sum| sum.minor % quantity == 0);
    let price = each.map(|sum| Price { minor: sum.minor / quantity, ..sum });
    ToldLine {
        sku: metadata.read_as("goods_sku", foreign::sku),
        foreign_id: None,
        name: metadata.read_as("goods_name", foreign::goods_name),
        quantity,
        price: price.filter(|price| price.minor <= Price::MAX_MINOR),
        url: metadata.read_as("goods_url", WebUrl::parse),
        thumbnail: metadata.read_as("goods_thumbnail", foreign::picture),
    }
}

fn refunded(charge: &Object<'_>) -> Result<Told, Refusal> {
    let Some(number) = reference(charge, "payment_intent") else {
        return Ok(Told::Nothing("the charge belongs to no payment intent".to_owned()));
    };
    if charge.flag("refunded") != Some(true) {
        return Ok(Told::Nothing("a part of the order was refunded, and the rest of it holds".to_owned()));
    }
    Ok(Told::Withdrawn { number, why: "the order was refunded in whole".to_owned() })
}

fn amount(text: &str, currency: Currency) -> Option<Price> {
    let is_in = |list: &str| list.split(' ').any(|code| code == currency.code());
    let scale = match () {
        () if is_in(ZERO_DECIMALS) => 0,
        () if is_in(THREE_DECIMALS) => 3,
        () => 2,
    };
    money::units(text, scale, currency)
}
