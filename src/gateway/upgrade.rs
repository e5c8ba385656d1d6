//! The WebSocket handshakes of the shop: `/ws` and `/socket.io/`.

use std::{convert::Infallible, io, num::NonZeroU8, rc::Rc};

use actix_codec::Framed;
use actix_http::{
    Request, RequestHead, h1,
    header::{self, HeaderMap, HeaderName, HeaderValue},
};
use actix_web::http::{Method, StatusCode};

use super::{
    bursts,
    client::Client,
    native::NativeSession,
    resume::{self, Start},
    thread::Gateway,
    visitor::Visitor,
};
use crate::{
    clock,
    limits::SessionPermit,
    outbox::{Close, Wire},
    service::ServiceError,
    socketio::{Endpoint, Service},
    transport::{
        connection::Connection,
        handshake::{self, HandshakeError, Refusal, UpgradeRequest, Upgraded},
        websocket::{self, WebSocket},
    },
    web::{
        Code, client,
        edge::{check_standing, log_cause},
        headers, listen,
        messages::Language,
        problem::Problem,
    },
};

/// The subprotocol of `/ws`; a client that cannot set headers offers its token beside it.
const SUBPROTOCOL: &str = "shopbell";
const TOKEN_PREFIX: &str = "bearer.";

/// Whether a request begins a WebSocket here. What else comes with `Upgrade: websocket` (a proxy may send it with all
/// that it forwards) is an ordinary request; CONNECT is none, and never served.
fn is_for_a_socket(head: &RequestHead) -> bool {
    if head.method == Method::CONNECT {
        return true;
    }
    let is_engineio = || {
        let query = head.uri.query().unwrap_or_default();
        form_urlencoded::parse(query.as_bytes()).any(|(key, value)| key == "transport" && value != "polling")
    };
    head.method == Method::GET
        && match head.uri.path() {
            "/ws" => true,
            "/socket.io/" | "/socket.io" => is_engineio(),
            _ => false,
        }
}

/// Handles one request with `Upgrade: websocket`.
///
/// # Errors
/// Never: a request that is wrong is refused.
pub async fn upgrade<S: Service>(
    gateway: Rc<Gateway>,
    socketio: Rc<Endpoint<S>>,
    request: (Request, Framed<Connection, h1::Codec>),
) -> Result<(), Infallible> {
    if !is_for_a_socket(request.0.head()) {
        if let Err(error) = handshake::give_back(request).await {
            tracing::debug!(%error, "a client left before its answer");
        }
        return Ok(());
    }
    let request = UpgradeRequest::new(request);
    let size = headers::check_size(request.head(), gateway.app.settings.max_head);
    let room = check_standing(&gateway.app, request.standing(), request.head().headers()).await;
    if let Err(problem) = size.and(room) {
        refuse(request, &problem).await;
        return Ok(());
    }
    let outcome = match request.head().uri.path() {
        "/ws" => native(gateway, request).await,
        "/socket.io/" | "/socket.io" => socket_io(&socketio, request).await,
        _ => {
            refuse(request, &Problem::not_found()).await;
            Ok(())
        }
    };
    if let Err(error) = outcome {
        tracing::debug!(%error, "a client left during its handshake");
    }
    Ok(())
}

async fn refuse(request: UpgradeRequest, problem: &Problem) {
    let language = Language::of(request.head().headers());
    let refusal = refusal(problem, language);
    request.refuse(&refusal).await;
}

/// The response that a problem is. Logs and counts it.
pub(super) fn refusal(problem: &Problem, language: Language) -> Refusal {
    log_cause(problem);
    let (status, mut headers, body) = problem.parts(language);
    headers::secure(&mut headers);
    Refusal { status, headers, body }
}

/// 426: this address speaks WebSocket only.
pub(super) fn upgrade_required() -> Problem {
    Problem::of_status(StatusCode::UPGRADE_REQUIRED)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
}

fn verify(request: &UpgradeRequest) -> Result<(), Problem> {
    const VERSION: HeaderValue = HeaderValue::from_static("13");
    request.verify().map_err(|error| match error {
        // RFC 6455 §4.4: name the version that is spoken.
        HandshakeError::Version => {
            upgrade_required().with_header(HeaderName::from_static("sec-websocket-version"), VERSION)
        }
        HandshakeError::NotWebSocket => Problem::new(Code::BadRequest, "this is no WebSocket handshake"),
    })
}

