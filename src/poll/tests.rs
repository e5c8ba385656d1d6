//! Looks at a shop that is not one: what is asked for, what is handed on, and what is said of a shop that fails.

use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};

use async_trait::async_trait;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{TcpListener, TcpStream},
};
use url::Url;

use super::{
    rest::{Failure, Shop},
    round::{self, Inbox, Seen},
};
use crate::{domain::Timestamp, hooks::PagedOrder, webhooks::Client};

const NOW: Timestamp = Timestamp::from_millis(1_795_608_000_000);
const KEY: &str = "ck_1:cs_2";

/// A WooCommerce shop on loopback, as far as it is asked here.
#[derive(Default)]
struct Fake {
    /// Number, seconds before `NOW` of its last change, status.
    orders: Vec<(u64, u64, &'static str)>,
    /// Answers to give before it serves.
    script: VecDeque<String>,
    /// Request lines and headers, in lower case.
    asked: Vec<String>,
}

struct Served {
    fake: Arc<Mutex<Fake>>,
    url: String,
}

impl Served {
    async fn start(orders: Vec<(u64, u64, &'static str)>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}", listener.local_addr().unwrap());
        let fake = Arc::new(Mutex::new(Fake { orders, ..Fake::default() }));
        let served = Arc::clone(&fake);
        tokio::spawn(async move {
            while let Ok((socket, _)) = listener.accept().await {
                tokio::spawn(serve(socket, Arc::clone(&served)));
            }
        });
        Self { fake, url }
    }

    fn say(&self, answer: &str) {
        self.fake.lock().unwrap().script.push_back(answer.to_owned());
    }

    fn asked(&self) -> Vec<String> {
        std::mem::take(&mut self.fake.lock().unwrap().asked)
    }

    fn shop(&self) -> Shop {
        Shop::parse(&self.url, KEY).unwrap()
    }
}

async fn serve(mut socket: TcpStream, fake: Arc<Mutex<Fake>>) {
    let mut head = String::new();
    while !head.ends_with("\r\n\r\n") {
        let Ok(byte) = socket.read_u8().await else { return };
        head.push(char::from(byte));
    }
    let answer = {
        let mut fake = fake.lock().unwrap();
        fake.asked.push(head.to_lowercase());
        fake.script.pop_front().unwrap_or_else(|| page(&fake.orders, &head))
    };
    let _ = socket.write_all(answer.as_bytes()).await;
}

/// What WooCommerce answers: changed after, sorted by number, one page of them.
fn page(orders: &[(u64, u64, &'static str)], head: &str) -> String {
    let target = head.split(' ').nth(1).unwrap();
    let url = Url::parse(&format!("http://shop{target}")).unwrap();
    let value =
        |name: &str| url.query_pairs().find(|(key, _)| key == name).map(|(_, value)| value.into_owned());
    let number = |name: &str| value(name).unwrap().parse::<usize>().unwrap();
    let (after, before) = (value("modified_after").unwrap(), value("modified_before"));
    let changed = |ago: u64| NOW.minus(Duration::from_secs(ago)).to_string()[..19].to_owned();
    let mut found: Vec<_> = orders
        .iter()
        .map(|(id, ago, status)| (id, changed(*ago), status))
        .filter(|(_, at, _)| *at > after && before.as_ref().is_none_or(|before| at < before))
        .collect();
    found.sort_unstable();
    let bodies: Vec<_> = found
        .chunks(number("per_page"))
        .nth(number("page") - 1)
        .unwrap_or_default()
        .iter()
        .map(|(id, at, status)| format!(r#"{{"id":{id},"date_modified_gmt":"{at}","status":"{status}"}}"#))
        .collect();
    answer(200, "date: Wed, 25 Nov 2026 12:00:05 GMT\r\n", &format!("[{}]", bodies.join(",")))
}

fn answer(status: u16, headers: &str, body: &str) -> String {
    format!(
        "HTTP/1.1 {status} x\r\n{headers}content-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    )
}

/// What was handed on.
#[derive(Default)]
struct Taken {
    orders: Mutex<Vec<String>>,
    cursors: Mutex<Vec<String>>,
    refuse: Mutex<bool>,
}

#[async_trait]
impl Inbox for Taken {
    async fn take(&self, order: PagedOrder) -> Result<(), Failure> {
        if std::mem::take(&mut *self.refuse.lock().unwrap()) {
            return Err(Failure::new("busy"));
        }
        self.orders.lock().unwrap().push(order.number.to_string());
        Ok(())
    }

    async fn keep(&self, cursor: Timestamp) -> Result<(), Failure> {
        self.cursors.lock().unwrap().push(cursor.to_string());
        Ok(())
    }
}

impl Taken {
    fn orders(&self) -> Vec<String> {
        std::mem::take(&mut *self.orders.lock().unwrap())
    }

    fn cursors(&self) -> Vec<String> {
        std::mem::take(&mut *self.cursors.lock().unwrap())
    }
}

async fn look(
    shop: &mut Shop,
    inbox: &Taken,
    seen: &mut Seen,
    cursor: Option<Timestamp>,
) -> Result<usize, String> {
    let client = Client::new(true);
    round::look(&client, shop, inbox, seen, cursor, NOW).await.map_err(|failure| failure.why)
}

fn ago(seconds: u64) -> Option<Timestamp> {
    Some(NOW.minus(Duration::from_secs(seconds)))
}

#[tokio::test]
async fn every_order_that_changed_is_handed_on_once() {
    let orders = (1..=60).map(|id| (id, 60 + id, "processing")).collect();
    let (served, inbox, mut seen) = (Served::start(orders).await, Taken::default(), Seen::default());
    let mut shop = served.shop();
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(300)).await, Ok(60));
    assert_eq!(inbox.orders(), (1..=60).map(|id| id.to_string()).collect::<Vec<_>>());
    assert_eq!(inbox.cursors(), ["2026-11-25T12:00:05.000Z"], "the shop's own clock");
    let asked = served.asked();
    assert_eq!(asked.len(), 3);
    assert!(asked.iter().all(|head| head.contains("authorization: basic y2tfmtpjc18y")), "{asked:?}");
    // The next look overlaps, and hands on what is new or changed.
    served.fake.lock().unwrap().orders[4].2 = "refunded";
    served.fake.lock().unwrap().orders.push((61, 0, "processing"));
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(0)).await, Ok(2));
    assert_eq!(inbox.orders(), ["5", "61"]);
}

#[tokio::test]
async fn what_changes_while_pages_are_read_is_not_missed() {
    let orders = (2..=51).map(|id| (id, 60, "processing")).collect();
    let (served, inbox, mut seen) = (Served::start(orders).await, Taken::default(), Seen::default());
    let mut shop = served.shop();
    // The first page as it is, and then an old order changes: it enters the list before the others.
    let first =
        page(&served.fake.lock().unwrap().orders.clone(), "GET /?modified_after=2026&per_page=25&page=1 x");
    served.say(&first);
    served.fake.lock().unwrap().orders.push((1, 1, "completed"));
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(0)).await, Ok(50));
    let seen_now = inbox.orders();
    assert!((2..=51).all(|id| seen_now.contains(&id.to_string())), "{seen_now:?}");
    // It is found by the next look.
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(0)).await, Ok(1));
    assert_eq!(inbox.orders(), ["1"]);
}

