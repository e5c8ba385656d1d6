use std::{
    sync::{
        Mutex,
        atomic::{AtomicBool, Ordering},
    },
    time::{Duration, Instant},
};

use async_trait::async_trait;
use futures_util::{FutureExt as _, stream};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::{
    super::carrier::{Incoming, Topic},
    table::{MAX_CHANNELS, Table},
    *,
};
use crate::telemetry::NotSent;

/// A bus of two nodes, on which messages can be lost.
struct Cable {
    node: NodeId,
    to: UnboundedSender<Direct>,
    from: Mutex<Option<UnboundedReceiver<Direct>>>,
    since: Instant,
    /// The next message.
    loses: AtomicBool,
}

#[async_trait]
impl Bus for Cable {
    fn node(&self) -> NodeId {
        self.node
    }

    fn state(&self) -> BusState {
        BusState::Up
    }

    fn max_body(&self) -> usize {
        usize::MAX
    }

    fn publish(&self, _topic: Topic, _body: &[u8]) {}

    fn skip(&self, _topic: Topic, _reason: NotSent) {}

    async fn subscribe(&self, _topic: Topic) -> Incoming {
        Incoming::new(stream::empty())
    }

    async fn send(&self, to: NodeId, number: u64, body: &[u8]) {
        assert_ne!(self.node, to);
        if !self.loses.swap(false, Ordering::Relaxed) {
            let body = Bytes::copy_from_slice(body);
            let _ = self.to.send(Direct::Message { from: self.node, number, body });
        }
    }

    async fn receive(&self) -> BoxStream<'static, Direct> {
        let from = self.from.lock().unwrap().take().unwrap();
        Box::pin(stream::unfold(from, async |mut from| Some((from.recv().await?, from))))
    }

    fn up_since(&self) -> Option<Instant> {
        Some(self.since)
    }

    async fn close(&self) {}
}

struct Node {
    cable: Arc<Cable>,
    peers: Arc<Peers>,
    accepts: mpsc::Receiver<Accepted>,
}

impl Node {
    async fn new(node: NodeId, to: UnboundedSender<Direct>, from: UnboundedReceiver<Direct>) -> Self {
        let cable = Cable { node, to, from: Some(from).into(), since: Instant::now(), loses: false.into() };
        let cable = Arc::new(cable);
        let bus: Arc<dyn Bus> = cable.clone();
        let (peers, carrier, accepts) = Peers::join(&bus).await.unwrap();
        tokio::spawn(carrier.run());
        Self { cable, peers, accepts }
    }

    async fn accept(&mut self) -> Accepted {
        soon(self.accepts.recv()).await.unwrap()
    }

    async fn has_no_channels(&self) {
        soon(async {
            while self.peers.shared.with(|table| table.channels()) != (0, 0) {
                tokio::task::yield_now().await;
            }
        })
        .await;
    }
}

async fn soon<T>(future: impl Future<Output = T>) -> T {
    tokio::time::timeout(Duration::from_secs(5), future).await.expect("it happens in time")
}

fn node(number: u8) -> NodeId {
    NodeId::from_random([number; 6])
}

async fn two() -> (Node, Node) {
    let ((to_b, from_a), (to_a, from_b)) = (unbounded_channel(), unbounded_channel());
    (Node::new(node(1), to_b, from_b).await, Node::new(node(2), to_a, from_a).await)
}

/// A channel from one to the other, seen from both.
async fn channel(a: &Node, b: &mut Node) -> (Channel, Channel) {
    let here = a.peers.open(b.peers.node(), Bytes::from_static(b"hello")).await.unwrap();
    let there = b.accept().await;
    assert_eq!(there.first, "hello");
    (here, there.channel)
}

async fn all(channel: &Channel) -> Result<Vec<u8>, Gone> {
    let mut all = Vec::new();
    while let Some(piece) = soon(channel.next()).await? {
        all.extend_from_slice(&piece);
    }
    Ok(all)
}

