//! Who is in which room and looks at which page, and how many sessions an account has, told between nodes: each tells what changes of its own share, and the whole of
//! it now and then, and when somebody asks who has missed something. A share lasts as long as its node is heard.

use std::{
    collections::HashMap,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    time::{Duration, Instant},
};

use tokio::{
    sync::Notify,
    time::{MissedTickBehavior, interval, sleep},
};

use super::shares_wire::{self, Part, Told};
use crate::{
    bus::{Bus, BusState, Heard, Message, NodeId, Topic},
    realtime::{
        accounts::{AccountChange, Accounts},
        changes::Changes,
        rooms::{RoomChange, Rooms},
        viewers::{PageChange, Viewers},
    },
    telemetry::{self, NotHeard, NotSent},
};

/// Changes that come together leave together.
const GATHER: Duration = Duration::from_millis(1);
/// How often a node says that it lives.
const BEAT: Duration = Duration::from_secs(1);
/// After so long without a word the share of a node is gone.
const LEASE: Duration = Duration::from_secs(5);
/// How often it tells the whole of its share without being asked.
const WHOLE: Duration = Duration::from_secs(10);
/// How often it does at most, whoever asks.
const PAUSE: Duration = Duration::from_millis(200);

/// The rooms and pages of this node, and what is to be told of them.
pub(super) struct Shares {
    bus: Arc<dyn Bus>,
    rooms: Arc<Rooms>,
    viewers: Arc<Viewers>,
    accounts: Accounts,
    changes: Arc<ShareChanges>,
    /// The nodes that were heard lately.
    others: HashMap<NodeId, Other>,
    /// Somebody wants the whole.
    is_asked: bool,
    /// When the whole was last told.
    told: Option<Instant>,
    /// This node wants to be told the whole of the others.
    wants: bool,
    /// When it last asked.
    asked: Option<Instant>,
}

/// What waits to be told.
pub struct ShareChanges {
    some: Arc<Notify>,
    /// Of rooms.
    pub rooms: Arc<Changes<RoomChange>>,
    /// Of pages.
    pub pages: Arc<Changes<PageChange>>,
    /// Of accounts.
    pub accounts: Arc<Changes<AccountChange>>,
    /// How many other nodes were heard lately.
    others: AtomicUsize,
}

impl ShareChanges {
    /// Whether another node was heard lately.
    pub fn has_others(&self) -> bool {
        self.others.load(Ordering::Relaxed) > 0
    }
}

impl Default for ShareChanges {
    fn default() -> Self {
        let some = Arc::new(Notify::new());
        Self {
            rooms: Arc::new(Changes::new(Arc::clone(&some))),
            pages: Arc::new(Changes::new(Arc::clone(&some))),
            accounts: Arc::new(Changes::new(Arc::clone(&some))),
            some,
            others: AtomicUsize::new(0),
        }
    }
}

struct Other {
    heard: Instant,
    /// Whether the whole of its share was heard: changes alone say nothing.
    is_known: bool,
}

impl Shares {
    pub(super) fn new(
        bus: Arc<dyn Bus>,
        (rooms, viewers): (Arc<Rooms>, Arc<Viewers>),
        accounts: Accounts,
        changes: Arc<ShareChanges>,
    ) -> Self {
        Self {
            bus,
            rooms,
            viewers,
            accounts,
            changes,
            others: HashMap::new(),
            // Who was here before may think that this node has a share, who comes later asks.
            is_asked: true,
            told: None,
            wants: true,
            asked: None,
        }
    }

    /// Tells and hears until it is dropped.
    pub(super) async fn run(mut self) {
        let mut incoming = self.bus.subscribe(Topic::Shares).await;
        let mut beat = interval(BEAT);
        beat.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let some = Arc::clone(&self.changes.some);
        loop {
            self.ask(Instant::now());
            self.tell_whole(Instant::now());
            tokio::select! {
                heard = incoming.next() => match heard {
                    Some(Heard::Message(message)) => self.hear(&message, Instant::now()),
                    Some(Heard::Missed) => self.wants = true,
                    None => return,
                },
                () = some.notified() => {
                    sleep(GATHER).await;
                    self.tell_changes();
                }
                _ = beat.tick() => self.beat(Instant::now()),
                () = sleep(PAUSE), if self.wants || self.is_asked => {}
            }
        }
    }

