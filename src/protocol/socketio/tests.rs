use proptest::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use super::*;

const LIMITS: Limits = Limits { attachments: 10, binary_packet: 1000 };

fn packet<'a>(namespace: &'a str, body: Body<'a>) -> Packet<'a> {
    Packet { namespace: namespace.into(), body }
}

fn event<'a>(name: &'a str, json: &'a str, ack_id: Option<u64>) -> Event<'a> {
    Event { name: name.into(), args: json.into(), ack_id }
}

fn ack(id: u64, json: &str) -> Body<'_> {
    Body::Ack { id, args: json.into() }
}

/// The same packet with attachments.
fn with<'a>(mut packet: Packet<'a>, attachments: &[&'static [u8]]) -> Packet<'a> {
    if let Body::Event(Event { args, .. }) | Body::Ack { args, .. } = &mut packet.body {
        args.attachments = attachments.iter().map(|bytes| Bytes::from_static(bytes)).collect();
    }
    packet
}

fn encoded(packet: &Packet<'_>) -> String {
    let mut out = String::new();
    packet.put(&mut out);
    out
}

/// What comes of a text and the attachments that follow it.
fn decode(text: &str, attachments: &[Bytes]) -> Result<Option<Packet<'static>>, Error> {
    let mut decoder = Decoder::new(LIMITS);
    let mut last = decoder.text(text)?.map(Packet::into_owned);
    for bytes in attachments {
        assert!(last.is_none() && decoder.is_waiting());
        last = decoder.binary(bytes.clone())?;
    }
    assert_eq!(last.is_none(), decoder.is_waiting());
    Ok(last)
}

fn error(text: &str) -> Option<Error> {
    decode(text, &[]).err()
}

/// "Packet encoding", "Examples", the sample session, and the test suite.
#[test]
fn the_packets_of_the_document_and_the_test_suite_are_read_and_written() {
    let one = r#"{"_placeholder":true,"num":0}"#;
    let two = r#"{"_placeholder":true,"num":0},{"_placeholder":true,"num":1}"#;
    let sid = r#"{"sid":"oSO0OpakMV_3jnilAAAA"}"#;
    let token = r#"{"token":"123"}"#;
    let refused = r#"{"message":"Not authorized"}"#;
    for (text, expected) in [
        ("0", packet("/", Body::Connect(None))),
        (&format!("0{token}"), packet("/", Body::Connect(Some(token.into())))),
        ("0/admin,", packet("/admin", Body::Connect(None))),
        (&format!("0/admin,{sid}"), packet("/admin", Body::Connect(Some(sid.into())))),
        (&format!("4{refused}"), packet("/", Body::ConnectError(refused.into()))),
        ("4\"Unauthorized\"", packet("/", Body::ConnectError("\"Unauthorized\"".into()))),
        ("2[\"foo\"]", packet("/", Body::Event(event("foo", "", None)))),
        ("2[\"hey\",\"Jude\"]", packet("/", Body::Event(event("hey", "\"Jude\"", None)))),
        ("2/admin,[\"bar\"]", packet("/admin", Body::Event(event("bar", "", None)))),
        ("2[\"auth\",{}]", packet("/", Body::Event(event("auth", "{}", None)))),
        (
            "2[\"message\",1,\"2\",{\"3\":[true]}]",
            packet("/", Body::Event(event("message", "1,\"2\",{\"3\":[true]}", None))),
        ),
        (
            &format!("51-[\"baz\",{one}]"),
            with(packet("/", Body::Event(event("baz", one, None))), &[&[1, 2, 3, 4]]),
        ),
        (
            &format!("52-/admin,[\"baz\",{two}]"),
            with(packet("/admin", Body::Event(event("baz", two, None))), &[&[1, 2], &[3, 4]]),
        ),
        (
            &format!("52-789[\"message-with-ack\",{two}]"),
            with(
                packet("/", Body::Event(event("message-with-ack", two, Some(789)))),
                &[&[1, 2, 3], &[4, 5, 6]],
            ),
        ),
        ("212[\"foo\"]", packet("/", Body::Event(event("foo", "", Some(12))))),
        ("2/admin,1[\"tellme\"]", packet("/admin", Body::Event(event("tellme", "", Some(1))))),
        ("3/admin,13[\"bar\"]", packet("/admin", ack(13, "\"bar\""))),
        ("312[]", packet("/", ack(12, ""))),
        ("3456[1,\"2\",{\"3\":[false]}]", packet("/", ack(456, "1,\"2\",{\"3\":[false]}"))),
        (
            &format!("61-15[\"bar\",{one}]"),
            with(packet("/", ack(15, &format!("\"bar\",{one}"))), &[&[1, 2, 3, 4]]),
        ),
        (&format!("61-/admin,1[{one}]"), with(packet("/admin", ack(1, one)), &[&[1]])),
        ("1", packet("/", Body::Disconnect)),
        ("1/admin,", packet("/admin", Body::Disconnect)),
    ] {
        assert_eq!(encoded(&expected), text);
        assert_eq!(decode(text, expected.attachments()), Ok(Some(expected.clone())), "{text}");
    }
}

