//! Stripe's events.

use shopbell::hooks::{SourceKind::Stripe, State, Told};

use super::{Sent, at, fixture, hmac_hex, nothing, why};

const SECRET: &str = "whsec_not+base64/at/all!";
const TIME: &str = "1795608000";

fn session_with(replaced: &[(&str, &str)]) -> Sent {
    let text = String::from_utf8(fixture("stripe/checkout.session.completed.json")).unwrap();
    Sent::new(replaced.iter().fold(text, |text, (from, to)| {
        assert!(text.contains(from), "{from}");
        text.replace(from, to)
    }))
}

fn digest(secret: &str, time: &str, body: &[u8]) -> String {
    hmac_hex(secret.as_bytes(), &[time.as_bytes(), b".", body].concat())
}

#[test]
fn one_of_several_digests_is_enough_and_the_secret_is_not_decoded() {
    let body = fixture("stripe/checkout.session.completed.json");
    let good = digest(SECRET, TIME, &body);
    let other = digest("whsec_other", TIME, &body);
    let signed = |header: String| Sent::new(body.clone()).with("Stripe-Signature", header);
    for header in [
        format!("t={TIME},v1={good}"),
        format!("t={TIME},v1={other},v1={good},v0={other}"),
        format!("v1={good},t={TIME}"),
    ] {
        assert!(signed(header.clone()).verified(Stripe, &["whsec_x", SECRET]), "{header}");
    }
    for bad in [
        String::new(),
        good.clone(),
        format!("t={TIME}"),
        format!("v1={good}"),
        format!("t={TIME},v0={good}"),
        format!("t={TIME},v1={other}"),
        format!("t={TIME},v1={}", good.to_uppercase()),
        format!("t={TIME},v1={}", &good[..62]),
        format!("t={TIME},v1={good}{good}"),
        format!("t={TIME},v1={good}00"),
        format!("t={TIME};v1={good}"),
        format!("t={TIME},t={TIME},v1={good}"),
        format!("t=1795608001,v1={good}"),
        format!("t=,v1={good}"),
    ] {
        assert!(!signed(bad.clone()).verified(Stripe, &[SECRET]), "{bad}");
    }
    assert!(!Sent::new(body.clone()).verified(Stripe, &[SECRET]));
    assert!(!signed(format!("t={TIME},v1={good}")).verified(Stripe, &["whsec_x"]));
}

#[test]
fn five_minutes_either_way_are_now() {
    let body = fixture("stripe/thin.json");
    for (time, good) in
        [("1795607700", true), ("1795607699", false), ("1795608300", true), ("1795608301", false)]
    {
        let header = format!("t={time},v1={}", digest(SECRET, time, &body));
        let sent = Sent::new(body.clone()).with("Stripe-Signature", header);
        assert_eq!(
            (sent.now, sent.verified(Stripe, &[SECRET])),
            (at("2026-11-25T12:00:00Z"), good),
            "{time}"
        );
    }
}

#[test]
fn a_completed_session_is_an_order_by_its_payment_intent() {
    let order = session_with(&[]).order(Stripe);
    assert_eq!((order.number.as_str(), &order.state, order.test), ("pi_3Test0001", &State::Paid, false));
    assert_eq!(order.ordered_at, Some(at("2026-11-25T11:59:00Z")), "not when the page was opened");
    let buyer = order.buyer.unwrap();
    assert_eq!((buyer.first_name.as_deref(), buyer.last_name.as_deref()), (Some("Ana"), Some("María López")));
    let total = order.total.unwrap();
    assert_eq!((total.minor, total.currency.code()), (4790, "EUR"));
    let [line] = &order.lines[..] else { panic!("{:?}", order.lines) };
    assert_eq!(line.name.as_ref().unwrap().as_str(), "Print ‹A3›");
    assert_eq!((line.sku.as_deref(), line.quantity, line.price.unwrap().minor), (Some("PRINT-A3"), 2, 2100));
    assert_eq!(line.url.as_ref().unwrap().as_str(), "https://prints.example/a3");
    let expanded = ("\"payment_intent\": \"pi_3Test0001\"", "\"payment_intent\": {\"id\": \"pi_3Test0001\"}");
    assert_eq!(session_with(&[expanded]).order(Stripe).number.as_str(), "pi_3Test0001");
    let none = ("\"payment_intent\": \"pi_3Test0001\"", "\"payment_intent\": null");
    assert_eq!(session_with(&[none]).order(Stripe).number.as_str(), "cs_live_a1Test0001");
}

