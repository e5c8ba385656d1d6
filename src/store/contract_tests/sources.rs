//! Orders of other shops.

use std::sync::Arc;

use futures_util::future::join_all;

use super::*;
use crate::{
    domain::{
        BuyerDisplay, GoodsPatch, Notification, Offset, OrderId, Publication, Sku, SourceId, SourceName,
        SourceRecord, SourceSettings,
    },
    hooks::{
        Buyer, ForeignId, Privacy, Secret, SourceKind, State, Told, ToldGoods, ToldLine, ToldOrder, WebUrl,
    },
    store::{Became, Denied, Heard, Outcome, ReceiptQuery, Source, SourceError, Via},
};

const HOUR: std::time::Duration = std::time::Duration::from_hours(1);

async fn a_source(store: &dyn Store, buyer: BuyerDisplay) -> Arc<Source> {
    let settings = SourceSettings {
        name: SourceName::parse("Tea shop").unwrap(),
        buyer,
        goods_name: None,
        announce_within: HOUR,
        rate: 10,
        poll: None,
    };
    let id = SourceId::from_random([7; 24]);
    let record = SourceRecord { id, settings, currency: None, poll_cursor: None, created_at: NOW };
    let secret = Secret::made(&[1; 32]);
    store.create_source(record, SourceKind::Standard, Some(secret), None).await.unwrap();
    Arc::new(store.sources().await.unwrap().remove(0))
}

fn id(text: &str) -> ForeignId {
    ForeignId::parse(text).unwrap()
}

fn eur(minor: i64) -> Price {
    Price { minor, currency: "EUR".parse().unwrap() }
}

fn line(name: &str) -> ToldLine {
    ToldLine {
        sku: None,
        foreign_id: Some(id(name)),
        name: Some(GoodsName::parse(name).unwrap()),
        quantity: 2,
        price: Some(eur(500)),
        url: WebUrl::parse(&format!("https://tea.example/{name}")),
        thumbnail: None,
    }
}

fn paid(number: &str) -> ToldOrder {
    ToldOrder {
        number: id(number),
        state: State::Paid,
        buyer: Some(Buyer { first_name: Some("Kim".into()), last_name: Some("Lee".into()) }),
        ordered_at: Some(NOW),
        paid_at: None,
        test: false,
        total: Some(eur(1000)),
        lines: vec![line("green")],
    }
}

fn order(told: ToldOrder) -> Told {
    Told::Order(Box::new(told))
}

fn heard(source: &Arc<Source>, told: Told, digest: &str) -> Heard {
    Heard {
        source: Arc::clone(source),
        what: Ok(told),
        via: Via::Hook,
        topic: Some("a topic".into()),
        headers: None,
        body: Some("{}".into()),
        digest: digest.to_owned(),
        again: None,
        by: None,
        trace: None,
        at: NOW,
    }
}

async fn keep(store: &dyn Store, source: &Arc<Source>, told: Told) -> Became {
    store.keep_heard(heard(source, told, "x")).await.unwrap()
}

async fn log(store: &dyn Store) -> Vec<Publication> {
    store.log_after(Offset::START, 10_000).await.unwrap()
}

/// What is said of one order, in a letter: unpaid, paid, failed, withdrawn, and two halves of the money given back.
fn say(letter: char, number: &str) -> Told {
    let number = id(number);
    match letter {
        'u' => order(ToldOrder { state: State::Unpaid("pending".into()), ..paid(number.as_str()) }),
        'p' => order(paid(number.as_str())),
        'f' => order(ToldOrder { state: State::Failed("no money".into()), ..paid(number.as_str()) }),
        'w' => Told::Withdrawn { number, why: "canceled".into() },
        _ => Told::Refund { number, amount: Some(eur(500)) },
    }
}

/// Whether the order is told, and whether it is withdrawn after that, by the words of the contract.
fn expected(said: &str) -> (bool, bool) {
    let (mut told, mut over, mut halves) = (false, false, String::new());
    for letter in said.chars() {
        match letter {
            'p' if !told && !over => (told, over) = (halves.len() < 2, halves.len() >= 2),
            // What was not paid yet may still be.
            'f' => over |= told,
            'w' => over = true,
            'a' | 'b' if !halves.contains(letter) => {
                halves.push(letter);
                over |= told && halves.len() == 2;
            }
            _ => {}
        }
    }
    (told, told && over)
}

