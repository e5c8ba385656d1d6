//! WooCommerce's webhooks, and its orders over REST.

use shopbell::hooks::{self, SourceKind::WooCommerce, State, Told};

use super::{Sent, at, fixture, hmac_base64, nothing, why};

fn about(topic: &str, body: impl Into<Vec<u8>>) -> Sent {
    Sent::new(body).with("X-WC-Webhook-Topic", topic)
}

fn order_with(from: &str, to: &str) -> Sent {
    let text = String::from_utf8(fixture("woocommerce/order.json")).unwrap();
    assert!(text.contains(from), "{from}");
    about("order.updated", text.replace(from, to))
}

#[test]
fn a_digest_of_the_body_is_believed_and_nothing_else() {
    let body = fixture("woocommerce/order.json");
    let signed = |digest: &str| Sent::new(body.clone()).with("X-WC-Webhook-Signature", digest);
    let digest = hmac_base64(b"some secret", &body);
    assert!(signed(&digest).verified(WooCommerce, &["another", "some secret"]));
    for bad in [String::new(), digest[1..].to_owned(), digest.replace('=', ""), format!("{digest} {digest}")]
    {
        assert!(!signed(&bad).verified(WooCommerce, &["some secret"]), "{bad}");
    }
    assert!(!signed(&hmac_base64(b"", &body)).verified(WooCommerce, &["some secret"]));
    assert!(!Sent::new(body.clone()).verified(WooCommerce, &["some secret"]));
}

#[test]
fn a_secret_is_decoded_before_it_signs() {
    let body = fixture("woocommerce/order.json");
    for (typed, signs) in [
        ("fish & chips", "fish & chips"),
        ("fish &amp; chips", "fish & chips"),
        ("a&lt;b&gt;&quot;&#039;", "a<b>\"'"),
        ("&amp;amp;", "&amp;"),
        ("&eacute;", "&eacute;"),
    ] {
        let sent =
            Sent::new(body.clone()).with("X-WC-Webhook-Signature", hmac_base64(signs.as_bytes(), &body));
        assert!(sent.verified(WooCommerce, &[typed]), "{typed}");
    }
}

#[test]
fn the_ping_is_unsigned_and_nothing_else_is() {
    let ping = Sent::new("webhook_id=12");
    assert!(ping.verified(WooCommerce, &["some secret"]));
    assert_eq!(ping.read(WooCommerce), Ok(Told::Ping));
    for other in
        ["webhook_id=", "webhook_id=12&x=1", "webhook_id=a", "webhook_id=12\n", "{\"webhook_id\":12}", ""]
    {
        assert!(!Sent::new(other).verified(WooCommerce, &["some secret"]), "{other}");
    }
    let signed = ping.with("X-WC-Webhook-Signature", "AAAA");
    assert!(!signed.verified(WooCommerce, &["some secret"]));
}

#[test]
fn a_paid_order_is_read_in_whole() {
    for topic in ["order.created", "order.updated", "order.restored"] {
        let order = about(topic, fixture("woocommerce/order.json")).order(WooCommerce);
        assert_eq!((order.number.as_str(), &order.state), ("727", &State::Paid), "{topic}");
        assert_eq!(order.ordered_at, Some(at("2026-11-25T11:40:02Z")));
        assert_eq!(order.news_since(), Some(at("2026-11-25T11:59:09Z")), "since it was paid");
        let total = order.total.unwrap();
        assert_eq!((total.minor, total.currency.code(), order.test), (6990, "EUR", false));
        let buyer = order.buyer.unwrap();
        assert_eq!((buyer.first_name.as_deref(), buyer.last_name.as_deref()), (Some("Ján"), Some("O'Brien")));
        let [crisps, hoodie] = &order.lines[..] else { panic!("{:?}", order.lines) };
        assert_eq!(crisps.name.as_ref().unwrap().as_str(), "Salt & vinegar ‹b›crisps‹/b›");
        assert_eq!(crisps.foreign_id.as_ref().unwrap().as_str(), "93");
        assert_eq!((crisps.sku.as_deref(), crisps.quantity), (Some("CRISPS-SV"), 3));
        let picture = "https://woo.example/wp-content/uploads/crisps.jpg";
        assert_eq!(
            (crisps.price.unwrap().minor, crisps.thumbnail.as_ref().unwrap().as_str()),
            (500, picture)
        );
        assert_eq!(hoodie.foreign_id.as_ref().unwrap().as_str(), "22", "what is varied, not the variation");
        assert_eq!((hoodie.price.unwrap().minor, &hoodie.thumbnail), (1667, &None));
    }
}

