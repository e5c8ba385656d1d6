//! The bus by a NATS server (<https://docs.nats.io/reference/reference-protocols/nats-protocol>), or by a cluster of them.
//!
//! The client connects in the background and again for ever. There are two queues, and nobody waits for either: what is to be
//! published, and what came and was not looked at yet. When one is full, the newest is dropped and counted.

use std::{
    sync::{Arc, Mutex, PoisonError},
    time::{Duration, Instant},
};

use async_nats::{Client, ConnectOptions, ServerAddr, StatusCode, Subscriber};
use async_trait::async_trait;
use bytes::Bytes;
use futures_util::{
    StreamExt as _,
    future::ready,
    stream::{self, BoxStream},
};
use tokio::sync::{mpsc, oneshot, watch};

use super::{
    carrier::{Bus, Direct, Heard, Incoming, Message, Topic},
    frame::{self, Head, MAX_HEAD},
    node::NodeId,
    status::{BusState, Status},
    window::{Place, Windows},
};
use crate::{
    clock,
    config::BusUrl,
    domain::Epoch,
    telemetry::{self, NotHeard, NotSent},
};

/// Messages that wait to be sent.
const OUTGOING: usize = 1024;
/// Messages on their way through the client.
const UNDER_WAY: usize = 64;
/// Messages that came and were not looked at yet.
const INCOMING: usize = 4096;
/// A server that is gone without a word is given up after three of these.
const PING_INTERVAL: Duration = Duration::from_secs(5);
/// An attempt to connect.
const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);
/// The longest pause between two attempts.
const MAX_PAUSE: Duration = Duration::from_secs(1);
/// For what is still to be sent at the end.
const CLOSE_TIMEOUT: Duration = Duration::from_millis(500);
/// The largest message that is sent, whatever the server would take.
const MAX_MESSAGE: usize = 1 << 20;

/// For other nodes to come back, too, once the bus is there again: until then it means nothing that nobody listens.
const RETURN: Duration = Duration::from_secs(3);
/// The topic of what is for one node, in metrics.
const DIRECT: &str = "direct";

/// Why a bus cannot be used. Its text is one sentence for the operator, without the URL, which may hold a password.
#[derive(Debug, thiserror::Error)]
#[error("the bus cannot be used: {0}")]
pub struct BusError(String);

/// A node's connection to the others.
pub struct Nats {
    node: NodeId,
    epoch: Epoch,
    client: Client,
    /// With the numbers of the last messages: numbers and queue have one order.
    outgoing: Mutex<([u64; Topic::ALL.len()], mpsc::Sender<Outgoing>)>,
    status: Arc<Status>,
}

enum Outgoing {
    Frame(Topic, Bytes),
    Flush(oneshot::Sender<()>),
}

impl Nats {
    /// Begins to connect.
    ///
    /// # Errors
    /// The URL cannot be used.
    pub async fn connect(url: &BusUrl, epoch: Epoch, node: NodeId) -> Result<Self, BusError> {
        telemetry::start_bus(Topic::ALL.map(Topic::name).into_iter().chain([DIRECT]));
        let status = Arc::new(Status::new());
        let servers = url.servers().map_err(BusError)?;
        let addresses: Vec<ServerAddr> = servers
            .iter()
            .map(|server| server.url.parse())
            .collect::<Result<_, _>>()
            .map_err(|error: std::io::Error| BusError(error.to_string()))?;
        let mut options = options(node, &status);
        // The servers of a cluster know the same users.
        if let Some(login) = servers.into_iter().find_map(|server| server.login) {
            options = match login.password {
                Some(password) => options.user_and_password(login.user, password.0),
                None => options.token(login.user),
            };
        }
        let client = options.connect(addresses).await.map_err(|error| BusError(error.to_string()))?;
        let (outgoing, queue) = mpsc::channel(OUTGOING);
        tokio::spawn(send(queue, client.clone(), epoch, Arc::clone(&status)));
        let outgoing = Mutex::new(([0; Topic::ALL.len()], outgoing));
        Ok(Self { node, epoch, client, outgoing, status })
    }

    fn number(numbers: &mut [u64], topic: Topic) -> u64 {
        numbers[topic as usize] += 1;
        numbers[topic as usize]
    }
}

fn options(node: NodeId, status: &Arc<Status>) -> ConnectOptions {
    let status = Arc::clone(status);
    ConnectOptions::new()
        .name(format!("shopbell {node}"))
        .no_echo()
        .retry_on_initial_connect()
        .connection_timeout(CONNECT_TIMEOUT)
        .ping_interval(PING_INTERVAL)
        .client_capacity(UNDER_WAY)
        .subscription_capacity(INCOMING)
        .reconnect_delay_callback(pause)
        .event_callback(move |event| {
            status.tell(&event);
            std::future::ready(())
        })
}

/// Before the nth attempt to connect.
fn pause(attempt: usize) -> Duration {
    let doubled = u32::try_from(attempt.saturating_sub(1)).unwrap_or(u32::MAX).min(16);
    if doubled == 0 { Duration::ZERO } else { (Duration::from_millis(8) * 2_u32.pow(doubled)).min(MAX_PAUSE) }
}

/// Sends what is published until nobody publishes any more.
async fn send(mut queue: mpsc::Receiver<Outgoing>, client: Client, epoch: Epoch, status: Arc<Status>) {
    let subjects = Topic::ALL.map(|topic| async_nats::Subject::from(frame::subject(epoch, topic)));
    while let Some(next) = queue.recv().await {
        match next {
            // What waits while the bus is away is old when it is back, and the log has it.
            Outgoing::Frame(..) if !status.is_up() => telemetry::bus_not_sent(NotSent::Away),
            Outgoing::Frame(topic, frame) => {
                match client.publish(subjects[topic as usize].clone(), frame).await {
                    Ok(()) => telemetry::bus_published(topic.name()),
                    Err(_) => telemetry::bus_not_sent(NotSent::TooLarge),
                }
            }
            Outgoing::Flush(done) => {
                // An error means that the connection is gone.
                let _ = client.flush().await;
                let _ = done.send(());
            }
        }
    }
}

