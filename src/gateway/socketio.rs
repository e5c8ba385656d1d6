//! The shop over Socket.IO: who connects, from where in the log, and how events and acknowledgements are written.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use actix_http::RequestHead;
use serde::Deserialize;
use serde_json::{Value, json};

use super::{
    client::Client,
    events,
    recovery::{self, Pid},
    refusal::{Refusal, Reply, ack},
    resume::Start,
    thread::Gateway,
    upgrade::refusal,
    visitor::{self, Visitor},
};
use crate::{
    clock,
    domain::Offset,
    limits::{Claim, SessionPermit},
    outbox::Outbox,
    protocol::{
        engineio::ErrorCode,
        events::ClientEvent,
        socketio::{Event, MAIN},
    },
    realtime::{Announcement, Feeding, Login, Person},
    service::ServiceError,
    socketio::{
        Accepted, Admit, Admitted, Check, Connect, Connecting, Handlers, Owners, Refused, Rejection, Socket,
        Violation,
    },
    state::AppState,
    web::{
        auth::{Via, presented},
        client,
        edge::log_cause,
        messages::Language,
        origin::Origin,
        problem::Problem,
    },
};

/// What is known of a connection from its handshake.
pub struct Handshake {
    login: Option<Rc<Login>>,
    /// Who it is without one.
    guest: u64,
    /// Kept as long as the connection.
    permit: Rc<SessionPermit>,
}

/// The longest name of an event that a refusal repeats, in characters.
const MAX_EVENT_NAME: usize = 128;

