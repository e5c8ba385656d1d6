//! Where the clients of a worker thread come in: the routes that are no WebSocket handshakes, and the Socket.IO endpoint.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Payload, ServiceConfig},
};

use super::{bundle, door::door, socketio::Shop, sse, thread::Gateway, upgrade::upgrade_required};
use crate::{
    limits::LimitExceeded,
    service::ServiceError,
    socketio::{Directory, Endpoint, Engine, Limits, ProtocolRefusal, SocketIo},
    transport::connection::ConnectionHandle,
    web::{
        Code, Problem, client,
        edge::{AsIs, log_cause},
        event_stream,
        messages::Language,
        resource::{get, resource},
    },
};

/// Where the Socket.IO connections of all worker threads are.
pub type SocketIoDirectory = Directory<SocketIo<Shop>>;

/// How long a client may take to connect to a namespace: official clients send CONNECT with their first packet.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

/// The largest message of a client that is in no namespace yet, in bytes: a CONNECT with its credentials.
const MAX_BEFORE_CONNECT: usize = 16_384;
/// Seconds' worth of handshakes that may come at once on one network connection.
const HANDSHAKE_BURST: u8 = 4;
/// Packets a second beyond `--message-rate` that are no events of the shop: answers to heartbeats, acknowledgements, and
/// what begins and ends sessions.
const CONTROL_RATE: u32 = 20;

type SocketIoEndpoint = Endpoint<SocketIo<Shop>>;

/// The endpoints of one worker thread.
#[derive(Clone)]
pub struct Endpoints {
    /// What the thread's clients share.
    pub gateway: Rc<Gateway>,
    /// Socket.IO's.
    pub socketio: Rc<SocketIoEndpoint>,
}

impl Endpoints {
    /// Opens the endpoints of a worker thread.
    #[must_use]
    pub fn open(gateway: Gateway, directory: &SocketIoDirectory) -> Self {
        let gateway = Rc::new(gateway);
        let recovery = Arc::clone(&gateway.recovery);
        gateway.sweeper.each_round(Box::new(move |now| recovery.sweep(now)));
        let settings = &gateway.app.settings;
        let limits = Limits {
            max_payload: settings.max_payload,
            unused_payload: MAX_BEFORE_CONNECT,
            body_timeout: settings.body_timeout,
            message_timeout: settings.message_timeout,
            packet_rate: settings.message_rate.saturating_add(CONTROL_RATE),
            connect_timeout: Some(CONNECT_TIMEOUT),
        };
        let handlers = SocketIo::new(Shop(Rc::clone(&gateway)), settings.message_timeout);
        let socketio = Endpoint::open(directory, door(&gateway.app), |place| {
            Engine::new(handlers, limits, &gateway.sweeper, place)
        });
        Self { gateway, socketio }
    }

    /// Adds the routes for requests without an upgrade.
    pub fn configure(&self, config: &mut ServiceConfig) {
        config
            .service(resource(event_stream::PATH, [get(sse::events)]).app_data(Rc::clone(&self.gateway)))
            .service(resource("/socket.io/{file}", [get(bundle::serve)]))
            .service(resource("/ws", [get(async || Err::<String, _>(upgrade_required()))]))
            .service(
                web::resource(["/socket.io/", "/socket.io"])
                    .app_data(Rc::clone(&self.socketio))
                    .app_data(Rc::clone(&self.gateway))
                    .default_service(web::to(polling)),
            );
    }
}

/// Every request at Socket.IO's address that is no WebSocket handshake.
async fn polling(request: HttpRequest, body: Payload) -> HttpResponse {
    let endpoint = request.app_data::<Rc<SocketIoEndpoint>>().cloned();
    let Some((endpoint, gateway)) = endpoint.zip(request.app_data::<Rc<Gateway>>().cloned()) else {
        return HttpResponse::NotFound().finish();
    };
    if form_urlencoded::parse(request.query_string().as_bytes()).any(|(key, _)| key == "j") {
        let detail =
            "JSONP polling (?j=) is not served: it would let any page read a session; poll with XHR or fetch";
        return Problem::new(Code::BadRequest, detail).respond(Language::of(request.headers()));
    }
    if !begins_slowly(&request, &gateway) {
        let problem = Problem::from(ServiceError::from(LimitExceeded::HandshakeRate));
        log_cause(&problem);
        return problem.respond(Language::of(request.headers()));
    }
    let mut response = endpoint.respond(&request, body).await;
    let is_protocol = response.extensions().contains::<ProtocolRefusal>();
    if is_protocol {
        response.extensions_mut().insert(AsIs);
    }
    response
}

/// Counts the handshakes of each network connection, when it is a handshake: who says later who it is counts in no other
/// rate until then. Only proxies bring many clients on one connection.
fn begins_slowly(request: &HttpRequest, gateway: &Gateway) -> bool {
    let is_handshake =
        !form_urlencoded::parse(request.query_string().as_bytes()).any(|(key, _)| key == "sid");
    if !is_handshake || client::is_proxy(&gateway.app.settings, request.peer_addr()) {
        return true;
    }
    let rate = gateway.app.settings.handshake_rate;
    request.conn_data::<ConnectionHandle>().is_none_or(|handle| handle.take_handshake(rate, HANDSHAKE_BURST))
}
