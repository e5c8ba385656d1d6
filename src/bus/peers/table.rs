//! The channels to all other nodes. No I/O and no clock: what came is put in, and what is to leave is taken out.
//!
//! Messages to a node are numbered. A number that is missing means that something was lost, and then none of the channels
//! between the two nodes goes on: nothing is sent twice, and whoever used one begins anew.

use std::{
    collections::{HashMap, VecDeque},
    sync::Arc,
    time::{Duration, Instant},
};

use bytes::Bytes;

use super::{
    super::node::NodeId,
    message::{Key, Message},
    slot::{Gone, Slot},
};

/// Channels that this node opened, and as many that others opened.
pub(super) const MAX_CHANNELS: usize = 16_384;
/// Nodes at the same time.
const MAX_LINKS: usize = 256;
/// Between two signs of life, while there are channels.
pub(super) const BEAT: Duration = Duration::from_secs(1);
/// A node that is not heard for so long is gone.
const SILENCE: Duration = Duration::from_secs(5);
/// Without channels for so long, a node counts its messages from 1 again; after twice the time it forgets the other's count.
const IDLE: Duration = Duration::from_mins(1);
/// Things to do at the same time, beyond one for each channel: what strangers may cause.
const MAX_WORK: usize = 4 * MAX_CHANNELS;

/// A channel that another node opened.
pub(super) struct Opened {
    pub(super) key: Key,
    pub(super) slot: Arc<Slot>,
    /// The first thing that it said.
    pub(super) first: Bytes,
}

/// Another node.
struct Link {
    /// The number of the last message to it, and when that was.
    sent: u64,
    sent_at: Instant,
    /// The number of the last message from it, and when it was last heard.
    heard: u64,
    heard_at: Instant,
    presence: Presence,
    /// When it was last asked whether it is there, which tells it how far this node has counted.
    greeted_at: Option<Instant>,
    channels: HashMap<Key, Arc<Slot>>,
}

/// What is known of another node.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// Nothing yet.
    Unknown,
    /// It was heard then.
    Heard(Instant),
    /// Nobody listens by this name.
    Nobody,
}

enum Work {
    /// What a channel has to say.
    Channel(Key),
    /// A message of its own.
    Message(Message),
}

/// What a message is by its number.
#[derive(PartialEq)]
enum Place {
    Next,
    /// The other node has forgotten this one, and counts from 1 again.
    First,
    AfterHole,
    Repeated,
}

/// All of them.
#[derive(Default)]
pub(super) struct Table {
    links: HashMap<NodeId, Link>,
    work: VecDeque<(NodeId, Work)>,
    last_id: u64,
    /// Channels that this node opened, and those that others did.
    ours: usize,
    theirs: usize,
}

impl Link {
    fn new(now: Instant) -> Self {
        Self {
            sent: 0,
            sent_at: now,
            heard: 0,
            heard_at: now,
            presence: Presence::Unknown,
            greeted_at: None,
            channels: HashMap::new(),
        }
    }

    fn place(&self, number: u64, message: &Message) -> Place {
        let next = self.heard + u64::from(message.counts());
        match number {
            _ if number == next => Place::Next,
            _ if *message == Message::Hello(true) && self.channels.is_empty() => Place::Next,
            _ if number > next => Place::AfterHole,
            1 if message.counts() => Place::First,
            _ => Place::Repeated,
        }
    }
}

impl Table {
    /// Opens a channel.
    pub(super) fn open(
        &mut self,
        peer: NodeId,
        first: Bytes,
        now: Instant,
    ) -> Result<(Key, Arc<Slot>), Gone> {
        if self.ours >= MAX_CHANNELS || !self.has_room_for(peer) {
            return Err(Gone::Full);
        }
        self.last_id += 1;
        let (key, slot) = (Key { ours: true, id: self.last_id }, Arc::new(Slot::opening(first)));
        self.insert(peer, key, &slot, now);
        self.work.push_back((peer, Work::Channel(key)));
        Ok((key, slot))
    }

    fn has_room_for(&mut self, peer: NodeId) -> bool {
        if self.links.len() >= MAX_LINKS {
            self.links.retain(|_, link| link.presence != Presence::Nobody || !link.channels.is_empty());
        }
        self.links.len() < MAX_LINKS || self.links.contains_key(&peer)
    }

