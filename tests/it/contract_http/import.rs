//! Goods in bulk.

use serde_json::{Value, json};

use super::{goods, shop, with};
use crate::support::{Answer, Person, TestApp};

async fn import(app: &TestApp, by: &Person, query: &str, kind: &str, table: &str) -> Answer {
    let path = format!("/api/goods/import{query}");
    app.post(&path).by(by).body(kind, table.to_owned()).send().await
}

fn counts(report: &Value) -> [u64; 4] {
    ["created", "updated", "unchanged", "refusals"].map(|count| report[count].as_u64().unwrap())
}

const TABLE: &str = "\u{feff}SKU;Name;Category;Price;Stock;ThumbnailUrl\r\n\
    TEA;\"Tea; \"\"green\"\"\";drink;6,20;5;/a.svg\r\n\
    ICE;Ice;drink;-1;5;/a.svg\r\n\
    \r\n\
    TEA;Tea;drink;1;1;/a.svg\r\n\
    ;Nameless;drink;1;1;/a.svg\r\n\
    BREAD;Bread;food;3;;/b.svg\r\n";

#[tokio::test]
async fn good_lines_count_and_bad_ones_are_named() {
    let (app, admin, kim) = shop().await;
    import(&app, &kim, "", "text/csv", TABLE).await.refused(403, "forbidden");
    let would = import(&app, &admin, "?dryRun=true", "text/csv", TABLE).await.expect(200).json;
    assert_eq!(app.get("/api/goods").send().await.json["goods"], json!([]), "a dry run changes nothing");
    let done = import(&app, &admin, "", "text/csv", TABLE).await.expect(200).json;
    assert_eq!((counts(&done), counts(&would)), ([2, 0, 0, 3], [2, 0, 0, 3]));
    assert_eq!((&done["refused"], done.get("lines")), (&would["refused"], None));
    let refused: Vec<_> = done["refused"]
        .as_array()
        .unwrap()
        .iter()
        .map(|refused| {
            (
                refused["line"].clone(),
                refused["errors"][0]["field"].clone(),
                refused["errors"][0]["code"].clone(),
            )
        })
        .collect();
    assert_eq!(
        refused,
        [
            (json!(3), json!("price"), json!("invalid")),
            (json!(5), json!("sku"), json!("duplicate")),
            (json!(6), json!("sku"), json!("required")),
        ]
    );
    let lines: Vec<_> =
        would["lines"].as_array().unwrap().iter().map(|line| line["outcome"].clone()).collect();
    assert_eq!(lines, ["created", "refused", "refused", "refused", "created"]);

    let found = app.get("/api/goods?sort=name").send().await.expect(200).json["goods"].clone();
    let of = |index: usize, member: &str| found[index][member].clone();
    assert_eq!([of(0, "name"), of(0, "price"), of(0, "stock")], [json!("Bread"), json!(3), Value::Null]);
    assert_eq!(
        [of(1, "name"), of(1, "price"), of(1, "sku")],
        [json!("Tea; \"green\""), json!(6.2), json!("TEA")]
    );
    assert_eq!(counts(&import(&app, &admin, "", "text/csv", TABLE).await.expect(200).json), [0, 0, 2, 3]);
}

#[tokio::test]
async fn a_dry_run_says_what_would_change() {
    let (app, admin, _) = shop().await;
    let tea = with(with(goods("Tea"), "sku", json!("TEA")), "stock", json!(4));
    let id = app.post("/api/goods").by(&admin).json(&tea).send().await.expect(201).json["goods"]["goodsId"]
        .clone();
    let table = format!(
        "{}\n{}\n{}\n",
        json!({"sku": "TEA", "price": "7.0", "category": "DRINK", "stock": null}),
        json!({"goodsId": id, "name": "Tea"}),
        json!({"sku": "NEW", "name": "New"}),
    );
    let kind = "application/x-ndjson";
    let report = import(&app, &admin, "?dryRun=1", kind, &table).await.expect(200).json;
    let lines = report["lines"].as_array().unwrap();
    assert_eq!(
        lines[0],
        json!({
            "line": 1, "sku": "TEA", "name": "Tea", "outcome": "updated",
            "changes": {"price": [6.2, 7], "stock": [4, null]},
        })
    );
    assert_eq!(
        lines[1],
        json!({"line": 2, "sku": null, "goodsId": id, "name": "Tea", "outcome": "unchanged"})
    );
    let lacking: Vec<_> =
        lines[2]["errors"].as_array().unwrap().iter().map(|error| error["field"].clone()).collect();
    assert_eq!(lacking, ["thumbnailUrl", "category", "price"]);
    let done = import(&app, &admin, "?dryRun=false", kind, &table).await.expect(200).json;
    assert_eq!(counts(&done), counts(&report));
    let shown = app.get(&format!("/api/goods/{id}")).send().await.expect(200).json["goods"].clone();
    assert_eq!(
        [&shown["price"], &shown["stock"], &shown["category"]],
        [&json!(7), &Value::Null, &json!("drink")]
    );
}

#[tokio::test]
async fn what_a_line_lacks_is_said_in_its_own_currency() {
    let (app, admin, _) = shop().await;
    let line = json!({"sku": "NEW", "currency": "KWD", "price": "1.234", "listed": false}).to_string();
    let report = import(&app, &admin, "", "application/x-ndjson", &line).await.expect(200).json;
    let errors = report["refused"][0]["errors"].as_array().unwrap();
    let lacking: Vec<_> = errors.iter().map(|error| error["field"].as_str().unwrap()).collect();
    assert_eq!(lacking, ["name", "thumbnailUrl", "category"]);
}

#[tokio::test]
async fn a_table_that_cannot_be_used_is_refused_whole() {
    let (app, admin, _) = shop().await;
    import(&app, &admin, "", "text/csv", "sku,colour\na,red\n").await.invalid(&["colour"]);
    import(&app, &admin, "", "text/csv", "name\na\n").await.invalid(&["sku"]);
    import(&app, &admin, "", "text/csv", "").await.invalid(&["sku"]);
    import(&app, &admin, "?dryRun=perhaps", "text/csv", "sku\n").await.invalid(&["dryRun"]);
    import(&app, &admin, "", "application/json", "{}").await.refused(415, "unsupported_media_type");
    let latin = app.post("/api/goods/import").by(&admin).body("text/csv", b"sku,name\na,caf\xe9\n".to_vec());
    latin.send().await.refused(400, "malformed_body");
    let large = format!("sku,name\n{}", "x".repeat(10 << 20));
    import(&app, &admin, "", "text/csv", &large).await.refused(413, "body_too_large");
    // What a browser calls a table does not matter where it is plain what it is.
    for kind in ["text/plain", "application/vnd.ms-excel"] {
        assert_eq!(counts(&import(&app, &admin, "", kind, "sku\n").await.expect(200).json), [0; 4]);
    }
}
