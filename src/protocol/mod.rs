//! Codecs: bytes in, values out. No socket, no clock, no actor; whoever owns the bytes calls these.

pub mod frame;
pub mod native;
