//! How requests find the node and the thread of their connection: an actor on each worker thread, the directory of them, and
//! the way to other nodes.

use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Actor, Addr, Context, Handler, Message};
use bytes::Bytes;
use futures_util::future::BoxFuture;
use tokio::{
    net::TcpStream,
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot, watch},
};

use super::{
    call::{Call, What},
    carried,
    connection::{Owners, Service},
    engine::Engine,
    sid::{self, Place},
    websocket,
};
use crate::{
    bus::{
        Bus, NodeId,
        peers::{Accepted, Channel, Peers},
    },
    limits::ConnectionPermit,
    protocol::engineio::ErrorCode,
    telemetry,
};

/// Where the connections of each worker thread are, and of other nodes. Session ids say which.
pub struct Directory<S: Service> {
    workers: Arc<Mutex<Vec<Addr<Worker<S>>>>>,
    /// `None` where there is one node.
    peers: Option<Arc<Peers>>,
    /// For WebSockets that arrive at other nodes: each is two sockets here.
    tunnels: Arc<Semaphore>,
    draining: watch::Sender<bool>,
}

impl<S: Service> Clone for Directory<S> {
    fn clone(&self) -> Self {
        Self {
            workers: Arc::clone(&self.workers),
            peers: self.peers.clone(),
            tunnels: Arc::clone(&self.tunnels),
            draining: self.draining.clone(),
        }
    }
}

impl<S: Service> Default for Directory<S> {
    fn default() -> Self {
        Self::among(None, 0)
    }
}

/// Who has a connection.
pub(super) enum Owner<S: Service> {
    /// A thread of this node.
    Thread(Addr<Worker<S>>),
    /// Another node.
    Node(NodeId),
}

impl<S: Service> Directory<S> {
    fn among(peers: Option<Arc<Peers>>, tunnels: usize) -> Self {
        let tunnels = Arc::new(Semaphore::new(tunnels.min(Semaphore::MAX_PERMITS)));
        Self { workers: Arc::default(), peers, tunnels, draining: watch::Sender::new(false) }
    }

    /// Of a node on a bus, with the task that carries what belongs to connections of other nodes. So many WebSockets of
    /// connections that live here may arrive there.
    pub async fn join(bus: &Arc<dyn Bus>, tunnels: usize) -> (Self, BoxFuture<'static, ()>) {
        let Some((peers, carrier, accepts)) = Peers::join(bus).await else {
            return (Self::default(), Box::pin(std::future::pending()));
        };
        let directory = Self::among(Some(peers), tunnels);
        let served = directory.clone().serve(accepts);
        let carried = async move {
            tokio::join!(carrier.run(), served);
        };
        (directory, Box::pin(carried))
    }

    /// Serves what arrives at other nodes, for ever.
    async fn serve(self, mut accepts: mpsc::Receiver<Accepted>) {
        while let Some(Accepted { channel, first }) = accepts.recv().await {
            // A channel that is dropped is refused.
            let Some(call) = Call::decode(&first) else { continue };
            let tunnel = (call.what == What::Upgrade).then(|| Arc::clone(&self.tunnels).try_acquire_owned());
            let Ok(tunnel) = tunnel.transpose() else {
                // The client goes on polling.
                telemetry::refused("tunnels_full");
                continue;
            };
            if let Some(Owner::Thread(worker)) = self.owner(&call.sid) {
                // As many at most as there are channels, and the engine never waits for anything.
                worker.do_send(Carried { call, channel, tunnel });
            }
        }
    }

    /// From now on clients of connections of other nodes are to go on elsewhere.
    pub fn drain(&self) {
        self.draining.send_replace(true);
    }

    /// Before the node ends: waits until other nodes can be told what its last answers were. Without the word that a client has
    /// its answer they end its session.
    pub async fn say_all(&self) {
        if let Some(peers) = self.peers() {
            peers.flush().await;
        }
    }

    pub(super) fn is_draining(&self) -> bool {
        *self.draining.borrow()
    }

    /// Waits until then.
    pub(super) async fn drained(&self) {
        // The sender lives as long as this does.
        let _ = self.draining.subscribe().wait_for(|draining| *draining).await;
    }

    pub(super) fn peers(&self) -> Option<&Peers> {
        self.peers.as_deref()
    }

