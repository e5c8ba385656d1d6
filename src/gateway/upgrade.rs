//! The WebSocket handshakes of the shop: `/ws` and `/socket.io/`.

use std::{convert::Infallible, io, rc::Rc, time::Instant};

use actix_codec::Framed;
use actix_http::{
    Request, RequestHead, h1,
    header::{self, HeaderMap, HeaderValue},
};
use actix_web::http::StatusCode;

use super::{Gateway, client::Shopper, cursor, native::NativeSession, visitor::Visitor};
use crate::{
    clock,
    domain::Offset,
    limits::admission::{Limit, Place},
    outbox::{Outbox, Wire},
    realtime::{Close, Session, session::Feeding},
    service::ServiceError,
    socketio::Rejection,
    telemetry,
    transport::{
        connection::Watched,
        handshake::{self, Arrival, Taken},
        websocket::{self, Line},
    },
    web::{client, edge::log_cause, headers, messages::Language, problem::Problem},
};

/// The subprotocol of `/ws`; a client that cannot set headers offers its token beside it.
const SUBPROTOCOL: &str = "shopbell";
const TOKEN_PREFIX: &str = "bearer.";

/// Handles one request with `Upgrade: websocket`.
///
/// # Errors
/// Never: what is wrong is answered.
pub async fn upgrade(
    gateway: Rc<Gateway>,
    request: (Request, Framed<Watched, h1::Codec>),
) -> Result<(), Infallible> {
    let arrival = Arrival::new(request);
    let size = headers::check_size(arrival.head(), gateway.app.settings.max_head);
    let room = if arrival.is_extra() { Err(ServiceError::from(Limit::Server).into()) } else { Ok(()) };
    if let Err(problem) = size.and(room) {
        refuse(arrival, &problem).await;
        return Ok(());
    }
    let outcome = match arrival.head().uri.path() {
        "/ws" => native(gateway, arrival).await,
        "/socket.io/" | "/socket.io" => socketio(&gateway, arrival).await,
        _ => {
            refuse(arrival, &Problem::not_found()).await;
            Ok(())
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a client left during its handshake");
    }
    Ok(())
}

async fn refuse(arrival: Arrival, problem: &Problem) {
    log_cause(problem);
    let (status, mut headers, body) = problem.parts(Language::of(arrival.head().headers()));
    headers::secure(&mut headers);
    arrival.refuse(status, &headers, &body).await;
}

async fn socketio(gateway: &Gateway, arrival: Arrival) -> io::Result<()> {
    if let Err(problem) = handshake::check(arrival.head()) {
        refuse(arrival, &problem).await;
        return Ok(());
    }
    match gateway.socketio.shake_hands(arrival.head()).await {
        Ok(handshake) => {
            let cookie = handshake.cookie().map(|cookie| ("Set-Cookie", cookie.to_owned()));
            let headers: Vec<_> = cookie.iter().map(|(name, value)| (*name, value.as_str())).collect();
            let taken = arrival.accept(&headers).await?;
            gateway.socketio.let_in(handshake, taken).await
        }
        Err(rejection) => {
            reject(arrival, &rejection).await;
            Ok(())
        }
    }
}

/// Answers a handshake of Engine.IO that is refused.
pub async fn reject(arrival: Arrival, rejection: &Rejection) {
    let code = match rejection {
        Rejection::Protocol(code) => code,
        Rejection::Problem(problem) => return refuse(arrival, problem).await,
    };
    telemetry::refused(code.name());
    let status = StatusCode::from_u16(code.http_status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut headers = HeaderMap::new();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
    headers::secure(&mut headers);
    arrival.refuse(status, &headers, code.body().as_bytes()).await;
}

/// What a good handshake on `/ws` leads to.
struct Admission {
    visitor: Visitor,
    after: Option<Offset>,
    subprotocol: bool,
    /// The token of the subprotocol does not hold: a browser sees no status, so it is told by a close code.
    log_in_again: bool,
    places: Vec<Place>,
}

async fn native(gateway: Rc<Gateway>, arrival: Arrival) -> io::Result<()> {
    let admission = match admit(&gateway, arrival.head()).await {
        Ok(admission) => admission,
        Err(problem) => {
            refuse(arrival, &problem).await;
            return Ok(());
        }
    };
    let mut headers = Vec::new();
    if admission.subprotocol {
        headers.push(("Sec-WebSocket-Protocol", SUBPROTOCOL));
    }
    if let Some(cookie) = &admission.visitor.cookie {
        headers.push(("Set-Cookie", cookie));
    }
    let taken = arrival.accept(&headers).await?;
    begin(gateway, admission, taken);
    Ok(())
}

/// Makes the session and lets it run.
fn begin(gateway: Rc<Gateway>, admission: Admission, taken: Taken) {
    let Visitor { login, person, .. } = admission.visitor;
    let feeding = match admission.after {
        _ if !gateway.is_audience(login.is_some()) => Feeding::Never,
        None => Feeding::Live,
        Some(_) => Feeding::Behind,
    };
    let Taken { socket, connected, already_read } = taken;
    let outbox = Outbox::to_socket(socket, Wire::Native, gateway.app.settings.outbox_limit);
    let session = Session::new(&gateway.registry, login, person, Rc::clone(&outbox), feeding);
    if let Some(after) = admission.after {
        session.set_position(after);
    }
    if admission.log_in_again {
        session.close(Close::LoggedOut);
    }
    let max_payload = gateway.app.settings.max_payload;
    let peer = NativeSession::new(Shopper::enter(gateway, session, admission.places));
    websocket::run(Line::new(peer, outbox, connected), max_payload, &already_read);
}

/// Checks everything that decides whether there will be a session, and whose.
async fn admit(gateway: &Gateway, head: &RequestHead) -> Result<Admission, Problem> {
    handshake::check(head)?;
    gateway.app.readiness.admit()?;
    let address = client::address(&gateway.app.settings, head.peer_addr, head.headers());
    let place = gateway.app.admissions.arrive(address, Instant::now()).map_err(ServiceError::from)?;
    let after = match cursor::after(head.uri.query().unwrap_or_default())? {
        Some(after) => Some(gateway.within_log(after).await?),
        None => None,
    };
    let offered = subprotocols(head.headers());
    let visitor = Visitor::of(&gateway.app, head.headers(), head.peer_addr).await;
    let token = offered.iter().find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX));
    let (visitor, log_in_again) = match token {
        Some(token) => match gateway.app.accounts.who(token, clock::now()).await? {
            Some(login) => (visitor.map(|_| Visitor::member(login))?, false),
            None => (visitor?, true),
        },
        None => (visitor?, false),
    };
    let places = gateway.places(Some(place), visitor.login.as_deref()).map_err(ServiceError::from)?;
    Ok(Admission { visitor, after, subprotocol: offered.contains(&SUBPROTOCOL), log_in_again, places })
}

/// The subprotocols that a handshake offers (RFC 6455 §11.3.4).
#[must_use]
pub fn subprotocols(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}
