//! Brings requests and sockets to an Engine.IO [`Engine`]: polls and posts over HTTP, WebSockets, and the upgrade from
//! one to the other. A session lives on one worker thread; what arrives at another finds its way by the session's
//! name.

use std::{
    io,
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use actix_http::RequestHead;
use actix_web::{
    HttpRequest, HttpResponse,
    error::PayloadError,
    http::{
        Method, StatusCode,
        header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE, HeaderValue, SET_COOKIE},
    },
    web,
};
use bytes::{Bytes, BytesMut};
use futures_util::{Stream, StreamExt, future::LocalBoxFuture};
use tokio::{net::TcpStream, sync::oneshot};

use super::{
    handshake::Taken,
    watched::Ended,
    websocket::{self, Line, Peer},
};
use crate::{
    protocol::{
        engineio::{ErrorCode, Packet, Query, Transport},
        frame::{self, FrameError},
    },
    realtime::{Outbox, outbox::Wire},
    service::admissions::Connected,
    socketio::{Engine, Service, Session},
    telemetry,
    web::{
        edge::{AsIs, log_cause},
        messages::Language,
        problem::Problem,
    },
};

/// A request that may begin a session.
pub struct Admitted<R> {
    /// What the service is told of it.
    pub request: R,
    /// A cookie to set.
    pub cookie: Option<String>,
}

/// Why a handshake is refused.
#[derive(Debug)]
pub enum Rejection {
    /// As the reference server says it.
    Protocol(ErrorCode),
    /// For a reason that it does not know, such as a server that is full.
    Problem(Problem),
}

impl From<ErrorCode> for Rejection {
    fn from(code: ErrorCode) -> Self {
        Self::Protocol(code)
    }
}

/// Decides who may begin a session.
pub type Admit<R> = Box<dyn Fn(&RequestHead) -> LocalBoxFuture<'static, Result<Admitted<R>, Rejection>>>;

/// An engine's door on one worker thread.
pub struct Endpoint<S: Service> {
    engine: Rc<Engine<S>>,
    directory: Directory<S>,
    admit: Admit<S::Request>,
}

impl<S: Service> Endpoint<S> {
    /// Opens an engine on this thread: `make` gets the thread's number.
    #[must_use]
    pub fn open(
        directory: &Directory<S>,
        admit: Admit<S::Request>,
        make: impl FnOnce(u8) -> Rc<Engine<S>>,
    ) -> Rc<Self> {
        let engine = directory.enter(make);
        Rc::new(Self { engine, directory: directory.clone(), admit })
    }
}

/// Where the sessions of each worker thread are.
pub struct Directory<S: Service>(Arc<Mutex<Vec<Addr<Worker<S>>>>>);

impl<S: Service> Clone for Directory<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service> Default for Directory<S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<S: Service> Directory<S> {
    fn enter(&self, make: impl FnOnce(u8) -> Rc<Engine<S>>) -> Rc<Engine<S>> {
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A worker that died left its number to its successor.
        let place = workers.iter().position(|worker| !worker.connected()).unwrap_or(workers.len());
        let engine = make(u8::try_from(place).unwrap_or(u8::MAX));
        let worker = Worker(Rc::clone(&engine)).start();
        if place == workers.len() {
            workers.push(worker)
        } else {
            workers[place] = worker
        }
        engine
    }

    fn owner(&self, sid: &str) -> Option<Addr<Worker<S>>> {
        let place = usize::from_str_radix(sid.get(..2)?, 16).ok()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }
}

/// The actor through which other threads reach an engine.
struct Worker<S: Service>(Rc<Engine<S>>);

impl<S: Service> Actor for Worker<S> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.0.sweep_every(), |worker, _| worker.0.sweep(Instant::now()));
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
struct Poll {
    sid: Arc<str>,
    answer: oneshot::Sender<Bytes>,
}

impl<S: Service> Handler<Poll> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Poll { sid, answer }: Poll, _: &mut Self::Context) -> Self::Result {
        self.0.poll(&sid, answer)
    }
}

#[derive(Message)]
#[rtype(result = "()")]
struct PollAborted(Arc<str>);

impl<S: Service> Handler<PollAborted> for Worker<S> {
    type Result = ();

    fn handle(&mut self, PollAborted(sid): PollAborted, _: &mut Self::Context) {
        self.0.poll_aborted(&sid);
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
struct Post {
    sid: Arc<str>,
    body: Bytes,
}

impl<S: Service> Handler<Post> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Post { sid, body }: Post, _: &mut Self::Context) -> Self::Result {
        self.0.post(&sid, &body)
    }
}

#[derive(Message)]
#[rtype(result = "bool")]
struct Knows(Arc<str>);

impl<S: Service> Handler<Knows> for Worker<S> {
    type Result = bool;

