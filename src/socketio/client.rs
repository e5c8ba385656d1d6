//! Socket.IO 5 over an Engine.IO session: a client connects to namespaces, and in each sends and gets events and
//! acknowledgements.
//!
//! What is quoted comes from `docs/socket.io-protocol/v5-current.md` of socketio/socket.io.

use std::{
    borrow::Cow,
    cell::RefCell,
    collections::HashMap,
    rc::{Rc, Weak},
    time::Duration,
};

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use bytes::Bytes;
use futures_util::future::LocalBoxFuture;
use serde_json::Value;
use tokio::sync::oneshot;

use super::engine::{Broken, Limits, Service, Session};
use crate::protocol::{
    engineio::Packet as Frame,
    socketio::{self, Args, Body, Decoder, Event},
};

/// The most attachments of one packet, as in the reference.
const MAX_ATTACHMENTS: usize = 10;
/// The most namespaces that one client may be in, and the most acknowledgements that it may owe.
const MAX_NAMESPACES: usize = 16;
const MAX_ACKS: usize = 1024;

/// A client that may come in.
pub struct Accepted<D> {
    /// What the handlers keep of it.
    pub data: D,
    /// Its private id, when lost connections can be recovered. The same as the client brought means: recovered.
    pub pid: Option<String>,
}

/// A client that may not.
#[derive(Clone, Debug)]
pub struct Refused {
    /// What its `connect_error` says.
    pub message: String,
    /// What comes with it.
    pub data: Option<Value>,
}

/// What events mean: given to the engine by whoever uses it.
pub trait Handlers: Sized + 'static {
    /// What is known from the request that began the session.
    type Request: 'static;
    /// What is kept of a client in a namespace.
    type Data: 'static;

    /// The name of a namespace as it is known here; `None` when there is no such namespace.
    fn namespace(&self, name: &str) -> Option<&'static str>;
    /// A client wants to connect to a namespace; `auth` is the JSON object that it brought. Its events come after
    /// the answer.
    fn connect(
        &self,
        session: &Rc<Session<SocketIo<Self>>>,
        namespace: &'static str,
        auth: Option<&str>,
    ) -> LocalBoxFuture<'static, Result<Accepted<Self::Data>, Refused>>;
    /// It is connected, and knows.
    fn connected(&self, socket: &Rc<Socket<Self>>);
    /// It sent an event.
    fn event(&self, socket: &Rc<Socket<Self>>, event: Event<'_>);
    /// It is no longer connected.
    fn disconnected(&self, socket: &Rc<Socket<Self>>);
}

/// Why no acknowledgement came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum AckError {
    /// Not in time.
    #[error("no acknowledgement in time")]
    TimedOut,
    /// The client left.
    #[error("the client left")]
    Disconnected,
    /// It owes too many already.
    #[error("the client owes too many acknowledgements")]
    TooMany,
}

/// A client in a namespace.
pub struct Socket<H: Handlers> {
    /// Which namespace.
    pub namespace: &'static str,
    /// What the handlers keep of it.
    pub data: H::Data,
    session: Weak<Session<SocketIo<H>>>,
    /// Made when it is first asked for one.
    acks: RefCell<Option<Box<Acks>>>,
}

/// The acknowledgements that a client owes, by their numbers.
#[derive(Default)]
struct Acks {
    waiting: HashMap<u64, oneshot::Sender<Args<'static>>>,
    next: u64,
}

impl<H: Handlers> Socket<H> {
    /// Sends an event. The arguments are JSON values joined by commas, with their attachments.
    pub fn emit(&self, name: &str, args: Args<'_>) {
        self.send(Body::Event(Event { name: name.into(), args, ack_id: None }));
    }

    /// Answers an event.
    pub fn ack(&self, id: u64, args: Args<'_>) {
        self.send(Body::Ack { id, args });
    }