#[test]
fn other_spellings_of_the_same_are_read_too() {
    for (text, same) in [
        ("0/custom", "0/custom,"),
        ("0/custom?token=1&x=,{}", "0/custom,{}"),
        ("0/?x=1,", "0"),
        ("0/,", "0"),
        ("07{}", "0{}"),
        ("1/custom", "1/custom,"),
        ("17", "1"),
        ("50-[\"a\",1]", "2[\"a\",1]"),
        ("2007[\"a\"]", "27[\"a\"]"),
        ("2 [ \"a\" , 1 , 2 ] ", "2[\"a\",1 , 2]"),
        ("2[\"\\u0061\\n\"]", "2[\"a\\n\"]"),
        ("31[ ]", "31[]"),
    ] {
        assert_eq!(encoded(&decode(text, &[]).unwrap().unwrap()), same, "{text}");
    }
}

#[test]
fn arguments_come_back_byte_for_byte() {
    let args = r#"{"z":1,"a":1e2,"b":1.10},123456789012345678901234567890,-0,1e999,"\ud83d\u00e9é""#;
    let text = format!("29[\"message\",{args}]");
    let packet = decode(&text, &[]).unwrap().unwrap();
    assert_eq!(encoded(&packet), text);
    let Body::Event(event) = packet.body else { panic!("not an event") };
    let mut out = String::new();
    put_ack(&mut out, MAIN, 9, &event.args);
    assert_eq!(out, format!("39[{args}]"));
}

#[test]
fn what_is_no_packet_is_refused() {
    use Error::*;
    for (text, expected) in [
        // the test suite
        ("abc", UnknownType),
        ("2{}", InvalidPayload),
        ("2abc[\"message-with-ack\",1,\"2\",{\"3\":[false]}]", InvalidPayload),
        // the tests of the reference parser
        ("442[\"some\",\"data\"", InvalidPayload),
        ("0/admin,\"invalid\"", InvalidPayload),
        ("0[]", InvalidPayload),
        ("1/admin,{}", InvalidPayload),
        ("2/admin,\"invalid", InvalidPayload),
        ("2/admin,{}", InvalidPayload),
        ("2[{\"toString\":\"foo\"}]", InvalidPayload),
        ("2[true,\"foo\"]", InvalidPayload),
        ("2[null,\"bar\"]", InvalidPayload),
        ("2[\"connect\"]", ReservedEvent),
        ("2[\"disconnect\",\"123\"]", ReservedEvent),
        ("2[\"new\\u004cistener\"]", ReservedEvent),
        ("5", IllegalAttachments),
        ("51", IllegalAttachments),
        ("5a-", IllegalAttachments),
        ("51.23-", IllegalAttachments),
        ("999", UnknownType),
        // and more
        ("", UnknownType),
        ("물", UnknownType),
        ("5-[\"a\"]", IllegalAttachments),
        ("5+1-[\"a\"]", IllegalAttachments),
        ("511-[\"a\"]", TooManyAttachments),
        ("599999999999999999999999999-[\"a\"]", TooManyAttachments),
        ("21-[\"a\"]", InvalidPayload),
        ("2", InvalidPayload),
        ("2[]", InvalidPayload),
        ("2[1]", InvalidPayload),
        ("2[\"a\"]x", InvalidPayload),
        ("218446744073709551616[\"a\"]", IllegalAckId),
        ("3[]", IllegalAckId),
        ("31", InvalidPayload),
        ("31{}", InvalidPayload),
        ("4", InvalidPayload),
        ("47 ", InvalidPayload),
        ("0null", InvalidPayload),
    ] {
        assert_eq!(error(text), Some(expected), "{text}");
    }
    for name in RESERVED_EVENTS {
        assert_eq!(error(&format!("21[\"{name}\",1]")), Some(ReservedEvent));
    }
}

