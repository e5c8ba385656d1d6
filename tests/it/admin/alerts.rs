//! Settings of alerts that change while the shop runs, and those that the operator's flags hold.

use serde_json::{Value, json};
use shopbell::{
    clock,
    config::{Audience, NicknameStyle},
    domain::PersonPatch,
    store::{AlertChange, Deed},
};

use super::{say, shop, source};
use crate::support::{As, Person, TestApp, Ws, eventually};

async fn change(app: &TestApp, admin: &Person, body: Value) -> Value {
    let changed = app.patch("/api/admin/alerts").by(admin).json(&body).send().await.expect(200);
    changed.json["alerts"].clone()
}

#[tokio::test]
async fn names_and_audience_change_without_a_restart_and_are_kept() {
    let (app, admin, kim) = shop().await;
    let tea = app.goods(&admin, "Green tea", 6.2, None).await;
    let mut open = Ws::open(&app, As::Header(&kim)).await;
    app.order(&kim, tea, 1).await;
    assert_eq!(open.expect("BUY_GOODS").await["nickname"], "kim");
    app.get("/api/notifications").send().await.refused(401, "login_required");
    let wanted = json!({"nicknameDisplay": "masked", "audience": "everyone", "unnamedBuyer": "Someone"});
    let alerts = change(&app, &admin, wanted).await;
    assert_eq!((&alerts["audience"], &alerts["nicknameDisplay"]), (&json!("everyone"), &json!("masked")));
    app.order(&kim, tea, 1).await;
    assert_eq!(open.expect("BUY_GOODS").await["nickname"], "k**", "whoever is connected");
    let log = app.get("/api/notifications?after=0").send().await.expect(200).json;
    assert_eq!(log["notifications"][0]["data"]["nickname"], "k**", "and what was told before");
    let mut guest = Ws::open(&app, As::Guest).await;
    app.order(&kim, tea, 1).await;
    assert_eq!(guest.expect("BUY_GOODS").await["nickname"], "k**");
    let hides = json!({"hidePurchases": true});
    app.patch("/api/users/me").by(&kim).json(&hides).send().await.expect(200);
    let log = app.get("/api/notifications?after=0").send().await.expect(200).json;
    assert_eq!(log["notifications"][0]["data"]["nickname"], "Someone");
    let page = app.get("/api/shop").send().await.expect(200).json;
    assert_eq!((&page["audience"], &page["nicknameDisplay"]), (&json!("everyone"), &json!("masked")));
    let kept = app.elsewhere().await.kept_alerts().await.unwrap();
    assert_eq!(kept.values["audience"], "everyone", "the next start goes by it");
    change(&app, &admin, json!({"audience": "members"})).await;
    app.get("/api/notifications").send().await.refused(401, "login_required");
    let changes = app.get("/api/admin/audit?action=alerts.change").by(&admin).send().await.expect(200).json;
    assert_eq!(changes["entries"][0]["details"], json!({"changes": {"audience": ["everyone", "members"]}}));
    assert_eq!(changes["entries"].as_array().unwrap().len(), 2);
    app.patch("/api/admin/alerts").by(&kim).json(&json!({})).send().await.refused(403, "forbidden");
}

#[tokio::test]
async fn what_is_kept_comes_into_force_whoever_wrote_it() {
    let (app, admin, kim) = shop().await;
    let store = app.elsewhere().await;
    // As by a request whose client went away between the commit and what follows it.
    let deed = Deed { action: "alerts.change", subject: "alerts".to_owned(), details: json!({}) };
    let values = [("unnamedBuyer", json!("Someone"))].into();
    store.change_alerts(AlertChange { values, never: None, deed }, None, clock::now()).await.unwrap();
    let muted = PersonPatch { muted: Some(true), ..PersonPatch::default() };
    let user = app.id_of(&kim).await;
    store.change_person(user, muted, None, clock::now()).await.unwrap();
    let path = format!("/api/admin/users/{user}");
    eventually("the name and the mute", async || {
        let alerts = app.get("/api/admin/alerts").by(&admin).send().await.expect(200).json;
        let person = app.get(&path).by(&admin).send().await.expect(200).json;
        alerts["alerts"]["unnamedBuyer"] == "Someone" && person["user"]["muted"] == true
    })
    .await;
}

#[tokio::test]
async fn the_same_categories_are_no_change() {
    let (app, admin, _) = shop().await;
    for never in [json!(["toys", "Gifts"]), json!(["Gifts", "toys"]), json!(["toys", "Gifts", "GIFTS"])] {
        change(&app, &admin, json!({"neverAnnounceCategories": never})).await;
    }
    let changes = app.get("/api/admin/audit?action=alerts.change").by(&admin).send().await.expect(200).json;
    assert_eq!(changes["entries"].as_array().unwrap().len(), 1, "{changes}");
}

