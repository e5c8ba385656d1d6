//! Where the clients of a worker thread come in: the routes that are no WebSocket handshakes, and the Socket.IO endpoint.

use std::{rc::Rc, sync::Arc};

use actix_web::{
    HttpRequest, HttpResponse,
    web::{self, Payload, ServiceConfig},
};

use super::{
    bundle,
    socketio::{Shop, admit, check},
    sse,
    thread::Gateway,
    upgrade::upgrade_required,
};
use crate::{
    socketio::{Directory, Endpoint, Engine, Limits, SocketIo, polling::ProtocolRefusal},
    web::{
        Code, Problem,
        edge::AsIs,
        event_stream,
        messages::Language,
        resource::{get, resource},
    },
};

/// Where the Socket.IO connections of all worker threads are.
pub type SocketIoDirectory = Directory<SocketIo<Shop>>;

/// How long a client may take to connect to a namespace: official clients send CONNECT with their first packet.
const CONNECT_TIMEOUT: std::time::Duration = std::time::Duration::from_secs(5);

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
            body_timeout: settings.body_timeout,
            connect_timeout: Some(CONNECT_TIMEOUT),
        };
        let handlers = SocketIo::new(Shop(Rc::clone(&gateway)));
        let socketio = Endpoint::open(directory, (admit(&gateway.app), check(&gateway.app)), |worker| {
            Engine::new(handlers, limits, &gateway.sweeper, worker)
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
                    .default_service(web::to(polling)),
            );
    }
}

/// Every request at Socket.IO's address that is no WebSocket handshake.
async fn polling(request: HttpRequest, body: Payload) -> HttpResponse {
    let Some(endpoint) = request.app_data::<Rc<SocketIoEndpoint>>().cloned() else {
        return HttpResponse::NotFound().finish();
    };
    if form_urlencoded::parse(request.query_string().as_bytes()).any(|(key, _)| key == "j") {
        let detail =
            "JSONP polling (?j=) is not served: it would let any page read a session; poll with XHR or fetch";
        return Problem::new(Code::BadRequest, detail).respond(Language::of(request.headers()));
    }
    let mut response = endpoint.respond(&request, body).await;
    let is_protocol = response.extensions().contains::<ProtocolRefusal>();
    if is_protocol {
        response.extensions_mut().insert(AsIs);
    }
    response
}
