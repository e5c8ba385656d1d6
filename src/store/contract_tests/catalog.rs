//! Goods.

use super::*;
use crate::{
    domain::{
        GoodsAction, GoodsPatch, GoodsSort, Offset, PersonPatch, Sku, StockChange, StockReason,
        StockRecordKind, goods::MAX_STOCK,
    },
    store::{CatalogError, Denied, GoodsQuery},
};

async fn names(store: &dyn Store, query: GoodsQuery) -> Vec<String> {
    let found = store.goods_list(query).await.unwrap();
    found.iter().map(|goods| goods.name.as_str().to_owned()).collect()
}

fn query() -> GoodsQuery {
    GoodsQuery { limit: 10, ..GoodsQuery::default() }
}

pub(in crate::store) async fn goods_are_listed_newest_first(store: &dyn Store) {
    assert!(store.is_empty().await.unwrap());
    for name in ["a1", "a2", "a3"] {
        some_goods(store, name, None).await;
    }
    let bread = NewGoods { category: Category::parse("food").unwrap(), ..new_goods("bread", 100, Some(3)) };
    let bread = store.create_goods(bread, None, NOW).await.unwrap();
    assert!(!store.is_empty().await.unwrap());

    assert_eq!(names(store, query()).await, ["bread", "a3", "a2", "a1"]);
    assert_eq!(names(store, GoodsQuery { limit: 2, ..query() }).await, ["bread", "a3"]);
    let older = GoodsQuery { sort: GoodsSort::Newest(Some(bread.goods_id)), limit: 2, ..query() };
    assert_eq!(names(store, older).await, ["a3", "a2"]);
    let of = |category: &str| GoodsQuery { category: Some(category.into()), ..query() };
    assert_eq!(names(store, of("food")).await, ["bread"]);
    assert_eq!(names(store, GoodsQuery { text: Some("A2".into()), ..of("drink") }).await, ["a2"]);
    assert_eq!(names(store, of("unknown")).await, [""; 0]);
    assert_eq!(store.goods(bread.goods_id).await.unwrap(), Some(bread));
}

