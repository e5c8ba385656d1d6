//! The shop over Socket.IO: who connects, from where in the log, and what its events mean.

use std::{
    rc::{Rc, Weak},
    time::{Duration, Instant},
};

use actix_http::RequestHead;
use futures_util::future::LocalBoxFuture;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    Gateway,
    client::Shopper,
    refusal::{Refusal, Reply},
    visitor::{self, Visitor},
};
use crate::{
    clock,
    domain::Offset,
    limits::admission::Place,
    protocol::{
        engineio::ErrorCode,
        socketio::{Event, MAIN},
    },
    realtime::{Announcement, Login, Person, Session, session::Feeding},
    service::ServiceError,
    socketio::{self, Accepted, Admit, Admitted, Handlers, Refused, Rejection, Socket, SocketIo},
    state::AppState,
    web::{client, edge::log_cause, problem::Problem},
};

/// What is known of a session from its handshake.
pub struct Handshake {
    login: Option<Rc<Login>>,
    /// Who it is without one.
    guest: u64,
    /// Kept as long as the session.
    _place: Place,
}

/// What is told of the name of an event that was refused, in characters.
const MAX_EVENT_NAME: usize = 128;

/// How long the log-in of a handshake is taken as it was: shorter than the registry remembers those that ended.
const FRESH: Duration = Duration::from_secs(30);

impl Handshake {
    /// The log-in, if it still holds. `age` is how long ago the handshake was.
    async fn login(&self, age: Duration, gateway: &Gateway) -> Result<Option<Rc<Login>>, Refusal> {
        let Some(login) = &self.login else { return Ok(None) };
        let now = clock::now();
        let holds = if age < FRESH {
            login.expires_at > now
        } else {
            gateway.app.store.session(&login.id, now).await.map_err(ServiceError::from)?.is_some()
        };
        if holds { Ok(Some(Rc::clone(login))) } else { Err(Problem::login_required().into()) }
    }
}

/// Reads the credentials of a handshake's headers.
#[must_use]
pub fn admit(app: &AppState) -> Admit<Handshake> {
    let app = app.clone();
    Box::new(move |head: &RequestHead| {
        let (app, headers, peer) = (app.clone(), head.headers().clone(), head.peer_addr);
        Box::pin(async move {
            // These clients know no delay before coming back: they would be let in, and sent away again at once.
            if app.readiness.is_draining() {
                return Err(ErrorCode::BadRequest.into());
            }
            let address = client::address(&app.settings, peer, &headers);
            let place = app.admissions.arrive(address, Instant::now());
            let place = place.map_err(|limit| Rejection::Problem(ServiceError::from(limit).into()))?;
            match Visitor::of(&app, &headers, peer).await {
                Ok(Visitor { login, person, cookie }) => {
                    let guest = match person {
                        Person::Guest(guest) => guest,
                        Person::Member(_) => 0,
                    };
                    Ok(Admitted { request: Handshake { login, guest, _place: place }, cookie })
                }
                Err(problem) => {
                    log_cause(&problem);
                    let forbidden = problem.status().is_client_error();
                    Err(if forbidden { ErrorCode::Forbidden } else { ErrorCode::BadRequest }.into())
                }
            }
        })
    })
}

/// What a client brings with CONNECT.
#[derive(Debug, Default, Deserialize)]
#[serde(default)]
pub struct Auth {
    token: Option<Value>,
    pid: Option<String>,
    offset: Option<String>,
}

impl Auth {
    /// Reads the payload of a CONNECT. What is something else says nothing, as with a client that brings nothing.
    #[must_use]
    pub fn read(json: Option<&str>) -> Self {
        json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default()
    }

    /// The token; pages that have none send nothing, `null` or the text of it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        let token = self.token.as_ref().and_then(Value::as_str)?;
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        (!matches!(token, "" | "null" | "undefined")).then_some(token)
    }

    /// Where a lost connection stood, when the client can say. Its `pid` opens nothing: credentials are checked anew,
    /// and the log is the same for all of the audience.
    #[must_use]
    pub fn resume(&self) -> Option<(String, Offset)> {
        let pid = self.pid.as_ref().filter(|pid| (1..=64).contains(&pid.len()))?;
        Some((pid.clone(), Offset::parse(self.offset.as_deref()?)?))
    }
}

/// The handlers of the shop. `Weak`: the gateway holds the engine that holds these.
pub struct Shop(pub Weak<Gateway>);

