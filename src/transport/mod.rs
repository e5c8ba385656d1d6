//! Bytes and sockets: connections that serve HTTP ([`connection`]), their requests ([`requests`]), the WebSocket handshake ([`handshake`]), and what
//! runs over a WebSocket ([`websocket`]). What the bytes mean is for the layers above.

pub mod connection;
pub mod handshake;
pub mod requests;
pub mod websocket;
