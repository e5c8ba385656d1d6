//! The session's side of a WebSocket: packets, and before them the upgrade when the session polls.

use std::rc::Rc;

use tokio::net::TcpStream;

use super::engine::{Engine, Service, Session};

use crate::{
    limits::admission::Connected,
    outbox::{Outbox, Wire},
    protocol::{
        engineio::Packet,
        frame::{self, FrameError},
    },
    transport::{
        handshake::Taken,
        websocket::{self, Line, Peer},
    },
};

/// Begins a session on a WebSocket.
pub(super) fn open<S: Service>(engine: &Rc<Engine<S>>, request: S::Request, taken: Taken) {
    let Taken { socket, connected, already_read } = taken;
    let outbox = Outbox::to_socket(socket, Wire::SocketIo, engine.limits.outbox);
    let session = engine.open_socket(request, Rc::clone(&outbox));
    let line = Line::new(EnginePeer { engine: Rc::clone(engine), session }, outbox, connected);
    websocket::run(line, engine.limits.max_payload, &already_read);
}

/// Lets a WebSocket try to take over from polls.
pub(super) fn adopt<S: Service>(
    engine: &Rc<Engine<S>>,
    sid: &str,
    socket: TcpStream,
    connected: Option<Connected>,
    already_read: &[u8],
) {
    let probe = Outbox::to_socket(socket, Wire::SocketIo, engine.limits.outbox);
    let Some(session) = engine.begin_upgrade(sid, Rc::clone(&probe)) else {
        // The reference server, too, accepts such a socket and closes it at once.
        probe.send(&frame::close(1000, ""));
        return;
    };
    let line = Line::new(EnginePeer { engine: Rc::clone(engine), session }, probe, connected);
    websocket::run(line, engine.limits.max_payload, already_read);
}

/// The session's side of a WebSocket.
struct EnginePeer<S: Service> {
    engine: Rc<Engine<S>>,
    session: Rc<Session<S>>,
}

impl<S: Service> EnginePeer<S> {
    /// Whether the session still polls.
    fn is_probing(&self, line: &Line<Self>) -> bool {
        !Rc::ptr_eq(&line.outbox(), &self.session.outbox)
    }

    fn packet(&self, packet: Packet<'_>) {
        if self.engine.packet(&self.session, packet).is_err() {
            tracing::debug!("a client broke the protocol");
        }
    }

    fn probe(&self, text: &str, line: &Line<Self>) {
        match Packet::decode(text) {
            Ok(Packet::Ping("probe")) => self.engine.probed(&self.session),
            Ok(Packet::Upgrade) => {
                if self.engine.finish_upgrade(&self.session).is_ok() {
                    line.switch(Rc::clone(&self.session.outbox));
                } else {
                    line.outbox().close(1000, "");
                }
            }
            _ => line.outbox().close(1002, "this is no upgrade"),
        }
    }
}

impl<S: Service> Peer for EnginePeer<S> {
    fn text(&self, text: String, line: &Line<Self>) {
        if self.is_probing(line) {
            return self.probe(&text, line);
        }
        match Packet::decode(&text) {
            Ok(packet) => self.packet(packet),
            Err(_) => self.engine.close(&self.session),
        }
    }

    fn binary(&self, bytes: Vec<u8>, line: &Line<Self>) {
        if !self.is_probing(line) {
            self.packet(Packet::Binary(bytes.into()));
        }
    }

    fn broke_protocol(&self, error: FrameError, line: &Line<Self>) {
        line.outbox().close(error.close_code(), &error.to_string());
    }

    fn end(&self, line: &Line<Self>) {
        if self.is_probing(line) {
            self.engine.give_up_upgrade(&self.session, &line.outbox());
        } else {
            self.engine.end(&self.session);
        }
    }
}
