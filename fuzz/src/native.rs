//! The envelope of `/ws`: an id comes back in the acknowledgement as it came.

use serde_json::Value;
use shopbell::protocol::native;

/// Checks one input.
pub fn check(input: &[u8]) {
    let text = super::text(input);
    let Ok(envelope) = native::decode(text) else { return };
    assert!(!envelope.event.is_empty() && envelope.event.len() <= text.len());
    if let Some(id) = envelope.id {
        let frame = native::ack(&id, "{\"ok\":true}");
        // The frame's header has 2, 4 or 10 bytes, of which none is a brace where the text begins.
        let header = match frame[1] {
            126 => 4,
            127 => 10,
            _ => 2,
        };
        let ack: Value = serde_json::from_slice(&frame[header..]).expect("an acknowledgement is JSON");
        assert_eq!(ack["id"], id);
    }
}
