//! What events are refused with is said in the language of the handshake.

use serde_json::{Value, json};

use super::shop;
use crate::support::{As, Ws};

#[tokio::test]
async fn refusals_speak_the_language_of_the_handshake() {
    let shop = shop().await;
    let open = async |who, language: &str| {
        Ws::handshake(&shop.app, "/ws", who, &[("accept-language", language)]).await.unwrap()
    };
    let mut korean = open(As::Header(&shop.kim), "ko-KR,ko;q=0.9,en;q=0.8").await;
    let mut english = open(As::Header(&shop.lee), "en-US,ko;q=0.5").await;
    let mut guest = open(As::Guest, "ko").await;
    let mut unsaid = Ws::open(&shop.app, As::Guest).await;

    let login = json!({"goodsId": shop.tea});
    assert_eq!(guest.ask("BUY", login.clone()).await["message"], "로그인 후 이용 가능한 기능입니다.");
    assert_eq!(unsaid.ask("BUY", login).await["message"], "Please log in first.");
    for (event, payload, code, in_korean, in_english) in [
        (
            "BUY",
            json!({"goodsId": 1, "quantity": 0}),
            "validation",
            "다음 항목을 확인해 주세요: 수량.",
            "Please check: quantity.",
        ),
        (
            "BUY",
            json!("x"),
            "validation",
            "BUY에는 goodsId 또는 items가 있는 객체를 보내야 합니다.",
            "BUY takes an object with goodsId or items.",
        ),
        ("BUY", json!({"goodsId": 99}), "not_found", "찾을 수 없습니다.", "We could not find that."),
        ("HOP", Value::Null, "unknown_event", "존재하지 않는 이벤트입니다.", "There is no such event."),
        (
            "new_message",
            json!(["hi", "lobby"]),
            "not_in_room",
            "먼저 방에 입장해 주세요.",
            "Please enter the room first.",
        ),
        ("enter_room", json!("<"), "validation", "방 이름은 1자 이상", "A room's name has"),
    ] {
        for (socket, sentence) in [(&mut korean, in_korean), (&mut english, in_english)] {
            let ack = socket.ask(event, payload.clone()).await;
            assert_eq!((&ack["ok"], &ack["code"]), (&json!(false), &json!(code)), "{event}");
            assert!(ack["message"].as_str().unwrap().starts_with(sentence), "{event}: {ack}");
            // Without a question the same comes as an event.
            socket.send(event, payload.clone()).await;
            let error = socket.expect("error").await;
            assert_eq!((&error["event"], &error["message"]), (&json!(event), &ack["message"]));
        }
    }
    for (socket, sentence) in
        [(&mut korean, "메시지는 JSON 문자열이어야 합니다."), (&mut english, "A message is a JSON text.")]
    {
        socket.send_text("{").await;
        assert_eq!(socket.expect("error").await["message"], sentence);
    }
    let ordered = korean.ask("BUY", json!({"goodsId": shop.tea, "quantity": 1})).await;
    assert_eq!(ordered["ok"], true, "{ordered}");
}
