//! The catalogue.

use serde_json::{Value, json};

use super::{goods, is_a_moment, shop, with};
use crate::support::{Answer, TestApp};

#[tokio::test]
async fn goods_are_what_the_contract_says() {
    let (app, admin, _) = shop().await;
    let answer = app.post("/api/goods").by(&admin).json(&goods("Water & ice")).send().await.expect(201);
    let made = answer.json["goods"].clone();
    let id = made["goodsId"].as_i64().unwrap();
    assert!(
        answer.header("location").ends_with(&format!("/api/goods/{id}")),
        "{}",
        answer.header("location")
    );
    let shown = app.get(&format!("/api/goods/{id}")).send().await.expect(200).json["goods"].clone();
    assert_eq!(shown, made);
    assert!(is_a_moment(&made["createdAt"]) && is_a_moment(&made["updatedAt"]), "{made}");
    for (member, value) in [
        ("name", json!("Water & ice")),
        ("thumbnailUrl", json!("/images/a.svg")),
        ("category", json!("drink")),
        ("price", json!(6.2)),
        ("currency", json!("USD")),
        ("stock", Value::Null),
        ("sku", Value::Null),
        ("description", json!("")),
        ("url", Value::Null),
        ("announce", json!(true)),
        ("listed", json!(true)),
    ] {
        assert_eq!(made[member], value, "{member}");
    }
    assert_eq!(made.as_object().unwrap().len(), 14);
}

#[tokio::test]
async fn goods_are_made_by_form_and_with_a_chosen_id() {
    let (app, admin, _) = shop().await;
    let form = "name=Tea&thumbnailUrl=https%3A%2F%2Fcdn.example%2Fa.png&category=drink&price=19.99&stock=3&goodsId=77";
    let made = app.post("/api/goods").by(&admin).form(form).send().await.expect(201).json["goods"].clone();
    assert_eq!((&made["goodsId"], &made["price"], &made["stock"]), (&json!(77), &json!(19.99), &json!(3)));
    app.post("/api/goods").by(&admin).form(form).send().await.refused(409, "goods_exists");
}

#[tokio::test]
async fn goods_refuse_markup_and_nonsense() {
    let (app, admin, _) = shop().await;
    let cases = [
        ("name", json!("")),
        ("name", json!("   ")),
        ("name", json!("x".repeat(201))),
        ("name", json!("<img src=x onerror=alert(1)>")),
        ("name", json!("a\u{7}b")),
        ("name", json!(["a"])),
        ("name", Value::Null),
        ("category", json!("")),
        ("category", json!("x".repeat(41))),
        ("category", json!("<b>")),
        ("thumbnailUrl", json!("javascript:alert(1)")),
        ("thumbnailUrl", json!("//evil.example/a.png")),
        ("thumbnailUrl", json!("images/a.svg")),
        ("thumbnailUrl", json!("data:image/png;base64,AAAA")),
        ("thumbnailUrl", json!("/a\" onerror=\"alert(1)")),
        ("price", json!(6.205)),
        ("price", json!(-1)),
        ("price", json!("six")),
        ("price", json!("")),
        ("price", json!(1e30)),
        ("price", Value::Null),
        ("price", json!(true)),
        ("stock", json!(-1)),
        ("stock", json!(1.5)),
        ("stock", json!("many")),
        ("goodsId", json!(0)),
        ("goodsId", json!(-4)),
        ("goodsId", json!("x")),
        ("goodsId", json!(9_007_199_254_740_992_u64)),
    ];
    for (field, value) in cases {
        let body = with(goods("Water"), field, value);
        app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&[field]);
    }
    assert_eq!(app.get("/api/goods").send().await.json["goods"], json!([]));
}

#[tokio::test]
async fn prices_have_the_decimals_of_the_currency() {
    let app = TestApp::spawn_in(|common, _| common.currency = Some("KRW".parse().unwrap())).await;
    let admin = app.admin().await;
    let body = with(goods("Water"), "price", json!(1500.5));
    app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&["price"]);
    let body = with(goods("Water"), "price", json!(1500));
    let made = app.post("/api/goods").by(&admin).json(&body).send().await.expect(201).json["goods"].clone();
    assert_eq!((&made["price"], &made["currency"]), (&json!(1500), &json!("KRW")));
}

