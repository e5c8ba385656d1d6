//! Bytes and sockets: connections that serve HTTP ([`connection`]), the WebSocket handshake ([`handshake`]), and what
//! runs over a WebSocket ([`websocket`]). What the bytes mean is for the layers above.

pub mod connection;
pub mod handshake;
pub mod websocket;
