//! The hub: the actor of one worker thread through which the relay reaches that thread's sessions.

use std::{
    collections::HashSet,
    rc::Rc,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::{Duration, Instant},
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message, ResponseFuture, dev::ToEnvelope};

use futures_util::future::join_all;

use super::{
    Announcement, Batch, Close, Page, Registry, Room, Session,
    fanout::{FanOut, SESSIONS_PER_TURN},
};
use crate::{
    clock,
    domain::{Offset, SessionId},
};

/// The actor over a thread's [`Registry`].
pub struct Hub {
    registry: Rc<Registry>,
    fan_out: Rc<FanOut>,
    sweep_every: Duration,
}

impl Hub {
    /// Over the sessions of this thread; `sweep_every` is how finely heartbeats and timeouts are kept.
    #[must_use]
    pub fn new(registry: Rc<Registry>, sweep_every: Duration) -> Self {
        Self { fan_out: FanOut::new(Rc::clone(&registry)), registry, sweep_every }
    }
}

impl Actor for Hub {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.sweep_every, |hub, _| hub.registry.sweep(Instant::now(), clock::now()));
    }
}

/// Calls `act` for every session of the thread, a few hundred at a time with other work between.
async fn each_in_turns(registry: &Registry, mut act: impl FnMut(&Rc<Session>)) {
    let mut start = 0;
    while registry.each(start..start + SESSIONS_PER_TURN, &mut act) {
        start += SESSIONS_PER_TURN;
        tokio::task::yield_now().await;
    }
}

/// Deliver notifications. The answer comes when every session of the thread was served, so that the relay never
/// runs far ahead of a hub.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Deliver(pub Arc<Batch>);

impl Handler<Deliver> for Hub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Deliver(batch): Deliver, _: &mut Self::Context) -> Self::Result {
        Box::pin(self.fan_out.deliver(batch))
    }
}

/// Tell everyone something that is not in the log.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Tell(pub Arc<Announcement>);

impl Handler<Tell> for Hub {
    type Result = ResponseFuture<()>;

    fn handle(&mut self, Tell(announcement): Tell, _: &mut Self::Context) -> Self::Result {
        let registry = Rc::clone(&self.registry);
        Box::pin(async move {
            each_in_turns(&registry, |session| {
                session.tell(&announcement);
            })
            .await
        })
    }
}

/// Tell those who look at pages how many they are.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct TellViewers(pub Arc<Vec<(Page, usize, Announcement)>>);

impl Handler<TellViewers> for Hub {
    type Result = ();

    fn handle(&mut self, TellViewers(counts): TellViewers, _: &mut Self::Context) {
        for (page, count, announcement) in counts.iter() {
            self.registry.tell_viewers(page, *count, announcement);
        }
    }
}

/// Tell those in a room, but for one session.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct TellRoom {
    /// Which room.
    pub room: Room,
    /// Who is not told.
    pub except: u64,
    /// What.
    pub announcement: Arc<Announcement>,
}

impl Handler<TellRoom> for Hub {
    type Result = ();

    fn handle(&mut self, TellRoom { room, except, announcement }: TellRoom, _: &mut Self::Context) {
        self.registry.tell_room(&room, except, &announcement);
    }
}

/// Close the sessions of log-ins that have ended.
#[derive(Clone, Message)]
#[rtype(result = "()")]
pub struct Revoke(pub Arc<HashSet<SessionId>>);

impl Handler<Revoke> for Hub {
    type Result = ();

    fn handle(&mut self, Revoke(ended): Revoke, _: &mut Self::Context) {
        self.registry.revoke(&ended, Instant::now());
    }
}

/// Say good-bye to the next `most` sessions: come back within `spread`, each at a moment of their own. Who waits for the
/// answer to an order gets that first, if there is time. Answers how many sessions are still there.
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
        let mut told = 0;
        self.registry.each(0..usize::MAX, |session| {
            if told < most && !session.is_closing() && (at_once || session.orders.get() == 0) {
                told += 1;
                session.close(Close::GoingAway { delay_millis: rand::random_range(0..spread) });
            }
        });
        self.registry.len()
    }
}

