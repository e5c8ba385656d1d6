//! Databases of earlier versions are brought up to date with what they hold.

use sqlx::AssertSqlSafe;

use super::*;
use crate::{
    domain::{Nickname, Notification, OrderId},
    store::{
        AccountStore as _, CatalogStore, GoodsQuery,
        OrderEventKind::{self, Canceled, Placed},
        Sequence,
    },
};

/// A database as it was before the log held order events: kim's orders and what the log said of them.
struct Before {
    conn: SqliteConnection,
    path: std::path::PathBuf,
    _folder: TempDir,
}

impl Before {
    async fn new() -> Self {
        let folder = TempDir::new().unwrap();
        let path = folder.path().join("shop.db");
        let mut conn = raw(&path).await;
        let mark = format!("pragma application_id = {}", sqlite::open::APPLICATION_ID);
        conn.execute(AssertSqlSafe(mark)).await.unwrap();
        sqlite::open::MIGRATIONS.run_to(4, &mut conn).await.unwrap();
        let kim =
            "insert into users (email, email_key, nickname, nickname_key, password_hash, role, created_at)
                   values ('kim@example.com', 'kim@example.com', 'kim', 'kim', '', 'member', 1)";
        conn.execute(kim).await.unwrap();
        Self { conn, path, _folder: folder }
    }

    async fn run(&mut self, sql: String) {
        self.conn.execute(AssertSqlSafe(sql)).await.unwrap();
    }

    /// Order `id` of two goods, placed at `id` seconds.
    async fn order(&mut self, id: i64, status: &str, is_hidden: bool) {
        let at = id * 1000;
        self.run(format!(
            "insert into orders values ({id}, 1, '{status}', 5, {at});
             insert into order_items values ({id}, 0, {id}, 'goods {id}', 1, 2), ({id}, 1, 99, 'more', 1, 3)"
        ))
        .await;
        if !is_hidden {
            self.run(format!(
                "insert into notifications
                     (kind, order_id, goods_id, nickname, first_goods_name, other_goods, quantity, created_at)
                 values ('purchase', {id}, {id}, 'kim', 'goods {id}', 1, 5, {at})"
            ))
            .await;
        }
    }

    async fn withdrawal(&mut self, id: i64, offset: i64, at: i64) {
        self.run(format!(
            "insert into notifications (kind, order_id, goods_id, canceled, created_at)
             values ('cancellation', {id}, {id}, {offset}, {at})"
        ))
        .await;
    }

    async fn migrated_at(self) -> (SqlStore, std::path::PathBuf, TempDir) {
        let path = self.path.clone();
        let (store, folder) = self.migrated().await;
        (store, path, folder)
    }

    async fn migrated(self) -> (SqlStore, TempDir) {
        self.conn.close().await.unwrap();
        (open(&self.path).await.unwrap(), self._folder)
    }
}

/// All events: sequence, order, kind, offset, milliseconds.
async fn events(store: &SqlStore) -> Vec<(i64, i64, OrderEventKind, Option<i64>, i64)> {
    let found = store.order_events_after(Sequence(0), 100).await.unwrap();
    let event = |event: &crate::store::OrderEvent| {
        let offset = event.announced_as.map(|offset| offset.0);
        (event.sequence.0, event.order_id.0, event.kind, offset, event.at.as_millis())
    };
    found.iter().map(event).collect()
}

#[tokio::test]
async fn every_order_has_its_events_and_every_alert_its_offset() {
    let mut before = Before::new().await;
    before.order(1, "placed", false).await;
    before.order(2, "canceled", true).await;
    before.order(3, "canceled", false).await;
    before.order(4, "placed", true).await;
    before.order(5, "placed", false).await;
    before.withdrawal(3, 2, 9000).await;
    let (store, _folder) = before.migrated().await;
    let expected = [
        (1, 1, Placed, Some(1), 1000),
        (2, 2, Placed, None, 2000),
        (3, 2, Canceled, None, 2000),
        (4, 3, Placed, Some(2), 3000),
        (5, 4, Placed, None, 4000),
        (6, 5, Placed, Some(3), 5000),
        (7, 3, Canceled, Some(4), 9000),
    ];
    assert_eq!(events(&store).await, expected);
    let reach = store.reach().await.unwrap();
    assert_eq!((reach.oldest, reach.latest), (Offset(1), Offset(4)));
    let log = store.log_after(Offset(1), 10).await.unwrap();
    let purchase = Notification::Purchase {
        nickname: Some("kim".into()),
        goods_id: crate::domain::GoodsId(3),
        first_goods_name: "goods 3".into(),
        other_goods: 1,
        quantity: 5,
        elsewhere: None,
    };
    assert_eq!((log[0].id, &log[0].notification), (Offset(2), &purchase));
    let withdrawn = Notification::Cancellation { goods_id: crate::domain::GoodsId(3), canceled: Offset(2) };
    assert_eq!((log.len(), &log[2].notification), (3, &withdrawn));
    store.cancel_order(OrderId(5), None, NOW).await.unwrap();
    assert_eq!(events(&store).await[7], (8, 5, Canceled, Some(5), NOW.as_millis()));
}

