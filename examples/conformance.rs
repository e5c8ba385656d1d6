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
use actix_http::{HttpService, Request, StatusCode, error::DispatchError, h1, header::HeaderMap};
use actix_server::Server;
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::{App, HttpRequest, HttpResponse, dev::AppConfig, web};
use bytes::Bytes;
use clap::Parser;
use serde::de::IgnoredAny;
use shopbell::{
    config::HumanDuration,
    limits::Purse,
    outbox::{Close, OutboxLimits, Sweeper, Wire},
    protocol::{engineio::Packet, frame, socketio::Event},
    socketio::{
        Accepted, Admitted, Connect, Connecting, Connection, Directory, Door, Endpoint, Engine, Handlers,
        Limits, Owners, Service, Socket, SocketIo, Violation,
    },
    transport::{
        connection,
        handshake::{Refusal, UpgradeRequest, Upgraded},
        websocket::{self, Handler, MessageLimits, WebSocket},
    },
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
    ping_interval: HumanDuration,
    #[arg(long, default_value = "200ms")]
    ping_timeout: HumanDuration,
    #[arg(long, default_value_t = 1_000_000)]
    max_payload: usize,
}

impl Options {
    fn limits(&self) -> Limits {
        Limits {
            max_payload: self.max_payload,
            unused_payload: self.max_payload,
            body_timeout: Duration::from_secs(30),
            message_timeout: Duration::from_secs(30),
            packet_rate: u32::MAX,
            connect_timeout: Some(Duration::from_secs(45)),
        }
    }

    fn sweeper(&self) -> Rc<Sweeper> {
        Sweeper::new(OutboxLimits {
            bytes: OUTBOX,
            ping_interval: self.ping_interval.0,
            ping_timeout: self.ping_timeout.0,
            stall_timeout: Duration::from_secs(60),
        })
    }
}

/// Engine.IO: every message comes back.
struct Echo;

impl Service for Echo {
    type Request = ();
    type State = ();

    fn open(&self, _: &Limits) {}

    fn text(&self, connection: &Rc<Connection<Self>>, text: &str) -> Result<(), Violation> {
        connection.send(&[Packet::Message(text)]);
        Ok(())
    }

    fn binary(&self, connection: &Rc<Connection<Self>>, bytes: Bytes) -> Result<(), Violation> {
        connection.send(&[Packet::Binary(bytes)]);
        Ok(())
    }

    fn closed(&self, _: &Rc<Connection<Self>>) {}
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

    fn connect(&self, connect: Connect<'_, ()>) -> Connecting<String> {
        let data = connect.auth.unwrap_or("{}").to_owned();
        Box::pin(async { Ok(Accepted { data, pid: None }) })
    }

    fn connected(&self, socket: &Rc<Socket<String>>) {
        socket.emit("auth", socket.data.as_str().into());
    }

    fn event(&self, socket: &Rc<Socket<String>>, event: Event<'_>) -> Result<(), Violation> {
        event.args.parse::<Vec<IgnoredAny>>().map_err(|_| Violation)?;
        match (&*event.name, event.ack_id) {
            ("message", _) => socket.emit("message-back", event.args),
            ("message-with-ack", Some(id)) => socket.ack(id, event.args),
            _ => {}
        }
        Ok(())
    }

    fn disconnected(&self, _: &Rc<Socket<String>>) {}
}

/// Plain WebSocket: every message comes back.
struct PlainEcho;

impl Handler for PlainEcho {
    fn limits(&self) -> MessageLimits {
        MessageLimits { bytes: MAX_ECHO, time: Duration::from_secs(60) }
    }

    fn text(&self, text: String, socket: &WebSocket<Self>) {
        socket.outbox().send(&frame::text(&text));
    }

    fn binary(&self, bytes: Vec<u8>, socket: &WebSocket<Self>) {
        socket.outbox().send(&frame::binary(&bytes));
    }

    fn closed(&self, socket: &WebSocket<Self>) {
        socket.outbox().close(Close::Lost);
    }
}

