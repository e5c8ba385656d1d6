//! What one session may do: how many messages and how much chat a second, and how many orders at once.

use std::{
    cell::{Cell, OnceCell},
    sync::Arc,
    time::Instant,
};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::token_bucket::TokenBucket;

/// Seconds' worth of messages that may come at once.
const BURST_SECONDS: u8 = 2;
/// Chat messages, joins and leaves a second.
const CHAT_RATE: u32 = 10;
/// Orders of one session that may be under way at once.
const ORDERS_UNDER_WAY: usize = 64;
/// Orders of one session that may wait for that: with the largest baskets some 2 MB.
const ORDERS_WAITING: u32 = 1024;

/// The rates of one session. What most sessions never use is made when it is first used.
pub struct SessionLimits {
    messages: Cell<TokenBucket>,
    chat: Cell<Option<Box<TokenBucket>>>,
    orders: Cell<u32>,
    order_permits: OnceCell<Arc<Semaphore>>,
}

impl SessionLimits {
    /// Of a session that may send so many messages a second.
    #[must_use]
    pub fn new(message_rate: u32, now: Instant) -> Self {
        Self {
            messages: Cell::new(TokenBucket::new(message_rate, BURST_SECONDS, now)),
            chat: Cell::default(),
            orders: Cell::default(),
            order_permits: OnceCell::new(),
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

    /// Counts an order in; `false` when too many wait.
    pub fn begin_order(&self) -> bool {
        let orders = self.orders.get();
        if orders >= ORDERS_WAITING {
            return false;
        }
        self.orders.set(orders + 1);
        true
    }

    /// Waits until an order that was counted in may be placed; it is under way while the permit is kept.
    pub async fn order_permit(&self) -> Option<OwnedSemaphorePermit> {
        let permits = self.order_permits.get_or_init(|| Arc::new(Semaphore::new(ORDERS_UNDER_WAY)));
        // The semaphore is never closed.
        Arc::clone(permits).acquire_owned().await.ok()
    }

    /// Counts an order out.
    pub fn end_order(&self) {
        self.orders.set(self.orders.get().saturating_sub(1));
    }

    /// Whether orders wait for their answer.
    #[must_use]
    pub fn has_orders(&self) -> bool {
        self.orders.get() > 0
    }
}