#[tokio::test]
async fn what_was_pruned_stays_pruned() {
    let mut before = Before::new().await;
    for id in 1..=3 {
        before.order(id, "placed", false).await;
    }
    before.order(4, "placed", true).await;
    before.order(5, "placed", false).await;
    before.run("delete from notifications where id <= 2".to_owned()).await;
    let (store, _folder) = before.migrated().await;
    let expected = [(1, 3, Placed, Some(3), 3000), (2, 4, Placed, None, 4000), (3, 5, Placed, Some(4), 5000)];
    assert_eq!(events(&store).await, expected);
    let reach = store.reach().await.unwrap();
    assert_eq!((reach.oldest, reach.latest), (Offset(3), Offset(4)));
}

#[tokio::test]
async fn an_empty_log_knows_its_newest_offset() {
    let mut before = Before::new().await;
    for id in 1..=3 {
        before.order(id, "placed", false).await;
    }
    before.run("delete from notifications".to_owned()).await;
    let (store, _folder) = before.migrated().await;
    assert_eq!(events(&store).await, []);
    let reach = store.reach().await.unwrap();
    assert_eq!((reach.oldest, reach.latest), (Offset(4), Offset(3)));
    let kim = crate::domain::UserId(1);
    let water = some_goods(&store, "water", None).await.goods_id;
    assert_eq!(buy(&store, kim, lines(&[(water, 1)])).await.unwrap().notification, Some(Offset(4)));
}

#[tokio::test]
async fn every_database_has_an_epoch_of_its_own() {
    let (one, _one) = Before::new().await.migrated().await;
    let (other, _other) = Before::new().await.migrated().await;
    assert_ne!(one.reach().await.unwrap().epoch, other.reach().await.unwrap().epoch);
}

#[tokio::test]
async fn what_old_orders_took_is_what_they_can_have_taken() {
    let mut before = Before::new().await;
    // Goods 1 are counted, 2 are not, 3 are younger than the order of their number, 4 are gone.
    before
        .run(
            "insert into goods values
                 (1, 'a', '/a', 'c', 1, 10, 0, 0), (2, 'b', '/a', 'c', 1, null, 0, 0), (3, 'c', '/a', 'c', 1, 10, 5000, 5000)"
                .to_owned(),
        )
        .await;
    for (id, goods_id, status) in
        [(1, 1, "placed"), (2, 1, "canceled"), (3, 2, "placed"), (4, 3, "placed"), (5, 4, "placed")]
    {
        let line = format!(
            "insert into orders values ({id}, 1, '{status}', 2, {id}000);
             insert into order_items values ({id}, 0, {goods_id}, 'x', 1, 2);
             insert into notifications
                 (kind, order_id, goods_id, nickname, first_goods_name, other_goods, quantity, created_at)
             values ('purchase', {id}, {goods_id}, 'kim', 'x', 0, 2, {id}000)"
        );
        before.run(line).await;
    }
    before.withdrawal(2, 2, 9000).await;
    let (store, folder) = before.migrated().await;
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    assert_eq!(sqlite::check(&url).await.unwrap(), [""; 0]);
    for id in [1, 3, 4, 5] {
        store.cancel_order(OrderId(id), None, NOW).await.unwrap();
    }
    let stock = async |id| store.goods(crate::domain::GoodsId(id)).await.unwrap().unwrap().stock;
    assert_eq!((stock(1).await, stock(2).await, stock(3).await), (Some(12), None, Some(10)));
    let again = crate::domain::NewGoods {
        goods_id: Some(crate::domain::GoodsId(4)),
        ..crate::store::contract_tests::new_goods("x", 1, None)
    };
    assert!(matches!(
        store.create_goods(again, None, NOW).await,
        Err(crate::store::CatalogError::GoodsExist)
    ));
    assert_eq!(sqlite::check(&url).await.unwrap(), [""; 0]);
}

