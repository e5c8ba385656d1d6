//! Socket.IO 5 over an Engine.IO connection: a client connects to namespaces, and in each sends and gets events and
//! acknowledgements.

use std::{borrow::Cow, cell::RefCell, rc::Rc, time::Duration};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use tokio::task::JoinHandle;

use super::{
    connection::{Connection, Limits, Service, Violation},
    handlers::{Accepted, Connect, Handlers, Refused},
    socket::{Socket, send},
};
use crate::{
    limits::{Charge, NoRoom},
    outbox::{Close, Outbox},
    protocol::{
        engineio::Packet as Frame,
        socketio::{self, Body, Decoder},
    },
};

/// The most attachments of one packet, as in the reference.
const MAX_ATTACHMENTS: usize = 10;
/// The longest name of a namespace that is looked at and, in a refusal, repeated; in bytes.
const MAX_NAMESPACE: usize = 256;
/// The most namespaces that one client may be in.
const MAX_NAMESPACES: usize = 16;

/// What is kept of a client.
pub struct Client<H: Handlers> {
    decoder: RefCell<Decoder>,
    /// Of a packet whose attachments are still to come.
    partial: RefCell<Option<Box<Partial>>>,
    namespaces: RefCell<Vec<Namespace<H::Data>>>,
}

/// A packet whose attachments are still to come: its bytes are counted, and its time runs.
struct Partial {
    charge: Charge,
    timer: JoinHandle<()>,
}

impl Drop for Partial {
    fn drop(&mut self) {
        self.timer.abort();
    }
}

/// A namespace that a client is in, or about to be.
enum Namespace<D> {
    /// The handlers have not answered yet.
    Connecting(&'static str),
    Connected(Rc<Socket<D>>),
}

impl<D> Namespace<D> {
    fn name(&self) -> &'static str {
        match self {
            Self::Connecting(name) => name,
            Self::Connected(socket) => socket.namespace,
        }
    }

    fn socket(&self) -> Option<&Rc<Socket<D>>> {
        match self {
            Self::Connecting(_) => None,
            Self::Connected(socket) => Some(socket),
        }
    }
}

impl<H: Handlers> Client<H> {
    fn socket(&self, namespace: &str) -> Option<Rc<Socket<H::Data>>> {
        let namespaces = self.namespaces.borrow();
        namespaces.iter().filter_map(Namespace::socket).find(|socket| socket.namespace == namespace).cloned()
    }

    fn add(&self, namespace: Namespace<H::Data>) {
        let mut namespaces = self.namespaces.borrow_mut();
        // Hardly any client has a second.
        namespaces.reserve_exact(1);
        namespaces.push(namespace);
    }

    fn remove(&self, is_it: impl Fn(&Namespace<H::Data>) -> bool) -> Option<Namespace<H::Data>> {
        let mut namespaces = self.namespaces.borrow_mut();
        let index = namespaces.iter().position(is_it)?;
        Some(namespaces.swap_remove(index))
    }
}

/// The service that speaks Socket.IO.
pub struct SocketIo<H> {
    handlers: Rc<H>,
    message_timeout: Duration,
}

impl<H: Handlers> SocketIo<H> {
    /// With the handlers of its namespaces, and the time for all attachments of a packet to come.
    #[must_use]
    pub fn new(handlers: H, message_timeout: Duration) -> Self {
        Self { handlers: Rc::new(handlers), message_timeout }
    }

    /// Deals with what the decoder makes of a message: a packet, or a part of one, which is kept for a time and while
    /// there is room for it.
    fn decoded(
        &self,
        connection: &Rc<Connection<Self>>,
        packet: Result<Option<socketio::Packet<'_>>, socketio::Error>,
    ) -> Result<(), Violation> {
        match packet {
            Ok(Some(packet)) => {
                connection.state.partial.take();
                self.packet(connection, packet)
            }
            Ok(None) => self.keep_partial(connection),
            Err(_) => Err(Violation),
        }
    }

    fn keep_partial(&self, connection: &Rc<Connection<Self>>) -> Result<(), Violation> {
        let held = connection.state.decoder.borrow().held();
        let kept = {
            let mut partial = connection.state.partial.borrow_mut();
            let partial = partial.get_or_insert_with(|| Box::new(self.partial(&connection.outbox)));
            partial.charge.set(held)
        };
        kept.map_err(|NoRoom| {
            connection.outbox.close(Close::NoRoom);
            Violation
        })
    }

    fn partial(&self, outbox: &Rc<Outbox>) -> Partial {
        let (time, weak) = (self.message_timeout, Rc::downgrade(outbox));
        let timer = actix_rt::spawn(async move {
            tokio::time::sleep(time).await;
            if let Some(outbox) = weak.upgrade() {
                outbox.close(Close::Unfinished);
            }
        });
        Partial { charge: outbox.purse().charge(), timer }
    }