#[tokio::test]
async fn a_long_absence_is_worked_off_day_by_day() {
    let day = 86_400;
    let orders = vec![(1, 3 * day - 60, "processing"), (2, day, "processing"), (3, 60, "processing")];
    let (served, inbox, mut seen) = (Served::start(orders).await, Taken::default(), Seen::default());
    let mut shop = served.shop();
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(3 * day)).await, Ok(3));
    assert_eq!(inbox.orders(), ["1", "2", "3"]);
    assert_eq!(
        inbox.cursors(),
        ["2026-11-23T12:00:00.000Z", "2026-11-24T12:00:00.000Z", "2026-11-25T12:00:05.000Z"]
    );
}

#[tokio::test]
async fn the_first_look_goes_back_a_day() {
    let orders = vec![(1, 30 * 3600, "processing"), (2, 3600, "processing")];
    let (served, inbox) = (Served::start(orders).await, Taken::default());
    assert_eq!(look(&mut served.shop(), &inbox, &mut Seen::default(), None).await, Ok(1));
    assert_eq!(inbox.orders(), ["2"]);
}

#[tokio::test]
async fn a_shop_that_does_not_know_the_parameters_is_read_no_further() {
    let (served, inbox) = (Served::start(Vec::new()).await, Taken::default());
    let old = r#"[{"id": 1, "date_modified_gmt": "2020-01-01T00:00:00"}, {"id": 2}]"#;
    served.say(&answer(200, "", old));
    assert_eq!(look(&mut served.shop(), &inbox, &mut Seen::default(), ago(60)).await, Ok(1));
    assert_eq!(inbox.orders(), ["2"]);
}

