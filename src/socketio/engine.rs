//! Engine.IO 4: connections that begin with a poll or a WebSocket, may go from one to the other, and live while they
//! answer pings. What their messages say is for a [`Service`].

use std::{
    cell::RefCell,
    collections::{HashMap, VecDeque},
    rc::{Rc, Weak},
    time::Instant,
};

use tokio::net::TcpStream;

use super::{
    connection::{Admitted, Connection, Limits, Service, Violation},
    sid::Place,
};
use crate::{
    outbox::{Close, Outbox, Sweeper, Wire},
    protocol::engineio::{ErrorCode, Handshake, Packet, Transport},
};

/// The connections of one thread.
pub struct Engine<S: Service> {
    /// What runs over them.
    pub service: S,
    /// What they are granted.
    pub limits: Limits,
    /// Makes and sweeps their outboxes.
    pub(super) sweeper: Rc<Sweeper>,
    /// Begins their session ids, so that requests that arrive elsewhere find their way.
    place: Place,
    connections: RefCell<HashMap<Rc<str>, Rc<Connection<S>>>>,
    /// Connections whose time to be used runs, oldest first.
    unused: RefCell<VecDeque<Weak<Connection<S>>>>,
}

impl<S: Service> Engine<S> {
    /// Without connections.
    #[must_use]
    pub fn new(service: S, limits: Limits, sweeper: &Rc<Sweeper>, place: Place) -> Rc<Self> {
        let engine = Rc::new(Self {
            service,
            limits,
            sweeper: Rc::clone(sweeper),
            place,
            connections: RefCell::default(),
            unused: RefCell::default(),
        });
        let weak = Rc::downgrade(&engine);
        sweeper.each_round(Box::new(move |_| {
            if let Some(engine) = weak.upgrade() {
                engine.close_unused();
            }
        }));
        engine
    }

    /// Begins a connection that polls. Returns it and the body of the first response.
    pub fn open_polling(self: &Rc<Self>, admitted: Admitted<S::Request>) -> (Rc<Connection<S>>, String) {
        let outbox = self.sweeper.to_polls(admitted.purse.clone());
        let connection = self.open(admitted, outbox);
        let (engine, sid) = (Rc::downgrade(self), Rc::clone(&connection.sid));
        connection.outbox.when_gone(Box::new(move || {
            if let Some(engine) = engine.upgrade() {
                engine.remove(&sid);
            }
        }));
        let body = self.handshake(&connection, &[Transport::Websocket]);
        (connection, body)
    }

    /// Begins a connection on a WebSocket.
    pub fn open_socket(&self, admitted: Admitted<S::Request>, socket: TcpStream) -> Rc<Connection<S>> {
        let outbox = self.sweeper.to_socket(socket, Wire::SocketIo, admitted.purse.clone());
        let connection = self.open(admitted, outbox);
        let open = self.handshake(&connection, &[]);
        connection.outbox.send(&crate::protocol::frame::text(&open));
        connection
    }

    fn open(&self, admitted: Admitted<S::Request>, outbox: Rc<Outbox>) -> Rc<Connection<S>> {
        let sid: Rc<str> = self.place.new_sid().into();
        let (request, state) = ((admitted.request, admitted.owner), self.service.open(&self.limits));
        let connection = Connection::new(Rc::clone(&sid), request, outbox, state, self.limits.packet_rate);
        self.connections.borrow_mut().insert(sid, Rc::clone(&connection));
        if self.limits.connect_timeout.is_some() {
            self.unused.borrow_mut().push_back(Rc::downgrade(&connection));
        }
        connection
    }

    fn handshake(&self, connection: &Connection<S>, upgrades: &[Transport]) -> String {
        let handshake = Handshake {
            sid: &connection.sid,
            upgrades,
            ping_interval: self.sweeper.limits.ping_interval,
            ping_timeout: self.sweeper.limits.ping_timeout,
            max_payload: self.limits.max_payload,
        };
        let mut open = String::new();
        handshake.put(&mut open);
        open
    }

