//! What people type has one identity: names, addresses, passwords, categories and searches in whatever script, case and form.

use serde_json::{Value, json};

use super::{account, goods, shop, with};
use crate::support::{Answer, PASSWORD, Person, TestApp};

async fn register(app: &TestApp, n: usize, nickname: &str) -> Answer {
    let body = with(account("x"), "nickname", json!(nickname));
    let body = with(body, "email", json!(format!("n{n}@example.com")));
    app.post("/api/users").json(&body).send().await
}

#[tokio::test]
async fn nicknames_are_of_any_script_and_have_something_to_see() {
    let app = TestApp::spawn().await;
    for (n, good) in
        ["कृष्ण", "น้ำฝน", "می\u{200c}نا", "Mary Ann", "Sean O'Neil", "Łódź·9"].into_iter().enumerate()
    {
        register(&app, n, good).await.expect(201);
        let login = json!({"email": format!("n{n}@example.com"), "password": PASSWORD});
        let answer = app.post("/api/auth").json(&login).send().await.expect(200);
        assert_eq!(answer.json["user"]["nickname"], good.replace('\'', "’"));
    }
    for bad in [
        "\u{3164}\u{3164}",
        "ki\u{200b}m",
        "....",
        "a\u{2067}bc",
        "Mary  Ann",
        "kim\u{fe0f}",
        "k\u{300}\u{300}\u{300}im",
    ] {
        register(&app, 9, bad).await.invalid(&["nickname"]);
    }
}

#[tokio::test]
async fn a_nickname_is_taken_with_all_that_looks_like_it() {
    let app = TestApp::spawn().await;
    for (n, name) in ["kim", "paul", "Straße"].into_iter().enumerate() {
        register(&app, n, name).await.expect(201);
    }
    for like in [
        "кіm",
        "ｋｉｍ",
        "KIM",
        "КІМ",
        "PauI",
        "pau1",
        "STRASSE",
        "shоpkeeper",
        "Admin",
        "nu11",
        "s-y-s-t-e-m",
    ] {
        let answer = register(&app, 9, like).await;
        assert_eq!(answer.json["code"], "nickname_taken", "{like}");
    }
    for (n, other) in ["kím", "kin", "Pauline", "administer"].into_iter().enumerate() {
        register(&app, 10 + n, other).await.expect(201);
    }
    app.create("lee", shopbell::domain::Role::Member).await;
    let lee = app.log_in("lee").await;
    for like in ["кіm", "guest"] {
        let answer = app.patch("/api/users/me").by(&lee).json(&json!({"nickname": like})).send().await;
        answer.refused(409, "nickname_taken");
    }
}

#[tokio::test]
async fn an_address_and_a_password_are_the_same_however_they_are_typed() {
    let app = TestApp::spawn().await;
    let composed = "pässwörd\u{a0}x";
    let body = with(
        with(account("jo"), "password", json!(composed)),
        "confirmPassword",
        json!("pa\u{308}sswo\u{308}rd x"),
    );
    let body = with(body, "email", json!("jo@bücher.example"));
    app.post("/api/users").json(&body).send().await.expect(201);
    let again = with(account("other"), "email", json!("JO@xn--bcher-kva.example"));
    app.post("/api/users").json(&again).send().await.refused(409, "email_taken");
    for email in ["jo@bücher.example", "Jo@BU\u{308}CHER.example", "jo@xn--bcher-kva.example"] {
        for password in [composed, "pa\u{308}sswo\u{308}rd x"] {
            let body = json!({"email": email, "password": password});
            app.post("/api/auth").json(&body).send().await.expect(200);
        }
        let wrong = json!({"email": email, "password": "password x"});
        app.post("/api/auth").json(&wrong).send().await.refused(401, "bad_credentials");
    }
    let body = with(account("sean"), "email", json!("sean.o'malley@example.ie"));
    app.post("/api/users").json(&body).send().await.expect(201);
}

async fn sell(app: &TestApp, admin: &Person, name: &str, category: &str) -> Value {
    let body = with(goods(name), "category", json!(category));
    app.post("/api/goods").by(admin).json(&body).send().await.expect(201).json["goods"].clone()
}

fn names(answer: Answer) -> Vec<String> {
    let list = answer.expect(200).json["goods"].as_array().unwrap().clone();
    list.iter().map(|goods| goods["name"].as_str().unwrap().to_owned()).collect()
}

async fn found(app: &TestApp, field: &str, text: &str) -> Vec<String> {
    let query: String = form_urlencoded::byte_serialize(text.as_bytes()).collect();
    names(app.get(&format!("/api/goods?{field}={query}")).send().await)
}

