//! What the official protocol test suites talk to, on the same engine and the same WebSocket path as the shop:
//!
//! - `/engine.io/`: Engine.IO, every message comes back;
//! - `/socket.io/`: Socket.IO with the namespaces `/` and `/custom`: `auth` after connecting, `message` comes back as
//!   `message-back`, `message-with-ack` is acknowledged with its arguments;
//! - `/echo`: plain WebSocket (RFC 6455), every message comes back, up to 16 MiB.
//!
//! `cargo run --example conformance -- --addr 127.0.0.1:3000`

use std::{
    convert::Infallible,
    future::ready,
    io,
    net::{Ipv4Addr, Ipv6Addr, SocketAddr},
    rc::Rc,
    time::Duration,
};

use actix_codec::Framed;
use actix_http::{HttpService, Request, error::DispatchError, h1};
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, dev::AppConfig, web};
use bytes::Bytes;
use clap::Parser;
use futures_util::future::LocalBoxFuture;
use shopbell::{
    config::Span,
    gateway::upgrade::reject,
    outbox::{Outbox, Wire},
    protocol::{
        engineio::Packet,
        frame::{self, FrameError},
        socketio::Event,
    },
    socketio::{
        Accepted, Admit, Admitted, Directory, Endpoint, Engine, Handlers, Limits, Refused, Service, Session,
        Socket, SocketIo, engine::Broken, polling,
    },
    transport::{
        connection::Watched,
        handshake::{self, Arrival, Taken},
        websocket::{self, Line, Peer},
    },
    web::messages::Language,
};
use tokio::net::TcpStream;

/// The most that `/echo` takes.
const MAX_ECHO: usize = 16 * 1024 * 1024;
/// So much may wait for a client that does not read; then it is dropped.
const OUTBOX: usize = 64 * 1024 * 1024;

#[derive(Clone, Parser)]
struct Options {
    /// Where to listen; the port is bound on 127.0.0.1 and ::1
    #[arg(long, default_value = "127.0.0.1:3000")]
    addr: SocketAddr,
    #[arg(long, default_value = "300ms")]
    ping_interval: Span,
    #[arg(long, default_value = "200ms")]
    ping_timeout: Span,
    #[arg(long, default_value_t = 1_000_000)]
    max_payload: usize,
}

impl Options {
    fn limits(&self) -> Limits {
        Limits {
            ping_interval: self.ping_interval.0,
            ping_timeout: self.ping_timeout.0,
            max_payload: self.max_payload,
            body_timeout: Duration::from_secs(30),
            outbox: OUTBOX,
            connect_timeout: Some(Duration::from_secs(45)),
            stall_timeout: Some(Duration::from_secs(60)),
        }
    }
}

/// Engine.IO: every message comes back.
struct Echo;

impl Service for Echo {
    type Request = ();
    type State = ();

    fn open(&self, _: &Limits) {}

    fn text(&self, session: &Rc<Session<Self>>, text: &str) -> Result<(), Broken> {
        session.send(&[Packet::Message(text)]);
        Ok(())
    }

    fn binary(&self, session: &Rc<Session<Self>>, bytes: Bytes) -> Result<(), Broken> {
        session.send(&[Packet::Binary(bytes)]);
        Ok(())
    }

    fn close(&self, _: &Rc<Session<Self>>) {}
}

/// Socket.IO: the handlers that the suite expects.
struct Suite;

impl Handlers for Suite {
    type Request = ();
    /// The JSON that the client brought.
    type Data = String;

    fn namespace(&self, name: &str) -> Option<&'static str> {
        ["/", "/custom"].into_iter().find(|known| *known == name)
    }

    fn connect(
        &self,
        _: &Rc<Session<SocketIo<Self>>>,
        _: &'static str,
        auth: Option<&str>,
    ) -> LocalBoxFuture<'static, Result<Accepted<String>, Refused>> {
        let data = auth.unwrap_or("{}").to_owned();
        Box::pin(async { Ok(Accepted { data, pid: None }) })
    }

    fn connected(&self, socket: &Rc<Socket<Self>>) {
        socket.emit("auth", socket.data.as_str().into());
    }

    fn event(&self, socket: &Rc<Socket<Self>>, event: Event<'_>) {
        match (&*event.name, event.ack_id) {
            ("message", _) => socket.emit("message-back", event.args),
            ("message-with-ack", Some(id)) => socket.ack(id, event.args),
            _ => {}
        }
    }

    fn disconnected(&self, _: &Rc<Socket<Self>>) {}
}

/// Plain WebSocket: every message comes back.
struct PlainEcho;