#[test]
fn without_metadata_there_is_the_amount_alone() {
    for metadata in
        ["\"metadata\": null, \"m\": {", "\"metadata\": [], \"m\": {", "\"metadata\": {}, \"m\": {"]
    {
        let order = session_with(&[("\"metadata\": {", metadata)]).order(Stripe);
        let [line] = &order.lines[..] else { panic!("{:?}", order.lines) };
        assert_eq!((&line.name, &line.sku, line.quantity), (&None, &None, 1));
        assert_eq!((order.total.unwrap().minor, line.price.unwrap().minor), (4790, 4200));
    }
}

#[test]
fn an_order_stands_as_its_payment_does() {
    let state = |replaced: &[(&str, &str)]| session_with(replaced).order(Stripe).state;
    assert_eq!(state(&[("\"paid\"", "\"no_payment_required\"")]), State::Paid);
    let unpaid = ("\"paid\"", "\"unpaid\"");
    assert_eq!(state(&[unpaid]), State::Unpaid("its payment_status is unpaid".into()));
    let event = |name: &'static str| ("\"checkout.session.completed\"", name);
    let succeeded = event("\"checkout.session.async_payment_succeeded\"");
    assert_eq!(state(&[succeeded]), State::Paid);
    let order = session_with(&[succeeded]).order(Stripe);
    assert_eq!(order.ordered_at, Some(at("2026-11-25T09:46:40Z")));
    assert_eq!(order.news_since(), Some(at("2026-11-25T11:59:00Z")));
    let failed = event("\"checkout.session.async_payment_failed\"");
    assert!(matches!(state(&[failed, unpaid]), State::Withdrawn(_)));
    let setup = session_with(&[("\"mode\": \"payment\"", "\"mode\": \"setup\"")]).read(Stripe);
    assert!(nothing(setup).starts_with("nothing was paid"));
}

#[test]
fn what_is_not_live_is_a_test() {
    assert!(session_with(&[("\"livemode\": true", "\"livemode\": false")]).order(Stripe).test);
    assert!(!session_with(&[]).order(Stripe).test);
}

#[test]
fn amounts_have_the_decimals_that_stripe_gives_them() {
    for (code, minor) in [
        ("usd", 4790),
        ("jpy", 4790),
        ("krw", 4790),
        // In hundredths that are always 00; 4790 is rounded here, half up.
        ("isk", 48),
        ("ugx", 48),
        // In whole units, although ISO 4217 has two decimals.
        ("mga", 479_000),
        ("kwd", 4790),
    ] {
        let order = session_with(&[("\"eur\"", &format!("\"{code}\""))]).order(Stripe);
        assert_eq!(order.total.unwrap().minor, minor, "{code}");
    }
    assert_eq!(session_with(&[("\"eur\"", "\"xyz\"")]).order(Stripe).total, None);
    assert_eq!(session_with(&[("4790", "4790.5")]).order(Stripe).total, None);
}

#[test]
fn only_a_refund_in_whole_withdraws() {
    let text = String::from_utf8(fixture("stripe/charge.refunded.json")).unwrap();
    let read = |text: String| Sent::new(text).read(Stripe);
    let Ok(Told::Withdrawn { number, .. }) = read(text.clone()) else { panic!("not withdrawn") };
    assert_eq!(number.as_str(), "pi_3Test0001");
    assert!(nothing(read(text.replace("\"refunded\": true", "\"refunded\": false"))).starts_with("a part"));
    let old = read(text.replace("\"pi_3Test0001\"", "null"));
    assert_eq!(nothing(old), "the charge belongs to no payment intent");
}

#[test]
fn other_events_are_ignored_politely() {
    assert!(nothing(Sent::new(fixture("stripe/thin.json")).read(Stripe)).starts_with("a thin event"));
    let other = session_with(&[("\"checkout.session.completed\"", "\"invoice.paid\"")]).read(Stripe);
    assert_eq!(nothing(other), "the event invoice.paid means nothing here");
    assert_eq!(why(Sent::new("{}").read(Stripe)), "the event has no type");
    let empty = r#"{"type": "checkout.session.completed", "data": {"object": []}}"#;
    assert_eq!(why(Sent::new(empty).read(Stripe)), "the event has no data.object");
    let nameless = r#"{"type": "checkout.session.completed", "data": {"object": {}}}"#;
    assert_eq!(why(Sent::new(nameless).read(Stripe)), "the session has no id");
}
