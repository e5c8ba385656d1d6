//! The actor of a `/ws` session: what the client's envelopes ask for, and what it is answered.

use std::{
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix::{Actor, ActorContext, ActorFutureExt, AsyncContext, StreamHandler, WrapFuture};
use actix_web_actors::ws::{self, WebsocketContext};
use serde_json::{Value, json};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Gateway,
    shop::{self, Refusal, Reply},
};
use crate::{
    protocol::{
        frame::{FrameError, Message},
        native::{self, Envelope},
    },
    realtime::{Close, Page, Session, registry::Slot},
};

/// Orders of one session that may be under way at once; then its socket is not read until one is answered.
const ORDERS_UNDER_WAY: usize = 64;

/// A `/ws` session.
pub(super) struct NativeSession {
    gateway: Rc<Gateway>,
    session: Rc<Session>,
    slot: Slot,
    allowance: Allowance,
    /// Made with the first order: most sessions never place one.
    orders: Option<Arc<Semaphore>>,
}

impl NativeSession {
    pub(super) fn new(gateway: Rc<Gateway>, session: Rc<Session>, slot: Slot) -> Self {
        let allowance = Allowance::new(gateway.app.settings.message_rate, Instant::now());
        Self { gateway, session, slot, allowance, orders: None }
    }

    fn hello(&self) {
        let user = self.session.login.as_ref().map(|login| json!({"nickname": login.nickname}));
        let latest = self.gateway.registry.latest().max(self.session.position());
        let payload = json!({"session": self.session.name(), "user": user, "latest": latest});
        self.session.send(native::event("hello", &payload.to_string()));
    }

    fn hear(&mut self, text: &str, context: &mut WebsocketContext<Self>) {
        let envelope = match native::decode(text) {
            Ok(envelope) => envelope,
            Err(error) => return refuse(&self.session, None, &error.into()),
        };
        let Envelope { event, payload, id } = envelope;
        match event.as_str() {
            "BUY" => self.buy(payload, id, context),
            "CHANGED_PAGE" => {
                let reply = self.look_at(&payload);
                answer(&self.session, &event, id.as_ref(), reply);
            }
            _ => answer(&self.session, &event, id.as_ref(), Err(Refusal::unknown_event())),
        }
    }

    fn look_at(&self, payload: &Value) -> Reply {
        let page = payload.as_str().and_then(Page::parse);
        let page = page.ok_or_else(|| {
            Refusal::payload("CHANGED_PAGE takes the location of a page, \"/detail.html\".")
        })?;
        self.gateway.registry.look_at(&self.session, self.slot, page);
        Ok(json!({"ok": true}))
    }

    /// Places an order, in a task that outlives the socket: it is processed even if the client leaves at once.
    fn buy(&mut self, payload: Value, id: Option<Value>, context: &mut WebsocketContext<Self>) {
        let orders = self.orders.get_or_insert_with(|| Arc::new(Semaphore::new(ORDERS_UNDER_WAY)));
        let (gateway, session) = (Rc::clone(&self.gateway), Rc::clone(&self.session));
        let place = move |permit: OwnedSemaphorePermit| {
            actix_rt::spawn(async move {
                let reply = shop::buy(&gateway.app, session.login.as_ref(), payload).await;
                answer(&session, "BUY", id.as_ref(), reply);
                drop(permit);
            });
        };
        match Arc::clone(orders).try_acquire_owned() {
            Ok(permit) => place(permit),
            Err(_) => {
                let turn = Arc::clone(orders).acquire_owned().into_actor(self);
                context.wait(turn.map(|permit, _, _| permit.map_or((), place)));
            }
        }
    }
}

/// Sends the acknowledgement that was asked for; without one, only a refusal is worth an event.
fn answer(session: &Session, event: &str, id: Option<&Value>, reply: Reply) {
    match (id, reply) {
        (Some(id), Ok(payload)) => session.send(native::ack(id, &payload.to_string())),
        (Some(id), Err(refusal)) => session.send(native::ack(id, &refusal.ack().to_string())),
        (None, Ok(_)) => {}
        (None, Err(refusal)) => refuse(session, Some(event), &refusal),
    }
}

fn refuse(session: &Session, event: Option<&str>, refusal: &Refusal) {
    session.send(native::event("error", &refusal.event(event).to_string()));
}

impl Actor for NativeSession {
    type Context = WebsocketContext<Self>;

    fn started(&mut self, _: &mut Self::Context) {
        self.hello();
    }
}

impl StreamHandler<Result<Message, FrameError>> for NativeSession {
    fn handle(&mut self, message: Result<Message, FrameError>, context: &mut Self::Context) {
        match message {
            Ok(Message::Close(reason)) => {
                if !self.session.is_closing() {
                    context.close(reason.map(|(code, text)| (ws::CloseCode::from(code), text).into()));
                }
                context.stop();
            }
            _ if self.session.is_closing() => {}
            Err(error) => self.session.close(Close::Protocol(error)),
            _ if !self.allowance.take(Instant::now()) => self.session.close(Close::TooManyMessages),
            Ok(Message::Text(text)) => self.hear(&text, context),
            Ok(Message::Binary(_)) => self.session.close(Close::Unsupported),
            Ok(Message::Ping(payload)) => context.pong(&payload),
            Ok(Message::Pong(_)) => {}
        }
    }
}

/// The decoder of the context itself has nothing to decode, see [`super::websocket::run`].
impl StreamHandler<Result<ws::Message, ws::ProtocolError>> for NativeSession {
    fn handle(&mut self, _: Result<ws::Message, ws::ProtocolError>, _: &mut Self::Context) {}
}

/// A token bucket: so many messages a second, and twice as many at once.
struct Allowance {
    rate: f32,
    left: f32,
    at: Instant,
}

impl Allowance {
    #[expect(clippy::cast_precision_loss, reason = "a rate of millions a second is not kept to the message")]
    fn new(per_second: u32, now: Instant) -> Self {
        let rate = per_second as f32;
        Self { rate, left: rate * 2.0, at: now }
    }

    fn take(&mut self, now: Instant) -> bool {
        let passed = now.saturating_duration_since(self.at);
        // Short steps would be lost in rounding.
        if passed >= Duration::from_millis(1) {
            self.left = (self.left + passed.as_secs_f32() * self.rate).min(self.rate * 2.0);
            self.at = now;
        }
        self.left -= 1.0;
        self.left >= 0.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_allowance_refills_with_time() {
        let start = Instant::now();
        let mut allowance = Allowance::new(10, start);
        assert_eq!((0..30).filter(|_| allowance.take(start)).count(), 20);
        let mut allowance = Allowance { left: 0.0, ..Allowance::new(10, start) };
        assert_eq!((0..30).filter(|_| allowance.take(start + Duration::from_millis(500))).count(), 5);
    }
}