/// The hubs of all worker threads.
#[derive(Clone)]
pub struct Hubs(Arc<Mutex<State>>);

struct State {
    hubs: Vec<Addr<Hub>>,
    /// The last notification of the batch that was delivered last, or is being.
    told: Offset,
}

impl Hubs {
    /// None yet; `told` is where the log stands.
    #[must_use]
    pub fn new(told: Offset) -> Self {
        Self(Arc::new(Mutex::new(State { hubs: Vec::new(), told })))
    }

    /// Starts the hub of this thread. What was told before it came, its sessions read from the log: a worker that
    /// replaces one that died may come late.
    pub fn add(&self, hub: Hub) {
        let mut state = self.state();
        hub.registry.start_at(state.told);
        // A worker that died was replaced by one with a hub of its own.
        state.hubs.retain(Addr::connected);
        state.hubs.push(hub.start());
    }

    /// The last notification that was told, or is being.
    #[must_use]
    pub fn told(&self) -> Offset {
        self.state().told
    }

    /// Delivers notifications, after those of the call before. The future ends when each hub has dealt with them.
    pub fn deliver(&self, batch: Arc<Batch>) -> impl Future<Output = ()> + use<> {
        let hubs = {
            let mut state = self.state();
            state.told = batch.last();
            state.hubs.clone()
        };
        let delivered = send(&hubs, Deliver(batch));
        async { drop(delivered.await) }
    }

    /// Tells every hub, and waits until each has dealt with it.
    pub async fn tell<M>(&self, message: M) -> Vec<M::Result>
    where
        M: Message + Clone + Send + 'static,
        M::Result: Send,
        Hub: Handler<M>,
        Context<Hub>: ToEnvelope<Hub, M>,
    {
        let hubs = self.state().hubs.clone();
        send(&hubs, message).await
    }

    /// Tells a room. Does not wait: what one session says keeps its order, and how much that is its limits bound.
    pub fn tell_room(&self, message: &TellRoom) {
        for hub in &self.state().hubs {
            hub.do_send(message.clone());
        }
    }

    /// Tells every session to come back later; answers how many are still there.
    pub async fn drain(&self, drain: Drain) -> usize {
        self.tell(drain).await.into_iter().sum()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The messages are on their way when this returns.
fn send<M>(hubs: &[Addr<Hub>], message: M) -> impl Future<Output = Vec<M::Result>> + use<M>
where
    M: Message + Clone + Send + 'static,
    M::Result: Send,
    Hub: Handler<M>,
    Context<Hub>: ToEnvelope<Hub, M>,
{
    let answers = join_all(hubs.iter().map(|hub| hub.send(message.clone())));
    async { answers.await.into_iter().flatten().collect() }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{GoodsId, Notification, Publication, Timestamp},
        realtime::replay::tests::a_registry,
    };

    #[actix_rt::test]
    async fn a_worker_that_comes_late_begins_where_the_relay_is() {
        let notification = Notification::Cancellation { goods_id: GoodsId(4), canceled: Offset(1) };
        let publication = Publication { id: Offset(8), date: Timestamp::from_millis(0), notification };
        let batch = Batch::new(vec![Arc::new(publication)], Default::default()).unwrap();
        let hubs = Hubs::new(Offset(7));
        let (early, late) = (a_registry(), a_registry());
        hubs.add(Hub::new(Rc::clone(&early), Duration::from_secs(1)));
        assert_eq!(early.latest(), Offset(7));
        hubs.deliver(Arc::new(batch)).await;
        hubs.add(Hub::new(Rc::clone(&late), Duration::from_secs(1)));
        assert_eq!([early.latest(), late.latest(), hubs.told()], [Offset(8); 3]);
    }
}
