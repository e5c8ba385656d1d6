//! What the nodes of a shop tell each other: what one has committed, the others put into their feeds (here); who is in which
//! room and on which page (`shares`); what happens in rooms (`talk`); which sessions may come back anywhere (`away`).
//!
//! The log stays the truth (docs/design/0010-sqlite-then-postgresql-and-nats.md). What is lost, repeated or out of order here
//! is at worst a hole in memory, for which readers go to the store.

pub mod away;
mod items;
mod news_wire;
mod shares;
mod shares_wire;
mod talk;
mod traced;

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use self::{away::Away, items::Items, shares::Shares, talk::Hearing};
pub use self::{shares::ShareChanges, talk::RoomEvent};
use super::{
    accounts::{AccountChange, Accounts},
    company::Company,
    hub::Hubs,
};
use crate::{
    bus::{Bus, BusState, Heard, Incoming, Message, Topic},
    clock,
    limits::Permits,
    store::Feed,
    telemetry::{self, NotHeard, NotSent},
};

/// Clocks of two nodes that differ by more than this say nothing of how old news are.
const MAX_LAG: Duration = Duration::from_secs(10);

/// What of this node others are told, and what hears them.
pub struct Ours {
    /// What is committed here.
    pub feed: Arc<Feed>,
    /// The sessions of all threads.
    pub hubs: Hubs,
    /// Where they are.
    pub company: Company,
    /// How many an account has.
    pub permits: Arc<Permits>,
    /// Within which they give a sign of life.
    pub ping_interval: Duration,
}

/// Between this node and the others.
pub struct Nodes {
    news: News,
    shares: Shares,
    talk: Hearing,
    away: Away,
}

impl Nodes {
    /// From now on what is committed here is told to others.
    pub async fn join(bus: Arc<dyn Bus>, ours: Ours) -> Self {
        let Ours { feed, hubs, company, permits, ping_interval } = ours;
        let incoming = bus.subscribe(Topic::News).await;
        // With one node the feed has nobody to tell, and commits pass no line of this.
        if bus.state() != BusState::None {
            let changes = Arc::clone(&company.changes.accounts);
            permits.of_accounts().tell_others(move |account, sessions| {
                changes.add(AccountChange(account, sessions));
            });
            let bus = Arc::clone(&bus);
            let traces = feed.tracer().cloned();
            feed.tell_others(move |news| match &traces {
                Some(traces) if !news.traces.is_empty() => {
                    traced::publish(traces, news, |told| publish(&*bus, Items::of(news).traced_as(told)));
                }
                _ => publish(&*bus, Items::of(news)),
            });
        }
        let people = (Arc::clone(&company.rooms), Arc::clone(&company.viewers));
        let (changes, recovery) = (Arc::clone(&company.changes), Arc::clone(&company.recovery));
        let away = Away { bus: Arc::clone(&bus), recovery, hubs: hubs.clone(), ping_interval };
        Self {
            news: News { feed, incoming },
            shares: Shares::new(Arc::clone(&bus), people, Accounts::new(permits), changes),
            talk: Hearing { bus, hubs, company },
            away,
        }
    }

    /// Hears the others until it is dropped.
    pub async fn run(self) {
        tokio::join!(self.news.run(), self.shares.run(), self.talk.run(), self.away.run());
    }
}

/// What others have committed.
struct News {
    feed: Arc<Feed>,
    incoming: Incoming,
}

impl News {
    async fn run(mut self) {
        while let Some(heard) = self.incoming.next().await {
            match heard {
                Heard::Message(message) => self.hear(&message),
                Heard::Missed => self.feed.forget(),
            }
        }
    }

    fn hear(&self, message: &Message) {
        let now = Instant::now();
        let Some(mut news) = news_wire::read(&message.body) else {
            telemetry::bus_not_heard(NotHeard::Malformed);
            // Whatever it said is not known here.
            return self.feed.forget();
        };
        let micros = u64::try_from(clock::micros().saturating_sub(message.sent)).unwrap_or(0);
        let lag = Duration::from_micros(micros);
        telemetry::bus_lag(lag);
        traced::arrived(&self.feed, &mut news, now, lag);
        self.feed.hear(news, now.checked_sub(lag.min(MAX_LAG)).unwrap_or(now));
    }
}

/// Publishes in as many messages as the bus wants it to be.
fn publish(bus: &dyn Bus, items: Items<'_>) {
    if bus.state() == BusState::Away {
        return bus.skip(Topic::News, NotSent::Away);
    }
    let body = news_wire::write(&items);
    if body.len() <= bus.max_body() {
        return bus.publish(Topic::News, &body);
    }
    match items.halves() {
        Some((first, second)) => {
            publish(bus, first);
            publish(bus, second);
        }
        None => bus.skip(Topic::News, NotSent::TooLarge),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use async_trait::async_trait;

    use super::*;
    use crate::{
        bus::NodeId,
        domain::{Offset, SessionId},
        store::feed,
    };

    /// Keeps what is published.
    struct Kept {
        max_body: usize,
        bodies: Mutex<Vec<Vec<u8>>>,
    }

    #[async_trait]
    impl Bus for Kept {
        fn node(&self) -> NodeId {
            NodeId::from_random([1; 6])
        }

        fn state(&self) -> BusState {
            BusState::Up
        }

        fn max_body(&self) -> usize {
            self.max_body
        }

        fn publish(&self, _topic: Topic, body: &[u8]) {
            self.bodies.lock().unwrap().push(body.to_owned());
        }

        fn skip(&self, _topic: Topic, reason: NotSent) {
            panic!("{reason:?}");
        }

        async fn subscribe(&self, _topic: Topic) -> Incoming {
            Incoming::new(futures_util::stream::empty())
        }

        async fn close(&self) {}
    }

    #[test]
    fn large_news_leave_in_pieces_that_say_the_same() {
        let news = || feed::News {
            catalog: true,
            revoked: (0..200).map(|n| SessionId::from_random([n; 16])).collect(),
            unnamed: (0..500).map(Offset).collect(),
            ..feed::News::default()
        };
        let bus = Arc::new(Kept { max_body: 1000, bodies: Mutex::default() });
        publish(&*bus, Items::of(&news()));
        let bodies = bus.bodies.lock().unwrap();
        assert!(bodies.len() > 13 && bodies.iter().all(|body| body.len() <= 1000), "{}", bodies.len());
        let mut heard = feed::News::default();
        bodies.iter().for_each(|body| heard.append(news_wire::read(body).unwrap()));
        assert_eq!(format!("{heard:?}"), format!("{:?}", news()));
    }
}
