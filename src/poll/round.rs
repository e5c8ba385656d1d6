//! One look at one shop: all orders that changed since the last one, each handed on once.

use std::{
    collections::HashMap,
    hash::{DefaultHasher, Hash as _, Hasher as _},
};

use async_trait::async_trait;

use super::{
    plan::{self, MAX_PAGES, Window},
    rest::{Failure, Shop},
};
use crate::{
    domain::Timestamp,
    hooks::{ForeignId, PagedOrder},
    webhooks::Client,
};

/// Takes what is read.
#[async_trait]
pub(super) trait Inbox: Sync {
    /// Takes an order, durably. It may have been taken before.
    async fn take(&self, order: PagedOrder) -> Result<(), Failure>;
    /// Keeps up to where the orders were taken, durably.
    async fn keep(&self, cursor: Timestamp) -> Result<(), Failure>;
}

/// What the last look saw: windows overlap, and what was handed on is not handed on again.
#[derive(Default)]
pub(super) struct Seen(HashMap<ForeignId, u64>);

impl Seen {
    /// Notes an order in `next`. Whether it is as it was.
    fn knows(&self, order: &PagedOrder, next: &mut Self) -> bool {
        let mut hasher = DefaultHasher::new();
        order.body.hash(&mut hasher);
        let digest = hasher.finish();
        let before = next.0.insert(order.number.clone(), digest);
        before.or_else(|| self.0.get(&order.number).copied()) == Some(digest)
    }
}

/// Reads a shop from a cursor on until now. Returns how many orders were handed on.
///
/// # Errors
/// What went wrong first. What was read before it was handed on, and windows that were read in whole are kept.
pub(super) async fn look(
    client: &Client,
    shop: &mut Shop,
    inbox: &dyn Inbox,
    seen: &mut Seen,
    cursor: Option<Timestamp>,
    now: Timestamp,
) -> Result<usize, Failure> {
    let mut cursor = plan::beginning(cursor, now);
    let mut taken = 0;
    loop {
        let window = Window::since(cursor, now);
        let time = stretch(client, shop, inbox, seen, window, &mut taken).await?;
        // Up to where this look saw everything: the end of the window, or when it began, by the shop's own clock.
        cursor = window.before.unwrap_or_else(|| time.unwrap_or(now)).max(cursor);
        inbox.keep(cursor).await?;
        if window.before.is_none() {
            return Ok(taken);
        }
    }
}

/// Reads all pages of a window. Returns the shop's time when it answered first.
async fn stretch(
    client: &Client,
    shop: &mut Shop,
    inbox: &dyn Inbox,
    seen: &mut Seen,
    window: Window,
    taken: &mut usize,
) -> Result<Option<Timestamp>, Failure> {
    let mut next = Seen::default();
    let mut began = None;
    for number in 1..=MAX_PAGES {
        let page = shop.page(client, window, number).await?;
        if number == 1 {
            began = page.time;
        }
        for order in page.orders {
            // A shop that does not know the parameter answers with all that it has.
            let is_old = order.modified_at.is_some_and(|at| at < window.after);
            if is_old || seen.knows(&order, &mut next) {
                continue;
            }
            inbox.take(order).await?;
            *taken += 1;
        }
        if !page.is_full {
            *seen = next;
            return Ok(began);
        }
    }
    Err(Failure::new(format!("more than {} orders changed within a day", MAX_PAGES * plan::PER_PAGE)))
}
