//! The WebSocket handshake (RFC 6455 §4.2), outside of actix-web: it checks path, origin and credentials, writes
//! the 101, and takes the socket out of the HTTP dispatcher, whose buffers are dropped (DESIGN D5).

use std::{convert::Infallible, rc::Rc, time::Instant};

use actix_codec::Framed;
use actix_http::{
    Request, RequestHead, h1,
    header::{self, HeaderMap, HeaderName, HeaderValue},
    ws,
};
use actix_web::http::StatusCode;
use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{Gateway, visitor, websocket};
use crate::{
    clock,
    config::Audience,
    domain::{LoginSession, Offset},
    realtime::{Close, Login, Outbox, Person, Session, session::Feeding},
    service::ServiceError,
    web::{
        auth::{self, Identity},
        client,
        edge::log_cause,
        messages::Language,
        origin::Origin,
        problem::Problem,
    },
};

/// The subprotocol of `/ws`; a client that cannot set headers offers its token beside it.
const SUBPROTOCOL: &str = "shopbell";
const TOKEN_PREFIX: &str = "bearer.";

/// What a good handshake leads to.
struct Admission {
    login: Option<LoginSession>,
    person: Person,
    /// The cookie by which a guest is known again, when it is new.
    new_visitor: Option<String>,
    after: Option<Offset>,
    subprotocol: bool,
    /// The token of the subprotocol does not hold: a browser sees no status, so it is told by a close code.
    log_in_again: bool,
}

/// Handles one request with `Upgrade: websocket`.
///
/// # Errors
/// Never: what is wrong is answered.
pub async fn upgrade(
    gateway: Rc<Gateway>,
    (request, framed): (Request, Framed<TcpStream, h1::Codec>),
) -> Result<(), Infallible> {
    let mut parts = framed.into_parts();
    let admission = admit(&gateway, request.head()).await;
    let response = match &admission {
        Ok(admission) => switching_protocols(request.head(), admission),
        Err(problem) => refusal(problem, request.head().headers()),
    };
    // Answers to requests that were pipelined before this one come first.
    let mut bytes = std::mem::take(&mut parts.write_buf);
    bytes.extend_from_slice(&response);
    if parts.io.write_all(&bytes).await.is_err() {
        return Ok(());
    }
    match admission {
        Ok(admission) => begin(gateway, admission, parts.io, &parts.read_buf),
        Err(_) => drop(parts.io.shutdown().await),
    }
    Ok(())
}

/// Makes the session and lets it run.
fn begin(gateway: Rc<Gateway>, admission: Admission, socket: TcpStream, already_read: &[u8]) {
    let settings = &gateway.app.settings;
    let member = admission.login.is_some();
    let audience = member || settings.audience == Audience::Everyone;
    let feeding = match admission.after {
        _ if !audience => Feeding::Never,
        None => Feeding::Live,
        Some(_) => Feeding::Behind,
    };
    let login = admission.login.map(|login| Login {
        id: login.id,
        user_id: login.user.user_id,
        nickname: login.user.nickname.as_str().to_owned(),
        expires_at: login.expires_at,
    });
    // An alert should not wait for another to fill a segment.
    if let Err(error) = socket.set_nodelay(true) {
        tracing::debug!(%error, "TCP_NODELAY could not be set");
    }
    let outbox = Outbox::new(socket, settings.outbox_limit);
    let session = Session::new(rand::random(), login, admission.person, outbox, feeding, Instant::now());
    session.set_position(admission.after.unwrap_or(gateway.registry.latest()));
    if admission.log_in_again {
        session.close(Close::LoggedOut);
    }
    websocket::run(gateway, session, already_read);
}

/// Checks everything that decides whether there will be a session, and whose.
async fn admit(gateway: &Gateway, head: &RequestHead) -> Result<Admission, Problem> {
    if head.uri.path() != "/ws" {
        return Err(Problem::not_found());
    }
    check_handshake(head)?;
    let settings = &gateway.app.settings;
    let headers = head.headers();
    let origin = Origin::of(settings, headers);
    if origin == Origin::Forbidden {
        return Err(Problem::new(
            "origin_forbidden",
            "pages of this origin may not connect; see --allowed-origin",
        ));
    }
    let after = after(head)?;
    let offered = subprotocols(headers);
    let token = offered.iter().find_map(|protocol| protocol.strip_prefix(TOKEN_PREFIX));
    let (login, log_in_again) = match token {
        Some(token) => {
            let login = gateway.app.accounts.who(token, clock::now()).await?;
            let unknown = login.is_none();
            (login, unknown)
        }
        None => (login(gateway, headers, origin).await?, false),
    };
    let (person, new_visitor) = match &login {
        Some(login) => (Person::Member(login.user.user_id), None),
        None => visitor::identify(headers, client::is_https(settings, head.peer_addr, headers)),
    };
    Ok(Admission {
        login,
        person,
        new_visitor,
        after,
        subprotocol: offered.contains(&SUBPROTOCOL),
        log_in_again,
    })
}