    /// Sends an event and waits for its acknowledgement.
    ///
    /// # Errors
    /// None comes in time, or ever.
    pub async fn request(
        &self,
        name: &str,
        args: Args<'_>,
        timeout: Duration,
    ) -> Result<Args<'static>, AckError> {
        let (id, answered) = self.expect_ack().ok_or(AckError::TooMany)?;
        self.send(Body::Event(Event { name: name.into(), args, ack_id: Some(id) }));
        let answered = tokio::time::timeout(timeout, answered).await;
        self.take_ack(id);
        answered.map_err(|_| AckError::TimedOut)?.map_err(|_| AckError::Disconnected)
    }

    /// One acknowledgement more, by a number of its own.
    fn expect_ack(&self) -> Option<(u64, oneshot::Receiver<Args<'static>>)> {
        let mut acks = self.acks.borrow_mut();
        let acks = acks.get_or_insert_default();
        if acks.waiting.len() >= MAX_ACKS {
            return None;
        }
        let (answer, answered) = oneshot::channel();
        let id = acks.next;
        acks.next += 1;
        acks.waiting.insert(id, answer);
        Some((id, answered))
    }

    /// Who waits for an acknowledgement, if anyone does.
    fn take_ack(&self, id: u64) -> Option<oneshot::Sender<Args<'static>>> {
        self.acks.borrow_mut().as_mut()?.waiting.remove(&id)
    }

    /// Disconnects the client from the namespace, on purpose: it does not come back by itself.
    pub fn disconnect(&self) {
        self.send(Body::Disconnect);
        if let Some(session) = self.session.upgrade() {
            session.state.leave(self.namespace);
        }
    }

    /// The session that it is part of, while that lasts.
    #[must_use]
    pub fn session(&self) -> Option<Rc<Session<SocketIo<H>>>> {
        self.session.upgrade()
    }

    fn send(&self, body: Body<'_>) {
        if let Some(session) = self.session.upgrade() {
            send(&session, self.namespace, body);
        }
    }
}

fn send<H: Handlers>(session: &Session<SocketIo<H>>, namespace: &str, body: Body<'_>) {
    let packet = socketio::Packet { namespace: namespace.into(), body };
    let mut text = String::new();
    packet.put(&mut text);
    let attachments = packet.attachments().iter().cloned().map(Frame::Binary);
    let frames: Vec<Frame<'_>> = std::iter::once(Frame::Message(&text)).chain(attachments).collect();
    session.send(&frames);
}

/// What is kept of a client.
pub struct Client<H: Handlers> {
    decoder: RefCell<Decoder>,
    namespaces: RefCell<Vec<Namespace<H>>>,
    handlers: Rc<H>,
}

/// A namespace that a client is in, or about to be.
enum Namespace<H: Handlers> {
    /// The handlers have not answered yet.
    Connecting(&'static str),
    Connected(Rc<Socket<H>>),
}

impl<H: Handlers> Namespace<H> {
    fn name(&self) -> &'static str {
        match self {
            Self::Connecting(name) => name,
            Self::Connected(socket) => socket.namespace,
        }
    }

    fn socket(&self) -> Option<&Rc<Socket<H>>> {
        match self {
            Self::Connecting(_) => None,
            Self::Connected(socket) => Some(socket),
        }
    }
}

impl<H: Handlers> Client<H> {
    fn socket(&self, namespace: &str) -> Option<Rc<Socket<H>>> {
        let namespaces = self.namespaces.borrow();
        namespaces.iter().filter_map(Namespace::socket).find(|socket| socket.namespace == namespace).cloned()
    }

    fn add(&self, namespace: Namespace<H>) {
        let mut namespaces = self.namespaces.borrow_mut();
        // Hardly anyone has a second.
        namespaces.reserve_exact(1);
        namespaces.push(namespace);
    }

    fn remove(&self, which: impl Fn(&Namespace<H>) -> bool) -> Option<Namespace<H>> {
        let mut namespaces = self.namespaces.borrow_mut();
        let place = namespaces.iter().position(which)?;
        Some(namespaces.swap_remove(place))
    }

    fn leave(&self, namespace: &str) {
        let left = self.remove(|one| one.socket().is_some_and(|socket| socket.namespace == namespace));
        if let Some(Namespace::Connected(socket)) = left {
            socket.acks.take();
            self.handlers.disconnected(&socket);
        }
    }
}

/// The service that speaks Socket.IO.
pub struct SocketIo<H> {
    handlers: Rc<H>,
}

impl<H: Handlers> SocketIo<H> {
    /// With the handlers of its namespaces.
    #[must_use]
    pub fn new(handlers: H) -> Self {
        Self { handlers: Rc::new(handlers) }
    }

