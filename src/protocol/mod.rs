//! Codecs: bytes in, values out. No socket, no clock, no actor; whoever owns the bytes calls these.

pub mod engineio;
pub mod frame;
pub mod native;
pub mod socketio;