pub(in crate::store) async fn an_order_is_told_once_and_withdrawn_once_in_every_order_of_arrival(
    store: &dyn Store,
) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let letters = ['u', 'p', 'f', 'w', 'a', 'b'];
    let mut all = vec![String::new()];
    for _ in 0..4 {
        all = all.iter().flat_map(|said| letters.map(|letter| format!("{said}{letter}"))).collect();
    }
    // Each sequence is an order of its own, and many of them happen at once: fewer than the writer lets wait.
    let mut orders = Vec::new();
    for some in all.chunks(500) {
        let live = some.iter().map(async |said| {
            let mut order_id = None;
            for letter in said.chars() {
                let heard = heard(&source, say(letter, said), &letter.to_string());
                order_id = store.keep_heard(heard).await.unwrap().order_id.or(order_id);
            }
            (said, order_id)
        });
        orders.extend(join_all(live).await);
    }
    let events = store.order_events_after(crate::store::Sequence(0), 10_000).await.unwrap();
    let of = |wanted: Option<OrderId>, kind| {
        let fits = |event: &&crate::store::OrderEvent| Some(event.order_id) == wanted && event.kind == kind;
        events.iter().filter(fits).map(|event| event.announced_as.is_some()).collect::<Vec<_>>()
    };
    use crate::store::OrderEventKind::{Canceled, Placed};
    for (said, order_id) in orders {
        let (told, withdrawn) = expected(said);
        assert_eq!(of(order_id, Placed), vec![true; usize::from(told)], "{said}");
        assert_eq!(of(order_id, Canceled), vec![true; usize::from(withdrawn)], "{said}");
    }
    let told = all.iter().filter(|said| expected(said).0).count();
    let withdrawn = all.iter().filter(|said| expected(said).1).count();
    assert!(told > 100 && withdrawn > 50);
    assert_eq!(log(store).await.len(), told + withdrawn);
}

pub(in crate::store) async fn many_at_once_are_one_order(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let outcomes = join_all((0..30).map(|_| keep(store, &source, order(paid("1"))))).await;
    let told = outcomes.iter().filter(|became| became.outcome == Outcome::Told).count();
    assert_eq!((told, log(store).await.len()), (1, 1));
    assert!(outcomes.iter().all(|became| became.order_id == outcomes[0].order_id));
}

pub(in crate::store) async fn what_is_no_news_is_kept_and_not_told(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let test = keep(store, &source, order(ToldOrder { test: true, ..paid("test") })).await;
    assert_eq!((test.outcome, test.why.as_str(), test.notification), (Outcome::Kept, "a test order", None));
    let late = ToldOrder { ordered_at: Some(NOW.minus(HOUR * 2)), ..paid("late") };
    let late = keep(store, &source, order(late)).await;
    assert_eq!((late.outcome, late.notification), (Outcome::Kept, None));
    assert!(late.order_id.is_some() && late.why.starts_with("no news any more"), "{late:?}");
    // Placed long ago and paid now is news.
    let slow = ToldOrder { ordered_at: Some(NOW.minus(HOUR * 48)), paid_at: Some(NOW), ..paid("slow") };
    assert_eq!(keep(store, &source, order(slow)).await.outcome, Outcome::Told);
    let withdrawn = keep(store, &source, say('w', "late")).await;
    assert_eq!((withdrawn.outcome, withdrawn.notification), (Outcome::Withdrawn, None));
    assert_eq!(log(store).await.len(), 1);
}

pub(in crate::store) async fn an_alert_is_the_same_live_and_replayed(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::FirstName).await;
    keep(store, &source, order(ToldOrder { lines: vec![line("green"), line("black")], ..paid("1") })).await;
    keep(store, &source, order(ToldOrder { buyer: None, ..paid("2") })).await;
    keep(store, &source, say('w', "1")).await;
    let live = store.feed().take_news(Offset::START, 9).publications.unwrap();
    let replayed = log(store).await;
    assert!(live.iter().map(|publication| &**publication).eq(&replayed), "{live:?} {replayed:?}");
    let Notification::Purchase { nickname, first_goods_name, other_goods, quantity, elsewhere, .. } =
        &replayed[0].notification
    else {
        panic!("{replayed:?}")
    };
    assert_eq!((nickname.as_deref(), first_goods_name.as_str()), (Some("Kim"), "green"));
    assert_eq!((*other_goods, *quantity), (1, 4));
    let elsewhere = elsewhere.as_deref().unwrap();
    assert_eq!(elsewhere.goods_url.as_deref(), Some("https://tea.example/green"));
    assert_eq!((elsewhere.thumbnail_url.as_deref(), elsewhere.ordered_at), (None, Some(NOW)));
    assert!(matches!(&replayed[1].notification, Notification::Purchase { nickname: None, .. }));
}