impl Shop {
    async fn connect(
        gateway: &Rc<Gateway>,
        session: &socketio::Session<SocketIo<Self>>,
        auth: Auth,
    ) -> Result<Accepted<Rc<Shopper>>, Refusal> {
        let handshake = &session.request;
        let login = match auth.token() {
            Some(token) => {
                let login = gateway.app.accounts.who(token, clock::now()).await?;
                let login = login.ok_or_else(Problem::login_required)?;
                // Mostly the one of the handshake: it is kept once.
                let same = handshake.login.as_ref().filter(|known| known.id == login.id);
                Some(same.map_or_else(|| visitor::login(login), Rc::clone))
            }
            None => handshake.login(session.age(), gateway).await?,
        };
        let person =
            login.as_ref().map_or(Person::Guest(handshake.guest), |login| Person::Member(login.user_id));
        let places = gateway.places(None, login.as_deref()).map_err(ServiceError::from)?;
        let audience = gateway.is_audience(login.is_some());
        let (pid, position) = match auth.resume().filter(|_| audience) {
            Some((pid, offset)) if gateway.reaches(offset).await? => (pid, Some(offset)),
            _ => (format!("{:032x}", rand::random::<u128>()), None),
        };
        let feeding = match position {
            _ if !audience => Feeding::Never,
            None => Feeding::Live,
            Some(_) => Feeding::Behind,
        };
        let live = Session::new(&gateway.registry, login, person, Rc::clone(&session.outbox), feeding);
        if let Some(position) = position {
            live.set_position(position);
        }
        let shopper = Shopper::enter(Rc::clone(gateway), live, places);
        Ok(Accepted { data: shopper, pid: Some(pid) })
    }
}

impl Handlers for Shop {
    type Request = Handshake;
    type Data = Rc<Shopper>;

    fn namespace(&self, name: &str) -> Option<&'static str> {
        (name == MAIN).then_some(MAIN)
    }

    fn connect(
        &self,
        session: &Rc<socketio::Session<SocketIo<Self>>>,
        _: &'static str,
        auth: Option<&str>,
    ) -> LocalBoxFuture<'static, Result<Accepted<Rc<Shopper>>, Refused>> {
        let auth = Auth::read(auth);
        let (gateway, session) = (self.0.upgrade(), Rc::clone(session));
        Box::pin(async move {
            let gateway = gateway.ok_or(Refused { message: "unavailable".into(), data: None })?;
            Self::connect(&gateway, &session, auth).await.map_err(|refusal| Refused {
                message: refusal.code().to_owned(),
                data: Some(json!({"code": refusal.code(), "message": refusal.message()})),
            })
        })
    }

    /// The offset comes at once, so that recovery works before any alert; then what was missed.
    fn connected(&self, socket: &Rc<Socket<Self>>) {
        let session = &socket.data.session;
        if session.feeding() != Feeding::Never {
            session.send(Announcement::offset(session.position()).encoded(session.outbox.wire()));
        }
        session.read_on();
    }

    fn event(&self, socket: &Rc<Socket<Self>>, event: Event<'_>) {
        // As on any socket, what comes after good-bye is not looked at.
        if socket.data.session.is_closing() || !socket.data.may_speak() {
            return;
        }
        let args: Vec<Value> = event.args.parse().unwrap_or_default();
        let name: String = event.name.chars().take(MAX_EVENT_NAME).collect();
        let (id, answered) = (event.ack_id, Rc::clone(socket));
        socket.data.hear(&event.name, &args, move |reply| answer(&answered, &name, id, reply));
    }

    fn disconnected(&self, socket: &Rc<Socket<Self>>) {
        socket.data.leave();
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(socket: &Socket<Shop>, event: &str, id: Option<u64>, reply: Reply) {
    match (id, reply) {
        (Some(id), Ok(payload)) => socket.ack(id, payload.to_string().as_str().into()),
        (Some(id), Err(refusal)) => socket.ack(id, refusal.ack().to_string().as_str().into()),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => socket.emit("error", refusal.event(Some(event)).to_string().as_str().into()),
    }
}

/// Where an offset is beyond what the log holds, or before it, nothing can be recovered.
impl Gateway {
    async fn reaches(&self, offset: Offset) -> Result<bool, ServiceError> {
        let reach = self.app.store.reach().await?;
        Ok(offset.0 + 1 >= reach.oldest.0 && offset <= reach.latest)
    }
}