#[tokio::test]
async fn text_gets_its_forms_and_accounts_that_collide_stay_apart() {
    let mut before = Before::new().await;
    let accounts = [
        ("jo@bücher.example", "Jo"),
        ("jo@xn--bcher-kva.example", "кіm"),
        ("LEE@example.com", "\u{3164}\u{3164}"),
        ("lee@ex_ample.com", "lee"),
    ];
    for (n, (email, nickname)) in accounts.into_iter().enumerate() {
        let (key, name_key, id) = (email.to_lowercase(), nickname.to_lowercase(), n + 2);
        before
            .run(format!(
                "insert into users
                     (user_id, email, email_key, nickname, nickname_key, password_hash, role, created_at)
                 values ({id}, '{email}', '{key}', '{nickname}', '{name_key}', '{id}', 'member', 1)"
            ))
            .await;
    }
    for (id, name, category) in [(1, "E\u{301}clair", "Tea"), (2, "green", "TEA"), (3, "black", "coffee")] {
        before
            .run(format!(
                "insert into goods (goods_id, name, thumbnail_url, category, price, created_at, updated_at)
                 values ({id}, '{name}', '/a.svg', '{category}', 1, 1, 1)"
            ))
            .await;
    }
    let path = before.path.clone();
    before.conn.close().await.unwrap();
    let mut conn = raw(&path).await;
    sqlite::open::MIGRATIONS.run(&mut conn).await.unwrap();
    let mut conn = Conn::Sqlite(conn);
    let mut found = text::apply_rules(&mut conn).await.unwrap();
    found.sort_by_key(|collision| collision.what);
    let pairs: Vec<_> = found.iter().map(|found| (found.what, found.older, found.newer)).collect();
    assert_eq!(pairs, [("e-mail address", 2, 3), ("nickname", 1, 3)]);
    for collision in &found {
        assert!(!collision.to_string().contains('@'), "{collision}");
    }
    assert_eq!(text::apply_rules(&mut conn).await.unwrap(), [], "once is enough");
    conn.close().await.unwrap();

    let store = open(&path).await.unwrap();
    let who = async |typed: &str| store.user_by_login(typed).await.unwrap().map(|(user, _)| user.user_id.0);
    for (typed, id) in [
        ("jo@bücher.example", 2),
        ("JO@BÜCHER.example", 2),
        ("jo@xn--bcher-kva.example", 3),
        ("lee@EXAMPLE.com", 4),
        ("lee@ex_ample.com", 5),
    ] {
        assert_eq!(who(typed).await, Some(id), "{typed}");
    }
    for taken in ["kim", "кіm", "JO"] {
        assert!(store.has_nickname(&Nickname::parse(taken).unwrap()).await.unwrap(), "{taken}");
    }
    let query = GoodsQuery { category: Some("tea".into()), limit: 9, ..GoodsQuery::default() };
    let tea = store.goods_list(query).await.unwrap();
    assert_eq!(tea.iter().map(|goods| goods.category.as_str()).collect::<Vec<_>>(), ["Tea", "Tea"]);
    let query = GoodsQuery { text: Some("eclair".into()), limit: 9, ..GoodsQuery::default() };
    let eclair = store.goods_list(query).await.unwrap();
    assert_eq!(eclair.iter().map(|goods| goods.name.as_str()).collect::<Vec<_>>(), ["Éclair"]);
}

#[tokio::test]
async fn log_ins_survive_the_hashing_of_their_secrets_and_no_copy_of_the_file_holds_one() {
    let mut before = Before::new().await;
    let (secret, key) = ("00112233445566778899aabbccddeeff", "k".repeat(64));
    before
        .run(format!(
            "insert into sessions values ('{secret}', 1, 1, 9000000000000, null), ('not one', 1, 1, 9000000000000, null);
             insert into settings values ('jwt-secret', '{key}')"
        ))
        .await;
    let (store, path, folder) = before.migrated_at().await;
    let id = crate::domain::SessionSecret::parse(secret).unwrap().id();
    let login = store
        .session(&id, crate::domain::Timestamp::from_millis(2))
        .await
        .unwrap()
        .expect("the log-in survives");
    assert_eq!(login.user.user_id, crate::domain::UserId(1));
    assert_eq!(store.token_key("a fresh one").await.unwrap(), key);
    for file in std::fs::read_dir(folder.path()).unwrap() {
        let file = file.unwrap().path();
        let bytes = std::fs::read(&file).unwrap();
        let holds = |text: &str| bytes.windows(text.len()).any(|window| window == text.as_bytes());
        assert!(!holds(secret), "{} holds the secret of a log-in", file.display());
        assert_eq!(holds(&key), file.to_string_lossy().ends_with("-key"), "{}", file.display());
    }
    store.close().await;
    let store = open(&path).await.unwrap();
    assert!(store.session(&id, crate::domain::Timestamp::from_millis(2)).await.unwrap().is_some());
}
