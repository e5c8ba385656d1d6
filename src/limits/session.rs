//! What one session may do: how many messages and how much chat a second, and how many orders at once.

use std::{
    cell::{Cell, OnceCell, RefCell},
    sync::Arc,
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    purse::{Charge, Purse},
    token_bucket::TokenBucket,
};

/// Seconds' worth of messages that may come at once.
const BURST_SECONDS: u8 = 2;
/// Chat messages, joins and leaves a second.
const CHAT_RATE: u32 = 10;
/// Orders of one session that may be under way at once.
const ORDERS_UNDER_WAY: usize = 64;
/// Orders of one session that may wait for that. Their bytes count in the budget.
const ORDERS_WAITING: u32 = 1024;

/// The rates of one session. What most sessions never use is made when it is first used.
pub struct SessionLimits {
    messages: Cell<TokenBucket>,
    chat: Cell<Option<Box<TokenBucket>>>,
    orders: OnceCell<Box<RefCell<Orders>>>,
}

/// The orders of a session that wait for their answer.
struct Orders {
    count: u32,
    bytes: usize,
    charge: Charge,
    permits: Arc<Semaphore>,
}

impl SessionLimits {
    /// Of a session that may send so many messages a second.
    #[must_use]
    pub fn new(message_rate: u32, now: Instant) -> Self {
        Self {
            messages: Cell::new(TokenBucket::new(message_rate, BURST_SECONDS, now)),
            chat: Cell::default(),
            orders: OnceCell::new(),
        }
    }

    /// Counts a message; `false` when it is one too many.
    pub fn take_message(&self, now: Instant) -> bool {
        let mut messages = self.messages.get();
        let taken = messages.take(now);
        self.messages.set(messages);
        taken
    }

    /// Counts a chat message, a join or a leave; `false` when it is one too many.
    pub fn take_chat(&self, now: Instant) -> bool {
        let fresh = || Box::new(TokenBucket::new(CHAT_RATE, BURST_SECONDS, now));
        let mut chat = self.chat.take().unwrap_or_else(fresh);
        let taken = chat.take(now);
        self.chat.set(Some(chat));
        taken
    }

    /// Counts an order in, which holds so many bytes until it is counted out; `false` when too many wait.
    pub fn begin_order(&self, bytes: usize, purse: &Purse) -> bool {
        let none = || {
            let permits = Arc::new(Semaphore::new(ORDERS_UNDER_WAY));
            Box::new(RefCell::new(Orders { count: 0, bytes: 0, charge: purse.charge(), permits }))
        };
        let mut orders = self.orders.get_or_init(none).borrow_mut();
        let bytes = orders.bytes + bytes;
        if orders.count >= ORDERS_WAITING || orders.charge.set(bytes).is_err() {
            return false;
        }
        orders.count += 1;
        orders.bytes = bytes;
        true
    }

    /// Waits until an order that was counted in may be placed; it is under way while the permit is kept.
    pub async fn order_permit(&self) -> Option<OwnedSemaphorePermit> {
        let permits = self.orders.get().map(|orders| Arc::clone(&orders.borrow().permits))?;
        // The semaphore is never closed.
        permits.acquire_owned().await.ok()
    }

    /// Counts an order out.
    pub fn end_order(&self, bytes: usize) {
        if let Some(orders) = self.orders.get() {
            let mut orders = orders.borrow_mut();
            orders.count -= 1;
            orders.bytes -= bytes;
            // Less is never refused.
            let bytes = orders.bytes;
            let _ = orders.charge.set(bytes);
        }
    }

    /// Whether orders wait for their answer.
    #[must_use]
    pub fn has_orders(&self) -> bool {
        self.orders.get().is_some_and(|orders| orders.borrow().count > 0)
    }
}