#[test]
fn a_placeholder_stands_for_an_attachment_that_the_packet_has() {
    for text in [
        r#"51-["a"]"#,
        r#"51-["a",{"num":0,"_placeholder":true},{"_placeholder":true,"num":0,"x":[]}]"#,
        r#"51-["a",[{"x":{"_\u0070laceholder":true,"num":0}}],{"_placeholder":false},{"_placeholder":1}]"#,
        r#"51-["a",{"num":[],"x":null,"y":-1,"z":1.5}]"#,
    ] {
        assert!(decode(text, &[Bytes::new()]).unwrap().is_some(), "{text}");
    }
    for text in [
        r#"51-["a",{"_placeholder":true,"num":1}]"#,
        r#"51-["a",{"_placeholder":true,"num":-1}]"#,
        r#"51-["a",{"_placeholder":true,"num":0.5}]"#,
        r#"51-["a",{"_placeholder":true,"num":"0"}]"#,
        r#"51-["a",{"_placeholder":true}]"#,
        r#"50-["a",{"_placeholder":true,"num":0}]"#,
        r#"61-1[[{"x":{"num":7,"_placeholder":true}}]]"#,
    ] {
        assert_eq!(error(text), Some(Error::IllegalPlaceholder), "{text}");
    }
    // Not a binary packet: data.
    assert_eq!(error(r#"2["a",{"_placeholder":true,"num":1}]"#), None);
}

#[test]
fn depth_costs_no_stack() {
    let deep = "[".repeat(100_000) + &"]".repeat(100_000);
    assert_eq!(error(&format!("2[\"a\",{deep}]")), None);
    assert_eq!(error(&format!("51-[\"a\",{deep}]")), Some(Error::InvalidPayload));
    assert!(Args::from(&*deep).parse::<Vec<Value>>().is_err());
}

#[test]
fn attachments_follow_their_packet_at_once_and_within_the_limits() {
    let bytes = Bytes::from_static(&[7; 400]);
    let mut decoder = Decoder::new(LIMITS);
    assert_eq!(decoder.binary(bytes.clone()), Err(Error::AttachmentUnexpected));
    assert_eq!(decoder.text("52-[\"a\"]"), Ok(None));
    assert_eq!(decoder.text("2[\"a\"]"), Err(Error::AttachmentExpected));
    assert_eq!(decoder.binary(bytes.clone()), Ok(None));
    assert!(decoder.binary(bytes.clone()).unwrap().is_some());
    assert_eq!(decoder.binary(bytes.clone()), Err(Error::AttachmentUnexpected));
    assert_eq!(decoder.text("53-[\"a\"]"), Ok(None));
    assert_eq!(decoder.binary(bytes.clone()), Ok(None));
    assert_eq!(decoder.binary(bytes.clone()), Ok(None));
    assert_eq!(decoder.binary(bytes), Err(Error::TooBig));
    let long = format!("51-[\"{}\"]", "a".repeat(1000));
    assert_eq!(Decoder::new(LIMITS).text(&long), Err(Error::TooBig));
}

#[test]
fn handlers_read_arguments_into_their_own_types() {
    #[derive(Deserialize, Debug, PartialEq)]
    struct Say {
        room: String,
        #[serde(default)]
        times: u8,
    }
    let parse = |json: &'static str| Args::from(json).parse::<Say>().ok();
    assert_eq!(parse("\"a\",2"), Some(Say { room: "a".into(), times: 2 }));
    assert_eq!(parse("\"a\""), Some(Say { room: "a".into(), times: 0 }));
    assert_eq!(parse("\"a\",2,{\"more\":1}"), Some(Say { room: "a".into(), times: 2 }));
    assert_eq!(parse(""), None);
    assert_eq!(Args::from("1,[2]").parse::<(u8,)>().unwrap(), (1,));
    assert_eq!(Args::from("").parse::<Vec<Value>>().unwrap(), Vec::<Value>::new());
    assert_eq!(Args::from("").parse::<()>().ok(), None);
    let file: (String, Placeholder) = Args::from(r#""f",{"num":3,"_placeholder":true}"#).parse().unwrap();
    assert_eq!(file, ("f".into(), Placeholder(3)));
    assert_eq!(serde_json::to_string(&file.1).unwrap(), r#"{"_placeholder":true,"num":3}"#);
    assert!(Args::from(r#"{"num":3}"#).parse::<(Placeholder,)>().is_err());
}

#[test]
fn a_server_answers_connect() {
    let mut out = String::new();
    put_connect(&mut out, "/", "wZX3oN0bSVIhsaknAAAI", None);
    assert_eq!(std::mem::take(&mut out), r#"0{"sid":"wZX3oN0bSVIhsaknAAAI"}"#);
    put_connect(&mut out, "/custom", "a", Some("b"));
    assert_eq!(std::mem::take(&mut out), r#"0/custom,{"sid":"a","pid":"b"}"#);
    put_connect_error(&mut out, "/random", "Invalid namespace", None);
    assert_eq!(std::mem::take(&mut out), r#"4/random,{"message":"Invalid namespace"}"#);
    put_connect_error(&mut out, "/", "not \"now\"", Some(&json!({"code": 1})));
    assert_eq!(out, r#"4{"message":"not \"now\"","data":{"code":1}}"#);
}

/// Any JSON, without placeholders.
fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        ".{0,9}".prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::hash_map(".{0,4}", inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn args() -> impl Strategy<Value = Args<'static>> {
    let blobs = proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..9), 0..4);
    (proptest::collection::vec(values(), 0..4), blobs).prop_map(|(values, blobs)| {
        let placeholders =
            (0..blobs.len()).map(|number| serde_json::to_string(&Placeholder(number)).unwrap());
        let items: Vec<String> = values.iter().map(Value::to_string).chain(placeholders).collect();
        Args { json: items.join(",").into(), attachments: blobs.into_iter().map(Bytes::from).collect() }
    })
}

fn packets() -> impl Strategy<Value = Packet<'static>> {
    let object =
        || proptest::collection::hash_map(".{0,4}", values(), 0..4).prop_map(|map| json!(map).to_string());
    let name = ".{0,9}".prop_filter("reserved", |name| !RESERVED_EVENTS.contains(&&**name));
    let body = prop_oneof![
        proptest::option::of(object()).prop_map(|auth| Body::Connect(auth.map(Cow::from))),
        Just(Body::Disconnect),
        (name, args(), any::<Option<u64>>()).prop_map(|(name, args, ack_id)| Body::Event(Event {
            name: name.into(),
            args,
            ack_id
        })),
        (any::<u64>(), args()).prop_map(|(id, args)| Body::Ack { id, args }),
        object().prop_map(|error| Body::ConnectError(error.into())),
    ];
    ("/[^,?]{0,9}", body).prop_map(|(namespace, body)| Packet { namespace: namespace.into(), body })
}

proptest! {
    #[test]
    fn every_packet_comes_back(packet in packets()) {
        let mut decoder = Decoder::new(Limits { attachments: 4, binary_packet: 1 << 20 });
        let text = encoded(&packet);
        let mut last = decoder.text(&text).unwrap();
        for bytes in packet.attachments() {
            prop_assert!(last.is_none());
            last = decoder.binary(bytes.clone()).unwrap();
        }
        prop_assert_eq!(last, Some(packet));
    }

    #[test]
    fn no_messages_panic_or_pass_the_limits(
        messages in proptest::collection::vec(
            prop_oneof![
                "[0-6][0-9]{0,2}-?(/[a-z?]{0,3},?)?[0-9]{0,21}([\\[{]\"a\"([,:].{0,9})?[}\\]])?",
                "[56][0-3]-\\[\"a\"(,\\{\"_placeholder\":true,\"num\":[0-3]\\})?\\]",
                ".{0,9}",
            ].prop_map(Ok).boxed().prop_union(proptest::collection::vec(any::<u8>(), 0..9).prop_map(Err).boxed()),
            0..12,
        ),
    ) {
        let limits = Limits { attachments: 2, binary_packet: 40 };
        let mut decoder = Decoder::new(limits);
        for message in &messages {
            let result = match message {
                Ok(text) => decoder.text(text),
                Err(bytes) => decoder.binary(Bytes::copy_from_slice(bytes)),
            };
            if let Ok(Some(packet)) = result {
                let attached: usize = packet.attachments().iter().map(Bytes::len).sum();
                prop_assert!(packet.attachments().len() <= limits.attachments && attached <= limits.binary_packet);
                let attachments = packet.attachments().to_vec();
                prop_assert_eq!(decode(&encoded(&packet), &attachments), Ok(Some(packet.into_owned())));
            }
        }
    }
}