#[tokio::test]
async fn what_is_sent_comes_in_order_and_both_ends_learn_of_the_end() {
    let (a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    let long: Vec<u8> = (0..1_000_000_u32).map(|number| number.to_le_bytes()[0]).collect();
    let send = async |channel: &Channel| {
        channel.send(Bytes::from(long.clone())).await.unwrap();
        channel.finish();
    };
    let ((), (), at_a, at_b) = tokio::join!(send(&here), send(&there), all(&here), all(&there));
    assert!(at_a.unwrap() == long && at_b.unwrap() == long);
    drop((here, there));
    a.has_no_channels().await;
    b.has_no_channels().await;
}

#[tokio::test]
async fn an_answer_that_is_finished_arrives_although_who_gave_it_is_gone() {
    let (a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    there.send(Bytes::from_static(b"answer")).await.unwrap();
    there.finish();
    drop(there);
    assert_eq!(all(&here).await, Ok(b"answer".to_vec()));
    drop(here);
    a.has_no_channels().await;
    b.has_no_channels().await;
}

#[tokio::test]
async fn who_gives_up_is_noticed() {
    let (a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    drop(here);
    assert_eq!(soon(there.next()).await, Err(Gone::Lost));
    assert_eq!(there.send(Bytes::from_static(b"x")).await, Err(Gone::Lost));
    let (here, there) = channel(&a, &mut b).await;
    drop(there);
    assert_eq!(soon(here.next()).await, Err(Gone::Lost));
    a.has_no_channels().await;
    b.has_no_channels().await;
}

#[tokio::test]
async fn who_sends_waits_for_who_takes() {
    let (a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    let mut sent = 0;
    while here.send(Bytes::from(vec![7; PIECE])).now_or_never().is_some() {
        sent += PIECE;
    }
    assert_eq!(sent, WINDOW);
    for _ in 0..WINDOW / PIECE {
        assert_eq!(soon(there.next()).await.unwrap().unwrap().len(), PIECE);
    }
    soon(here.send(Bytes::from(vec![7; WINDOW]))).await.unwrap();
}

#[tokio::test]
async fn what_is_lost_ends_all_channels_between_two_nodes() {
    let (mut a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    let (back, forth) = channel(&b, &mut a).await;
    b.cable.loses.store(true, Ordering::Relaxed);
    there.send(Bytes::from_static(b"lost")).await.unwrap();
    // The next message shows it.
    there.send(Bytes::from_static(b"not lost")).await.unwrap();
    for channel in [&here, &there, &back, &forth] {
        assert_eq!(soon(channel.next()).await, Err(Gone::Lost));
    }
}

#[tokio::test]
async fn what_is_lost_without_a_successor_is_shown_by_the_next_sign_of_life() {
    let (a, mut b) = two().await;
    let (here, there) = channel(&a, &mut b).await;
    a.cable.loses.store(true, Ordering::Relaxed);
    here.send(Bytes::from_static(b"lost")).await.unwrap();
    assert_eq!(soon(there.next()).await, Err(Gone::Lost));
    assert_eq!(soon(here.next()).await, Err(Gone::Lost));
    // And then they begin anew.
    let (here, there) = channel(&a, &mut b).await;
    here.send(Bytes::from_static(b"again")).await.unwrap();
    assert_eq!(soon(there.next()).await.unwrap().unwrap(), "again");
}

#[tokio::test]
async fn a_node_that_comes_back_later_than_the_bus_is_waited_for_and_what_was_lost_before_is_no_loss() {
    let (a, mut b) = two().await;
    drop(channel(&a, &mut b).await);
    a.has_no_channels().await;
    // Words about channels that are no more.
    a.peers.shared.with(|table| table.refuse(b.peers.node(), message::Key { ours: true, id: 9 }));
    a.cable.loses.store(true, Ordering::Relaxed);
    soon(async {
        while a.cable.loses.load(Ordering::Relaxed) {
            tokio::task::yield_now().await;
        }
    })
    .await;
    a.peers.shared.with(|table| table.nobody(b.peers.node()));
    // The first greeting is lost, too.
    a.cable.loses.store(true, Ordering::Relaxed);
    let (here, there) = channel(&a, &mut b).await;
    here.send(Bytes::from_static(b"after all")).await.unwrap();
    assert_eq!(soon(there.next()).await.unwrap().unwrap(), "after all");
}

#[tokio::test]
async fn who_is_not_there_is_not_waited_for() {
    let (a, _) = two().await;
    let open = a.peers.open(node(3), Bytes::new());
    let (opened, ()) = tokio::join!(open, async {
        tokio::task::yield_now().await;
        a.peers.shared.with(|table| table.nobody(node(3)));
        a.peers.shared.heard.notify_waiters();
    });
    assert_eq!(opened.err(), Some(Gone::Lost));
}

/// Carries what one says to the other.
fn carry(from: &mut Table, to: &mut Table, node: NodeId, now: Instant) -> Vec<Opened> {
    let mut opened = Vec::new();
    while let Some((_, messages)) = from.next(now) {
        for (number, message) in messages {
            let message = Message::decode(message.encode()).unwrap();
            opened.extend(to.hear(node, number, message, now));
        }
    }
    opened
}

#[test]
fn a_node_that_is_not_heard_is_gone() {
    let (mut a, begin) = (Table::default(), Instant::now());
    let (_, slot) = a.open(node(2), Bytes::new(), begin).unwrap();
    for second in 0..=5 {
        assert_eq!(a.channels(), (1, 0), "{second}");
        a.beat(begin + Duration::from_secs(second));
    }
    a.beat(begin + Duration::from_secs(6));
    assert_eq!((a.channels(), slot.take().now_or_never().map(|taken| taken.is_err())), ((0, 0), Some(true)));
    let (_, slot) = a.open(node(2), Bytes::new(), begin + Duration::from_mins(1)).unwrap();
    a.beat(begin + Duration::from_secs(61));
    assert_eq!(a.channels(), (1, 0), "its silence counts from when it was asked");
    a.nobody(node(2));
    assert!(slot.take().now_or_never().is_some_and(|taken| taken.is_err()));
}

#[test]
fn nodes_that_were_idle_begin_anew() {
    let ((mut a, mut b), mut now) = ((Table::default(), Table::default()), Instant::now());
    // One forgets what it sent, later the other what it heard.
    for pause in [0, 10, 61, 90, 119, 121, 1000] {
        now += Duration::from_secs(pause);
        a.beat(now);
        b.beat(now);
        let (key, slot) = a.open(node(2), Bytes::new(), now).unwrap();
        let opened = carry(&mut a, &mut b, node(1), now);
        assert_eq!(opened.len(), 1, "after {pause} seconds");
        if slot.leave() {
            a.list(node(2), key);
        }
        carry(&mut a, &mut b, node(1), now);
        assert_eq!((a.channels(), b.channels()), ((0, 0), (0, 0)));
    }
}

#[test]
fn there_is_a_bound_for_channels() {
    let ((mut a, mut b), now) = ((Table::default(), Table::default()), Instant::now());
    let mut slots: Vec<_> =
        (0..MAX_CHANNELS).map(|_| a.open(node(2), Bytes::new(), now).unwrap().1).collect();
    assert_eq!(a.open(node(2), Bytes::new(), now).err(), Some(Gone::Full));
    assert_eq!(carry(&mut a, &mut b, node(1), now).len(), MAX_CHANNELS);
    // A third node finds no room at the second.
    let mut c = Table::default();
    slots.push(c.open(node(2), Bytes::new(), now).unwrap().1);
    assert_eq!(carry(&mut c, &mut b, node(3), now).len(), 0);
    carry(&mut b, &mut c, node(2), now);
    assert_eq!(slots.pop().unwrap().take().now_or_never(), Some(Err(Gone::Full)));
    assert_eq!((a.channels(), b.channels(), c.channels()), ((MAX_CHANNELS, 0), (0, MAX_CHANNELS), (0, 0)));
}

#[test]
fn rubbish_leaves_nothing() {
    let (mut a, now) = (Table::default(), Instant::now());
    for number in 0..10_000_u64 {
        let bytes = number.to_le_bytes();
        let from = NodeId::from_random([bytes[0], bytes[1], bytes[2], 0, 0, 0]);
        let key = message::Key { ours: number % 2 == 0, id: number };
        for message in [
            Message::Data(key, Bytes::from_static(b"x")),
            Message::Credit(key, u32::MAX),
            Message::End(key),
            Message::Reset(key, true),
            Message::Broken,
            Message::Beat,
            Message::Hello(number % 2 == 1),
        ] {
            assert!(a.hear(from, number % 3, message, now).is_none());
        }
    }
    assert_eq!(a.channels(), (0, 0));
    let mut messages = 0;
    while a.next(now).is_some() {
        messages += 1;
    }
    assert!(messages <= 10_000, "{messages}");
}
