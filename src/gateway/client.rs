//! What the shop's events ask for (CONTRACT §3), whatever transport they came by.

use std::{
    cell::{Cell, OnceCell, RefCell},
    rc::Rc,
    sync::Arc,
    time::Instant,
};

use serde_json::{Value, json};
use tokio::sync::Semaphore;

use super::{
    Gateway, chat,
    refusal::{Refusal, Reply},
    visitor,
};
use crate::{
    clock,
    domain::{Fields, LoginSession, UserId},
    limits::{admission::Place, bucket::Bucket},
    outbox::Wire,
    realtime::{Close, Page, Session, registry::Slot},
    service::orders::OrderRequest,
    telemetry,
    web::problem::Problem,
};

/// Seconds' worth of messages that may come at once.
pub(super) const BURST: u8 = 2;
/// Orders of one session that may be under way at once.
const ORDERS_UNDER_WAY: usize = 64;
/// Orders of one session that may wait for that; a small struct each, and more than the message rate lets in at once.
const ORDERS_WAITING: u32 = 8192;

/// A session in the shop.
pub struct Shopper {
    pub(super) gateway: Rc<Gateway>,
    /// The session.
    pub session: Rc<Session>,
    pub(super) slot: Slot,
    /// What it came by.
    came_by: Wire,
    messages: Cell<Bucket>,
    /// Made with the first order: most sessions never place one.
    orders: OnceCell<Arc<Semaphore>>,
    /// Made when it first chats.
    pub(super) chat: RefCell<Option<Box<chat::Chat>>>,
    /// Given back when it leaves.
    places: Cell<Vec<Place>>,
}

impl Shopper {
    /// A session comes in and takes its places.
    #[must_use]
    pub fn enter(gateway: Rc<Gateway>, session: Rc<Session>, places: Vec<Place>) -> Rc<Self> {
        let slot = gateway.registry.join(Rc::clone(&session));
        let came_by = session.outbox.wire();
        telemetry::session_opened(came_by.transport());
        Rc::new(Self {
            messages: Cell::new(Bucket::new(gateway.app.settings.message_rate, BURST, Instant::now())),
            gateway,
            session,
            slot,
            came_by,
            orders: OnceCell::new(),
            chat: RefCell::default(),
            places: Cell::new(places),
        })
    }

    /// The session is gone.
    pub fn leave(&self) {
        for room in self.session.rooms() {
            self.leave_room(&room);
        }
        self.gateway.registry.leave(self.slot);
        telemetry::session_ended(self.came_by.transport());
        self.places.take();
    }

    /// What the threads' connections share.
    #[must_use]
    pub fn gateway(&self) -> &Gateway {
        &self.gateway
    }

    /// Whether one more message may be looked at; else the session is closed.
    pub fn may_speak(&self) -> bool {
        let mut messages = self.messages.get();
        let allowed = messages.take(Instant::now());
        self.messages.set(messages);
        if !allowed {
            self.session.close(Close::TooManyMessages);
        }
        allowed
    }

    /// Deals with an event; `answer` gets the reply when there is one.
    pub fn hear(self: &Rc<Self>, event: &str, args: &[Value], answer: impl FnOnce(Reply) + 'static) {
        match event {
            "BUY" => self.buy(args, answer),
            "auth" => self.authenticate(args, answer),
            "CHANGED_PAGE" => answer(self.look_at(args)),
            "nickname" => self.name_guest(args, answer),
            "enter_room" => answer(self.enter_room(args)),
            "leave_room" => answer(self.exit_room(args)),
            "new_message" => answer(self.say(args)),
            _ => answer(Err(Refusal::unknown_event())),
        }
    }

    fn look_at(&self, args: &[Value]) -> Reply {
        let page = args.first().and_then(Value::as_str).and_then(Page::parse);
        let page = page.ok_or_else(|| {
            Refusal::payload("CHANGED_PAGE takes the location of a page, \"/detail.html?goodsId=4\".")
        })?;
        self.gateway.registry.look_at(&self.session, self.slot, page);
        Ok(json!({"ok": true}))
    }

    /// A fresh token on the same connection, of the same account: the session lasts as long as that.
    fn authenticate(self: &Rc<Self>, args: &[Value], answer: impl FnOnce(Reply) + 'static) {
        let token = args.first().and_then(|auth| auth.get("token")).and_then(Value::as_str);
        let Some(token) = token.map(str::to_owned) else {
            return answer(Err(Refusal::payload("auth takes {token}.")));
        };
        let shopper = Rc::clone(self);
        actix_rt::spawn(async move {
            let known = shopper.gateway.app.accounts.who(&token, clock::now()).await;
            answer(match known {
                Ok(Some(fresh)) => shopper.extend(fresh),
                Ok(None) => Err(Problem::login_required().into()),
                Err(error) => Err(error.into()),
            });
        });
    }

    fn extend(&self, fresh: LoginSession) -> Reply {
        let same = self.session.login().is_some_and(|login| login.user_id == fresh.user.user_id);
        if !same {
            return Err(Refusal::new(
                "forbidden",
                "This connection belongs to someone else: please open another.",
            ));
        }
        let (until, id) = (fresh.expires_at, fresh.id);
        self.session.extend(visitor::login(fresh));
        if self.gateway.registry.is_revoked(&id) {
            // It ended while it was looked up.
            self.session.close(Close::LoggedOut);
        }
        Ok(json!({"ok": true, "expiresAt": until}))
    }

    /// Places an order, in a task that outlives the socket: it is processed even if the client leaves at once.
    fn buy(self: &Rc<Self>, args: &[Value], answer: impl FnOnce(Reply) + 'static) {
        let (user, request) = match self.read_buy(args) {
            Ok(wanted) => wanted,
            Err(refusal) => return answer(Err(refusal)),
        };
        if self.session.orders.get() >= ORDERS_WAITING {
            return answer(Err(Refusal::too_many_messages()));
        }
        self.session.orders.set(self.session.orders.get() + 1);
        let orders = Arc::clone(self.orders.get_or_init(|| Arc::new(Semaphore::new(ORDERS_UNDER_WAY))));
        let shopper = Rc::clone(self);
        actix_rt::spawn(async move {
            // Never closed: an error cannot come, and without a permit the order is placed all the same.
            let _turn = orders.acquire_owned().await;
            let placed = shopper.gateway.app.orders.place(user, request, clock::now()).await;
            answer(match placed {
                Ok(placed) => {
                    Ok(json!({"ok": true, "orderId": placed.order.order_id, "id": placed.notification}))
                }
                Err(error) => Err(error.into()),
            });
            shopper.session.orders.set(shopper.session.orders.get() - 1);
        });
    }

    fn read_buy(&self, args: &[Value]) -> Result<(UserId, OrderRequest), Refusal> {
        self.gateway.app.readiness.admit()?;
        let login = self.session.login().ok_or_else(Problem::login_required)?;
        let Some(Value::Object(payload)) = args.first() else {
            return Err(Refusal::payload("BUY takes an object with goodsId or items."));
        };
        Ok((login.user_id, OrderRequest::read_buy(Fields::new(payload.clone()))?))
    }
}