#[tokio::test]
async fn a_search_finds_every_word_in_any_case_form_and_order() {
    let (app, admin, _) = shop().await;
    for name in [
        "Éclair",
        "Sparkling lemonade",
        "Cafe\u{301}",
        "Levi's 501",
        "12\" vinyl",
        "İstanbul",
        "김치 찌개",
        "100% juice",
        "Smørrebrød",
    ] {
        sell(&app, &admin, name, "all").await;
    }
    for (search, name) in [
        ("éclair", "Éclair"),
        ("ECLAIR", "Éclair"),
        ("e\u{301}clair", "Éclair"),
        ("lemonade sparkling", "Sparkling lemonade"),
        ("café", "Café"),
        ("501 levis", "Levi's 501"),
        ("levi’s", "Levi's 501"),
        ("12\"", "12\" vinyl"),
        ("istanbul", "İstanbul"),
        ("찌개", "김치 찌개"),
        ("100%", "100% juice"),
        ("smorrebrod", "Smørrebrød"),
    ] {
        assert_eq!(found(&app, "q", search).await, [name], "{search}");
    }
    for nothing in ["_", "lemonade éclair", "a b c d e f g h"] {
        assert_eq!(found(&app, "q", nothing).await, [""; 0], "{nothing}");
    }
    let id = sell(&app, &admin, "Tarte", "all").await["goodsId"].as_i64().unwrap();
    let path = format!("/api/goods/{id}");
    app.patch(&path).by(&admin).json(&json!({"name": "Crème brûlée"})).send().await.expect(200);
    assert_eq!(found(&app, "q", "creme BRULEE").await, ["Crème brûlée"]);
    assert_eq!(found(&app, "q", "tarte").await, [""; 0]);
    app.delete(&path).by(&admin).send().await.expect(204);
    assert_eq!(found(&app, "q", "creme").await, [""; 0]);
}

#[tokio::test]
async fn a_category_is_one_in_any_case_and_keeps_its_first_spelling() {
    let (app, admin, _) = shop().await;
    let tea = sell(&app, &admin, "green", "Tea").await;
    for spelling in ["tea", "TEA", "ｔｅａ", " Tea "] {
        assert_eq!(sell(&app, &admin, "more", spelling).await["category"], "Tea", "{spelling}");
    }
    assert_eq!(found(&app, "category", "tEA").await.len(), 5);
    let coffee = sell(&app, &admin, "black", "coffee").await;
    let path = format!("/api/goods/{}", coffee["goodsId"]);
    // The only goods of a category may change how it is written; goods that come into one take its spelling.
    for (category, kept) in [("Coffee", "Coffee"), ("TEA", "Tea")] {
        let answer = app.patch(&path).by(&admin).json(&json!({"category": category})).send().await;
        assert_eq!(answer.expect(200).json["goods"]["category"], kept);
    }
    assert_eq!(found(&app, "category", "coffee").await, [""; 0]);
    let path = format!("/api/goods/{}", tea["goodsId"]);
    let answer = app.patch(&path).by(&admin).json(&json!({"category": "tea"})).send().await;
    assert_eq!(answer.expect(200).json["goods"]["category"], "Tea");
}

#[tokio::test]
async fn names_of_goods_can_be_seen_and_turn_nothing_around() {
    let (app, admin, _) = shop().await;
    for bad in ["\u{200b}", "abc\u{202e}fed", "\u{2800}", "\u{e0041}\u{e0042}", "a\u{2028}b"] {
        for field in ["name", "category"] {
            let body = with(goods("water"), field, json!(bad));
            app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&[field]);
        }
    }
    for url in ["/a'b", "https://cdn.example/\"x"] {
        let body = with(goods("water"), "thumbnailUrl", json!(url));
        app.post("/api/goods").by(&admin).json(&body).send().await.invalid(&["thumbnailUrl"]);
    }
}

#[tokio::test]
async fn fields_are_explained_in_the_readers_language() {
    let app = TestApp::spawn().await;
    let body = json!({"nickname": "k", "email": "kim", "password": "short"});
    let answer = app.post("/api/users").header("accept-language", "ko-KR, en;q=0.5").json(&body).send().await;
    let problem = answer.refused(400, "validation").json;
    let errors = problem["errors"].as_array().unwrap();
    assert_eq!(errors.len(), 4, "{problem}");
    for text in errors.iter().map(|error| &error["message"]).chain([&problem["errorMessage"]]) {
        assert!(text.as_str().unwrap().chars().any(|c| ('가'..='힣').contains(&c)), "{problem}");
    }
    assert_eq!((&errors[0]["code"], &errors[3]["code"]), (&json!("too_short"), &json!("required")));
    let english = app.post("/api/users").json(&body).send().await.refused(400, "validation").json;
    assert_eq!(english["errors"][0]["message"], "a nickname has 2 to 20 characters");
}
