//! Codecs: bytes in, values out. No socket, no clock, no actor; whoever owns the bytes calls these.

pub mod asked;
pub mod digest;
pub mod engineio;
pub mod events;
pub mod frame;
pub mod native;
pub mod publication;
pub mod shapes;
pub mod socketio;
pub mod sse;

/// An Engine.IO packet as a WebSocket frame: bytes "as is, without modification", everything else as text.
#[must_use]
pub fn engineio_frame(packet: &engineio::Packet<'_>) -> bytes::Bytes {
    if let engineio::Packet::Binary(bytes) = packet {
        return frame::binary(bytes);
    }
    let mut text = String::new();
    packet.put(&mut text);
    frame::text(&text)
}
