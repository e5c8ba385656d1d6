//! Orders by minute: counted once when somebody first looks, and from then on only those that came since.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use tokio::sync::Mutex;

use super::shape::OrderFigures;
use crate::{
    clock,
    domain::{OrderId, Timestamp},
    store::{FigureStore, OrdersOfMinute, StoreError},
};

/// How many minutes are shown.
const MINUTES: i64 = 60;
/// The time of those minutes.
const SHOWN: Duration = Duration::from_mins(MINUTES as u64);

/// The orders of a store.
pub(super) struct Orders {
    store: Arc<dyn FigureStore>,
    counted: Mutex<Option<Counted>>,
}

/// What was counted, up to an order. Orders are numbered as they commit.
struct Counted {
    last: OrderId,
    total: u64,
    /// By minute since 1970, from the hour or the day on that is shown.
    minutes: BTreeMap<i64, u64>,
}

impl Orders {
    pub(super) fn new(store: Arc<dyn FigureStore>) -> Self {
        Self { store, counted: Mutex::default() }
    }

    /// The orders as of now.
    pub(super) async fn count(&self, now: Timestamp) -> Result<OrderFigures, StoreError> {
        let midnight = clock::midnight(now);
        let mut kept = self.counted.lock().await;
        // What was counted stays where it is while the store is asked: who asks may leave.
        let counted = match &mut *kept {
            Some(counted) => counted,
            none => none.insert(self.begin(midnight.min(now.minus(SHOWN))).await?),
        };
        let news = self.store.orders_by_minute(counted.last).await?;
        counted.add(&news);
        Ok(counted.figures(now, midnight))
    }

    async fn begin(&self, since: Timestamp) -> Result<Counted, StoreError> {
        let last = self.store.last_order_before(since).await?;
        let total = self.store.count_orders(last).await?;
        Ok(Counted { last, total, minutes: BTreeMap::new() })
    }
}

impl Counted {
    fn add(&mut self, news: &[OrdersOfMinute]) {
        for OrdersOfMinute { minute, count, newest } in news {
            *self.minutes.entry(*minute).or_default() += count;
            self.total += count;
            self.last = self.last.max(*newest);
        }
    }

    fn figures(&mut self, now: Timestamp, midnight: Timestamp) -> OrderFigures {
        let minute = |moment: Timestamp| moment.as_millis().div_euclid(60_000);
        let (this, today) = (minute(now), minute(midnight));
        let oldest = this - MINUTES + 1;
        self.minutes = self.minutes.split_off(&oldest.min(today));
        OrderFigures {
            per_minute: (oldest..=this)
                .map(|minute| self.minutes.get(&minute).copied().unwrap_or_default())
                .collect(),
            today: self.minutes.range(today..).map(|(_, count)| count).sum(),
            total: self.total,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn minutes_move_on_and_days_begin_anew() {
        let of = |minute, count, newest| OrdersOfMinute { minute, count, newest: OrderId(newest) };
        let at = |minute: i64| Timestamp::from_millis(minute * 60_000 + 1);
        let mut counted = Counted { last: OrderId(0), total: 7, minutes: BTreeMap::new() };
        counted.add(&[of(1_000, 2, 9), of(1_059, 3, 12)]);
        let now = counted.figures(at(1_059), at(1_000));
        assert_eq!((now.per_minute[0], now.per_minute[59], now.today, now.total), (2, 3, 5, 12));
        assert_eq!((now.per_minute.len(), counted.last), (60, OrderId(12)));
        let later = counted.figures(at(1_060), at(1_060));
        assert_eq!((later.per_minute[0], later.per_minute[58], later.today), (0, 3, 0));
        counted.add(&[of(1_060, 1, 13)]);
        assert_eq!(counted.figures(at(1_061), at(1_060)).today, 1);
        // A clock that is set back finds what is there.
        assert_eq!(counted.figures(at(1_059), at(1_000)).per_minute[59], 3);
    }
}
