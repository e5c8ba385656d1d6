//! Shopify's webhooks.

use shopbell::hooks::{Privacy, SourceKind::Shopify, State, Told};

use super::{Sent, at, fixture, hmac_base64, nothing, why};

const SECRET: &str = "shpss_0123456789abcdef0123456789abcdef";

fn about(topic: &str, body: impl Into<Vec<u8>>) -> Sent {
    Sent::new(body).with("X-Shopify-Topic", topic)
}

/// The fixture with some of its text replaced.
fn order_with(replaced: &[(&str, &str)]) -> Sent {
    about("orders/updated", edited("shopify/order.json", replaced))
}

fn edited(path: &str, replaced: &[(&str, &str)]) -> String {
    let text = String::from_utf8(fixture(path)).unwrap();
    replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    })
}

fn state(replaced: &[(&str, &str)]) -> State {
    order_with(replaced).order(Shopify).state
}

#[test]
fn a_digest_of_the_body_is_believed_and_nothing_else() {
    let body = fixture("shopify/order.json");
    let digest = hmac_base64(SECRET.as_bytes(), &body);
    let signed = |digest: &str| Sent::new(body.clone()).with("X-Shopify-Hmac-SHA256", digest);
    assert!(signed(&digest).verified(Shopify, &[SECRET]));
    assert!(signed(&digest).verified(Shopify, &["shpss_new", SECRET]), "for an hour after a rotation");
    assert!(!signed(&digest).verified(Shopify, &["shpss_new"]));
    for bad in [
        String::new(),
        digest[..digest.len() - 1].to_owned(),
        format!("{digest}{digest}"),
        format!("{digest}, {digest}"),
        format!("{digest}="),
        format!("sha256={digest}"),
        digest.trim_end_matches('=').to_owned(),
        digest.to_lowercase(),
        hmac_base64(b"", &body),
        hmac_base64(SECRET.as_bytes(), b""),
    ] {
        assert!(!signed(&bad).verified(Shopify, &[SECRET]), "{bad}");
    }
    assert!(!Sent::new(body.clone()).verified(Shopify, &[SECRET]));
    let twice = signed(&digest).with("x-shopify-hmac-sha256", &digest);
    assert!(!twice.verified(Shopify, &[SECRET]));
    let mut changed = signed(&digest);
    changed.body.push(b' ');
    assert!(!changed.verified(Shopify, &[SECRET]));
}

#[test]
fn a_paid_order_is_read_in_the_shops_currency() {
    for topic in ["orders/create", "orders/paid", "orders/updated"] {
        let order = about(topic, fixture("shopify/order.json")).order(Shopify);
        assert_eq!(order.number.as_str(), "5600123456789012345", "beyond what a double holds");
        assert_eq!((&order.state, order.test), (&State::Paid, false), "{topic}");
        assert_eq!(order.ordered_at, Some(at("2026-11-25T11:58:09Z")));
        let total = order.total.unwrap();
        assert_eq!((total.minor, total.currency.code()), (6465, "EUR"));
        let buyer = order.buyer.unwrap();
        assert_eq!(buyer.first_name.as_deref(), Some("Noor"));
        assert_eq!(buyer.last_name.as_deref(), Some("van Dijk"));
        let [shirt, wrap] = &order.lines[..] else { panic!("{:?}", order.lines) };
        assert_eq!(shirt.name.as_ref().unwrap().as_str(), "Linen ‹summer› shirt");
        assert_eq!(shirt.foreign_id.as_ref().unwrap().as_str(), "8000000000001");
        assert_eq!((shirt.sku.as_deref(), shirt.quantity), (Some("LIN-M-W"), 1));
        assert_eq!(shirt.price.unwrap().minor, 3990);
        assert_eq!((wrap.sku.as_deref(), &wrap.foreign_id, wrap.quantity), (None, &None, 2));
    }
}