    /// Number of connections.
    #[must_use]
    pub fn len(&self) -> usize {
        self.connections.borrow().len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// A connection by its session id, unless its network connection is gone.
    pub(super) fn get(&self, sid: &str) -> Option<Rc<Connection<S>>> {
        let connection = self.connections.borrow().get(sid).cloned();
        connection.filter(|connection| !connection.outbox.is_gone())
    }

    /// Whether a request that brings the credentials of these accounts may use a connection.
    ///
    /// # Errors
    /// The connection is another account's. That there is none is for others to say.
    pub(super) fn check_owner(&self, sid: &str, owners: &[i64]) -> Result<(), ErrorCode> {
        let owner = self.connections.borrow().get(sid).and_then(|connection| connection.owner);
        if owner.is_none_or(|owner| owners.contains(&owner)) { Ok(()) } else { Err(ErrorCode::Forbidden) }
    }

    /// Like [`Engine::get`], but gives up a connection whose time to answer a ping is over.
    pub(super) fn get_alive(&self, sid: &str) -> Option<Rc<Connection<S>>> {
        let connection = self.get(sid)?;
        self.sweeper.check_now(&connection.outbox);
        (!connection.outbox.is_gone()).then_some(connection)
    }

    /// Closes a connection from this side, or because its client left.
    pub fn close(&self, connection: &Rc<Connection<S>>, why: Close) {
        connection.outbox.close(why);
        self.end(connection);
    }

    /// The network connection is gone.
    pub(super) fn gone(&self, connection: &Rc<Connection<S>>) {
        self.connections.borrow_mut().remove(&connection.sid);
        self.end(connection);
    }

    fn remove(&self, sid: &str) {
        let removed = self.connections.borrow_mut().remove(sid);
        if let Some(connection) = removed {
            self.end(&connection);
        }
    }

    /// Tells the service, once, that a connection is over.
    fn end(&self, connection: &Rc<Connection<S>>) {
        if connection.outbox.is_gone() {
            drop(connection.early.take());
        }
        if connection.ended.replace(true) {
            return;
        }
        // A client that knows that the WebSocket works has stopped polling and is about to go over to it ("5"): there it is told.
        // One whose WebSocket ends before (engine.io-client 6) does neither, until its ping timeout.
        let goes_over = connection.probed.get();
        if let Some(probe) = connection.set_probe(None).filter(|_| !goes_over) {
            probe.close(Close::Lost);
        }
        self.service.closed(connection);
    }

    /// Closes those whose time to be used is over, and those that made room for others, wherever in the line they stand.
    fn close_unused(&self) {
        let Some(timeout) = self.limits.connect_timeout else { return };
        let (mut over, mut unused) = (Vec::new(), self.unused.take());
        unused.retain(|connection| {
            let Some(connection) = connection.upgrade() else { return false };
            if connection.is_used() || connection.is_over() {
                return false;
            }
            let is_over = connection.age() >= timeout || self.service.is_given_up(&connection.request);
            if is_over {
                over.push(connection);
            }
            !is_over
        });
        self.unused.replace(unused);
        for connection in over {
            self.close(&connection, Close::Violation);
        }
    }

    /// Counts a packet, of whatever kind. A connection that sends too many is closed; returns whether the packet may be
    /// looked at.
    pub(super) fn admit(&self, connection: &Rc<Connection<S>>) -> bool {
        let admitted = connection.take_packet();
        if !admitted {
            self.close(connection, Close::TooManyMessages);
        }
        admitted
    }

    /// Bytes of one message, or of one poll's body, that a connection may send now.
    pub(super) fn payload_limit(&self, connection: &Connection<S>) -> usize {
        if connection.is_used() { self.limits.max_payload } else { self.limits.unused_payload }
    }

    /// Takes one packet of a connection.
    ///
    /// # Errors
    /// It breaks the protocol, and the connection is closed.
    pub fn packet(&self, connection: &Rc<Connection<S>>, packet: Packet<'_>) -> Result<(), Violation> {
        if connection.ended.get() || connection.outbox.is_closing() {
            return Err(Violation);
        }
        let taken = match packet {
            Packet::Message(text) => self.service.text(connection, text),
            Packet::Binary(bytes) => self.service.binary(connection, bytes),
            Packet::Pong(_) => {
                connection.outbox.heartbeat.hear(Instant::now());
                Ok(())
            }
            Packet::Close => {
                self.close(connection, Close::Left);
                Ok(())
            }
            // "the server sends a ping packet": one from the client is of another version of the protocol.
            Packet::Ping(_) | Packet::Open(_) => Err(Violation),
            Packet::Upgrade | Packet::Noop => Ok(()),
        };
        if taken.is_err() {
            self.close(connection, Close::Violation);
        }
        taken
    }
}