    pub(super) fn add(&self, make: impl FnOnce(Place) -> Rc<Engine<S>>) -> Rc<Engine<S>> {
        let mut workers = self.workers.lock().unwrap_or_else(PoisonError::into_inner);
        // A worker that died left its number to its successor.
        let number = workers.iter().position(|worker| !worker.connected()).unwrap_or(workers.len());
        let node = self.peers().map(Peers::node);
        let engine = make(Place::new(node, u8::try_from(number).unwrap_or(u8::MAX)));
        let worker = Worker(Rc::clone(&engine)).start();
        if number == workers.len() {
            workers.push(worker)
        } else {
            workers[number] = worker
        }
        engine
    }

    /// Who has a connection, if there is one.
    pub(super) fn owner(&self, sid: &str) -> Option<Owner<S>> {
        let Some(peers) = &self.peers else { return self.thread(sid) };
        let (node, rest) = sid::node(sid)?;
        if node == peers.node() { self.thread(rest) } else { Some(Owner::Node(node)) }
    }

    fn thread(&self, sid: &str) -> Option<Owner<S>> {
        let number = sid::thread(sid)?;
        self.workers.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned().map(Owner::Thread)
    }
}

/// The actor through which other threads reach an engine.
pub(super) struct Worker<S: Service>(Rc<Engine<S>>);

impl<S: Service> Actor for Worker<S> {
    type Context = Context<Self>;
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
pub(super) struct Poll {
    pub(super) sid: Arc<str>,
    pub(super) owners: Owners,
    pub(super) answer: oneshot::Sender<Bytes>,
}

impl<S: Service> Handler<Poll> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Poll { sid, owners, answer }: Poll, _: &mut Self::Context) -> Self::Result {
        self.0.check_owner(&sid, &owners)?;
        self.0.poll(&sid, answer)
    }
}

#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct PollAborted(pub(super) Arc<str>);

impl<S: Service> Handler<PollAborted> for Worker<S> {
    type Result = ();

    fn handle(&mut self, PollAborted(sid): PollAborted, _: &mut Self::Context) {
        self.0.poll_aborted(&sid);
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
pub(super) struct Post {
    pub(super) sid: Arc<str>,
    pub(super) owners: Owners,
    pub(super) body: Bytes,
}

impl<S: Service> Handler<Post> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Post { sid, owners, body }: Post, _: &mut Self::Context) -> Self::Result {
        self.0.check_owner(&sid, &owners)?;
        self.0.post(&sid, &body)
    }
}

/// How many bytes the body of a POST may have.
#[derive(Message)]
#[rtype(result = "Result<usize, ErrorCode>")]
pub(super) struct BodyLimit {
    pub(super) sid: Arc<str>,
    pub(super) owners: Owners,
}

impl<S: Service> Handler<BodyLimit> for Worker<S> {
    type Result = Result<usize, ErrorCode>;

    fn handle(&mut self, BodyLimit { sid, owners }: BodyLimit, _: &mut Self::Context) -> Self::Result {
        self.0.check_owner(&sid, &owners)?;
        self.0.body_limit(&sid)
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
pub(super) struct Knows {
    pub(super) sid: Arc<str>,
    pub(super) owners: Owners,
}

impl<S: Service> Handler<Knows> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Knows { sid, owners }: Knows, _: &mut Self::Context) -> Self::Result {
        self.0.check_owner(&sid, &owners)?;
        if self.0.knows(&sid) { Ok(()) } else { Err(ErrorCode::UnknownSession) }
    }
}

/// A request that arrived at another node.
#[derive(Message)]
#[rtype(result = "()")]
struct Carried {
    call: Call,
    channel: Channel,
    tunnel: Option<OwnedSemaphorePermit>,
}

impl<S: Service> Handler<Carried> for Worker<S> {
    type Result = ();

    fn handle(&mut self, Carried { call, channel, tunnel }: Carried, _: &mut Self::Context) {
        let engine = Rc::clone(&self.0);
        actix_rt::spawn(async move {
            carried::serve(engine, call, channel).await;
            drop(tunnel);
        });
    }
}

/// A WebSocket that wants to take over from polls moves to the thread of its connection.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Adopt {
    pub(super) sid: Arc<str>,
    pub(super) socket: std::net::TcpStream,
    pub(super) permit: Option<ConnectionPermit>,
    pub(super) already_read: Bytes,
}

impl<S: Service> Handler<Adopt> for Worker<S> {
    type Result = ();

    fn handle(&mut self, Adopt { sid, socket, permit, already_read }: Adopt, _: &mut Self::Context) {
        match TcpStream::from_std(socket) {
            Ok(socket) => websocket::adopt(&self.0, &sid, socket, permit, &already_read),
            Err(error) => tracing::warn!(%error, "a socket could not move to another thread"),
        }
    }
}