/// What each thread has.
#[derive(Clone)]
struct Endpoints {
    sweeper: Rc<Sweeper>,
    echo: Rc<Endpoint<Echo>>,
    suite: Rc<Endpoint<SocketIo<Suite>>>,
}

fn anyone() -> Door<()> {
    Door {
        admit: Box::new(|_| {
            Box::pin(async { Ok(Admitted { request: (), cookie: None, owner: None, purse: Purse::free() }) })
        }),
        // Session ids are enough: nobody has credentials here.
        check: Box::new(|_| Ok(Owners::new())),
        pay: Box::new(|_, _| Purse::free()),
    }
}

async fn upgrade(
    endpoints: Endpoints,
    request: (Request, Framed<connection::Connection, h1::Codec>),
) -> Result<(), Infallible> {
    let request = UpgradeRequest::new(request);
    let outcome = match request.head().uri.path() {
        "/engine.io/" => engine(&endpoints.echo, request).await,
        "/socket.io/" => engine(&endpoints.suite, request).await,
        _ => echo(&endpoints.sweeper, request).await,
    };
    if let Err(error) = outcome {
        eprintln!("a client left: {error}");
    }
    Ok(())
}

async fn engine<S: Service>(endpoint: &Endpoint<S>, request: UpgradeRequest) -> io::Result<()> {
    match endpoint.handshake(request.head()).await {
        Ok(handshake) => {
            let upgraded = request.accept(&[]).await?;
            endpoint.serve(handshake, upgraded).await
        }
        Err(rejection) => {
            request.refuse(&rejection.into_response()).await;
            Ok(())
        }
    }
}

async fn echo(sweeper: &Sweeper, request: UpgradeRequest) -> io::Result<()> {
    if let Err(error) = request.verify() {
        let body = error.to_string().into();
        request.refuse(&Refusal { status: StatusCode::BAD_REQUEST, headers: HeaderMap::new(), body }).await;
        return Ok(());
    }
    let Upgraded { socket, already_read, .. } = request.accept(&[]).await?;
    let outbox = sweeper.to_socket(socket, Wire::Native, Purse::free());
    websocket::run(WebSocket::new(PlainEcho, outbox, None), &already_read);
    Ok(())
}

async fn polling<S: Service>(request: HttpRequest, body: web::Payload) -> HttpResponse {
    match request.app_data::<Rc<Endpoint<S>>>().cloned() {
        Some(endpoint) => endpoint.respond(&request, body).await,
        None => HttpResponse::NotFound().finish(),
    }
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
            let sweeper = options.sweeper();
            actix_rt::spawn(Rc::clone(&sweeper).run());
            let endpoints = Endpoints {
                echo: Endpoint::open(&echoes, anyone(), |place| {
                    Engine::new(Echo, Limits { connect_timeout: None, ..limits.clone() }, &sweeper, place)
                }),
                suite: Endpoint::open(&suites, anyone(), |place| {
                    Engine::new(SocketIo::new(Suite, limits.message_timeout), limits.clone(), &sweeper, place)
                }),
                sweeper,
            };
            let app = App::new()
                .service(
                    web::resource("/engine.io/")
                        .app_data(Rc::clone(&endpoints.echo))
                        .default_service(web::to(polling::<Echo>)),
                )
                .service(
                    web::resource("/socket.io/")
                        .app_data(Rc::clone(&endpoints.suite))
                        .default_service(web::to(polling::<SocketIo<Suite>>)),
                );
            let connect = fn_service(|socket: TcpStream| {
                let peer = socket.peer_addr().ok();
                let connection = connection::Connection::new;
                let connected = socket.set_nodelay(true).map(|()| (connection(socket), peer));
                ready(connected.map_err(DispatchError::Io))
            });
            let http = HttpService::build()
                .on_connect_ext(|connection: &connection::Connection, extensions| {
                    extensions.insert(connection.handle.clone());
                })
                .upgrade(fn_service(move |request| upgrade(endpoints.clone(), request)))
                .h1(map_config(app, |()| AppConfig::default()));
            connect.and_then(http)
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