#[tokio::test]
async fn goods_change_and_go() {
    let (app, admin, kim) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, Some(3)).await;
    let path = format!("/api/goods/{id}");
    let change = |body: Value| app.patch(&path).by(&admin).json(&body).send();
    assert_eq!(change(json!({"price": 7})).await.expect(200).json["goods"]["price"], 7);
    assert_eq!(change(json!({"stock": null})).await.expect(200).json["goods"]["stock"], Value::Null);
    let now =
        app.patch(&path).by(&admin).form("name=Ice&stock=9").send().await.expect(200).json["goods"].clone();
    assert_eq!((&now["name"], &now["stock"], &now["price"]), (&json!("Ice"), &json!(9), &json!(7)));
    change(json!({"name": "<b>"})).await.invalid(&["name"]);
    change(json!({"price": 1.001})).await.invalid(&["price"]);
    app.patch("/api/goods/99").by(&admin).json(&json!({"price": 7})).send().await.refused(404, "not_found");
    app.put(&format!("{path}/cart")).by(&kim).json(&json!({"quantity": 1})).send().await.expect(200);
    let gone = app.delete(&path).by(&admin).send().await.expect(204);
    assert!(gone.text.is_empty());
    app.delete(&path).by(&admin).send().await.refused(404, "not_found");
    app.get(&path).send().await.refused(404, "not_found");
    let cart = app.get("/api/goods/cart").by(&kim).send().await.expect(200).json["cart"].clone();
    assert_eq!(cart, json!([]), "goods that are gone leave the carts");
}

#[tokio::test]
async fn goods_are_listed_newest_first_by_category_text_and_page() {
    let (app, admin, _) = shop().await;
    for n in 1..=5 {
        let body =
            with(goods(&format!("Water {n}")), "category", json!(if n % 2 == 0 { "even" } else { "odd" }));
        app.post("/api/goods").by(&admin).json(&body).send().await.expect(201);
    }
    let names = |answer: Answer| -> Vec<String> {
        let list = answer.expect(200).json["goods"].as_array().unwrap().clone();
        list.iter().map(|goods| goods["name"].as_str().unwrap().replace("Water ", "")).collect()
    };
    for (query, expected) in [
        ("", vec!["5", "4", "3", "2", "1"]),
        ("?category=even", vec!["4", "2"]),
        ("?category=", vec!["5", "4", "3", "2", "1"]),
        ("?category=nothing", vec![]),
        ("?category=%27%20or%201%3D1", vec![]),
        ("?q=water+3", vec!["3"]),
        ("?q=%25", vec![]),
        ("?q=_", vec![]),
        ("?q=ter&category=odd&limit=2", vec!["5", "3"]),
        ("?limit=1", vec!["5"]),
    ] {
        assert_eq!(names(app.get(&format!("/api/goods{query}")).send().await), expected, "{query}");
    }
    let mut seen = Vec::new();
    let mut path = "/api/goods?limit=2".to_owned();
    loop {
        let answer = app.get(&path).send().await.expect(200);
        let next = answer.json.get("nextCursor").filter(|next| !next.is_null()).cloned();
        seen.extend(names(answer));
        let Some(next) = next else { break };
        path = format!("/api/goods?limit=2&cursor={}", next.as_str().map_or(next.to_string(), str::to_owned));
    }
    assert_eq!(seen, ["5", "4", "3", "2", "1"]);
    for bad in ["limit=0", "limit=-1", "limit=x", "limit=1.5", "cursor=x%00", "cursor=%27", "limit="] {
        let answer = app.get(&format!("/api/goods?{bad}")).send().await;
        assert!(bad == "limit=" || answer.status == 400, "{bad}: {}", answer.status);
    }
}

#[tokio::test]
async fn an_unchanged_catalogue_is_not_sent_again() {
    let (app, admin, _) = shop().await;
    let id = app.goods(&admin, "Water", 6.2, None).await;
    let tag = app.get("/api/goods").send().await.expect(200).header("etag").to_owned();
    assert!(tag.trim_start_matches("W/").starts_with('"'), "{tag:?} is no entity tag");
    for matching in [tag.clone(), format!("\"other\", {tag}"), "*".to_owned()] {
        let answer = app.get("/api/goods").header("If-None-Match", &matching).send().await.expect(304);
        assert!(answer.text.is_empty());
        assert_eq!(answer.header("etag"), tag);
    }
    app.get("/api/goods").header("If-None-Match", "\"other\"").send().await.expect(200);
    app.request("HEAD", "/api/goods").header("If-None-Match", &tag).send().await.expect(304);
    app.patch(&format!("/api/goods/{id}")).by(&admin).json(&json!({"price": 7})).send().await.expect(200);
    let answer = app.get("/api/goods").header("If-None-Match", &tag).send().await.expect(200);
    assert_ne!(answer.header("etag"), tag);
}

#[tokio::test]
async fn what_is_no_goods_id_is_not_found() {
    let app = TestApp::spawn().await;
    for id in ["0", "-1", "abc", "1.5", "9007199254740992", "99999999999999999999999", "%00", "1%27"] {
        app.get(&format!("/api/goods/{id}")).send().await.refused(404, "not_found");
    }
}