#[test]
fn an_order_stands_as_its_money_does() {
    for (status, paid) in [
        ("\"paid\"", true),
        ("\"partially_paid\"", true),
        ("\"partially_refunded\"", true),
        ("\"pending\"", false),
        ("\"authorized\"", false),
        ("\"expired\"", false),
        ("\"something new\"", false),
        ("null", false),
        ("7", false),
    ] {
        let state = state(&[("\"financial_status\": \"paid\"", &format!("\"financial_status\": {status}"))]);
        assert_eq!(state == State::Paid, paid, "{status}: {state:?}");
        assert!(!matches!(state, State::Withdrawn(_)), "{status}");
    }
    let pending = state(&[("\"paid\"", "\"pending\"")]);
    assert_eq!(pending, State::Unpaid("its financial_status is pending".into()));
    for withdrawn in ["\"refunded\"", "\"voided\""] {
        assert!(matches!(state(&[("\"paid\"", withdrawn)]), State::Withdrawn(_)), "{withdrawn}");
    }
    for status in ["\"paid\"", "\"pending\""] {
        let canceled = ("\"cancelled_at\": null", "\"cancelled_at\": \"2026-11-25T07:00:00-05:00\"");
        assert!(matches!(state(&[canceled, ("\"paid\"", status)]), State::Withdrawn(_)), "{status}");
    }
}

#[test]
fn a_test_order_says_so_in_its_body_or_a_header() {
    assert!(order_with(&[("\"test\": false", "\"test\": true")]).order(Shopify).test);
    assert!(order_with(&[]).with("X-Shopify-Test", "true").order(Shopify).test);
    assert!(!order_with(&[]).with("X-Shopify-Test", "false").order(Shopify).test);
}

#[test]
fn a_buyer_may_be_missing_or_redacted() {
    let customer = "\"first_name\": \"Noor\",\n    \"last_name\": \"van Dijk\"";
    let none = [(customer, "\"first_name\": null, \"last_name\": \"\""), ("\"N.\"", "null")];
    let buyer = order_with(&none).order(Shopify).buyer.unwrap();
    assert_eq!((buyer.first_name, buyer.last_name.as_deref()), (None, Some("van Dijk")));
    let redacted = [(customer, "\"first_name\": \"REDACTED\""), ("\"billing_address\"", "\"other\"")];
    assert_eq!(order_with(&redacted).order(Shopify).buyer, None);
    let without =
        [("\"customer\": {", "\"customer\": null, \"c\": {"), ("\"billing_address\": {", "\"b\": {")];
    assert_eq!(order_with(&without).order(Shopify).buyer, None);
}

#[test]
fn news_is_news_since_it_was_paid() {
    let three_days = [
        ("\"created_at\": \"2026-11-25T06:58:10-05:00\"", "\"created_at\": \"2026-11-22T06:58:10-05:00\""),
        (
            "\"processed_at\": \"2026-11-25T06:58:09-05:00\"",
            "\"processed_at\": \"2026-11-22T06:58:10-05:00\"",
        ),
    ];
    let body = edited("shopify/order.json", &three_days);
    let paid = about("orders/paid", body).order(Shopify);
    assert_eq!(paid.news_since(), Some(at("2026-11-25T11:58:12Z")));
    assert_eq!(paid.ordered_at, Some(at("2026-11-22T11:58:10Z")));
    // An order of years ago that is brought in from another shop is paid, too, and no news.
    let imported = [("\"processed_at\": \"2026-11-25", "\"processed_at\": \"2021-11-25")];
    let imported = about("orders/paid", edited("shopify/order.json", &imported)).order(Shopify);
    assert_eq!(imported.news_since(), Some(at("2021-11-25T11:58:09Z")));
}

#[test]
fn a_refund_says_how_much_it_gave_back() {
    let Ok(Told::Refund { number, amount }) =
        about("refunds/create", fixture("shopify/refund.json")).read(Shopify)
    else {
        panic!("no refund")
    };
    assert_eq!(number.as_str(), "5600123456789012345");
    assert_eq!(amount.unwrap().minor, 6465, "what failed was not given back");
    let pending = edited("shopify/refund.json", &[("\"success\"", "\"pending\"")]);
    assert_eq!(nothing(about("refunds/create", pending).read(Shopify)), "the refund gave no money back yet");
}

