//! Socket.IO packets with their attachments. The input is a sequence of messages with 0xFF between them; those that are
//! text go in as text, the others as bytes. What was understood is written down and understood alike.

use bytes::Bytes;
use serde_json::Value;
use shopbell::protocol::socketio::{Body, Decoder, Event, Limits, Packet, RESERVED_EVENTS};

const LIMITS: Limits = Limits { attachments: 4, binary_packet: 400 };

fn check_packet(packet: Packet<'_>) {
    let (mut text, mut decoder) = (String::new(), Decoder::new(Limits { binary_packet: 4000, ..LIMITS }));
    packet.put(&mut text);
    let attachments = packet.attachments().to_vec();
    assert!(attachments.len() <= LIMITS.attachments);
    assert!(attachments.iter().map(Bytes::len).sum::<usize>() <= LIMITS.binary_packet);
    if let Body::Event(Event { args, name, .. }) = &packet.body {
        assert!(!RESERVED_EVENTS.contains(&&**name));
        let values = args.parse::<Vec<Value>>();
        assert!(values.is_ok() || attachments.is_empty(), "a binary packet is read into values");
    }
    assert!(packet.namespace.starts_with('/') && !packet.namespace.contains([',', '?']));
    let mut again = decoder.text(&text).expect("what we write we read").map(Packet::into_owned);
    for attachment in attachments {
        assert!(again.is_none() && decoder.is_waiting());
        again = decoder.binary(attachment).expect("what we write we read");
    }
    assert_eq!(again, Some(packet.into_owned()));
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let mut decoder = Decoder::new(LIMITS);
    for message in input.split(|byte| *byte == 0xFF) {
        let packet = match std::str::from_utf8(message) {
            Ok(text) if !decoder.is_waiting() => decoder.text(text),
            _ => decoder.binary(Bytes::copy_from_slice(message)),
        };
        match packet {
            Ok(Some(packet)) => check_packet(packet),
            Ok(None) => assert!(decoder.is_waiting()),
            Err(_) => return,
        }
    }
}
