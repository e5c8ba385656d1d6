//! A forgotten password.

use std::time::Duration;

use serde_json::json;
use shopbell::{
    domain::{Email, Role},
    mail::{Letter, Mailer, Pace, Relay},
};

use crate::support::{Answer, As, PASSWORD, Sink, TestApp, Ws, email_of, within};

const PUBLIC: &str = "https://shop.example";
const NEW: &str = "a new battery staple";

async fn shop(sink: &Sink) -> TestApp {
    let url = sink.url.clone();
    TestApp::spawn_with(|serve| {
        serve.smtp_url = Some(url.into());
        serve.mail_from = Some("The shop <shop@shop.example>".to_owned());
        serve.public_url = Some(PUBLIC.to_owned());
    })
    .await
}

async fn ask(app: &TestApp, email: &str) -> Answer {
    app.post("/api/auth/reset").json(&json!({"email": email})).send().await
}

async fn confirm(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({"token": token, "password": password});
    app.post("/api/auth/reset/confirm").json(&body).send().await
}

fn token(letter: &str) -> String {
    let (_, rest) =
        letter.split_once(&format!("{PUBLIC}/reset.html#token=")).unwrap_or_else(|| panic!("{letter}"));
    rest.split_whitespace().next().unwrap().to_owned()
}

#[tokio::test]
async fn a_link_by_mail_sets_a_new_password_once() {
    let sink = Sink::start().await;
    let app = shop(&sink).await;
    let kim = app.member("kim").await;
    let mut session = Ws::open(&app, As::Header(&kim)).await;
    // What the request says of the host is nobody's word: the link is that of the settings.
    let asked = app.post("/api/auth/reset").header("X-Forwarded-Host", "evil.example");
    let asked = asked.json(&json!({"email": kim.email.to_uppercase()})).send().await.expect(202);
    assert!(asked.text.is_empty());
    let letter = sink.letter(0).await;
    assert!(letter.contains("To: kim@example.com") && letter.contains("<shop@shop.example>"), "{letter}");
    assert!(letter.contains("A new password for shop.example") && !letter.contains("evil"), "{letter}");
    assert!(
        letter.contains("@shop.example>\r\n") && letter.contains("Auto-Submitted: auto-generated"),
        "{letter}"
    );
    let token = token(&letter);
    confirm(&app, &token, "short").await.invalid(&["password"]);
    assert!(confirm(&app, &token, NEW).await.expect(204).text.is_empty());
    assert_eq!(session.closed().await.0, 4001);
    app.get("/api/users/me").by(&kim).send().await.refused(401, "login_required");
    let log_in = |password: &str| {
        app.post("/api/auth").json(&json!({"email": kim.email, "password": password})).send()
    };
    log_in(PASSWORD).await.refused(401, "bad_credentials");
    log_in(NEW).await.expect(200);
    confirm(&app, &token, "once more, please").await.invalid(&["token"]);
}

#[tokio::test]
async fn nobody_learns_whether_there_is_an_account() {
    let sink = Sink::start().await;
    let app = shop(&sink).await;
    app.create("kim", Role::Member).await;
    let unknown = ask(&app, "nobody@example.com").await.expect(202);
    let known = ask(&app, &email_of("kim")).await.expect(202);
    assert_eq!((unknown.text, unknown.headers.len()), (known.text, known.headers.len()));
    let korean = app.post("/api/auth/reset").header("Accept-Language", "ko-KR");
    korean.json(&json!({"email": email_of("kim")})).send().await.expect(202);
    let letters = [sink.letter(0).await, sink.letter(1).await];
    assert!(letters.iter().any(|letter| letter.contains("비밀번호")), "{letters:?}");
    assert!(letters.iter().all(|letter| letter.contains("To: kim@example.com")), "{letters:?}");
    for bad in ["", "kim", "kim@", "a@b.example, c@d.example", "a@b.example\r\nBcc: c@d.example"] {
        ask(&app, bad).await.invalid(&["email"]);
    }
    for bad in ["", "x", "00112233445566778899aabbccddeeff"] {
        confirm(&app, bad, NEW).await.invalid(&["token"]);
    }
    assert_eq!(sink.count(), 2);
}

#[tokio::test]
async fn letters_to_an_address_and_from_a_network_have_a_rate() {
    let sink = Sink::start().await;
    let app = shop(&sink).await;
    for _ in 0..3 {
        ask(&app, "kim@example.com").await.expect(202);
    }
    let late = ask(&app, "KIM@example.com").await.refused(429, "too_many_attempts");
    assert!(late.header("retry-after").parse::<u64>().unwrap() > 60, "{}", late.header("retry-after"));
    let mut refused = false;
    for n in 0..20 {
        refused = refused || ask(&app, &format!("user{n}@example.com")).await.status == 429;
    }
    assert!(refused, "a network asks for ten at once");
}

#[tokio::test]
async fn a_relay_that_is_busy_gets_the_letter_later() {
    let sink = Sink::start().await;
    let relay = Relay::new(&sink.url, "shop@shop.example", "shop.example").unwrap();
    let mailer = Mailer::new(relay, Pace(vec![Duration::ZERO, Duration::from_millis(5)]));
    let letter = || Letter {
        to: Email::parse("kim@example.com").unwrap(),
        subject: "News".to_owned(),
        text: "None.\n".to_owned(),
    };
    sink.be_busy(1);
    within("the letter", mailer.send(&letter(), mailer.place().unwrap())).await;
    assert_eq!(sink.count(), 1);
    sink.be_busy(2);
    within("its end", mailer.send(&letter(), mailer.place().unwrap())).await;
    assert_eq!(sink.count(), 1, "it was given up");
    // Whoever waits holds a place, and there is an end to them.
    let held: Vec<_> = std::iter::from_fn(|| mailer.place()).take(1000).collect();
    assert_eq!(held.len(), 256);
}

#[tokio::test]
async fn a_shop_without_mail_says_so() {
    let app = TestApp::spawn().await;
    ask(&app, "kim@example.com").await.refused(503, "mail_not_configured");
    confirm(&app, "x", NEW).await.refused(503, "mail_not_configured");
}