impl Peer for PlainEcho {
    fn text(&self, text: String, line: &Line<Self>) {
        line.outbox().send(&frame::text(&text));
    }

    fn binary(&self, bytes: Vec<u8>, line: &Line<Self>) {
        line.outbox().send(&frame::binary(&bytes));
    }

    fn broke_protocol(&self, error: FrameError, line: &Line<Self>) {
        line.outbox().close(error.close_code(), &error.to_string());
    }

    fn end(&self, _: &Line<Self>) {}
}

/// What each thread has.
struct Doors {
    echo: Rc<Endpoint<Echo>>,
    suite: Rc<Endpoint<SocketIo<Suite>>>,
}

fn anyone() -> Admit<()> {
    Box::new(|_| Box::pin(async { Ok(Admitted { request: (), cookie: None }) }))
}

async fn upgrade(doors: Rc<Doors>, request: (Request, Framed<Watched, h1::Codec>)) -> Result<(), Infallible> {
    let arrival = Arrival::new(request);
    let outcome = match arrival.head().uri.path() {
        "/engine.io/" => engine(&doors.echo, arrival).await,
        "/socket.io/" => engine(&doors.suite, arrival).await,
        _ => echo(arrival).await,
    };
    if let Err(error) = outcome {
        eprintln!("a client left: {error}");
    }
    Ok(())
}

async fn engine<S: Service>(endpoint: &Endpoint<S>, arrival: Arrival) -> io::Result<()> {
    match endpoint.shake_hands(arrival.head()).await {
        Ok(shaken) => {
            let taken = arrival.accept(&[]).await?;
            endpoint.let_in(shaken, taken).await
        }
        Err(rejection) => {
            reject(arrival, &rejection).await;
            Ok(())
        }
    }
}

async fn echo(arrival: Arrival) -> io::Result<()> {
    if let Err(problem) = handshake::check(arrival.head()) {
        let (status, headers, body) = problem.parts(Language::English);
        arrival.refuse(status, &headers, &body).await;
        return Ok(());
    }
    let Taken { socket, already_read, .. } = arrival.accept(&[]).await?;
    let outbox = Outbox::to_socket(socket, Wire::Native, OUTBOX);
    websocket::run(Line::new(PlainEcho, outbox, None), MAX_ECHO, &already_read);
    Ok(())
}

#[actix_rt::main]
async fn main() -> io::Result<()> {
    let options = Options::parse();
    let (echoes, suites) = (Directory::<Echo>::default(), Directory::<SocketIo<Suite>>::default());
    let mut server = Server::build();
    let port = options.addr.port();
    for addr in [SocketAddr::from((Ipv4Addr::LOCALHOST, port)), SocketAddr::from((Ipv6Addr::LOCALHOST, port))]
    {
        let (options, echoes, suites) = (options.clone(), echoes.clone(), suites.clone());
        let worker = move || {
            let limits = options.limits();
            let doors = Rc::new(Doors {
                echo: Endpoint::open(&echoes, anyone(), |worker| {
                    Engine::new(Echo, Limits { connect_timeout: None, ..limits.clone() }, worker)
                }),
                suite: Endpoint::open(&suites, anyone(), |worker| {
                    Engine::new(SocketIo::new(Suite), limits.clone(), worker)
                }),
            });
            let app = App::new()
                .service(
                    web::resource("/engine.io/")
                        .app_data(Rc::clone(&doors.echo))
                        .default_service(web::to(polling::polling::<Echo>)),
                )
                .service(
                    web::resource("/socket.io/")
                        .app_data(Rc::clone(&doors.suite))
                        .default_service(web::to(polling::polling::<SocketIo<Suite>>)),
                );
            let watch = fn_service(|socket: TcpStream| {
                let peer = socket.peer_addr().ok();
                let watched = socket.set_nodelay(true).map(|()| (Watched::new(socket), peer));
                ready(watched.map_err(DispatchError::Io))
            });
            let http = HttpService::build()
                .on_connect_ext(|socket: &Watched, extensions| drop(extensions.insert(socket.ended.clone())))
                .upgrade(fn_service(move |request| upgrade(Rc::clone(&doors), request)))
                .h1(map_config(app, |()| AppConfig::default()));
            watch.and_then(http)
        };
        server = match server.bind("conformance", addr, worker) {
            Ok(server) => server,
            Err(error) => {
                return Err(io::Error::new(error.kind(), format!("cannot listen on {addr}: {error}")));
            }
        };
        println!("listening on http://{addr}");
    }
    server.run().await
}