    fn packet(&self, session: &Rc<Session<Self>>, packet: socketio::Packet<'_>) -> Result<(), Broken> {
        let namespace = packet.namespace;
        match packet.body {
            Body::Connect(auth) => self.connect(session, &namespace, auth.as_deref()),
            Body::Disconnect => {
                session.state.leave(&namespace);
                Ok(())
            }
            // "if that's not the case, then the receiver MUST close the connection".
            Body::ConnectError(_) => Err(Broken),
            Body::Event(event) => {
                let socket = session.state.socket(&namespace).ok_or(Broken)?;
                self.handlers.event(&socket, event);
                Ok(())
            }
            Body::Ack { id, args } => {
                let socket = session.state.socket(&namespace).ok_or(Broken)?;
                let answer = socket.take_ack(id);
                // An acknowledgement that nobody waits for any more is late, not wrong.
                answer.map(|answer| answer.send(args.into_owned()));
                Ok(())
            }
        }
    }

    fn connect(
        &self,
        session: &Rc<Session<Self>>,
        namespace: &str,
        auth: Option<&str>,
    ) -> Result<(), Broken> {
        let Some(namespace) = self.handlers.namespace(namespace) else {
            let error = Cow::Borrowed(r#"{"message":"Invalid namespace"}"#);
            send(session, namespace, Body::ConnectError(error));
            return Ok(());
        };
        {
            let namespaces = session.state.namespaces.borrow();
            let known = namespaces.iter().any(|known| known.name() == namespace);
            if known || namespaces.len() >= MAX_NAMESPACES {
                return Err(Broken);
            }
        }
        session.state.add(Namespace::Connecting(namespace));
        let answer = self.handlers.connect(session, namespace, auth);
        let (handlers, session) = (Rc::clone(&self.handlers), Rc::clone(session));
        actix_rt::spawn(async move {
            let answer = answer.await;
            session.state.remove(|one| one.socket().is_none() && one.name() == namespace);
            match answer {
                Ok(accepted) => enter(&handlers, &session, namespace, accepted),
                Err(refused) => refuse(&session, namespace, &refused),
            }
        });
        Ok(())
    }
}

fn enter<H: Handlers>(
    handlers: &Rc<H>,
    session: &Rc<Session<SocketIo<H>>>,
    namespace: &'static str,
    accepted: Accepted<H::Data>,
) {
    let socket = Rc::new(Socket {
        namespace,
        data: accepted.data,
        session: Rc::downgrade(session),
        acks: RefCell::default(),
    });
    let random: [u8; 15] = rand::random();
    let (id, mut text) = (URL_SAFE_NO_PAD.encode(random), String::new());
    socketio::put_connect(&mut text, namespace, &id, accepted.pid.as_deref());
    session.send(&[Frame::Message(&text)]);
    session.set_used();
    session.state.add(Namespace::Connected(Rc::clone(&socket)));
    handlers.connected(&socket);
    if session.is_over() {
        // The client left while it was let in.
        session.state.leave(namespace);
    }
}

fn refuse<H: Handlers>(session: &Session<SocketIo<H>>, namespace: &str, refused: &Refused) {
    let mut text = String::new();
    socketio::put_connect_error(&mut text, namespace, &refused.message, refused.data.as_ref());
    session.send(&[Frame::Message(&text)]);
}

impl<H: Handlers> Service for SocketIo<H> {
    type Request = H::Request;
    type State = Client<H>;

    fn open(&self, limits: &Limits) -> Client<H> {
        let limits = socketio::Limits { attachments: MAX_ATTACHMENTS, binary_packet: limits.max_payload };
        Client {
            decoder: RefCell::new(Decoder::new(limits)),
            namespaces: RefCell::default(),
            handlers: Rc::clone(&self.handlers),
        }
    }

    fn text(&self, session: &Rc<Session<Self>>, text: &str) -> Result<(), Broken> {
        let packet = session.state.decoder.borrow_mut().text(text).map_err(|_| Broken)?;
        packet.map_or(Ok(()), |packet| self.packet(session, packet))
    }

    fn binary(&self, session: &Rc<Session<Self>>, bytes: Bytes) -> Result<(), Broken> {
        let packet = session.state.decoder.borrow_mut().binary(bytes).map_err(|_| Broken)?;
        packet.map_or(Ok(()), |packet| self.packet(session, packet))
    }

    fn close(&self, session: &Rc<Session<Self>>) {
        let namespaces: Vec<_> = session.state.namespaces.borrow().iter().map(Namespace::name).collect();
        for namespace in namespaces {
            session.state.leave(namespace);
        }
    }
}
