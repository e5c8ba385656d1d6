//! Standard Webhooks 1.0 and bearer secrets.

use shopbell::hooks::{Buyer, SourceKind::Standard, State, Told};

use super::{Sent, at, fixture, nothing, why};

/// The vector that the official libraries share.
const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
const SIGNATURE: &str = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
const ANOTHER: &str = "v1,Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc=";
const OTHER_SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn vector() -> Sent {
    let mut sent = Sent::new(r#"{"test": 2432232314}"#)
        .with("webhook-id", "msg_p5jXN8AQM9LWM0D4loKWxJek")
        .with("webhook-timestamp", "1614265330")
        .with("webhook-signature", SIGNATURE);
    sent.now = at("2021-02-25T15:02:10Z");
    sent
}

fn signed_as(signature: impl AsRef<[u8]>) -> bool {
    let sent = vector().without("webhook-signature").with("webhook-signature", signature);
    sent.verified(Standard, &[SECRET])
}

#[test]
fn the_official_vector_holds() {
    assert!(vector().verified(Standard, &[SECRET]));
    assert!(vector().verified(Standard, &[&SECRET[6..]]), "the prefix may be missing");
    assert!(vector().verified(Standard, &[OTHER_SECRET, SECRET]), "while a secret is being rotated");
    assert!(!vector().verified(Standard, &[OTHER_SECRET]));
    assert!(!vector().verified(Standard, &[]));
}

#[test]
fn one_of_several_signatures_is_enough() {
    let v2 = ANOTHER.replacen("v1", "v2", 1);
    assert!(signed_as(format!("{ANOTHER} {v2} {SIGNATURE} {ANOTHER}")));
    assert!(!signed_as(format!("{ANOTHER} {v2} {ANOTHER}")));
}

#[test]
fn a_signature_that_is_not_this_one_is_refused() {
    let bare = &SIGNATURE[3..];
    for bad in [
        ANOTHER.to_owned(),
        String::new(),
        "v1,".to_owned(),
        bare.to_owned(),
        format!("v2,{bare}"),
        format!("v1a,{bare}"),
        format!("V1,{bare}"),
        format!("v1, {bare}"),
        format!("v1={bare}"),
        // Truncated, with a byte more, and what the official tests call partial.
        SIGNATURE[..SIGNATURE.len() - 1].to_owned(),
        SIGNATURE[..20].to_owned(),
        format!("{SIGNATURE}A"),
        "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLawdd".to_owned(),
        // Doubled: joined by a proxy, and by hand.
        format!("{SIGNATURE},{SIGNATURE}"),
        format!("v1,{bare}{bare}"),
        // Encoded in other ways: without padding, for addresses, with other trailing bits, in hexadecimal digits.
        SIGNATURE.trim_end_matches('=').to_owned(),
        SIGNATURE.replace('+', "-").replace('/', "_"),
        SIGNATURE.replace("1OE=", "1OF="),
        "v1,83484cf52b04f8e4cf2531adfed98829ae4b2665137b851242d594d20e2c9d4e1".to_owned(),
    ] {
        assert!(!signed_as(&bad), "{bad}");
    }
    assert!(!signed_as(b"v1,\xff"));
}

#[test]
fn headers_are_there_once() {
    for name in ["webhook-id", "webhook-timestamp", "webhook-signature"] {
        assert!(!vector().without(name).verified(Standard, &[SECRET]), "{name}");
        let value = vector().headers.into_iter().find(|(key, _)| *key == name).unwrap().1;
        assert!(!vector().with(name, value).verified(Standard, &[SECRET]), "{name} twice");
    }
    assert!(!vector().without("webhook-id").with("webhook-id", "msg_other").verified(Standard, &[SECRET]));
}

#[test]
fn five_minutes_either_way_are_now() {
    for (now, good) in [
        ("2021-02-25T15:07:10Z", true),
        ("2021-02-25T15:07:11Z", false),
        ("2021-02-25T14:57:10Z", true),
        ("2021-02-25T14:57:09Z", false),
        ("2026-11-25T00:00:00Z", false),
    ] {
        let mut sent = vector();
        sent.now = at(now);
        assert_eq!(sent.verified(Standard, &[SECRET]), good, "{now}");
    }
    let sent = vector().without("webhook-timestamp").with("webhook-timestamp", "1614265331");
    assert!(!sent.verified(Standard, &[SECRET]), "the time is signed, too");
}

#[test]
fn a_changed_body_is_refused() {
    for body in [r#"{"test": 2432232315}"#, r#"{"test":2432232314}"#, "{\"test\": 2432232314}\n", ""] {
        let mut sent = vector();
        sent.body = body.into();
        assert!(!sent.verified(Standard, &[SECRET]), "{body}");
    }
}

#[test]
fn the_bearer_of_the_secret_needs_no_signature() {
    let bearing = |value: &str| Sent::new("{}").with("authorization", value);
    for good in [format!("Bearer {SECRET}"), format!("bearer  {SECRET}")] {
        assert!(bearing(&good).verified(Standard, &[OTHER_SECRET, SECRET]), "{good}");
    }
    for bad in [
        String::new(),
        "Bearer".to_owned(),
        "Bearer ".to_owned(),
        SECRET.to_owned(),
        format!("Basic {SECRET}"),
        format!("Bearer {}", &SECRET[..SECRET.len() - 1]),
        format!("Bearer {}", &SECRET[6..]),
        format!("Bearer {SECRET} {SECRET}"),
    ] {
        assert!(!bearing(&bad).verified(Standard, &[SECRET]), "{bad}");
    }
    let twice = bearing(&format!("Bearer {SECRET}")).with("authorization", format!("Bearer {SECRET}"));
    assert!(!twice.verified(Standard, &[SECRET]));
    let also_signed = vector().without("webhook-signature").with("webhook-signature", ANOTHER);
    let also_signed = also_signed.with("authorization", format!("Bearer {SECRET}"));
    assert!(!also_signed.verified(Standard, &[SECRET]), "a bad signature is not made good by a bearer");
}

#[test]
fn a_paid_order_is_read_in_whole() {
    let order = Sent::new(fixture("standard/order.paid.json")).order(Standard);
    assert_eq!((order.number.as_str(), &order.state, order.test), ("A-1001", &State::Paid, false));
    let buyer = Buyer { first_name: Some("Mary Ann".into()), last_name: Some("O'Hara".into()) };
    assert_eq!(order.buyer, Some(buyer));
    assert_eq!(order.ordered_at, Some(at("2026-11-25T11:59:30.500Z")));
    let total = order.total.unwrap();
    assert_eq!((total.minor, total.currency.code()), (4750, "EUR"), "the sum of the lines");
    let [mug, card] = &order.lines[..] else { panic!("{:?}", order.lines) };
    assert_eq!((mug.sku.as_deref(), mug.quantity, mug.price.unwrap().minor), (Some("MUG-1"), 2, 1900));
    assert_eq!(mug.name.as_ref().unwrap().as_str(), "Mug ‹blue›");
    assert_eq!(mug.url.as_ref().unwrap().as_str(), "https://shop.example/mug");
    assert_eq!(mug.thumbnail.as_ref().unwrap().as_str(), "https://shop.example/mug.png");
    assert_eq!((card.sku.as_deref(), card.quantity, card.price.unwrap().minor), (None, 1, 950));
}

#[test]
fn the_least_order_has_a_number_and_a_name() {
    let sent = Sent::new(r#"{"type": "order.paid", "data": {"orderId": 7, "items": [{"name": "Mug"}]}}"#);
    let order = sent.order(Standard);
    assert_eq!((order.number.as_str(), order.buyer, order.total), ("7", None, None));
    assert_eq!((order.ordered_at, order.lines[0].quantity, order.lines[0].price), (None, 1, None));
}

#[test]
fn a_buyer_is_a_name_or_its_parts() {
    let buyer = |json: &str| {
        let body =
            r#"{"type": "order.paid", "data": {"orderId": 7, "buyer": _, "items": [{"name": "Mug"}]}}"#;
        let buyer = Sent::new(body.replace('_', json)).order(Standard).buyer;
        buyer.map(|buyer| (buyer.first_name.unwrap_or_default(), buyer.last_name.unwrap_or_default()))
    };
    let name = |first: &str, last: &str| Some((first.to_owned(), last.to_owned()));
    assert_eq!(buyer(r#""kim""#), name("kim", ""));
    assert_eq!(buyer(r#""Kim Min-ji ""#), name("Kim", "Min-ji"));
    assert_eq!(buyer(r#"{"firstName": "<b>", "lastName": "Lee"}"#), name("‹b›", "Lee"));
    for none in ["null", r#""""#, r#""[deleted]""#, "{}", "[]", "true"] {
        assert_eq!(buyer(none), None, "{none}");
    }
}

#[test]
fn what_is_wrong_is_said() {
    let paid = |data: &str| format!(r#"{{"type": "order.paid", "data": {data}}}"#);
    for (body, sentence) in [
        ("[]".to_owned(), "the body is not a JSON object"),
        ("{}".to_owned(), "type is required"),
        (r#"{"type": "order.paid"}"#.to_owned(), "data is an object"),
        (paid("[]"), "data is an object"),
        (paid("{}"), "orderId is a number or a text"),
        (paid(r#"{"orderId": {}}"#), "orderId is a number or a text"),
        (paid(r#"{"orderId": 1}"#), "items is a list"),
        (paid(r#"{"orderId": 1, "items": []}"#), "items is a list"),
        (paid(r#"{"orderId": 1, "items": {"name": "x"}}"#), "items is a list"),
        (paid(r#"{"orderId": 1, "items": [{}]}"#), "name is required"),
        (paid(r#"{"orderId": 1, "items": [{"name": "x", "quantity": 0}]}"#), "quantity is"),
        (paid(r#"{"orderId": 1, "items": [{"name": "x", "price": "-1"}]}"#), "price is"),
        (paid(r#"{"orderId": 1, "items": [{"name": "x", "url": "javascript:1"}]}"#), "url is"),
        (paid(r#"{"orderId": 1, "items": [{"name": "x", "currency": "BTC"}]}"#), "currency is"),
        (
            paid(r#"{"orderId": 1, "currency": "EUR", "items": [{"name": "x", "currency": "USD"}]}"#),
            "all items",
        ),
        (paid(r#"{"orderId": 1, "orderedAt": "yesterday", "items": [{"name": "x"}]}"#), "orderedAt is"),
        (paid(r#"{"orderId": 1, "test": "no", "items": [{"name": "x"}]}"#), "test is"),
        (r#"{"type": "goods.upserted", "data": {"name": "x"}}"#.to_owned(), "sku or goodsId"),
        (r#"{"type": "goods.deleted", "data": {}}"#.to_owned(), "sku or goodsId"),
    ] {
        let said = why(Sent::new(body.as_str()).read(Standard));
        assert!(said.starts_with(sentence), "{body}: {said}");
    }
}

#[test]
fn the_other_events_are_read() {
    let Ok(Told::Withdrawn { number, .. }) =
        Sent::new(fixture("standard/order.canceled.json")).read(Standard)
    else {
        panic!("no withdrawal")
    };
    assert_eq!(number.as_str(), "A-1001");
    let Ok(Told::Goods(goods)) = Sent::new(fixture("standard/goods.upserted.json")).read(Standard) else {
        panic!("no goods")
    };
    assert_eq!((goods.sku.as_deref(), goods.price.unwrap().minor), (Some("MUG-1"), 2100));
    let gone = Sent::new(fixture("standard/goods.deleted.json")).read(Standard);
    assert_eq!(gone, Ok(Told::GoodsGone { foreign_id: None, sku: Some("MUG-1".into()) }));
    let unknown = Sent::new(r#"{"type": "<order>.shipped", "data": {}}"#).read(Standard);
    assert_eq!(nothing(unknown), "‹order›.shipped is no event that is known here");
}

#[test]
fn the_future_is_now() {
    let body = r#"{"type": "order.paid", "data": {"orderId": 7, "orderedAt": "2999-01-01T00:00:00Z",
        "items": [{"name": "Mug"}]}}"#;
    assert_eq!(Sent::new(body).order(Standard).ordered_at, Some(at("2026-11-25T12:00:00Z")));
}