/// RFC 6455 §4.2.1.
fn check_handshake(head: &RequestHead) -> Result<(), Problem> {
    const VERSION: HeaderValue = HeaderValue::from_static("13");
    match ws::verify_handshake(head) {
        Ok(()) => Ok(()),
        Err(ws::HandshakeError::UnsupportedVersion | ws::HandshakeError::NoVersionHeader) => {
            // §4.4: name the version that is spoken.
            Err(upgrade_required().with_header(HeaderName::from_static("sec-websocket-version"), VERSION))
        }
        Err(_) => Err(Problem::new("bad_request", "this is no WebSocket handshake")),
    }
}

/// 426: this address speaks WebSocket only.
#[must_use]
pub fn upgrade_required() -> Problem {
    Problem::of_status(StatusCode::UPGRADE_REQUIRED)
        .with_header(header::UPGRADE, HeaderValue::from_static("websocket"))
}

/// The log-in that headers vouch for. Bad credentials in the header are refused, where a program can see it; a
/// browser's old cookie makes a guest. Where any page may connect (`*`) the cookie says nothing.
async fn login(
    gateway: &Gateway,
    headers: &HeaderMap,
    origin: Origin,
) -> Result<Option<LoginSession>, Problem> {
    let explicit = headers.contains_key(header::AUTHORIZATION);
    if !explicit && origin == Origin::Anyone {
        return Ok(None);
    }
    match auth::identify(&gateway.app, headers, false).await? {
        Identity::Member(member) => Ok(Some(member.login)),
        Identity::Rejected if explicit => Err(Problem::login_required()),
        Identity::Rejected | Identity::Guest => Ok(None),
    }
}

/// `?after=41`.
fn after(head: &RequestHead) -> Result<Option<Offset>, Problem> {
    let Some(text) =
        head.uri.query().unwrap_or_default().split('&').find_map(|pair| pair.strip_prefix("after="))
    else {
        return Ok(None);
    };
    match Offset::parse(text) {
        Some(offset) => Ok(Some(offset)),
        None => Err(ServiceError::field("after", "invalid", "after is the offset of a notification").into()),
    }
}

fn subprotocols(headers: &HeaderMap) -> Vec<&str> {
    headers
        .get_all(header::SEC_WEBSOCKET_PROTOCOL)
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .map(str::trim)
        .collect()
}

fn switching_protocols(head: &RequestHead, admission: &Admission) -> Vec<u8> {
    let key =
        head.headers().get(header::SEC_WEBSOCKET_KEY).map(header::HeaderValue::as_bytes).unwrap_or_default();
    let accept = ws::hash_key(key);
    let accept = std::str::from_utf8(&accept).expect("base64 is ASCII");
    let mut response = format!(
        "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {accept}\r\n"
    );
    if admission.subprotocol {
        response.push_str("Sec-WebSocket-Protocol: shopbell\r\n");
    }
    if let Some(cookie) = &admission.new_visitor {
        response.push_str(&format!("Set-Cookie: {cookie}\r\n"));
    }
    response.push_str("\r\n");
    response.into_bytes()
}

/// A refusal as HTTP/1.1 writes it. The connection ends with it.
fn refusal(problem: &Problem, request: &HeaderMap) -> Vec<u8> {
    log_cause(problem);
    let (status, headers, body) = problem.parts(Language::of(request));
    let mut response =
        format!("HTTP/1.1 {} {}\r\n", status.as_u16(), status.canonical_reason().unwrap_or("Error"));
    for (name, value) in headers.iter().filter_map(|(name, value)| Some((name, value.to_str().ok()?))) {
        response.push_str(&format!("{name}: {value}\r\n"));
    }
    response.push_str(&format!(
        "x-content-type-options: nosniff\r\nreferrer-policy: strict-origin-when-cross-origin\r\n\
         content-length: {}\r\nconnection: close\r\n\r\n",
        body.len()
    ));
    let mut bytes = response.into_bytes();
    bytes.extend_from_slice(&body);
    bytes
}
