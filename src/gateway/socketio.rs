//! The shop over Socket.IO: who connects, from where in the log, and how events and acknowledgements are written.

use std::{
    num::NonZeroU8,
    rc::Rc,
    time::{Duration, Instant},
};

use serde_json::{Map, Value, json};

use super::{
    bursts,
    client::Client,
    door::{Handshake, Party},
    events,
    recovery::{self, Pid},
    refusal::{Refusal, Reply, ack},
    resume::Start,
    thread::Gateway,
    visitor::{self, Who},
};
use crate::{
    clock,
    domain::{Language, Offset},
    limits::{Claim, SessionPermit},
    outbox::Outbox,
    protocol::{
        events::ClientEvent,
        socketio::{Event, MAIN},
    },
    realtime::{Announcement, Feeding, Login, Person},
    service::ServiceError,
    socketio::{Accepted, Connect, Connecting, Handlers, Refused, Socket, Violation},
    web::{Code, listen, problem::Problem},
};

/// The longest name of an event that a refusal repeats, in characters.
const MAX_EVENT_NAME: usize = 128;

/// How long the log-in of a handshake counts as it was: shorter than the registry remembers those that ended.
const FRESH: Duration = Duration::from_secs(30);

/// What a client brings with CONNECT.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Auth(Map<String, Value>);

impl Auth {
    /// Reads the payload of a CONNECT. What is something else counts as nothing.
    #[must_use]
    pub fn read(json: Option<&str>) -> Self {
        Self(json.and_then(|json| serde_json::from_str(json).ok()).unwrap_or_default())
    }

    fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).and_then(Value::as_str)
    }

    /// The listen key. What is there and no text is a key, too, that nobody knows: where there is one, nothing else
    /// decides.
    #[must_use]
    pub fn key(&self) -> Option<&str> {
        let key = self.0.get("key").filter(|key| !key.is_null())?;
        Some(key.as_str().unwrap_or_default())
    }

    /// How many alerts a second are wanted each by itself.
    fn digest(&self) -> Result<Option<NonZeroU8>, Refusal> {
        bursts::from_value(self.0.get(bursts::NAME))
    }

    /// The token; pages that have none send nothing, `null` or the text of it.
    #[must_use]
    pub fn token(&self) -> Option<&str> {
        let token = self.text("token")?;
        let token = token.strip_prefix("Bearer ").unwrap_or(token);
        (!matches!(token, "" | "null" | "undefined")).then_some(token)
    }

    /// Where a lost connection was, when the client can say.
    #[must_use]
    pub fn resume(&self) -> Option<(Pid, Offset)> {
        Some((Pid::parse(self.text("pid")?)?, Offset::parse(self.text("offset")?)?))
    }
}

/// The handlers of the shop.
pub struct Shop(pub Rc<Gateway>);

/// What of a CONNECT is needed after its answer was waited for.
struct Connecter {
    gateway: Rc<Gateway>,
    outbox: Rc<Outbox>,
    age: Duration,
    party: Party,
    language: Language,
    permit: Rc<SessionPermit>,
}

impl Connecter {
    async fn connect(self, auth: Auth) -> Result<Accepted<Client>, Refusal> {
        let digest = auth.digest()?;
        let who = self.who(&auth).await?;
        let person = who.person;
        let claim = who.login.as_ref().map_or(Claim::Guest, |login| Claim::Member(login.user_id));
        self.permit.settle(claim, Instant::now()).map_err(ServiceError::from)?;
        let account = self.gateway.account_permit(who.login.as_deref()).map_err(ServiceError::from)?;
        let permits = account.into_iter().collect();
        let is_audience = self.gateway.is_audience(&who);
        let back = match auth.resume().filter(|_| is_audience) {
            Some((pid, after)) => self.recover(pid, after, person).await?,
            None => None,
        };
        let start = back.map_or(Start::Live, |(_, after)| Start::After(after));
        let mut new = self.gateway.new_session(self.outbox, who, start, permits);
        new.language = self.language;
        new.digest = digest;
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
        let recovers = self.gateway.reaches_back_to(after).await?
            && recovery::recover(&self.gateway, id, person).await?;
        Ok(recovers.then_some((id, after)))
    }

    /// Whose the session will be: the listen key alone decides where there is one.
    async fn who(&self, auth: &Auth) -> Result<Who, Refusal> {
        let page = self.party.page();
        if let Some(key) = auth.key() {
            let key = listen::find(&self.gateway.app, key)?;
            listen::check_origin(&key, page.map(|on| &on.origin))?;
            return Ok(Who::listener(&key));
        }
        if page.is_some_and(|on| on.is_foreign) {
            let detail = "pages of this origin may only listen, with auth: {key}";
            return Err(Problem::new(Code::OriginForbidden, detail).into());
        }
        Ok(match self.login(auth).await? {
            Some(login) => Who::member(login),
            None => Who::guest(self.party.guest()),
        })
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
            let same = self.party.login().filter(|known| known.id == login.id);
            return Ok(Some(same.map_or_else(|| visitor::login(login), Rc::clone)));
        }
        let Some(login) = self.party.login() else { return Ok(None) };
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
            party: connect.request.party.clone(),
            language: connect.request.language,
            permit: Rc::clone(&connect.request.permit),
        };
        let language = connect.request.language;
        Box::pin(async move {
            connecter.connect(auth).await.map_err(|refusal| Refused {
                passes: refusal.passes(),
                message: refusal.code().to_owned(),
                data: Some(json!({"code": refusal.code(), "message": refusal.message(language)})),
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

    /// Beside the packets of a connection, which the engine counts, the events of each session count.
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

    fn upgraded(&self, socket: &Socket<Client>) {
        socket.data.upgraded();
    }

    fn disconnected(&self, socket: &Rc<Socket<Client>>) {
        recovery::note_leaving(&socket.data);
        events::leave(&socket.data);
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(socket: &Socket<Client>, event: &str, id: Option<u64>, reply: &Reply) {
    let language = socket.data.session.language;
    match (id, reply) {
        (Some(id), reply) => socket.ack(id, ack(reply, language).as_str().into()),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => {
            socket.emit("error", refusal.error_event(Some(event), language).as_str().into())
        }
    }
}
