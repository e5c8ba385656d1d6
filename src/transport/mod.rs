//! Bytes and sockets: connections that are watched, the WebSocket handshake and what runs over a WebSocket. What the
//! bytes mean is for the layers above.

pub mod connection;
pub mod handshake;
pub mod websocket;