pub(in crate::store) async fn goods_of_others_are_made_once_and_kept_as_the_source_says(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::None).await;
    let twice = ToldOrder { lines: vec![line("green"), line("green"), line("black")], ..paid("1") };
    keep(store, &source, order(twice)).await;
    keep(store, &source, order(paid("2"))).await;
    let every = || crate::store::GoodsQuery { unlisted: true, limit: 9, ..Default::default() };
    let goods = store.goods_list(every()).await.unwrap();
    assert_eq!(goods.iter().map(|goods| goods.name.as_str()).collect::<Vec<_>>(), ["black", "green"]);
    let green = goods[1].clone();
    assert!(!green.about.listed && green.price == eur(500) && green.category.as_str() == "Tea shop");
    let changed = ToldGoods {
        foreign_id: Some(id("green")),
        sku: None,
        name: GoodsName::parse("Green tea").ok(),
        price: Some(eur(700)),
        url: None,
        thumbnail: ThumbnailUrl::parse_url("https://tea.example/green.png").ok(),
    };
    let became = keep(store, &source, Told::Goods(Box::new(changed.clone()))).await;
    assert_eq!(became.outcome, Outcome::Goods);
    let green = store.goods(green.goods_id).await.unwrap().unwrap();
    assert_eq!((green.name.as_str(), green.price), ("Green tea", eur(700)));
    assert_eq!(green.about.url.as_ref().map(|url| url.as_str()), Some("https://tea.example/green"));
    let again = keep(store, &source, Told::Goods(Box::new(changed))).await;
    assert_eq!(again.why, "the goods were so already");
    let gone = Told::GoodsGone { foreign_id: Some(id("green")), sku: None };
    keep(store, &source, gone).await;
    assert_eq!(store.goods(green.goods_id).await.unwrap(), None);
    let later = keep(store, &source, order(paid("3"))).await;
    assert_eq!(later.outcome, Outcome::Told, "goods that are gone are made anew");
}

pub(in crate::store) async fn the_shops_own_goods_are_not_changed_by_a_source(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::None).await;
    let own = some_goods(store, "water", Some(3)).await;
    let sku = GoodsPatch { sku: Some(Sku::parse("W-1").ok()), ..GoodsPatch::default() };
    let own = store.change_goods(own.goods_id, sku, None, None, NOW).await.unwrap();
    let bought = ToldLine { sku: Some("W-1".into()), ..line("other") };
    let became = keep(store, &source, order(ToldOrder { lines: vec![bought], ..paid("1") })).await;
    let told = log(store).await;
    assert!(
        matches!(&told[0].notification, Notification::Purchase { goods_id, .. } if *goods_id == own.goods_id),
        "{told:?}"
    );
    let said = ToldGoods {
        foreign_id: None,
        sku: Some("W-1".into()),
        name: GoodsName::parse("Wine").ok(),
        price: Some(eur(1)),
        url: None,
        thumbnail: None,
    };
    keep(store, &source, Told::Goods(Box::new(said))).await;
    keep(store, &source, Told::GoodsGone { foreign_id: None, sku: Some("W-1".into()) }).await;
    store.cancel_order(became.order_id.unwrap(), None, NOW).await.unwrap();
    assert_eq!(store.goods(own.goods_id).await.unwrap(), Some(own), "its stock neither");
}

pub(in crate::store) async fn a_name_is_forgotten_where_it_was_kept(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::FirstName).await;
    for number in ["1", "2"] {
        keep(store, &source, order(paid(number))).await;
    }
    let names = async || {
        let name = |publication: &Publication| match &publication.notification {
            Notification::Purchase { nickname, .. } => nickname.clone(),
            Notification::Cancellation { .. } => None,
        };
        log(store).await.iter().map(name).collect::<Vec<_>>()
    };
    let report = keep(store, &source, Told::Privacy(Privacy::Report { orders: vec![id("1")] })).await;
    assert!(report.why.contains("order 1: Kim"), "{report:?}");
    keep(store, &source, Told::Privacy(Privacy::ForgetBuyer { orders: vec![id("1")] })).await;
    assert_eq!(names().await, [None, Some("Kim".into())]);
    let memory = store.feed().take_news(Offset::START, 9).publications.unwrap();
    assert!(matches!(&memory[0].notification, Notification::Purchase { nickname: None, .. }));
    let query = ReceiptQuery { outcome: Some(Outcome::Told), before: None, limit: 9 };
    let kept = store.receipts(&source.record.id, query).await.unwrap();
    let bodies: Vec<_> =
        kept.iter().map(|receipt| (receipt.number.as_deref(), receipt.body.is_some())).collect();
    assert_eq!(bodies, [(Some("2"), true), (Some("1"), false)]);
    keep(store, &source, Told::Privacy(Privacy::ForgetShop)).await;
    assert_eq!(names().await, [None, None]);
}