#[test]
fn an_order_stands_as_its_status_says() {
    let state = |status: &str| order_with("\"processing\"", status).order(WooCommerce).state;
    for paid in ["\"processing\"", "\"completed\"", "\"wc-completed\""] {
        assert_eq!(state(paid), State::Paid, "{paid}");
    }
    for unpaid in ["\"pending\"", "\"on-hold\"", "\"checkout-draft\"", "\"ready-to-ship\"", "null", "[]"] {
        assert!(matches!(state(unpaid), State::Unpaid(_)), "{unpaid}");
    }
    assert!(matches!(state("\"failed\""), State::Failed(_)), "it may still be paid");
    for withdrawn in ["\"cancelled\"", "\"refunded\"", "\"trash\""] {
        assert!(matches!(state(withdrawn), State::Withdrawn(_)), "{withdrawn}");
    }
}

#[test]
fn an_erased_buyer_is_nobody() {
    let text = String::from_utf8(fixture("woocommerce/order.json")).unwrap();
    let text = text.replace("Ján", "[deleted]").replace("O&#039;Brien", "[deleted]");
    assert_eq!(about("order.updated", text).order(WooCommerce).buyer, None);
}

#[test]
fn a_deleted_order_says_its_number_alone() {
    for body in [r#"{"id": 727}"#, r#"{"id": "727"}"#] {
        let Ok(Told::Withdrawn { number, why }) = about("order.deleted", body).read(WooCommerce) else {
            panic!("not withdrawn")
        };
        assert_eq!((number.as_str(), why.as_str()), ("727", "the order was deleted"));
    }
    assert_eq!(why(about("order.deleted", r#"{"id": 0}"#).read(WooCommerce)), "the body has no id");
}

#[test]
fn a_product_is_goods_and_a_variation_is_not() {
    let text = String::from_utf8(fixture("woocommerce/product.json")).unwrap();
    let read = |text: String| about("product.updated", text).read(WooCommerce);
    let Ok(Told::Goods(goods)) = read(text.clone()) else { panic!("no goods") };
    assert_eq!(goods.name.unwrap().as_str(), "Salt & vinegar crisps");
    assert_eq!((goods.sku.as_deref(), goods.price.unwrap().minor), (Some("CRISPS-SV"), 500));
    assert_eq!(goods.url.unwrap().as_str(), "https://woo.example/product/salt-vinegar-crisps/");
    let Ok(Told::Goods(draft)) = read(text.replace("\"publish\"", "\"draft\"")) else { panic!("no goods") };
    assert_eq!(draft.url, None);
    assert!(nothing(read(text.replace("\"simple\"", "\"variation\""))).starts_with("a variation"));
    let gone = about("product.deleted", r#"{"id": 93}"#).read(WooCommerce);
    assert!(matches!(gone, Ok(Told::GoodsGone { foreign_id: Some(_), sku: None })));
}

#[test]
fn what_went_wrong_over_there_is_said() {
    let refused = r#"{"code": "woocommerce_rest_cannot_view", "message": "Sorry", "data": {"status": 401}}"#;
    assert_eq!(
        nothing(about("order.updated", refused).read(WooCommerce)),
        "WordPress did not show the order to the webhook's owner (woocommerce_rest_cannot_view)"
    );
    let legacy = nothing(about("order.updated", r#"{"order": {"id": 7}}"#).read(WooCommerce));
    assert!(legacy.contains("legacy API version"), "{legacy}");
    assert_eq!(
        nothing(about("coupon.created", "{}").read(WooCommerce)),
        "the topic coupon.created means nothing here"
    );
    assert_eq!(why(about("order.updated", "{}").read(WooCommerce)), "the body has no id");
    assert_eq!(why(Sent::new("{}").read(WooCommerce)), "X-WC-Webhook-Topic is missing");
}

#[test]
fn a_page_of_orders_holds_what_their_webhooks_would_send() {
    let order = String::from_utf8(fixture("woocommerce/order.json")).unwrap();
    let page = hooks::paged_orders(format!("[{order}, {order}]").as_bytes()).unwrap();
    assert_eq!(page.len(), 2);
    assert_eq!((page[1].number.as_str(), page[1].modified_at), ("727", Some(at("2026-11-25T11:59:10Z"))));
    let told = about("order.updated", page[1].body.as_str()).order(WooCommerce);
    assert_eq!(told, about("order.updated", order).order(WooCommerce));
    assert_eq!(hooks::paged_orders(b"[]"), Ok(Vec::new()));
    for bad in ["{}", "[1]", "[[]]", "<html>", r#"[{"status": "completed"}]"#, "[{\"id\": 1}"] {
        assert!(hooks::paged_orders(bad.as_bytes()).is_err(), "{bad}");
    }
}