async fn socket_io<S: Service>(endpoint: &Endpoint<S>, request: UpgradeRequest) -> io::Result<()> {
    if let Err(problem) = verify(&request) {
        refuse(request, &problem).await;
        return Ok(());
    }
    match endpoint.handshake(request.head()).await {
        Ok(handshake) => {
            let cookie = handshake.cookie().map(|cookie| ("Set-Cookie", cookie.to_owned()));
            let mut headers: Vec<_> = cookie.iter().map(|(name, value)| (*name, value.as_str())).collect();
            // A client that offers some fails the connection when none is chosen (RFC 6455 §4.1). All mean the same here.
            let chosen = subprotocols(request.head().headers()).into_iter().find(|name| is_token(name));
            let chosen = chosen.map(str::to_owned);
            headers.extend(chosen.as_deref().map(|name| ("Sec-WebSocket-Protocol", name)));
            let upgraded = request.accept(&headers).await?;
            endpoint.serve(handshake, upgraded).await
        }
        Err(rejection) => {
            let mut refusal = rejection.into_response();
            headers::secure(&mut refusal.headers);
            request.refuse(&refusal).await;
            Ok(())
        }
    }
}

/// What a good handshake on `/ws` leads to.
struct Admission {
    visitor: Visitor,
    language: Language,
    start: Start,
    digest: Option<NonZeroU8>,
    subprotocol: bool,
    /// The token of the subprotocol is not valid: a browser sees no status, so that a close code tells it.
    log_in_again: bool,
    permits: Vec<SessionPermit>,
}

async fn native(gateway: Rc<Gateway>, request: UpgradeRequest) -> io::Result<()> {
    let admission = match admit(&gateway, &request).await {
        Ok(admission) => admission,
        Err(problem) => {
            refuse(request, &problem).await;
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
    let upgraded = request.accept(&headers).await?;
    begin(gateway, admission, upgraded);
    Ok(())
}

/// Makes the session and runs it.
fn begin(gateway: Rc<Gateway>, admission: Admission, upgraded: Upgraded) {
    let Admission { visitor, language, start, digest, permits, log_in_again, .. } = admission;
    let Upgraded { socket, permit, already_read } = upgraded;
    let outbox = gateway.sweeper.to_socket(socket, Wire::Native, Gateway::purse(&permits));
    let mut new = gateway.new_session(Rc::clone(&outbox), visitor.who, start, permits);
    new.language = language;
    new.digest = digest;
    let client = Client::enter(gateway, new);
    if log_in_again {
        client.session.close(Close::LoggedOut);
    }
    let handler = NativeSession::new(client, start);
    websocket::run(WebSocket::new(handler, outbox, permit), &already_read);
}

/// Checks everything that decides whether there will be a session, and whose.
async fn admit(gateway: &Gateway, request: &UpgradeRequest) -> Result<Admission, Problem> {
    verify(request)?;
    gateway.app.readiness.admit()?;
    let head: &RequestHead = request.head();
    let query = head.uri.query().unwrap_or_default();
    let cursor = resume::from_query(query)?;
    let digest = bursts::from_query(query)?;
    let offered = subprotocols(head.headers());
    let (visitor, log_in_again) = match listen::by_key(&gateway.app, query, head.headers())? {
        Some(key) => (Visitor::listener(&key), false),
        None => visitor(gateway, head, &offered).await?,
    };
    let address = client::address(&gateway.app.settings, head.peer_addr, head.headers());
    let permits =
        gateway.session_permits(address, visitor.who.login.as_deref()).map_err(ServiceError::from)?;
    let start = gateway.start(cursor).await?;
    let language = Language::of(head.headers());
    Ok(Admission {
        visitor,
        language,
        start,
        digest,
        subprotocol: offered.contains(&SUBPROTOCOL),
        log_in_again,
        permits,
    })
}

/// Who opens a session without a listen key, and whether the token of the subprotocol is not valid.
async fn visitor(
    gateway: &Gateway,
    head: &RequestHead,
    offered: &[&str],
) -> Result<(Visitor, bool), Problem> {
    let visitor = Visitor::of(&gateway.app, head.headers(), head.peer_addr).await;
    let token = offered.iter().find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX));
    Ok(match token {
        Some(token) => match gateway.app.accounts.authenticate(token, clock::now()).await? {
            Some(login) => (visitor.map(|_| Visitor::member(login))?, false),
            None => (visitor?, true),
        },
        None => (visitor?, false),
    })
}

/// Whether a text is a token (RFC 9110 §5.6.2).
fn is_token(text: &str) -> bool {
    let is_char = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
    !text.is_empty() && text.bytes().all(is_char)
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