    fn packet(
        &self,
        connection: &Rc<Connection<Self>>,
        packet: socketio::Packet<'_>,
    ) -> Result<(), Violation> {
        let namespace = packet.namespace;
        if namespace.len() > MAX_NAMESPACE {
            return Err(Violation);
        }
        match packet.body {
            Body::Connect(auth) => self.connect(connection, &namespace, auth.as_deref()),
            Body::Disconnect => {
                leave(&*self.handlers, connection, &namespace);
                Ok(())
            }
            // "if that's not the case, then the receiver MUST close the connection".
            Body::ConnectError(_) => Err(Violation),
            Body::Event(event) => {
                let socket = connection.state.socket(&namespace).ok_or(Violation)?;
                self.handlers.event(&socket, event)
            }
            Body::Ack { id, args } => {
                let socket = connection.state.socket(&namespace).ok_or(Violation)?;
                // An acknowledgement that nobody waits for any more is late, not wrong.
                socket.take_ack(id).map(|waiting| waiting.send(args.into_owned()));
                Ok(())
            }
        }
    }

    fn connect(
        &self,
        connection: &Rc<Connection<Self>>,
        namespace: &str,
        auth: Option<&str>,
    ) -> Result<(), Violation> {
        let Some(namespace) = self.handlers.namespace(namespace) else {
            let error = Cow::Borrowed(r#"{"message":"Invalid namespace"}"#);
            send(&connection.outbox, namespace, Body::ConnectError(error));
            return Ok(());
        };
        {
            let namespaces = connection.state.namespaces.borrow();
            let known = namespaces.iter().any(|known| known.name() == namespace);
            if known || namespaces.len() >= MAX_NAMESPACES {
                return Err(Violation);
            }
        }
        connection.state.add(Namespace::Connecting(namespace));
        let connecting = self.handlers.connect(Connect {
            request: &connection.request,
            age: connection.age(),
            outbox: &connection.outbox,
            namespace,
            auth,
        });
        let (handlers, connection) = (Rc::clone(&self.handlers), Rc::clone(connection));
        actix_rt::spawn(async move {
            let answer = connecting.await;
            connection.state.remove(|one| one.socket().is_none() && one.name() == namespace);
            match answer {
                Ok(accepted) => enter(&*handlers, &connection, namespace, accepted),
                Err(refused) => refuse(&connection, namespace, &refused),
            }
        });
        Ok(())
    }
}

fn enter<H: Handlers>(
    handlers: &H,
    connection: &Rc<Connection<SocketIo<H>>>,
    namespace: &'static str,
    accepted: Accepted<H::Data>,
) {
    let socket = Socket::new(namespace, accepted.data, Rc::clone(&connection.outbox));
    let random: [u8; 15] = rand::random();
    let (id, mut text) = (URL_SAFE_NO_PAD.encode(random), String::new());
    socketio::put_connect(&mut text, namespace, &id, accepted.pid.as_deref());
    connection.send(&[Frame::Message(&text)]);
    connection.set_used();
    connection.state.add(Namespace::Connected(Rc::clone(&socket)));
    handlers.connected(&socket);
    if connection.is_over() {
        // The client left while it was let in.
        leave(handlers, connection, namespace);
    }
}

fn refuse<H: Handlers>(connection: &Connection<SocketIo<H>>, namespace: &str, refused: &Refused) {
    if refused.passes {
        return connection.outbox.close(Close::Unavailable);
    }
    let mut text = String::new();
    socketio::put_connect_error(&mut text, namespace, &refused.message, refused.data.as_ref());
    connection.send(&[Frame::Message(&text)]);
}

/// The client leaves a namespace, if it is in it.
fn leave<H: Handlers>(handlers: &H, connection: &Connection<SocketIo<H>>, namespace: &str) {
    let left =
        connection.state.remove(|one| one.socket().is_some_and(|socket| socket.namespace == namespace));
    if let Some(Namespace::Connected(socket)) = left {
        socket.forget_acks();
        handlers.disconnected(&socket);
    }
}

impl<H: Handlers> Service for SocketIo<H> {
    type Request = H::Request;
    type State = Client<H>;

    fn open(&self, limits: &Limits) -> Client<H> {
        let limits = socketio::Limits { attachments: MAX_ATTACHMENTS, binary_packet: limits.max_payload };
        let decoder = RefCell::new(Decoder::new(limits));
        Client { decoder, partial: RefCell::default(), namespaces: RefCell::default() }
    }

    fn text(&self, connection: &Rc<Connection<Self>>, text: &str) -> Result<(), Violation> {
        let packet = connection.state.decoder.borrow_mut().text(text);
        self.decoded(connection, packet)
    }

    fn binary(&self, connection: &Rc<Connection<Self>>, bytes: Bytes) -> Result<(), Violation> {
        let packet = connection.state.decoder.borrow_mut().binary(bytes);
        self.decoded(connection, packet)
    }

    fn is_given_up(&self, request: &H::Request) -> bool {
        self.handlers.is_given_up(request)
    }

    fn upgraded(&self, connection: &Connection<Self>) {
        for socket in connection.state.namespaces.borrow().iter().filter_map(Namespace::socket) {
            self.handlers.upgraded(socket);
        }
    }

    fn closed(&self, connection: &Rc<Connection<Self>>) {
        connection.state.partial.take();
        let namespaces: Vec<_> = connection.state.namespaces.borrow().iter().map(Namespace::name).collect();
        for namespace in namespaces {
            leave(&*self.handlers, connection, namespace);
        }
    }
}
