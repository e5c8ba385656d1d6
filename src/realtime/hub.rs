//! The hub: the actor of one worker thread through which the relay reaches that thread's sessions.

use std::{
    collections::{HashMap, HashSet},
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix::{Actor, Addr, Context, Handler, Message, ResponseFuture, dev::ToEnvelope};
use futures_util::future::join_all;

use super::{
    announcement::{Announcement, Batch},
    fanout::{FanOut, SESSIONS_PER_TURN},
    follower::Follower,
    recovery::Recovery,
    registry::Registry,
    rooms::Room,
    session::Session,
    viewers::{Page, Person},
};
use crate::{
    domain::{Nickname, Offset, SessionId, UserId},
    outbox::Close,
};

/// The actor over a thread's [`Registry`].
pub struct Hub {
    registry: Rc<Registry>,
    fan_out: Rc<FanOut>,
}

impl Hub {
    /// Over the sessions of this thread; those that fall behind are handed to the follower.
    #[must_use]
    pub fn new(registry: Rc<Registry>, follower: Rc<Follower>) -> Self {
        Self { fan_out: FanOut::new(Rc::clone(&registry), follower), registry }
    }
}

impl Actor for Hub {
    type Context = Context<Self>;
}

/// Calls `act` for every session of the thread, a few hundred at a time with other work between.
async fn each_in_turns(registry: &Registry, mut act: impl FnMut(&Rc<Session>)) {
    let mut start = 0;
    while registry.each(start..start + SESSIONS_PER_TURN, &mut act) {
        start += SESSIONS_PER_TURN;
        tokio::task::yield_now().await;
    }
}

/// Delivers publications. Answered when every session of the thread was served, so that the relay never runs far ahead
/// of a hub: with whether something is held back from some of them, for a [`Digest`].
#[derive(Clone, Message)]
#[rtype(result = "bool")]
pub struct Deliver(pub Arc<Batch>);

impl Handler<Deliver> for Hub {
    type Result = ResponseFuture<bool>;

    fn handle(&mut self, Deliver(batch): Deliver, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.fan_out.deliver(batch))
    }
}

/// Tells sessions from which publications were held back a digest of a second that is over.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Digest(pub Arc<Batch>);

impl Handler<Digest> for Hub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Digest(second): Digest, _: &mut Self::Context) -> Self::Result {
        Box::pin(Rc::clone(&self.fan_out).digest(second))
    }
}

/// Sends everyone something that is not in the log.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Announce(pub Arc<Announcement>);

impl Handler<Announce> for Hub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Announce(announcement): Announce, _: &mut Self::Context) -> Self::Result {
        let registry = Rc::clone(&self.registry);
        Box::pin(async move {
            each_in_turns(&registry, |session| {
                session.announce(&announcement);
            })
            .await
        })
    }
}

/// Tells accounts of orders of their own.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct TellOwners(pub Arc<Vec<(UserId, Announcement)>>);

impl Handler<TellOwners> for Hub {
    type Result = ();

    fn handle(&mut self, TellOwners(orders): TellOwners, _: &mut Self::Context) {
        for (account, announcement) in orders.iter() {
            self.registry.announce_to_account(*account, announcement);
        }
    }
}

/// Sends the people who look at pages how many they are.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct AnnounceViewers(pub Arc<Vec<(Page, usize, Announcement)>>);

impl Handler<AnnounceViewers> for Hub {
    type Result = ();

    fn handle(&mut self, AnnounceViewers(counts): AnnounceViewers, _: &mut Self::Context) {
        for (page, count, announcement) in counts.iter() {
            self.registry.announce_viewers(page, *count, announcement);
        }
    }
}

/// Sends the figures to those who watch them.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct TellWatchers(pub Arc<Announcement>);

impl Handler<TellWatchers> for Hub {
    type Result = ();

    fn handle(&mut self, TellWatchers(figures): TellWatchers, _: &mut Self::Context) {
        self.registry.tell_watchers(&figures);
    }
}

/// Sends an event to a room, except to one session.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct AnnounceToRoom {
    /// Which room.
    pub room: Room,
    /// The session that does not get it.
    pub except: u64,
    /// What.
    pub announcement: Arc<Announcement>,
}

impl Handler<AnnounceToRoom> for Hub {
    type Result = ();

    fn handle(
        &mut self,
        AnnounceToRoom { room, except, announcement }: AnnounceToRoom,
        _: &mut Self::Context,
    ) {
        self.registry.announce_to_room(&room, except, &announcement);
    }
}

/// Closes the sessions of log-ins that have ended.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Revoke(pub Arc<HashSet<SessionId>>);

impl Handler<Revoke> for Hub {
    type Result = ();

    fn handle(&mut self, Revoke(ended): Revoke, _: &mut Self::Context) {
        self.registry.revoke(&ended, Instant::now());
    }
}

/// Closes a session whose client comes back on another connection, and notes until when it has surely heard all.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Evict {
    /// Its number.
    pub id: u64,
    /// Whose it has to be.
    pub person: Person,
    /// After how much silence it is pinged.
    pub ping_interval: Duration,
    /// Where to note it.
    pub recovery: Arc<Recovery>,
}