#[async_trait]
impl Bus for Nats {
    fn node(&self) -> NodeId {
        self.node
    }

    fn state(&self) -> BusState {
        if self.status.is_up() { BusState::Up } else { BusState::Away }
    }

    fn max_body(&self) -> usize {
        self.client.max_payload().min(MAX_MESSAGE).saturating_sub(MAX_HEAD)
    }

    fn publish(&self, topic: Topic, body: &[u8]) {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        let (numbers, queue) = &mut *outgoing;
        let number = Self::number(numbers, topic);
        if !self.status.is_up() {
            return telemetry::bus_not_sent(NotSent::Away);
        }
        let frame = Head::new(self.node, number, clock::micros()).frame(body);
        if queue.try_send(Outgoing::Frame(topic, frame)).is_err() {
            telemetry::bus_not_sent(NotSent::Full);
        }
    }

    fn skip(&self, topic: Topic, reason: NotSent) {
        let mut outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
        Self::number(&mut outgoing.0, topic);
        telemetry::bus_not_sent(reason);
    }

    async fn subscribe(&self, topic: Topic) -> Incoming {
        let missed = self.status.missed();
        let Ok(messages) = self.client.subscribe(frame::subject(self.epoch, topic)).await else {
            // The client has ended, which it does with this bus.
            return Incoming::new(stream::empty());
        };
        let subscription = Subscription {
            node: self.node,
            topic,
            messages,
            missed,
            windows: Windows::default(),
            held: None,
        };
        Incoming::new(stream::unfold(subscription, async |mut subscription| {
            Some((subscription.next().await?, subscription))
        }))
    }

    async fn send(&self, to: NodeId, number: u64, body: &[u8]) {
        let frame = Head::new(self.node, number, clock::micros()).frame(body);
        let subject = format!("{}.hear", frame::direct(self.epoch, to));
        // The server says there when nobody hears it.
        let nobody = format!("{}.nobody.{to}", frame::direct(self.epoch, self.node));
        match self.client.publish_with_reply(subject, nobody, frame).await {
            Ok(()) => telemetry::bus_published(DIRECT),
            Err(_) => telemetry::bus_not_sent(NotSent::TooLarge),
        }
    }

    async fn receive(&self) -> BoxStream<'static, Direct> {
        let subject = format!("{}.>", frame::direct(self.epoch, self.node));
        let Ok(messages) = self.client.subscribe(subject).await else { return Box::pin(stream::empty()) };
        let status = Arc::clone(&self.status);
        Box::pin(messages.filter_map(move |message| {
            let nobody = message.status == Some(StatusCode::NO_RESPONDERS);
            ready(if nobody { nobody_at(&message.subject, &status) } else { direct(message.payload) })
        }))
    }

    fn up_since(&self) -> Option<Instant> {
        self.status.since()
    }

    async fn close(&self) {
        let (done, is_done) = oneshot::channel();
        {
            let outgoing = self.outgoing.lock().unwrap_or_else(PoisonError::into_inner);
            if !self.status.is_up() || outgoing.1.try_send(Outgoing::Flush(done)).is_err() {
                return;
            }
        }
        let _ = tokio::time::timeout(CLOSE_TIMEOUT, is_done).await;
    }
}

/// The server says that nobody heard a message to a node, whose name ends the subject.
fn nobody_at(subject: &str, status: &Status) -> Option<Direct> {
    let peer = subject.rsplit('.').next().and_then(NodeId::parse)?;
    status.since().is_some_and(|since| since.elapsed() >= RETURN).then_some(Direct::Nobody(peer))
}

/// A message to this node.
fn direct(frame: Bytes) -> Option<Direct> {
    match frame::read(frame) {
        Ok((head, body)) => {
            telemetry::bus_received(DIRECT);
            Some(Direct::Message { from: head.node, number: head.number, body })
        }
        Err(reason) => {
            telemetry::bus_not_heard(reason);
            None
        }
    }
}

/// Messages of one topic.
struct Subscription {
    node: NodeId,
    topic: Topic,
    messages: Subscriber,
    missed: watch::Receiver<u64>,
    windows: Windows,
    /// A message that is told after the hole before it.
    held: Option<Message>,
}

impl Subscription {
    async fn next(&mut self) -> Option<Heard> {
        if let Some(message) = self.held.take() {
            return Some(Heard::Message(message));
        }
        loop {
            let frame = tokio::select! {
                // First that something is missing, then what came after it.
                biased;
                Ok(()) = self.missed.changed() => return Some(Heard::Missed),
                frame = self.messages.next() => frame?.payload,
            };
            match self.read(frame) {
                Ok(Some(heard)) => return Some(heard),
                Ok(None) => {}
                Err(reason) => telemetry::bus_not_heard(reason),
            }
        }
    }

    fn read(&mut self, frame: Bytes) -> Result<Option<Heard>, NotHeard> {
        let (head, body) = frame::read(frame)?;
        if head.node == self.node {
            return Ok(None);
        }
        let place = self.windows.take(head.node, head.number);
        if place == Place::Repeated {
            return Err(NotHeard::Repeated);
        }
        telemetry::bus_received(self.topic.name());
        let message = Message { from: head.node, sent: head.sent, body };
        if place == Place::AfterHole {
            self.held = Some(message);
            return Ok(Some(Heard::Missed));
        }
        Ok(Some(Heard::Message(message)))
    }
}