/// How long the log-in of a handshake counts as it was: shorter than the registry remembers those that ended.
const FRESH: Duration = Duration::from_secs(30);

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
            match Visitor::of(&app, &headers, peer).await {
                Ok(Visitor { login, person, cookie }) => {
                    let guest = match person {
                        Person::Guest(guest) => guest,
                        Person::Member(_) => 0,
                    };
                    // A page without the cookie says with CONNECT who it is.
                    let claim = login.as_ref().map_or(Claim::Pending, |login| Claim::Member(login.user_id));
                    let address = client::address(&app.settings, peer, &headers);
                    let permit = app.permits.acquire_session(address, claim, Instant::now());
                    let permit = permit.map_err(|limit| {
                        let problem = Problem::from(ServiceError::from(limit));
                        Rejection::Other(refusal(&problem, Language::of(&headers)))
                    })?;
                    let owner = login.as_ref().map(|login| login.user_id.0);
                    let request = Handshake { login, guest, permit: Rc::new(permit) };
                    Ok(Admitted { request, cookie, owner })
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

/// Reads the credentials of what belongs to a connection, by the rules of its handshake: an origin that may connect, and
/// who the tokens belong to. Whether their log-ins still hold is not asked: the connection ends with its own.
#[must_use]
pub fn check(app: &AppState) -> Check {
    let app = app.clone();
    Box::new(move |head: &RequestHead| {
        let headers = head.headers();
        let origin = Origin::of(&app.settings, headers);
        if origin == Origin::Forbidden {
            return Err(ErrorCode::Forbidden.into());
        }
        let Some((tokens, via)) = presented(headers) else { return Ok(Owners::new()) };
        if via == Via::Cookie && origin == Origin::Anyone {
            return Ok(Owners::new());
        }
        let now = clock::now();
        Ok(tokens
            .into_iter()
            .filter_map(|token| app.accounts.owner_of(token, now))
            .map(|user| user.0)
            .collect())
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
    /// Reads the payload of a CONNECT. What is something else counts as nothing.
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

    /// Where a lost connection was, when the client can say.
    #[must_use]
    pub fn resume(&self) -> Option<(Pid, Offset)> {
        Some((Pid::parse(self.pid.as_deref()?)?, Offset::parse(self.offset.as_deref()?)?))
    }
}

/// The handlers of the shop.
pub struct Shop(pub Rc<Gateway>);

/// What of a CONNECT is needed after its answer was waited for.
struct Connecter {
    gateway: Rc<Gateway>,
    outbox: Rc<Outbox>,
    age: Duration,
    handshake_login: Option<Rc<Login>>,
    guest: u64,
    permit: Rc<SessionPermit>,
}

impl Connecter {
    async fn connect(self, auth: Auth) -> Result<Accepted<Client>, Refusal> {
        let login = self.login(&auth).await?;
        let person = login.as_ref().map_or(Person::Guest(self.guest), |login| Person::Member(login.user_id));
        self.permit.settle(login.is_some()).map_err(ServiceError::from)?;
        let account = self.gateway.account_permit(login.as_deref()).map_err(ServiceError::from)?;
        let permits = account.into_iter().collect();
        let is_audience = self.gateway.is_audience(login.is_some());
        let back = match auth.resume().filter(|_| is_audience) {
            Some((pid, after)) => self.recover(pid, after, person).await?,
            None => None,
        };
        let start = back.map_or(Start::Live, |(_, after)| Start::After(after));
        let mut new = self.gateway.new_session(self.outbox, (login, person), start, permits);
        if let Some((id, _)) = back {
            new.id = id;
        }
        let pid = Pid::new(self.gateway.app.log_epoch, new.id, person).to_string();
        Ok(Accepted { data: Client::enter(self.gateway, new), pid: Some(pid) })
    }

    /// The number of the session that goes on, and after which offset.
    async fn recover(
        &self,
        pid: Pid,
        after: Offset,
        person: Person,
    ) -> Result<Option<(u64, Offset)>, ServiceError> {
        let Some(id) = pid.session_of(self.gateway.app.log_epoch, person) else { return Ok(None) };
        let recovers =
            self.gateway.reaches_back_to(after).await? && recovery::recover(&self.gateway, id, person).await;
        Ok(recovers.then_some((id, after)))
    }

    /// The log-in of the token, else that of the handshake, if it is still valid.
    async fn login(&self, auth: &Auth) -> Result<Option<Rc<Login>>, Refusal> {
        let now = clock::now();
        if let Some(token) = auth.token() {
            let login = self
                .gateway
                .app
                .accounts
                .authenticate(token, now)
                .await?
                .ok_or_else(Problem::login_required)?;
            // Mostly the one of the handshake: it is kept once.
            let same = self.handshake_login.as_ref().filter(|known| known.id == login.id);
            return Ok(Some(same.map_or_else(|| visitor::login(login), Rc::clone)));
        }
        let Some(login) = &self.handshake_login else { return Ok(None) };
        let is_valid = if self.age < FRESH {
            login.expires_at > now
        } else {
            self.gateway.app.store.session(&login.id, now).await.map_err(ServiceError::from)?.is_some()
        };
        if is_valid { Ok(Some(Rc::clone(login))) } else { Err(Problem::login_required().into()) }
    }
}

impl Handlers for Shop {
    type Request = Handshake;
    type Data = Client;

    fn namespace(&self, name: &str) -> Option<&'static str> {
        (name == MAIN).then_some(MAIN)
    }

    fn is_given_up(&self, handshake: &Handshake) -> bool {
        handshake.permit.is_given_up()
    }

    fn connect(&self, connect: Connect<'_, Handshake>) -> Connecting<Client> {
        let auth = Auth::read(connect.auth);
        let connecter = Connecter {
            gateway: Rc::clone(&self.0),
            outbox: Rc::clone(connect.outbox),
            age: connect.age,
            handshake_login: connect.request.login.clone(),
            guest: connect.request.guest,
            permit: Rc::clone(&connect.request.permit),
        };
        Box::pin(async move {
            connecter.connect(auth).await.map_err(|refusal| Refused {
                message: refusal.code().to_owned(),
                data: Some(json!({"code": refusal.code(), "message": refusal.message()})),
            })
        })
    }

    /// The offset comes at once, so that recovery works before any alert; then what was missed, in rooms and in the log.
    fn connected(&self, socket: &Rc<Socket<Client>>) {
        let client = &socket.data;
        let session = &client.session;
        if session.feeding() != Feeding::Never {
            session.send(Announcement::offset(session.position()).encoded(session.outbox.wire()));
        }
        recovery::put_back(client);
    }

    fn event(&self, socket: &Rc<Socket<Client>>, event: Event<'_>) -> Result<(), Violation> {
        if !socket.data.admit_message() {
            return Ok(());
        }
        let args: Vec<Value> = event.args.parse().map_err(|_| Violation)?;
        let name: String = event.name.chars().take(MAX_EVENT_NAME).collect();
        let (id, asker) = (event.ack_id, Rc::clone(socket));
        events::handle(&socket.data, ClientEvent::read(&event.name, args), move |reply| {
            answer(&asker, &name, id, &reply);
        });
        Ok(())
    }

    fn disconnected(&self, socket: &Rc<Socket<Client>>) {
        recovery::note_leaving(&socket.data);
        events::leave(&socket.data);
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(socket: &Socket<Client>, event: &str, id: Option<u64>, reply: &Reply) {
    match (id, reply) {
        (Some(id), reply) => socket.ack(id, ack(reply).as_str().into()),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => socket.emit("error", refusal.error_event(Some(event)).as_str().into()),
    }
}