impl Handler<Evict> for Hub {
    type Result = ();

    fn handle(&mut self, Evict { id, person, ping_interval, recovery }: Evict, _: &mut Self::Context) {
        let mut sought = Vec::new();
        self.registry.each(0..usize::MAX, |session| {
            if session.id == id && session.person == person {
                sought.push(Rc::clone(session));
            }
        });
        // Afterwards: one that polls leaves the registry at once.
        for session in sought {
            recovery.evict(id, session.outbox.heartbeat.last_sign(ping_interval));
            session.close(Close::Lost);
        }
    }
}

/// Tells sessions which nicknames accounts have taken.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Rename(pub Arc<HashMap<UserId, Nickname>>);

impl Handler<Rename> for Hub {
    type Result = ();

    fn handle(&mut self, Rename(named): Rename, _: &mut Self::Context) {
        self.registry.rename(&named);
    }
}

/// Closes the next `most` sessions, to come back within `spread`, each after a delay of its own. A session that waits
/// for the answer to an order gets that first, if there is time. Answered with how many sessions are still there.
#[derive(Clone, Copy, Message)]
#[rtype(result = "usize")]
pub struct Drain {
    /// How many at once, so that other work of the thread has its turn.
    pub most: usize,
    /// Over how long the sessions come back.
    pub spread: Duration,
    /// Whether there is no more time.
    pub at_once: bool,
}

impl Handler<Drain> for Hub {
    type Result = usize;

    fn handle(&mut self, Drain { most, spread, at_once }: Drain, _: &mut Self::Context) -> usize {
        let spread = u32::try_from(spread.as_millis()).unwrap_or(u32::MAX).max(1);
        let mut closing = Vec::new();
        self.registry.each(0..usize::MAX, |session| {
            if closing.len() < most && session.outbox.is_open() && (at_once || !session.limits.has_orders()) {
                closing.push(Rc::clone(session));
            }
        });
        // Afterwards: one that polls leaves the registry at once.
        for session in closing {
            session.close(Close::GoingAway { delay_millis: rand::random_range(0..spread) });
        }
        self.registry.len()
    }
}

/// The hubs of all worker threads.
#[derive(Clone)]
pub struct Hubs(Arc<Mutex<State>>);

struct State {
    hubs: Vec<Addr<Hub>>,
    /// The last publication of the batch that was delivered last, or is being.
    latest: Offset,
}

impl Hubs {
    /// None yet; `latest` is where the log ends.
    #[must_use]
    pub fn new(latest: Offset) -> Self {
        Self(Arc::new(Mutex::new(State { hubs: Vec::new(), latest })))
    }

    /// Starts the hub of this thread. Its sessions read what was delivered before from the log: a worker that replaces
    /// one that died may come late.
    pub fn add(&self, hub: Hub) {
        let mut state = self.state();
        hub.registry.start_at(state.latest);
        // A worker that died was replaced by one with a hub of its own.
        state.hubs.retain(Addr::connected);
        state.hubs.push(hub.start());
    }

    /// The last publication that was delivered, or is being.
    #[must_use]
    pub fn latest(&self) -> Offset {
        self.state().latest
    }

    /// Delivers publications, after those of the call before. The future ends when each hub has dealt with them, and says
    /// whether some are held back from some session.
    pub fn deliver(&self, batch: Arc<Batch>) -> impl Future<Output = bool> + use<> {
        let hubs = {
            let mut state = self.state();
            state.latest = batch.last();
            state.hubs.clone()
        };
        let delivered = send_all(&hubs, Deliver(batch));
        async { delivered.await.contains(&true) }
    }

    /// Sends a message to every hub, and waits until each has dealt with it.
    pub async fn send<M>(&self, message: M) -> Vec<M::Result>
    where
        M: Message + Clone + Send + 'static,
        M::Result: Send,
        Hub: Handler<M>,
        Context<Hub>: ToEnvelope<Hub, M>,
    {
        let hubs = self.state().hubs.clone();
        send_all(&hubs, message).await
    }

    /// Sends an event to a room. Does not wait: what one session says keeps its order, and its limits bound how much
    /// that is.
    pub fn announce_to_room(&self, message: &AnnounceToRoom) {
        for hub in &self.state().hubs {
            hub.do_send(message.clone());
        }
    }

    /// Tells accounts of orders of their own. Does not wait: a hub takes its messages in turn, and publications that are
    /// delivered after this call come after it.
    pub fn tell_owners(&self, message: &TellOwners) {
        for hub in &self.state().hubs {
            hub.do_send(message.clone());
        }
    }

    /// Closes sessions before the server ends; returns how many are still there.
    pub async fn drain(&self, drain: Drain) -> usize {
        self.send(drain).await.into_iter().sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages are on their way when this returns.
fn send_all<M>(hubs: &[Addr<Hub>], message: M) -> impl Future<Output = Vec<M::Result>> + use<M>
where
    M: Message + Clone + Send + 'static,
    M::Result: Send,
    Hub: Handler<M>,
    Context<Hub>: ToEnvelope<Hub, M>,
{
    let answers = join_all(hubs.iter().map(|hub| hub.send(message.clone())));
    async { answers.await.into_iter().flatten().collect() }
}