    fn handle(&mut self, Knows(sid): Knows, _: &mut Self::Context) -> bool {
        self.0.knows(&sid)
    }
}

/// A WebSocket that wants to take over from polls moves to the thread of its session.
#[derive(Message)]
#[rtype(result = "()")]
struct Adopt {
    sid: Arc<str>,
    socket: std::net::TcpStream,
    connected: Option<Connected>,
    already_read: Bytes,
}

impl<S: Service> Handler<Adopt> for Worker<S> {
    type Result = ();

    fn handle(&mut self, Adopt { sid, socket, connected, already_read }: Adopt, _: &mut Self::Context) {
        match TcpStream::from_std(socket) {
            Ok(socket) => adopt(&self.0, &sid, socket, connected, &already_read),
            Err(error) => tracing::warn!(%error, "a socket could not move to another thread"),
        }
    }
}

fn adopt<S: Service>(
    engine: &Rc<Engine<S>>,
    sid: &str,
    socket: TcpStream,
    connected: Option<Connected>,
    already_read: &[u8],
) {
    let socket = Rc::new(socket);
    let probe = Outbox::to_socket(Rc::clone(&socket), Wire::SocketIo, engine.limits.outbox);
    let Some(session) = engine.begin_upgrade(sid, Rc::clone(&probe)) else {
        // The reference server, too, accepts such a socket and closes it at once.
        probe.send(frame::close(1000, ""));
        return;
    };
    let line = Line::new(EnginePeer { engine: Rc::clone(engine), session }, probe, connected);
    websocket::run(socket, line, engine.limits.max_payload, already_read);
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

/// What becomes of a WebSocket handshake at an engine's address.
pub enum Handshake<S: Service> {
    /// A new session.
    Open(Admitted<S::Request>),
    /// A session that polls wants to go on over the WebSocket.
    Upgrade(Arc<str>),
}

impl<S: Service> Handshake<S> {
    /// A cookie for its answer.
    #[must_use]
    pub fn cookie(&self) -> Option<&str> {
        match self {
            Self::Open(admitted) => admitted.cookie.as_deref(),
            Self::Upgrade(_) => None,
        }
    }
}

impl<S: Service> Endpoint<S> {
    /// Decides on a WebSocket handshake; its 101 is for the caller to write.
    ///
    /// # Errors
    /// As the reference server: an unknown transport, version or session, or an origin that may not connect. And what
    /// who decides on sessions says.
    pub async fn shake_hands(&self, head: &RequestHead) -> Result<Handshake<S>, Rejection> {
        let query = Query::parse(head.uri.query().unwrap_or_default())?;
        if query.transport != Transport::Websocket {
            return Err(ErrorCode::BadRequest.into());
        }
        let Some(sid) = query.sid else {
            return (self.admit)(head).await.map(Handshake::Open);
        };
        let sid: Arc<str> = sid.into();
        let owner = self.directory.owner(&sid).ok_or(ErrorCode::UnknownSession)?;
        match owner.send(Knows(Arc::clone(&sid))).await {
            Ok(true) => Ok(Handshake::Upgrade(sid)),
            _ => Err(ErrorCode::UnknownSession.into()),
        }
    }

    /// Lets a WebSocket in after its 101.
    ///
    /// # Errors
    /// The socket cannot move to the thread of its session.
    pub async fn let_in(&self, handshake: Handshake<S>, taken: Taken) -> io::Result<()> {
        match handshake {
            Handshake::Open(admitted) => {
                self.begin(admitted.request, taken);
                Ok(())
            }
            Handshake::Upgrade(sid) => {
                let Some(owner) = self.directory.owner(&sid) else { return Ok(()) };
                let Taken { socket, connected, already_read } = taken;
                let (socket, already_read) = (socket.into_std()?, already_read.freeze());
                let adopted = owner.send(Adopt { sid, socket, connected, already_read }).await;
                adopted.map_err(io::Error::other)
            }
        }
    }

    fn begin(&self, request: S::Request, Taken { socket, connected, already_read }: Taken) {
        let socket = Rc::new(socket);
        let outbox = Outbox::to_socket(Rc::clone(&socket), Wire::SocketIo, self.engine.limits.outbox);
        let session = self.engine.open_socket(request, Rc::clone(&outbox));
        let line = Line::new(EnginePeer { engine: Rc::clone(&self.engine), session }, outbox, connected);
        websocket::run(socket, line, self.engine.limits.max_payload, &already_read);
    }
}

/// HTTP long-polling: every request at an engine's address that is no WebSocket handshake.
pub async fn polling<S: Service>(request: HttpRequest, body: web::Payload) -> HttpResponse {
    let Some(endpoint) = request.app_data::<Rc<Endpoint<S>>>().cloned() else {
        return HttpResponse::NotFound().finish();
    };
    endpoint.answer(&request, body).await.unwrap_or_else(|refusal| refusal)
}

/// Answers; what is refused is an answer too.
type Answer = Result<HttpResponse, HttpResponse>;

impl<S: Service> Endpoint<S> {
    async fn answer(&self, request: &HttpRequest, body: web::Payload) -> Answer {
        let query = Query::parse(request.query_string()).map_err(refused)?;
        if query.transport != Transport::Polling {
            return Err(refused(ErrorCode::BadRequest));
        }
        match (request.method(), query.sid) {
            (&Method::GET, None) => self.open_session(request).await,
            (_, None) => Err(refused(ErrorCode::BadHandshakeMethod)),
            (&Method::GET, Some(sid)) => self.poll(sid.into(), request.conn_data::<Ended>().cloned()).await,
            (&Method::POST, Some(sid)) => self.post(sid.into(), request, body).await,
            _ => Err(refused(ErrorCode::BadRequest)),
        }
    }

    async fn open_session(&self, request: &HttpRequest) -> Answer {
        let admitted = (self.admit)(request.head()).await.map_err(|rejection| match rejection {
            Rejection::Protocol(code) => refused(code),
            Rejection::Problem(problem) => {
                log_cause(&problem);
                problem.respond(Language::of(request.headers()))
            }
        })?;
        let (_, body) = self.engine.open_polling(admitted.request);
        let mut response = text(body);
        if let Some(cookie) = admitted.cookie.and_then(|cookie| HeaderValue::from_str(&cookie).ok()) {
            response.headers_mut().append(SET_COOKIE, cookie);
        }
        Ok(response)
    }

    async fn poll(&self, sid: Arc<str>, ended: Option<Ended>) -> Answer {
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let (answer, answered) = oneshot::channel();
        let mut watch = PollWatch { owner: owner.clone(), sid: Some(Arc::clone(&sid)) };
        let taken = owner.send(Poll { sid, answer }).await.unwrap_or(Err(ErrorCode::UnknownSession));
        if let Err(code) = taken {
            watch.sid = None;
            return Err(refused(code));
        }
        let ended = ended.unwrap_or_default();
        let body = tokio::select! {
            body = answered => body,
            // The watch tells the session.
            () = ended.wait() => return Err(refused(ErrorCode::BadRequest)),
        };
        watch.sid = None;
        // Without an answer the session went on over a WebSocket, or is gone.
        body.map(text).map_err(|_| refused(ErrorCode::BadRequest))
    }

    async fn post(&self, sid: Arc<str>, request: &HttpRequest, payload: web::Payload) -> Answer {
        let owner = self.directory.owner(&sid).ok_or_else(|| refused(ErrorCode::UnknownSession))?;
        let limit = self.engine.limits.max_payload;
        let declared = request.headers().get(CONTENT_LENGTH).and_then(|length| length.to_str().ok());
        if declared.and_then(|length| length.parse().ok()).is_some_and(|length: usize| length > limit) {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        let body = tokio::time::timeout(self.engine.limits.body_timeout, collect(payload, limit));
        let body = body.await.map_err(|_| HttpResponse::RequestTimeout().finish())??;
        let taken = owner.send(Post { sid, body }).await;
        match taken.unwrap_or(Err(ErrorCode::UnknownSession)) {
            Ok(()) => Ok(text("ok")),
            Err(code) => Err(refused(code)),
        }
    }
}

/// The body of a POST, as far as it may go.
async fn collect(
    mut payload: impl Stream<Item = Result<Bytes, PayloadError>> + Unpin,
    limit: usize,
) -> Result<Bytes, HttpResponse> {
    let mut body = BytesMut::new();
    while let Some(piece) = payload.next().await {
        let piece = piece.map_err(|_| refused(ErrorCode::BadRequest))?;
        if body.len() + piece.len() > limit {
            return Err(HttpResponse::PayloadTooLarge().finish());
        }
        body.extend_from_slice(&piece);
    }
    Ok(body.freeze())
}

/// Tells the session when its poll is dropped without an answer, because the client went away.
struct PollWatch<S: Service> {
    owner: Addr<Worker<S>>,
    sid: Option<Arc<str>>,
}

impl<S: Service> Drop for PollWatch<S> {
    fn drop(&mut self) {
        if let Some(sid) = self.sid.take() {
            // At most one per poll that is under way, and the engine never waits for anything.
            self.owner.do_send(PollAborted(sid));
        }
    }
}

fn text(body: impl Into<Bytes>) -> HttpResponse {
    HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/plain; charset=UTF-8"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(body.into())
}

/// A refusal as the reference server gives it, which its clients read.
fn refused(code: ErrorCode) -> HttpResponse {
    telemetry::refused(code.name());
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = HttpResponse::build(status)
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .body(code.body());
    response.extensions_mut().insert(AsIs);
    response
}