pub(in crate::store) async fn wildcards_are_searched_for_as_they_are(store: &dyn Store) {
    for name in ["100% juice", "100 juice", r"back\slash", "under_score", "underscore"] {
        some_goods(store, name, None).await;
    }
    for (text, found) in [("%", "100% juice"), ("_", "under_score"), (r"\", r"back\slash")] {
        assert_eq!(names(store, GoodsQuery { text: Some(text.into()), ..query() }).await, [found], "{text}");
    }
}

pub(in crate::store) async fn a_search_goes_on_in_pages_and_within_a_category(store: &dyn Store) {
    for name in ["Thé vert", "the noir", "THÉ rouge au citron", "cafe"] {
        some_goods(store, name, None).await;
    }
    let other =
        NewGoods { category: Category::parse("Food").unwrap(), ..new_goods("vin rouge et thé", 1, None) };
    let other = store.create_goods(other, None, NOW).await.unwrap().goods_id;
    let text = |text: &str| GoodsQuery { text: Some(text.into()), ..query() };
    assert_eq!(
        names(store, text("the")).await,
        ["vin rouge et thé", "THÉ rouge au citron", "the noir", "Thé vert"]
    );
    let older = GoodsQuery { sort: GoodsSort::Newest(Some(other)), limit: 1, ..text("ROUGE thé") };
    assert_eq!(names(store, older).await, ["THÉ rouge au citron"]);
    let food = GoodsQuery { category: Some("FOOD".into()), ..text("the") };
    assert_eq!(names(store, food).await, ["vin rouge et thé"]);
    assert_eq!(names(store, text("au citron rouge the")).await, ["THÉ rouge au citron"]);
    assert_eq!(names(store, text("au citron rouge the vert")).await, [""; 0]);
    assert_eq!(names(store, text(" \u{301} ")).await.len(), 5, "a search for nothing finds all");
}

pub(in crate::store) async fn an_id_is_given_once(store: &dyn Store) {
    let chosen = |id| NewGoods { goods_id: Some(GoodsId(id)), ..new_goods("water", 100, None) };
    store.create_goods(chosen(40), None, NOW).await.unwrap();
    let again = store.create_goods(chosen(40), None, NOW).await;
    assert!(matches!(again, Err(CatalogError::GoodsExist)), "{again:?}");
    assert_eq!(some_goods(store, "next", None).await.goods_id, GoodsId(41));
    store.delete_goods(GoodsId(41), None, None, NOW).await.unwrap();
    assert!(matches!(store.delete_goods(GoodsId(41), None, None, NOW).await, Err(CatalogError::NotFound)));
    assert_eq!(some_goods(store, "after", None).await.goods_id, GoodsId(42), "never reused");
    let told: Vec<_> = store
        .feed()
        .take_news(Offset::START, 0)
        .goods
        .iter()
        .map(|event| (event.goods.goods_id.0, event.action))
        .collect();
    assert_eq!(told, [(40, GoodsAction::Create), (41, GoodsAction::Delete), (42, GoodsAction::Create)]);
}

pub(in crate::store) async fn a_change_touches_only_what_it_names(store: &dyn Store) {
    let water = some_goods(store, "water", Some(5)).await;
    let _ = store.feed().take_news(Offset::START, 0).goods;
    let later = Timestamp::from_millis(NOW.as_millis() + 5);
    let patch = GoodsPatch { name: Some(GoodsName::parse("soda").unwrap()), ..GoodsPatch::default() };
    let soda = store.change_goods(water.goods_id, patch, None, None, later).await.unwrap();
    let expected = Goods { name: GoodsName::parse("soda").unwrap(), updated_at: later, ..water.clone() };
    assert_eq!(soda, expected);
    let patch = GoodsPatch { stock: Some(None), ..GoodsPatch::default() };
    assert_eq!(store.change_goods(water.goods_id, patch, None, None, later).await.unwrap().stock, None);
    let told = store.feed().take_news(Offset::START, 0).goods;
    assert_eq!((told.len(), told[0].action, told[0].goods.stock), (1, GoodsAction::Update, None));
    let missing = store.change_goods(GoodsId(99), GoodsPatch::default(), None, None, NOW).await;
    assert!(matches!(missing, Err(CatalogError::NotFound)), "{missing:?}");
}

pub(in crate::store) async fn an_id_never_means_a_second_thing(store: &dyn Store) {
    let chosen = |id| NewGoods { goods_id: Some(GoodsId(id)), ..new_goods("water", 100, Some(1)) };
    for id in [40, 7] {
        store.create_goods(chosen(id), None, NOW).await.unwrap();
        store.delete_goods(GoodsId(id), None, None, NOW).await.unwrap();
    }
    let given = some_goods(store, "given", None).await.goods_id;
    store.delete_goods(given, None, None, NOW).await.unwrap();
    for id in [40, 7, given.0] {
        let again = store.create_goods(chosen(id), None, NOW).await;
        assert!(matches!(again, Err(CatalogError::GoodsExist)), "{id}: {again:?}");
    }
    assert_eq!(
        store.create_goods(chosen(8), None, NOW).await.unwrap().goods_id,
        GoodsId(8),
        "8 never was anything"
    );
    assert_eq!(some_goods(store, "next", None).await.goods_id, GoodsId(given.0 + 1));
}

pub(in crate::store) async fn categories_are_counted(store: &dyn Store) {
    assert_eq!(store.categories().await.unwrap(), []);
    for category in ["tea", "drink", "tea"] {
        let goods = NewGoods { category: Category::parse(category).unwrap(), ..new_goods("x", 1, None) };
        store.create_goods(goods, None, NOW).await.unwrap();
    }
    assert_eq!(store.categories().await.unwrap(), [("drink".to_owned(), 1), ("tea".to_owned(), 2)]);
}

fn more(pieces: i64) -> StockChange {
    StockChange { pieces, reason: None }
}

pub(in crate::store) async fn goods_change_only_while_they_are_what_was_seen(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let seen = some_goods(store, "water", Some(10)).await;
    let id = seen.goods_id;
    let as_seen = || {
        let seen = seen.clone();
        Some(Box::new(move |now: &Goods| *now == seen) as crate::store::Precondition)
    };
    let to = |stock| GoodsPatch { stock: Some(Some(stock)), ..GoodsPatch::default() };
    // In one batch: the order is committed with, but before, the change.
    let (bought, changed) = tokio::join!(
        buy(store, kim, lines(&[(id, 3)])),
        store.change_goods(id, to(15), as_seen(), None, NOW)
    );
    assert!(bought.is_ok() && matches!(changed, Err(CatalogError::Changed)), "{changed:?}");
    let gone = store.delete_goods(id, as_seen(), None, NOW).await;
    assert!(matches!(gone, Err(CatalogError::Changed)), "{gone:?}");
    assert_eq!(stock_of(store, id).await, Some(7));
    let never =
        Some(Box::new(|_: &Goods| -> bool { panic!("there is nothing to look at") })
            as crate::store::Precondition);
    let missing = store.change_goods(GoodsId(99), to(1), never, None, NOW).await;
    assert!(matches!(missing, Err(CatalogError::NotFound)), "{missing:?}");
}

pub(in crate::store) async fn a_stock_changes_by_pieces(store: &dyn Store) {
    let id = some_goods(store, "water", Some(10)).await.goods_id;
    for (pieces, stock) in [(5, 15), (-15, 0), (0, 0), (MAX_STOCK, MAX_STOCK)] {
        let changed = store.change_stock(id, more(pieces), None, NOW).await.unwrap();
        assert_eq!(changed.stock, Some(stock), "{pieces}");
    }
    let beyond = store.change_stock(id, more(1), None, NOW).await;
    assert!(matches!(beyond, Err(CatalogError::NoChange(Some(MAX_STOCK)))), "{beyond:?}");
    store.change_stock(id, more(1 - MAX_STOCK), None, NOW).await.unwrap();
    let below = store.change_stock(id, more(-2), None, NOW).await;
    assert!(matches!(below, Err(CatalogError::OutOfStock { left: 1, .. })), "{below:?}");
    assert_eq!(stock_of(store, id).await, Some(1));
    let uncounted = some_goods(store, "air", None).await.goods_id;
    let refused = store.change_stock(uncounted, more(1), None, NOW).await;
    assert!(matches!(refused, Err(CatalogError::NoChange(None))), "{refused:?}");
}

pub(in crate::store) async fn the_history_of_a_stock_outlives_its_goods(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let (id, other) = (some_goods(store, "water", Some(10)).await.goods_id, GoodsId(99));
    let reason = StockReason::parse("a delivery").unwrap();
    let delivery = StockChange { pieces: 5, reason: Some(reason) };
    store.change_stock(id, delivery, Some(admin), NOW).await.unwrap();
    store.delete_goods(id, None, None, NOW).await.unwrap();
    let all = store.stock_history(id, None, 9).await.unwrap();
    let told: Vec<_> =
        all.iter().map(|one| (one.kind, one.change, one.stock, one.by.is_some(), one.at)).collect();
    assert_eq!(
        told[told.len() - 2..],
        [(StockRecordKind::Change, 5, Some(15), true, NOW), (StockRecordKind::Set, 10, Some(10), false, NOW)]
    );
    let delivery = &all[all.len() - 2];
    assert_eq!(delivery.by, Some((admin.user_id, "boss".to_owned())));
    assert_eq!(delivery.reason.as_deref(), Some("a delivery"));
    assert!(all.is_sorted_by(|newer, older| newer.change_id > older.change_id));
    assert_eq!(store.stock_history(id, Some(delivery.change_id), 9).await.unwrap(), all[all.len() - 1..]);
    assert_eq!(store.stock_history(id, None, 1).await.unwrap(), all[..1]);
    assert_eq!(store.stock_history(other, None, 9).await.unwrap(), []);
}

pub(in crate::store) async fn only_an_administrator_changes_goods(store: &dyn Store) {
    let admin = logged_in(store, "boss", Role::Admin, 1).await;
    let kim = logged_in(store, "kim", Role::Member, 2).await;
    let id = some_goods(store, "water", Some(10)).await.goods_id;
    let attempts = async |by, at| {
        let by = Some(by);
        [
            store.create_goods(new_goods("x", 1, None), by, at).await.err(),
            store.change_goods(id, GoodsPatch::default(), None, by, at).await.err(),
            store.change_stock(id, more(1), by, at).await.err(),
            store.delete_goods(GoodsId(99), None, by, at).await.err(),
        ]
    };
    let denied = |outcome: &[Option<CatalogError>], why| {
        for error in outcome {
            assert!(matches!(error, Some(CatalogError::Denied(denied)) if *denied == why), "{error:?}");
        }
    };
    assert!(matches!(attempts(admin, NOW).await, [None, None, None, Some(CatalogError::NotFound)]));
    denied(&attempts(kim, NOW).await, Denied::NotAdmin);
    let of_another = Actor { session: kim.session, ..admin };
    denied(&attempts(of_another, NOW).await, Denied::LoggedOut);
    denied(&attempts(admin, Timestamp::from_millis(NOW.as_millis() + 1000)).await, Denied::LoggedOut);
    logged_in(store, "another", Role::Admin, 9).await;
    for banned in [true, false] {
        store.change_person(admin.user_id, PersonPatch::banned(banned), None, NOW).await.unwrap();
    }
    denied(&attempts(admin, NOW).await, Denied::LoggedOut);
    assert_eq!(stock_of(store, id).await, Some(11));
}

fn unlisted(name: &str) -> NewGoods {
    NewGoods { about: About { listed: false, ..About::default() }, ..new_goods(name, 620, None) }
}

pub(in crate::store) async fn goods_that_are_not_listed_are_known_and_not_sold(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let shown = some_goods(store, "water", None).await;
    let goods = store.create_goods(unlisted("still water"), None, NOW).await.unwrap();
    let id = goods.goods_id;
    let listed =
        async |query| store.goods_list(query).await.unwrap().iter().map(|g| g.goods_id).collect::<Vec<_>>();
    let all = || GoodsQuery { limit: 9, ..GoodsQuery::default() };
    let by_category = || GoodsQuery { category: Some("Drink".into()), ..all() };
    let by_text = || GoodsQuery { text: Some("water".into()), ..all() };
    for query in [all(), by_category(), by_text()] {
        let everything = GoodsQuery { unlisted: true, ..query.clone() };
        assert_eq!(listed(everything).await, [id, shown.goods_id], "{query:?}");
        assert_eq!(listed(query).await, [shown.goods_id]);
    }
    assert_eq!(store.categories().await.unwrap(), [("drink".to_owned(), 1)]);
    assert_eq!(store.goods(id).await.unwrap(), Some(goods));
    let bought = buy(store, kim, lines(&[(shown.goods_id, 1), (id, 1)])).await;
    assert!(matches!(bought, Err(OrderError::GoodsNotFound(missing)) if missing == id), "{bought:?}");
    let put = store.put_in_cart(kim, id, pieces(1)).await;
    assert!(matches!(put, Err(CatalogError::NotFound)), "{put:?}");

    let set = |listed| GoodsPatch { listed: Some(listed), ..GoodsPatch::default() };
    store.change_goods(id, set(true), None, None, NOW).await.unwrap();
    store.put_in_cart(kim, id, pieces(1)).await.unwrap();
    store.change_goods(id, set(false), None, None, NOW).await.unwrap();
    assert_eq!(store.cart(kim).await.unwrap().len(), 0, "what is not sold is in no cart");
    let told = store.feed().take_news(Offset::START, 9).goods;
    let actions: Vec<_> = told.iter().map(|event| (event.goods.goods_id, event.action)).collect();
    assert_eq!(actions, [(shown.goods_id, GoodsAction::Create), (id, GoodsAction::Delete)]);
}

pub(in crate::store) async fn a_number_of_another_system_makes_goods_once(store: &dyn Store) {
    let sku = Sku::parse("TEA 100").unwrap();
    let nothing = store.put_goods(sku.clone(), GoodsPatch::default(), None, NOW).await;
    assert!(matches!(nothing, Err(CatalogError::Incomplete)), "{nothing:?}");
    let whole = |name: &str| {
        let NewGoods { thumbnail_url, category, price, .. } = new_goods("x", 100, None);
        GoodsPatch {
            name: Some(GoodsName::parse(name).unwrap()),
            thumbnail_url: Some(thumbnail_url),
            category: Some(category),
            price: Some(price),
            ..GoodsPatch::default()
        }
    };
    let (made, is_new) = store.put_goods(sku.clone(), whole("tea"), None, NOW).await.unwrap();
    assert!(is_new && made.about.sku == Some(sku.clone()));
    let (again, is_new) = store.put_goods(sku.clone(), whole("green tea"), None, NOW).await.unwrap();
    assert_eq!((again.goods_id, again.name.as_str(), is_new), (made.goods_id, "green tea", false));
    let other = some_goods(store, "water", None).await.goods_id;
    let taken = GoodsPatch { sku: Some(Some(sku)), ..GoodsPatch::default() };
    let taken = store.change_goods(other, taken, None, None, NOW).await;
    assert!(matches!(taken, Err(CatalogError::GoodsExist)), "{taken:?}");
    let price = Price { minor: 500, currency: "EUR".parse().unwrap() };
    let dear = GoodsPatch { price: Some(price), ..GoodsPatch::default() };
    let dear = store.change_goods(other, dear, None, None, NOW).await;
    assert!(matches!(dear, Err(CatalogError::ForeignPrice)), "{dear:?}");
    let hidden = GoodsPatch { price: Some(price), listed: Some(false), ..GoodsPatch::default() };
    let hidden = store.change_goods(other, hidden, None, None, NOW).await.unwrap();
    assert_eq!((hidden.price, store.goods(other).await.unwrap()), (price, Some(hidden.clone())));
}

/// All names in an order, read in pages of two.
async fn in_pages(store: &dyn Store, query: GoodsQuery) -> Vec<String> {
    let mut query = GoodsQuery { limit: 2, ..query };
    let mut names = Vec::new();
    loop {
        let page = store.goods_list(query.clone()).await.unwrap();
        let Some(last) = page.last() else { return names };
        query.sort = query.sort.behind(last);
        names.extend(page.iter().map(|goods| goods.name.as_str().to_owned()));
    }
}

pub(in crate::store) async fn lists_have_an_order_and_filters_that_go_together(store: &dyn Store) {
    let of = |name: &str, minor, stock, category: &str| NewGoods {
        category: Category::parse(category).unwrap(),
        ..new_goods(name, minor, stock)
    };
    for goods in [
        of("물", 300, Some(1), "drink"),
        of("Zebra tea", 100, None, "tea"),
        of("éclair", 200, Some(0), "food"),
        of("ÉCLAIR", 200, Some(5), "food"),
        of("apple tea", 200, Some(0), "tea"),
    ] {
        store.create_goods(goods, None, NOW).await.unwrap();
    }
    store.create_goods(unlisted("hidden tea"), None, NOW).await.unwrap();
    let sorted = |sort: &str| GoodsQuery { sort: GoodsSort::parse(sort).unwrap(), ..GoodsQuery::default() };
    for (sort, expected) in [
        ("newest", ["apple tea", "ÉCLAIR", "éclair", "Zebra tea", "물"]),
        ("priceAsc", ["Zebra tea", "éclair", "ÉCLAIR", "apple tea", "물"]),
        ("priceDesc", ["물", "apple tea", "ÉCLAIR", "éclair", "Zebra tea"]),
        // "é" is one of the letters behind z, and the same as a capital.
        ("name", ["apple tea", "Zebra tea", "éclair", "ÉCLAIR", "물"]),
    ] {
        assert_eq!(in_pages(store, sorted(sort)).await, expected, "{sort}");
        let all = || sorted(sort);
        let kept = |names: &[&str]| -> Vec<String> {
            expected.iter().filter(|name| names.contains(name)).map(|name| (*name).to_owned()).collect()
        };
        let filter = [
            (GoodsQuery { text: Some("TEA".into()), ..all() }, kept(&["apple tea", "Zebra tea"])),
            (GoodsQuery { category: Some("FOOD".into()), ..all() }, kept(&["éclair", "ÉCLAIR"])),
            (GoodsQuery { category: Some("none".into()), ..all() }, kept(&[])),
            (GoodsQuery { in_stock: Some(true), ..all() }, kept(&["물", "Zebra tea", "ÉCLAIR"])),
            (GoodsQuery { in_stock: Some(false), ..all() }, kept(&["éclair", "apple tea"])),
            (GoodsQuery { min_price: Some(200), ..all() }, kept(&["물", "éclair", "ÉCLAIR", "apple tea"])),
            (
                GoodsQuery { max_price: Some(200), ..all() },
                kept(&["Zebra tea", "éclair", "ÉCLAIR", "apple tea"]),
            ),
            (GoodsQuery { min_price: Some(200), max_price: Some(100), ..all() }, kept(&[])),
            (
                GoodsQuery {
                    category: Some("tea".into()),
                    text: Some("tea".into()),
                    max_price: Some(200),
                    in_stock: Some(true),
                    ..all()
                },
                kept(&["Zebra tea"]),
            ),
        ];
        for (query, expected) in filter {
            assert_eq!(in_pages(store, query.clone()).await, expected, "{query:?}");
        }
    }
}

pub(in crate::store) async fn lists_follow_what_becomes_of_goods(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let id = some_goods(store, "water", Some(2)).await.goods_id;
    let here = async |query: GoodsQuery| !store.goods_list(query).await.unwrap().is_empty();
    let sold = |in_stock| GoodsQuery { in_stock: Some(in_stock), ..query() };
    let dear = || GoodsQuery { min_price: Some(700), sort: GoodsSort::PriceAsc(None), ..query() };
    buy(store, kim, lines(&[(id, 1)])).await.unwrap();
    assert!(here(sold(true)).await && !here(sold(false)).await && !here(dear()).await);
    let last = buy(store, kim, lines(&[(id, 1)])).await.unwrap().order.order_id;
    assert!(!here(sold(true)).await && here(sold(false)).await, "the last piece is sold");
    store.cancel_order(last, None, NOW).await.unwrap();
    assert!(here(sold(true)).await && !here(sold(false)).await, "a piece came back");
    let patch = GoodsPatch {
        name: Some(GoodsName::parse("Soda").unwrap()),
        price: Some(Price { minor: 700, currency: "USD".parse().unwrap() }),
        category: Some(Category::parse("food").unwrap()),
        stock: Some(Some(0)),
        ..GoodsPatch::default()
    };
    store.change_goods(id, patch, None, None, NOW).await.unwrap();
    let found = GoodsQuery {
        text: Some("soda".into()),
        category: Some("food".into()),
        in_stock: Some(false),
        sort: GoodsSort::Name(Some(("sod".into(), GoodsId(1)))),
        ..dear()
    };
    assert!(here(found).await && here(dear()).await && !here(sold(true)).await);
    let hide = GoodsPatch { listed: Some(false), ..GoodsPatch::default() };
    store.change_goods(id, hide, None, None, NOW).await.unwrap();
    assert!(!here(dear()).await && here(GoodsQuery { unlisted: true, ..dear() }).await);
    store.delete_goods(id, None, None, NOW).await.unwrap();
    assert!(!here(GoodsQuery { unlisted: true, ..dear() }).await);
}
