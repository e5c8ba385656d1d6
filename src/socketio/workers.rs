//! How requests find the thread of their connection: an actor on each worker thread, and the directory of them.

use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
};

use actix::{Actor, Addr, Context, Handler, Message};
use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{
    connection::{Owners, Service},
    engine::Engine,
    websocket,
};
use crate::{limits::ConnectionPermit, protocol::engineio::ErrorCode};

/// Where the connections of each worker thread are. The number of a thread begins their session ids.
pub struct Directory<S: Service>(Arc<Mutex<Vec<Addr<Worker<S>>>>>);

impl<S: Service> Clone for Directory<S> {
    fn clone(&self) -> Self {
        Self(Arc::clone(&self.0))
    }
}

impl<S: Service> Default for Directory<S> {
    fn default() -> Self {
        Self(Arc::default())
    }
}

impl<S: Service> Directory<S> {
    pub(super) fn add(&self, make: impl FnOnce(u8) -> Rc<Engine<S>>) -> Rc<Engine<S>> {
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A worker that died left its number to its successor.
        let number = workers.iter().position(|worker| !worker.connected()).unwrap_or(workers.len());
        let engine = make(u8::try_from(number).unwrap_or(u8::MAX));
        let worker = Worker(Rc::clone(&engine)).start();
        if number == workers.len() {
            workers.push(worker)
        } else {
            workers[number] = worker
        }
        engine
    }

    pub(super) fn owner(&self, sid: &str) -> Option<Addr<Worker<S>>> {
        let number = usize::from_str_radix(sid.get(..2)?, 16).ok()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(number).cloned()
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