pub(in crate::store) async fn a_cancellation_by_hand_ends_the_order_of_a_source(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let placed = keep(store, &source, order(paid("1"))).await.order_id.unwrap();
    let order = store.cancel_order(placed, None, NOW).await.unwrap();
    assert_eq!((order.user_id, order.total), (None, eur(1000)));
    assert_eq!(order.origin.unwrap().buyer.as_deref(), Some("K**"));
    for letter in ['w', 'p', 'u', 'a', 'b'] {
        let became = store.keep_heard(heard(&source, say(letter, "1"), &letter.to_string())).await.unwrap();
        assert_ne!(became.outcome, Outcome::Told, "{letter}");
        assert_ne!(became.outcome, Outcome::Withdrawn, "{letter}");
    }
    assert_eq!(log(store).await.len(), 2);
}

pub(in crate::store) async fn secrets_hold_until_their_moment(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let id = source.record.id.clone();
    let held = async |at| store.sources().await.unwrap()[0].secrets_at(at);
    let (first, second) = (Secret::made(&[1; 32]), Secret::made(&[2; 32]));
    assert_eq!(held(NOW).await, std::slice::from_ref(&first));
    let end = NOW.plus(HOUR);
    store.add_secret(id.clone(), second.clone(), end, None, NOW).await.unwrap();
    assert_eq!(held(NOW).await, [second.clone(), first.clone()]);
    assert_eq!(held(end).await, std::slice::from_ref(&second));
    store.drop_old_secrets(id.clone(), None, NOW).await.unwrap();
    assert_eq!(held(NOW).await, [second]);
    store.remove_source(id.clone(), None, NOW).await.unwrap();
    assert_eq!(store.sources().await.unwrap(), []);
    let gone = store.keep_heard(heard(&source, order(paid("1")), "x")).await;
    assert!(matches!(gone, Err(SourceError::NotFound)), "{gone:?}");
    let gone = store.drop_old_secrets(id, None, NOW).await;
    assert!(matches!(gone, Err(SourceError::NotFound)), "{gone:?}");
    assert_eq!(log(store).await.len(), 0, "what was refused left nothing");
}

pub(in crate::store) async fn receipts_are_listed_tried_again_and_forgotten(store: &dyn Store) {
    let source = a_source(store, BuyerDisplay::Masked).await;
    let id = &source.record.id;
    let bad = Heard { what: Err("items is a list".into()), ..heard(&source, Told::Ping, "x") };
    store.keep_heard(bad).await.unwrap();
    keep(store, &source, order(paid("1"))).await;
    let polled = Heard { via: Via::Poll, ..heard(&source, order(paid("1")), "x") };
    store.keep_heard(polled).await.unwrap();
    let list =
        async |outcome| store.receipts(id, ReceiptQuery { outcome, before: None, limit: 9 }).await.unwrap();
    let all = list(None).await;
    assert_eq!(all.len(), 2, "what is fetched again and says nothing new has no receipt");
    assert_eq!((all[0].outcome.as_str(), all[0].number.as_deref()), ("told", Some("1")));
    assert_eq!((all[1].outcome.as_str(), all[1].why.as_str()), ("malformed", "items is a list"));
    let body = store.receipt_body(id, all[1].id).await.unwrap().unwrap();
    assert_eq!(&body.body[..], b"{}");
    let again = Heard { again: Some(all[1].id), ..heard(&source, order(paid("2")), "x") };
    let kim = logged_in(store, "kim", Role::Member, 1).await;
    let denied = store.keep_heard(Heard { by: Some(kim), ..again.clone() }).await;
    assert!(matches!(denied, Err(SourceError::Denied(Denied::NotAdmin))), "{denied:?}");
    assert_eq!(list(None).await, all, "and it left nothing");
    assert_eq!(store.keep_heard(again).await.unwrap().outcome, Outcome::Told);
    assert_eq!(list(Some(Outcome::Malformed)).await, []);
    assert_eq!(list(None).await.len(), 2);
    assert_eq!(store.forget_receipts(NOW.plus(HOUR), 1).await.unwrap(), 3);
    let left = list(None).await;
    assert_eq!((left.len(), left[0].body.as_deref()), (1, None));
    assert_eq!(store.forget_receipts(NOW.plus(HOUR), 1).await.unwrap(), 0);
}
