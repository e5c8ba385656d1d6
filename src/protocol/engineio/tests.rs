use std::time::Duration;

use proptest::prelude::*;

use super::*;

fn encoded(packet: &Packet<'_>) -> String {
    let mut out = String::new();
    packet.put(&mut out);
    out
}

fn payload(packets: &[Packet<'_>]) -> String {
    let mut out = String::new();
    put_payload(&mut out, packets.iter().cloned());
    out
}

#[test]
fn the_packets_of_the_document_and_the_test_suite_are_read_and_written() {
    for (text, packet) in [
        ("0{\"sid\":\"...\"}", Packet::Open("{\"sid\":\"...\"}")),
        ("1", Packet::Close),
        ("2", Packet::Ping("")),
        ("3", Packet::Pong("")),
        ("2probe", Packet::Ping(PROBE)),
        ("3probe", Packet::Pong(PROBE)),
        ("4hello", Packet::Message("hello")),
        ("4", Packet::Message("")),
        ("42[\"hey\",\"Jude\"]", Packet::Message("2[\"hey\",\"Jude\"]")),
        ("5", Packet::Upgrade),
        ("6", Packet::Noop),
        ("bAQIDBA==", Packet::Binary(Bytes::from_static(&[1, 2, 3, 4]))),
        ("b", Packet::Binary(Bytes::new())),
    ] {
        assert_eq!(Packet::decode(text), Ok(packet.clone()));
        assert_eq!(encoded(&packet), text);
    }
}

#[test]
fn the_payloads_of_the_document_and_the_test_suite_are_read_and_written() {
    let binary = Packet::Binary(Bytes::from_static(&[1, 2, 3, 4]));
    for (text, packets) in [
        ("4hello", vec![Packet::Message("hello")]),
        ("4hello\x1e2\x1e4world", vec![Packet::Message("hello"), Packet::Ping(""), Packet::Message("world")]),
        ("4hello\x1ebAQIDBA==", vec![Packet::Message("hello"), binary]),
        (
            "4test1\x1e4test2\x1e4test3",
            vec![Packet::Message("test1"), Packet::Message("test2"), Packet::Message("test3")],
        ),
        (
            "42[\"hello\"]\x1e42[\"world\"]",
            vec![Packet::Message("2[\"hello\"]"), Packet::Message("2[\"world\"]")],
        ),
    ] {
        assert_eq!(decode_payload(text, packets.len()), Ok(packets.clone()));
        assert_eq!(decode_payload(text, packets.len() - 1), Err(Error::TooManyPackets));
        assert_eq!(payload(&packets), text);
    }
}

#[test]
fn base64_may_lack_its_padding() {
    assert_eq!(Packet::decode("bAQIDBA"), Packet::decode("bAQIDBA=="));
}

#[test]
fn what_is_no_packet_is_refused() {
    for (text, error) in [
        ("", Error::Empty),
        ("abc", Error::UnknownType),
        ("7", Error::UnknownType),
        ("물", Error::UnknownType),
        ("b물", Error::NotBase64),
        ("bA", Error::NotBase64),
    ] {
        assert_eq!(Packet::decode(text), Err(error), "{text}");
        assert_eq!(decode_payload(text, 9), Err(error), "{text}");
        assert_eq!(decode_payload(&format!("4hello\x1e{text}"), 9), Err(error), "{text}");
    }
}

#[test]
fn the_handshake_has_the_five_keys_in_the_order_of_the_document() {
    let mut out = String::new();
    Handshake {
        sid: "lv_VI97HAXpY6yYWAAAC",
        upgrades: &[Transport::Websocket],
        ping_interval: Duration::from_secs(25),
        ping_timeout: Duration::from_secs(5),
        max_payload: 1_000_000,
    }
    .put(&mut out);
    assert_eq!(
        out,
        r#"0{"sid":"lv_VI97HAXpY6yYWAAAC","upgrades":["websocket"],"pingInterval":25000,"pingTimeout":5000,"maxPayload":1000000}"#
    );
}

#[test]
fn a_query_names_the_version_the_transport_and_the_session() {
    let query = |transport, sid: Option<&str>| Ok(Query { transport, sid: sid.map(str::to_owned) });
    for (text, expected) in [
        ("EIO=4&transport=polling", query(Transport::Polling, None)),
        ("EIO=4&transport=polling&sid=", query(Transport::Polling, None)),
        ("EIO=4&transport=polling&t=N8hyd7H&sid=lv_VI", query(Transport::Polling, Some("lv_VI"))),
        ("transport=websocket&j=0&EIO=4&sid=a%2Bb+c&x[]=1&=&&", query(Transport::Websocket, Some("a+b c"))),
        ("EIO=3&EIO=4&transport=polling&sid=a&sid=b", query(Transport::Polling, Some("b"))),
        ("", Err(ErrorCode::UnknownTransport)),
        ("EIO=4", Err(ErrorCode::UnknownTransport)),
        ("EIO=4&transport=abc", Err(ErrorCode::UnknownTransport)),
        ("EIO=4&transport=webtransport", Err(ErrorCode::UnknownTransport)),
        ("transport=polling", Err(ErrorCode::UnsupportedVersion)),
        ("EIO=abc&transport=polling", Err(ErrorCode::UnsupportedVersion)),
        ("EIO=3&transport=websocket", Err(ErrorCode::UnsupportedVersion)),
    ] {
        assert_eq!(Query::parse(text), expected, "{text}");
    }
}

#[test]
fn a_refusal_says_its_code_and_its_message() {
    use ErrorCode::*;
    let all =
        [UnknownTransport, UnknownSession, BadHandshakeMethod, BadRequest, Forbidden, UnsupportedVersion];
    for (code, error) in all.into_iter().enumerate() {
        assert_eq!(error.body(), format!(r#"{{"code":{code},"message":"{error}"}}"#));
        assert_eq!(error.http_status(), if error == Forbidden { 403 } else { 400 });
    }
}

/// A packet with an owned text, for the strategies.
fn packets() -> impl Strategy<Value = (u8, String, Vec<u8>)> {
    (0..8u8, "[^\x1e]{0,20}", proptest::collection::vec(any::<u8>(), 0..40))
}

fn packet((kind, text, bytes): &(u8, String, Vec<u8>)) -> Packet<'_> {
    match kind {
        0 => Packet::Open(text),
        1 => Packet::Close,
        2 => Packet::Ping(text),
        3 => Packet::Pong(text),
        4 => Packet::Message(text),
        5 => Packet::Upgrade,
        6 => Packet::Noop,
        _ => Packet::Binary(Bytes::copy_from_slice(bytes)),
    }
}

proptest! {
    #[test]
    fn every_packet_comes_back(raw in packets()) {
        let packet = packet(&raw);
        let text = encoded(&packet);
        prop_assert_eq!(Packet::decode(&text), Ok(packet));
    }

    #[test]
    fn every_payload_comes_back(raw in proptest::collection::vec(packets(), 1..12)) {
        let packets: Vec<_> = raw.iter().map(packet).collect();
        let body = payload(&packets);
        prop_assert_eq!(decode_payload(&body, packets.len()), Ok(packets));
    }

    #[test]
    fn no_text_panics_or_passes_the_limit(text in "([0-9b\x1e=A]|\\PC){0,60}", any in ".{0,40}", limit in 0..8usize) {
        if let Ok(packets) = decode_payload(&text, limit) {
            prop_assert!(packets.len() <= limit);
            let size: usize = packets.iter().map(|packet| encoded(packet).len()).sum();
            prop_assert!(size <= text.len() + 2 * packets.len());
        }
        let _ = Packet::decode(&any);
        let _ = Query::parse(&text);
        let _ = Query::parse(&any);
    }
}
