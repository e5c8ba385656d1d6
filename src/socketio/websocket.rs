//! Engine.IO over a WebSocket: packets, and before them the upgrade when the connection polls.

use std::rc::Rc;

use tokio::net::TcpStream;

use super::{
    connection::{Admitted, Connection, Service},
    engine::Engine,
};
use crate::{
    limits::ConnectionPermit,
    outbox::{Close, Wire},
    protocol::{engineio::Packet, frame},
    transport::{
        handshake::Upgraded,
        websocket::{self, Handler, MessageLimits, WebSocket},
    },
};

/// Begins a connection on a WebSocket.
pub(super) fn open<S: Service>(engine: &Rc<Engine<S>>, admitted: Admitted<S::Request>, upgraded: Upgraded) {
    let Upgraded { socket, permit, already_read } = upgraded;
    let connection = engine.open_socket(admitted, socket);
    let outbox = Rc::clone(&connection.outbox);
    let handler = EngineSocket { engine: Rc::clone(engine), connection };
    websocket::run(WebSocket::new(handler, outbox, permit), &already_read);
}

/// Lets a WebSocket try to take over from polls.
pub(super) fn adopt<S: Service>(
    engine: &Rc<Engine<S>>,
    sid: &str,
    socket: TcpStream,
    permit: Option<ConnectionPermit>,
    already_read: &[u8],
) {
    let purse = engine.get(sid).map(|connection| connection.outbox.purse().clone()).unwrap_or_default();
    let probe = engine.sweeper.to_socket(socket, Wire::SocketIo, purse);
    let Some(connection) = engine.begin_upgrade(sid, Rc::clone(&probe)) else {
        // The reference server, too, accepts such a socket and closes it at once.
        probe.send(&frame::close(1000, ""));
        return;
    };
    let handler = EngineSocket { engine: Rc::clone(engine), connection };
    websocket::run(WebSocket::new(handler, probe, permit), already_read);
}

/// The WebSocket of a connection.
struct EngineSocket<S: Service> {
    engine: Rc<Engine<S>>,
    connection: Rc<Connection<S>>,
}

impl<S: Service> EngineSocket<S> {
    /// Whether the connection still polls.
    fn is_probing(&self, socket: &WebSocket<Self>) -> bool {
        !Rc::ptr_eq(&socket.outbox(), &self.connection.outbox)
    }

    fn packet(&self, packet: Packet<'_>) {
        if self.engine.packet(&self.connection, packet).is_err() {
            tracing::debug!("a client broke the protocol");
        }
    }

    fn probe(&self, text: &str, socket: &WebSocket<Self>) {
        match Packet::decode(text) {
            Ok(Packet::Ping("probe")) => self.engine.probed(&self.connection),
            Ok(Packet::Upgrade) => {
                if self.engine.finish_upgrade(&self.connection).is_ok() {
                    socket.set_outbox(Rc::clone(&self.connection.outbox));
                } else {
                    socket.outbox().close(Close::Left);
                }
            }
            _ => socket.outbox().close(Close::NotAnUpgrade),
        }
    }
}

impl<S: Service> Handler for EngineSocket<S> {
    fn limits(&self) -> MessageLimits {
        let bytes = self.engine.payload_limit(&self.connection);
        MessageLimits { bytes, time: self.engine.limits.message_timeout }
    }

    /// All frames count, also pings, pongs, and what is sent by way of trying an upgrade.
    fn admit(&self) -> bool {
        self.engine.admit(&self.connection)
    }

    fn text(&self, text: String, socket: &WebSocket<Self>) {
        if self.is_probing(socket) {
            return self.probe(&text, socket);
        }
        match Packet::decode(&text) {
            Ok(packet) => self.packet(packet),
            Err(_) => self.engine.close(&self.connection, Close::Violation),
        }
    }

    fn binary(&self, bytes: Vec<u8>, socket: &WebSocket<Self>) {
        if !self.is_probing(socket) {
            self.packet(Packet::Binary(bytes.into()));
        }
    }

    fn closed(&self, socket: &WebSocket<Self>) {
        if self.is_probing(socket) {
            self.engine.give_up_upgrade(&self.connection, &socket.outbox());
        } else {
            self.engine.gone(&self.connection);
        }
    }
}