    /// Asks whether a node is there.
    ///
    /// # Errors
    /// There are too many nodes already.
    pub(super) fn greet(&mut self, peer: NodeId, now: Instant) -> Result<(), Gone> {
        if !self.has_room_for(peer) {
            return Err(Gone::Full);
        }
        let link = self.links.entry(peer).or_insert_with(|| Link::new(now));
        let is_idle = link.channels.is_empty();
        link.greeted_at = Some(now);
        if link.presence == Presence::Nobody {
            link.presence = Presence::Unknown;
        }
        self.say(peer, Message::Hello(is_idle));
        Ok(())
    }

    /// What is known of a node.
    pub(super) fn presence(&self, peer: NodeId) -> Presence {
        self.links.get(&peer).map_or(Presence::Unknown, |link| link.presence)
    }

    /// When a node was last heard, if it was greeted before that, after `since`.
    ///
    /// That it was heard is not enough after the bus was away: what was lost on the way to it then is a hole, which it finds
    /// at the next message, and which ends what that opens. The greeting shows the hole first.
    pub(super) fn answered(&self, peer: NodeId, since: Instant) -> Option<Instant> {
        let link = self.links.get(&peer)?;
        let Presence::Heard(at) = link.presence else { return None };
        link.greeted_at.is_some_and(|greeted| since <= greeted && greeted <= at).then_some(at)
    }

    fn insert(&mut self, peer: NodeId, key: Key, slot: &Arc<Slot>, now: Instant) {
        let link = self.links.entry(peer).or_insert_with(|| Link::new(now));
        if link.channels.is_empty() {
            // Nobody beats without channels.
            link.heard_at = now;
        }
        link.channels.insert(key, Arc::clone(slot));
        *(if key.ours { &mut self.ours } else { &mut self.theirs }) += 1;
    }

    fn remove(&mut self, peer: NodeId, key: Key) {
        if self.links.get_mut(&peer).is_some_and(|link| link.channels.remove(&key).is_some()) {
            *(if key.ours { &mut self.ours } else { &mut self.theirs }) -= 1;
        }
    }

    /// A channel has something to send.
    pub(super) fn list(&mut self, peer: NodeId, key: Key) {
        self.work.push_back((peer, Work::Channel(key)));
    }

    fn say(&mut self, peer: NodeId, message: Message) {
        if self.work.len() < MAX_WORK {
            self.work.push_back((peer, Work::Message(message)));
        }
    }

    /// All channels to a node are no more.
    pub(super) fn end(&mut self, peer: NodeId) {
        let Some(link) = self.links.get_mut(&peer) else { return };
        let channels = std::mem::take(&mut link.channels);
        for (key, slot) in channels {
            *(if key.ours { &mut self.ours } else { &mut self.theirs }) -= 1;
            slot.fail(Gone::Lost);
        }
    }

    /// Nobody listens by this name.
    pub(super) fn nobody(&mut self, peer: NodeId) {
        self.end(peer);
        if let Some(link) = self.links.get_mut(&peer) {
            link.presence = Presence::Nobody;
        }
    }

    /// Another node says something. Returns a channel that it opens.
    pub(super) fn hear(
        &mut self,
        peer: NodeId,
        number: u64,
        message: Message,
        now: Instant,
    ) -> Option<Opened> {
        if !self.has_room_for(peer) {
            return None;
        }
        let link = self.links.entry(peer).or_insert_with(|| Link::new(now));
        link.heard_at = now;
        link.presence = Presence::Heard(now);
        let place = link.place(number, &message);
        if place != Place::Repeated {
            link.heard = number;
        }
        match place {
            Place::Next => self.take(peer, message, now),
            Place::First => {
                self.end(peer);
                self.take(peer, message, now)
            }
            Place::AfterHole => {
                self.end(peer);
                self.say(peer, Message::Broken);
                None
            }
            Place::Repeated => None,
        }
    }

