//! How requests find the thread of their session.

use std::{
    rc::Rc,
    sync::{Arc, Mutex, PoisonError},
    time::Instant,
};

use actix::{Actor, Addr, AsyncContext, Context, Handler, Message};
use bytes::Bytes;
use tokio::{net::TcpStream, sync::oneshot};

use super::{
    engine::{Engine, Service},
    websocket,
};
use crate::{limits::admission::Connected, protocol::engineio::ErrorCode};

/// Where the sessions of each worker thread are.
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
    pub(super) fn enter(&self, make: impl FnOnce(u8) -> Rc<Engine<S>>) -> Rc<Engine<S>> {
        let mut workers = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // A worker that died left its number to its successor.
        let place = workers.iter().position(|worker| !worker.connected()).unwrap_or(workers.len());
        let engine = make(u8::try_from(place).unwrap_or(u8::MAX));
        let worker = Worker(Rc::clone(&engine)).start();
        if place == workers.len() {
            workers.push(worker)
        } else {
            workers[place] = worker
        }
        engine
    }

    pub(super) fn owner(&self, sid: &str) -> Option<Addr<Worker<S>>> {
        let place = usize::from_str_radix(sid.get(..2)?, 16).ok()?;
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(place).cloned()
    }
}

/// The actor through which other threads reach an engine.
pub(super) struct Worker<S: Service>(Rc<Engine<S>>);

impl<S: Service> Actor for Worker<S> {
    type Context = Context<Self>;

    fn started(&mut self, context: &mut Self::Context) {
        context.run_interval(self.0.sweep_every(), |worker, _| worker.0.sweep(Instant::now()));
    }
}

#[derive(Message)]
#[rtype(result = "Result<(), ErrorCode>")]
pub(super) struct Poll {
    pub(super) sid: Arc<str>,
    pub(super) answer: oneshot::Sender<Bytes>,
}

impl<S: Service> Handler<Poll> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Poll { sid, answer }: Poll, _: &mut Self::Context) -> Self::Result {
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
    pub(super) body: Bytes,
}

impl<S: Service> Handler<Post> for Worker<S> {
    type Result = Result<(), ErrorCode>;

    fn handle(&mut self, Post { sid, body }: Post, _: &mut Self::Context) -> Self::Result {
        self.0.post(&sid, &body)
    }
}

#[derive(Message)]
#[rtype(result = "bool")]
pub(super) struct Knows(pub(super) Arc<str>);

impl<S: Service> Handler<Knows> for Worker<S> {
    type Result = bool;

    fn handle(&mut self, Knows(sid): Knows, _: &mut Self::Context) -> bool {
        self.0.knows(&sid)
    }
}

/// A WebSocket that wants to take over from polls moves to the thread of its session.
#[derive(Message)]
#[rtype(result = "()")]
pub(super) struct Adopt {
    pub(super) sid: Arc<str>,
    pub(super) socket: std::net::TcpStream,
    pub(super) connected: Option<Connected>,
    pub(super) already_read: Bytes,
}

impl<S: Service> Handler<Adopt> for Worker<S> {
    type Result = ();

    fn handle(&mut self, Adopt { sid, socket, connected, already_read }: Adopt, _: &mut Self::Context) {
        match TcpStream::from_std(socket) {
            Ok(socket) => websocket::adopt(&self.0, &sid, socket, connected, &already_read),
            Err(error) => tracing::warn!(%error, "a socket could not move to another thread"),
        }
    }
}