#[tokio::test]
async fn orders_of_a_category_fall_silent_from_the_next_one_on() {
    let (app, admin, kim) = shop().await;
    let theirs = source(&app, &admin, "Their shop").await;
    let goods = async |name: &str, category: &str| {
        let body = json!({"name": name, "thumbnailUrl": "/a.svg", "category": category, "price": 1});
        let made = app.post("/api/goods").by(&admin).json(&body).send().await.expect(201);
        made.json["goods"]["goodsId"].as_i64().unwrap()
    };
    let (tea, gift) = (goods("Tea", "Drink").await, goods("Voucher", "Gifts").await);
    let silence = async |order: &Value| {
        let shown = app.get(&format!("/api/admin/orders/{order}")).by(&admin).send().await.expect(200);
        shown.json["order"]["silence"].clone()
    };
    assert_eq!(silence(&app.order(&kim, gift, 1).await["orderId"]).await, Value::Null);
    let never = json!({"neverAnnounceCategories": ["GIFTS", "toys", "gifts"]});
    let alerts = change(&app, &admin, never).await;
    assert_eq!(alerts["neverAnnounceCategories"], json!(["GIFTS", "toys"]), "each once, whatever its case");
    assert_eq!(silence(&app.order(&kim, gift, 1).await["orderId"]).await, "category");
    // The alert names what may be told.
    let both = json!({"items": [{"goodsId": gift, "quantity": 1}, {"goodsId": tea, "quantity": 1}]});
    let both = app.post("/api/orders").by(&kim).json(&both).send().await.expect(201).json;
    assert_eq!(silence(&both["order"]["orderId"]).await, Value::Null);
    assert_eq!(app.log(&kim).await.last().unwrap()["data"]["firstGoodsName"], "Tea");
    // Goods that come later, and those of another shop once they are in the category.
    let toy = goods("Bear", "Toys").await;
    assert_eq!(silence(&app.order(&kim, toy, 1).await["orderId"]).await, "category");
    let paid = |number: &str| json!({"type": "order.paid", "data": {"orderId": number, "items": [{"sku": "BEAR", "name": "Bear"}]}});
    assert_eq!(silence(&say(&app, &theirs, &paid("1")).await).await, Value::Null);
    let toys = json!({"category": "toys"});
    app.put("/api/goods/by-sku/BEAR").by(&admin).json(&toys).send().await.expect(200);
    assert_eq!(silence(&say(&app, &theirs, &paid("2")).await).await, "category");
    change(&app, &admin, json!({"neverAnnounceCategories": []})).await;
    assert_eq!(silence(&app.order(&kim, toy, 1).await["orderId"]).await, Value::Null);
}

#[tokio::test]
async fn what_the_operator_set_is_named_and_stays() {
    let app = TestApp::spawn_with(|serve| {
        serve.audience = Some(Audience::Everyone);
        serve.nickname_display = Some(NicknameStyle::Masked);
    })
    .await;
    let admin = app.admin().await;
    let shown = app.get("/api/admin/alerts").by(&admin).send().await.expect(200).json;
    assert_eq!(shown["fixed"], json!(["audience", "nicknameDisplay"]));
    assert_eq!(shown["alerts"]["nicknameDisplay"], "masked");
    let both = json!({"audience": "members", "nicknameDisplay": "full", "toasts": {"seconds": 9}});
    let refused = app.patch("/api/admin/alerts").by(&admin).json(&both).send().await;
    assert_eq!(refused.invalid(&["audience", "nicknameDisplay"]).json["errors"][0]["code"], "fixed");
    assert_eq!(app.get("/api/shop").send().await.expect(200).json["toasts"]["seconds"], 6, "all or nothing");
}

#[tokio::test]
async fn toasts_are_told_to_every_page() {
    let (app, admin, _) = shop().await;
    let toasts = json!({"seconds": 8, "perVisit": 5, "include": ["/shop"], "digestPerSecond": 2});
    let alerts = change(&app, &admin, json!({"toasts": toasts})).await;
    let expected = json!({
        "seconds": 8, "delaySeconds": 0, "gapSeconds": 0, "atOnce": 3, "perVisit": 5, "include": ["/shop"],
        "exclude": [], "quietDays": 0, "digestPerSecond": 2,
    });
    assert_eq!(alerts["toasts"], expected);
    change(&app, &admin, json!({"toasts": {"perVisit": null}})).await;
    let page = app.get("/api/shop").send().await.expect(200).json;
    assert_eq!((&page["toasts"]["perVisit"], &page["toasts"]["seconds"]), (&Value::Null, &json!(8)));
    for (body, fields) in [
        (json!({"toasts": {"seconds": 1, "colour": 2}}), &["toasts.seconds", "toasts.colour"][..]),
        (json!({"toasts": {"include": ["shop"]}}), &["toasts.include"]),
        (json!({"toasts": 7}), &["toasts"]),
        (json!({"audience": "all", "unnamedBuyer": "<b>"}), &["audience", "unnamedBuyer"]),
        (json!({"neverAnnounceCategories": "gifts"}), &["neverAnnounceCategories"]),
        (json!({"neverAnnounceCategories": ["<b>"]}), &["neverAnnounceCategories"]),
        (json!({"audiance": "members"}), &["audiance"]),
    ] {
        app.patch("/api/admin/alerts").by(&admin).json(&body).send().await.invalid(fields);
    }
}