#[test]
fn a_product_is_goods_with_a_page_and_a_picture() {
    let of = |body: String| {
        let sent =
            about("products/update", body).with("X-Shopify-Shop-Domain", "their-shop.myshopify.example");
        match sent.read(Shopify) {
            Ok(Told::Goods(goods)) => *goods,
            other => panic!("{other:?}"),
        }
    };
    let goods = of(edited("shopify/product.json", &[]));
    assert_eq!(goods.foreign_id.unwrap().as_str(), "8000000000001");
    assert_eq!(goods.name.unwrap().as_str(), "Linen ‹summer› shirt");
    assert_eq!((goods.sku, goods.price.unwrap().minor), (None, 3990), "two variants, two SKUs");
    let page = "https://their-shop.myshopify.example/products/linen-summer-shirt";
    assert_eq!(goods.url.unwrap().as_str(), page);
    assert_eq!(goods.thumbnail.unwrap().as_str(), "https://cdn.shop.example/files/linen.jpg?v=1");
    let hidden = of(edited("shopify/product.json", &[("\"2026-03-01T00:00:00-05:00\"", "null")]));
    assert_eq!(hidden.url, None);
    let odd = of(edited("shopify/product.json", &[("linen-summer-shirt\"", "../../account\"")]));
    assert_eq!(odd.url, None);
    let gone = about("products/delete", fixture("shopify/product.deleted.json")).read(Shopify);
    assert!(matches!(gone, Ok(Told::GoodsGone { foreign_id: Some(_), sku: None })));
}

#[test]
fn what_the_law_asks_is_understood() {
    let orders = |privacy: Result<Told, _>| match privacy {
        Ok(Told::Privacy(Privacy::ForgetBuyer { orders } | Privacy::Report { orders })) => {
            orders.iter().map(ToString::to_string).collect::<Vec<_>>()
        }
        other => panic!("{other:?}"),
    };
    let redact = about("customers/redact", fixture("shopify/customers.redact.json")).read(Shopify);
    assert_eq!(orders(redact), ["5600123456789012345", "280263", "220458"]);
    let report = about("customers/data_request", fixture("shopify/customers.data_request.json"));
    assert_eq!(orders(report.read(Shopify)), ["5600123456789012345", "280263"]);
    let shop = about("shop/redact", fixture("shopify/shop.redact.json")).read(Shopify);
    assert_eq!(shop, Ok(Told::Privacy(Privacy::ForgetShop)));
}

#[test]
fn what_is_not_an_order_is_said() {
    assert_eq!(
        nothing(about("app/uninstalled", "{}").read(Shopify)),
        "the topic app/uninstalled means nothing here"
    );
    assert_eq!(why(Sent::new("{}").read(Shopify)), "X-Shopify-Topic is missing");
    assert_eq!(why(about("orders/paid", "{}").read(Shopify)), "the body has no id");
    assert_eq!(why(about("orders/paid", "[]").read(Shopify)), "the body is not a JSON object");
}

#[test]
fn an_order_of_nothing_known_is_one_nameless_thing() {
    for body in [
        r#"{"id": 1, "currency": "EUR", "total_price": "5.00", "financial_status": "paid"}"#,
        r#"{"id": 1, "currency": "EUR", "total_price": "5.00", "line_items": {"title": "x"}}"#,
        r#"{"id": 1, "currency": "EUR", "total_price": "5.00", "line_items": [7, null, [], "x", {"quantity": 0}]}"#,
    ] {
        let order = about("orders/paid", body).order(Shopify);
        let [line] = &order.lines[..] else { panic!("{body}: {:?}", order.lines) };
        assert_eq!((&line.name, line.quantity, line.price.unwrap().minor), (&None, 1, 500), "{body}");
    }
    let unknown = r#"{"id": 1, "currency": "BTC", "total_price": "5.00", "line_items": [{"title": "x", "price": "5"}]}"#;
    let order = about("orders/paid", unknown).order(Shopify);
    assert_eq!((order.total, order.lines[0].price), (None, None));
}