    fn take(&mut self, peer: NodeId, message: Message, now: Instant) -> Option<Opened> {
        let channel = |key: Key| self.links.get(&peer).and_then(|link| link.channels.get(&key)).cloned();
        match message {
            Message::Open(key, first) => return self.accept(peer, key, first, now),
            Message::Data(key, bytes) => match channel(key) {
                Some(slot) if slot.came(bytes).is_ok() => {}
                Some(slot) => {
                    if slot.reset() {
                        self.list(peer, key);
                    }
                }
                None => self.say(peer, Message::Reset(key, false)),
            },
            Message::Credit(key, bytes) => {
                channel(key)
                    .into_iter()
                    .for_each(|slot| slot.credit(usize::try_from(bytes).unwrap_or(usize::MAX)));
            }
            Message::End(key) => {
                if let Some(slot) = channel(key) {
                    slot.ended();
                    self.settle(peer, key, &slot);
                }
            }
            Message::Reset(key, is_full) => {
                if let Some(slot) = channel(key) {
                    slot.fail(if is_full { Gone::Full } else { Gone::Lost });
                    self.remove(peer, key);
                }
            }
            Message::Hello(_) => self.say(peer, Message::Beat),
            Message::Beat => {}
            Message::Broken => self.reset(peer),
        }
        None
    }

    fn accept(&mut self, peer: NodeId, key: Key, first: Bytes, now: Instant) -> Option<Opened> {
        if self.theirs >= MAX_CHANNELS {
            self.say(peer, Message::Reset(key, true));
            return None;
        }
        let slot = Arc::new(Slot::default());
        self.insert(peer, key, &slot, now);
        Some(Opened { key, slot, first })
    }

    /// Refuses a channel that another node opened, because there is no room.
    pub(super) fn refuse(&mut self, peer: NodeId, key: Key) {
        self.remove(peer, key);
        self.say(peer, Message::Reset(key, true));
    }

    /// The other node has ended all channels: those that it may have accepted since then have to end, too.
    fn reset(&mut self, peer: NodeId) {
        let Some(link) = self.links.get(&peer) else { return };
        let list: Vec<_> =
            link.channels.iter().filter(|(_, slot)| slot.reset()).map(|(key, _)| *key).collect();
        self.work.extend(list.into_iter().map(|key| (peer, Work::Channel(key))));
    }

    fn settle(&mut self, peer: NodeId, key: Key, slot: &Slot) {
        if slot.is_over() {
            self.remove(peer, key);
        }
    }

    /// The next messages to send, with their numbers: all to one node.
    pub(super) fn next(&mut self, now: Instant) -> Option<(NodeId, Vec<(u64, Message)>)> {
        let (peer, work) = self.work.pop_front()?;
        let messages = match work {
            Work::Message(message) => vec![message],
            Work::Channel(key) => self.of_channel(peer, key),
        };
        let link = self.links.entry(peer).or_insert_with(|| Link::new(now));
        let numbered = messages.into_iter().map(|message| {
            link.sent += u64::from(message.counts());
            link.sent_at = now;
            (link.sent, message)
        });
        Some((peer, numbered.collect()))
    }

    fn of_channel(&mut self, peer: NodeId, key: Key) -> Vec<Message> {
        let slot = self.links.get(&peer).and_then(|link| link.channels.get(&key)).cloned();
        let Some(slot) = slot else { return Vec::new() };
        let messages = slot.messages(key);
        self.settle(peer, key, &slot);
        messages
    }

    /// Once for each [`BEAT`]: says that this node is there, and ends what goes to nodes that are not.
    pub(super) fn beat(&mut self, now: Instant) {
        let since = |then: Instant| now.saturating_duration_since(then);
        let (mut silent, mut beats) = (Vec::new(), Vec::new());
        self.links.retain(|peer, link| {
            if !link.channels.is_empty() {
                (if since(link.heard_at) > SILENCE { &mut silent } else { &mut beats }).push(*peer);
                return true;
            }
            if since(link.sent_at) > IDLE {
                link.sent = 0;
            }
            since(link.sent_at).min(since(link.heard_at)) < 2 * IDLE
        });
        for peer in silent {
            self.end(peer);
        }
        for peer in beats {
            self.say(peer, Message::Beat);
        }
    }

    /// Whether nothing is to be sent.
    pub(super) fn is_idle(&self) -> bool {
        self.work.is_empty()
    }

    #[cfg(test)]
    pub(super) fn channels(&self) -> (usize, usize) {
        (self.ours, self.theirs)
    }
}
