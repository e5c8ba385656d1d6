//! The envelope of `/ws`: an id comes back in the acknowledgement as it came.
#![no_main]

use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use shopbell::protocol::native;

fuzz_target!(|text: &str| {
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
});