    fn hear(&mut self, message: &Message, now: Instant) {
        let Some(told) = shares_wire::read(&message.body) else {
            return telemetry::bus_not_heard(NotHeard::Malformed);
        };
        self.is_asked |= told.asks;
        let from = message.from;
        let other = self.others.entry(from).or_insert(Other { heard: now, is_known: false });
        other.heard = now;
        other.is_known |= told.is_whole;
        let is_known = other.is_known;
        self.changes.others.store(self.others.len(), Ordering::Relaxed);
        if !is_known {
            self.wants = true;
            return;
        }
        self.rooms.hear(from, told.rooms, told.is_whole);
        self.viewers.hear(from, told.pages, told.is_whole);
        self.accounts.hear(from, told.accounts, told.is_whole);
    }

    /// Asks the others for the whole of their shares, if that is wanted and somebody may hear it.
    fn ask(&mut self, now: Instant) {
        let is_fresh = self.asked.is_some_and(|asked| now.saturating_duration_since(asked) < PAUSE);
        if self.wants && !is_fresh && self.bus.state() == BusState::Up {
            (self.wants, self.asked) = (false, Some(now));
            self.publish(&Told { asks: true, ..Told::default() });
        }
    }

    /// Says that this node lives, and looks who else does.
    fn beat(&mut self, now: Instant) {
        self.wants |= self.others.values().any(|other| !other.is_known);
        self.is_asked |= self.told.is_none_or(|told| now.saturating_duration_since(told) >= WHOLE);
        if !self.is_asked {
            self.publish(&Told::default());
        }
        let (rooms, viewers, accounts) = (&self.rooms, &self.viewers, &self.accounts);
        self.others.retain(|node, other| {
            let lives = now.saturating_duration_since(other.heard) < LEASE;
            if !lives {
                rooms.forget(*node);
                viewers.forget(*node);
                accounts.forget(*node);
            }
            lives
        });
        self.changes.others.store(self.others.len(), Ordering::Relaxed);
    }

    fn tell_changes(&mut self) {
        let changes = &self.changes;
        match (changes.rooms.take(), changes.pages.take(), changes.accounts.take()) {
            (Some(rooms), Some(pages), Some(accounts)) => {
                if !(rooms.is_empty() && pages.is_empty() && accounts.is_empty()) {
                    self.publish(&Told { rooms, pages, accounts, ..Told::default() });
                }
            }
            // Too many: the whole says the same.
            _ => self.is_asked = true,
        }
    }

    /// Tells the whole when somebody has asked, unless it was told just now.
    fn tell_whole(&mut self, now: Instant) {
        let is_fresh = self.told.is_some_and(|told| now.saturating_duration_since(told) < PAUSE);
        if self.is_asked && !is_fresh {
            (self.is_asked, self.told) = (false, Some(now));
            let (rooms, pages, accounts) = (self.rooms.share(), self.viewers.share(), self.accounts.share());
            self.publish(&Told { rooms, pages, accounts, is_whole: true, asks: false });
        }
    }

    fn publish(&self, told: &Told) {
        publish(&*self.bus, &Part::of(told));
    }
}

/// Publishes in as many messages as the bus wants it to be. What follows the first of a whole is told as changes.
fn publish(bus: &dyn Bus, part: &Part<'_>) {
    if bus.state() == BusState::Away {
        return bus.skip(Topic::Shares, NotSent::Away);
    }
    let body = shares_wire::write(part);
    if body.len() <= bus.max_body() {
        return bus.publish(Topic::Shares, &body);
    }
    match part.halves() {
        Some((first, rest)) => {
            publish(bus, &first);
            publish(bus, &rest);
        }
        None => bus.skip(Topic::Shares, NotSent::TooLarge),
    }
}
