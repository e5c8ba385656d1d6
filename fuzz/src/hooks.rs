//! Requests of sources: whatever their topic and body, what is read of them can stand in the shop, nothing is believed
//! that was not signed, and a body is read in the same way again.
//!
//! The first line of an input is the topic, the rest is the body.

use shopbell::{
    domain::{Currency, GoodsName, Price, Timestamp},
    hooks::{self, ForeignId, Incoming, Refusal, Secret, SourceKind, Told, ToldLine, ToldOrder, WebUrl},
};

const NOW: Timestamp = Timestamp::from_millis(1_795_608_000_000);

macro_rules! targets {
    ($($module:ident: $kind:ident, $secret:literal;)*) => {
        $(
            /// One kind of source.
            pub mod $module {
                /// Checks one input.
                pub fn check(input: &[u8]) {
                    super::check(super::SourceKind::$kind, $secret, input);
                }
            }
        )*
    };
}

targets! {
    shopify: Shopify, "shpss_secret";
    standard: Standard, "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    stripe: Stripe, "whsec_secret";
    woocommerce: WooCommerce, "a secret &amp; more";
}

fn check(kind: SourceKind, secret: &str, input: &[u8]) {
    let end = input.iter().position(|byte| *byte == b'\n').unwrap_or(input.len());
    let (topic, body) = (&input[..end], input.get(end + 1..).unwrap_or_default());
    let headers: [(&str, &[u8]); 4] = [
        ("x-shopify-topic", topic),
        ("x-wc-webhook-topic", topic),
        ("x-shopify-shop-domain", b"their-shop.example"),
        // Where the others have their topics, these may have their signatures.
        (if kind == SourceKind::Stripe { "stripe-signature" } else { "webhook-signature" }, topic),
    ];
    let currency: Currency = "USD".parse().expect("a currency");
    let incoming = Incoming { headers: &headers, body, now: NOW, currency };
    let secret = Secret::parse(kind, secret).expect("a secret");
    let read = hooks::read(kind, &incoming);
    assert_eq!(read, hooks::read(kind, &incoming));
    if let Ok(told) = &read {
        told_holds(told);
    }
    match hooks::verify(kind, &[secret], &incoming) {
        Ok(()) => assert_eq!(read, Ok(Told::Ping), "only a ping comes unsigned"),
        Err(refusal) => assert!(matches!(refusal, Refusal::BadSignature(_))),
    }
    if let Ok(page) = hooks::paged_orders(body) {
        for order in page {
            id_holds(&order.number);
            assert_eq!(hooks::paged_orders(format!("[{}]", order.body).as_bytes()), Ok(vec![order]));
        }
    }
}

fn told_holds(told: &Told) {
    match told {
        Told::Order(order) => order_holds(order),
        Told::Withdrawn { number, why } => {
            id_holds(number);
            sentence_holds(why);
        }
        Told::Refund { number, amount } => {
            id_holds(number);
            assert!(amount.is_none_or(|amount| amount.minor > 0));
        }
        Told::Goods(goods) => {
            assert!(goods.foreign_id.is_some() || goods.sku.is_some());
            goods.foreign_id.iter().for_each(id_holds);
            goods.name.iter().for_each(name_holds);
            goods.url.iter().for_each(url_holds);
            goods.price.iter().for_each(price_holds);
        }
        Told::GoodsGone { foreign_id, sku } => assert!(foreign_id.is_some() || sku.is_some()),
        Told::Privacy(_) | Told::Ping => {}
        Told::Nothing(why) => sentence_holds(why),
    }
}

fn order_holds(order: &ToldOrder) {
    id_holds(&order.number);
    assert!((1..=500).contains(&order.lines.len()));
    assert!([order.ordered_at, order.paid_at].into_iter().flatten().all(|at| at <= NOW));
    assert!(order.total.is_none_or(|total| (0..=9_007_199_254_740_991).contains(&total.minor)));
    order.lines.iter().for_each(line_holds);
    if let Some(buyer) = &order.buyer {
        assert!(buyer.first_name.is_some() || buyer.last_name.is_some());
        for part in [&buyer.first_name, &buyer.last_name].into_iter().flatten() {
            assert!(
                part.chars().count() <= 60 && GoodsName::parse(part).is_ok_and(|name| name.as_str() == part)
            );
        }
    }
}

fn line_holds(line: &ToldLine) {
    assert!((1..=1_000_000).contains(&line.quantity));
    line.foreign_id.iter().for_each(id_holds);
    line.name.iter().for_each(name_holds);
    line.url.iter().for_each(url_holds);
    line.price.iter().for_each(price_holds);
    assert!(line.thumbnail.as_ref().is_none_or(|url| !url.as_str().starts_with('/')));
}

fn id_holds(id: &ForeignId) {
    assert_eq!(ForeignId::parse(id.as_str()).as_ref(), Some(id));
}

fn name_holds(name: &GoodsName) {
    assert_eq!(GoodsName::parse(name.as_str()).as_ref(), Ok(name));
}

fn url_holds(url: &WebUrl) {
    assert_eq!(WebUrl::parse(url.as_str()).as_ref(), Some(url));
}

fn price_holds(price: &Price) {
    assert!((0..=Price::MAX_MINOR).contains(&price.minor));
}

/// A sentence is shown to administrators, and no source writes it alone.
fn sentence_holds(why: &str) {
    assert!((1..=200).contains(&why.chars().count()) && !why.contains(['<', '>', '\n']), "{why}");
}