#[tokio::test]
async fn what_was_not_taken_is_handed_on_again() {
    let orders = vec![(1, 60, "processing"), (2, 60, "processing")];
    let (served, inbox, mut seen) = (Served::start(orders).await, Taken::default(), Seen::default());
    let mut shop = served.shop();
    *inbox.refuse.lock().unwrap() = true;
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(60)).await, Err("busy".to_owned()));
    assert!(inbox.cursors().is_empty(), "nothing is passed over");
    assert_eq!(look(&mut shop, &inbox, &mut seen, ago(60)).await, Ok(2));
}

#[tokio::test]
async fn the_key_and_the_address_are_tried_in_the_other_way() {
    let (served, inbox) = (Served::start(vec![(1, 60, "processing")]).await, Taken::default());
    let mut shop = served.shop();
    served.say(&answer(404, "", "<html>"));
    served.say(&answer(401, "", "{}"));
    assert_eq!(look(&mut shop, &inbox, &mut Seen::default(), ago(60)).await, Ok(1));
    let asked = served.asked();
    assert!(asked[0].starts_with("get /wp-json/wc/v3/orders?"), "{}", asked[0]);
    assert!(asked[1].contains("rest_route=%2fwc%2fv3%2forders") && asked[1].contains("authorization"));
    assert!(asked[2].contains("consumer_key=ck_1&consumer_secret=cs_2"), "{}", asked[2]);
    assert!(!asked[2].contains("authorization"));
}

#[tokio::test]
async fn what_is_wrong_with_a_shop_is_said_without_its_key() {
    let served = Served::start(Vec::new()).await;
    let redirect = "location: https://www.shop.example/wp-json/wc/v3/orders?consumer_secret=x\r\n";
    for (answers, said) in [
        (vec![answer(301, redirect, "")], "redirects to www.shop.example (301)"),
        (vec![answer(401, "", ""); 2], "does not take the key (401)"),
        (vec![answer(404, "", ""); 2], "no WooCommerce REST API"),
        (vec![answer(429, "retry-after: 120\r\n", "")], "less often (429)"),
        (vec![answer(500, "", "")], "answered 500"),
        (vec![answer(200, "", "<html>busy</html>")], "no page of orders"),
        (vec![answer(200, "", r#"{"code": "rest_no_route"}"#)], "no page of orders"),
        (vec!["HTTP/1.1 200 x\r\ncontent-length: 100\r\n\r\n[".to_owned()], "broke off"),
        (vec![String::new()], "there was no answer"),
    ] {
        answers.iter().for_each(|answer| served.say(answer));
        let failed = look(&mut served.shop(), &Taken::default(), &mut Seen::default(), ago(60)).await;
        let why = failed.unwrap_err();
        assert!(why.contains(said) && !why.contains("cs_2") && !why.contains("secret=x"), "{why}");
    }
}

#[tokio::test]
async fn a_page_has_a_size() {
    let served = Served::start(Vec::new()).await;
    let huge = format!("[{{\"id\": 1, \"x\": \"{}\"}}]", "x".repeat(4_100_000));
    served.say(&answer(200, "", &huge));
    let failed = look(&mut served.shop(), &Taken::default(), &mut Seen::default(), ago(60)).await;
    assert!(failed.unwrap_err().contains("larger than 4 MB"));
}

#[tokio::test]
async fn a_shop_asks_to_be_left_alone() {
    let served = Served::start(Vec::new()).await;
    served.say(&answer(503, "retry-after: 90\r\n", ""));
    let (client, inbox) = (Client::new(true), Taken::default());
    let failure = round::look(&client, &mut served.shop(), &inbox, &mut Seen::default(), ago(60), NOW)
        .await
        .unwrap_err();
    assert_eq!(failure.retry_after, Some(Duration::from_secs(90)));
}

#[test]
fn a_key_goes_over_tls_or_not_at_all() {
    let ok = |url: &str| Shop::parse(url, KEY).is_ok();
    assert!(ok("https://shop.example") && ok("https://shop.example/shop/") && ok("http://127.0.0.1:8080"));
    assert!(!ok("http://shop.example") && !ok("ftp://shop.example") && !ok("shop.example"));
    assert!(Shop::parse("https://shop.example", "ck_1").is_err());
}
