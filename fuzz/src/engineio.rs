//! Engine.IO packets, payloads and queries: what was understood is written down and understood alike.

use shopbell::protocol::engineio::{Packet, Query, Transport, decode_payload, put_payload};

const MAX_PACKETS: usize = 16;

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    if let Ok(packet) = Packet::decode(text) {
        let mut again = String::new();
        packet.put(&mut again);
        assert_eq!(Packet::decode(&again), Ok(packet));
    }
    if let Ok(packets) = decode_payload(text, MAX_PACKETS) {
        assert!((1..=MAX_PACKETS).contains(&packets.len()));
        let mut again = String::new();
        put_payload(&mut again, packets.iter().cloned());
        assert_eq!(decode_payload(&again, MAX_PACKETS), Ok(packets));
    }
    if let Ok(query) = Query::parse(text) {
        assert!(query.sid.as_ref().is_none_or(|sid| !sid.is_empty()));
        let transport = match query.transport {
            Transport::Polling => "polling",
            Transport::Websocket => "websocket",
        };
        let again = form_urlencoded::Serializer::new(String::new())
            .extend_pairs([("EIO", "4"), ("transport", transport)])
            .append_pair("sid", query.sid.as_deref().unwrap_or_default())
            .finish();
        assert_eq!(Query::parse(&again), Ok(query));
    }
}
