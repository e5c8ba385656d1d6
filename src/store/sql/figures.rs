//! Counts of orders and of what visitors did with the widget.

use async_trait::async_trait;

use super::{SqlStore, statement};
use crate::{
    domain::{Day, OrderId, Timestamp, WidgetCounts},
    store::{FigureStore, OrdersOfMinute, StoreError},
};

#[async_trait]
impl FigureStore for SqlStore {
    async fn last_order_before(&self, moment: Timestamp) -> Result<OrderId, StoreError> {
        // From the newest backwards, so that only what is after the moment is looked at.
        let found: Option<i64> = statement::query_scalar(
            "select order_id
             from orders not indexed
             where created_at < $1
             order by order_id desc
             limit 1",
        )
        .bind(moment.as_millis())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        Ok(OrderId(found.unwrap_or_default()))
    }

    async fn count_orders(&self, last: OrderId) -> Result<u64, StoreError> {
        let count: i64 = statement::query_scalar(
            "select count(*)
             from orders
             where order_id <= $1",
        )
        .bind(last.0)
        .fetch_one(&mut *self.reader().await?)
        .await?;
        Ok(count.unsigned_abs())
    }

    async fn orders_by_minute(&self, after: OrderId) -> Result<Vec<OrdersOfMinute>, StoreError> {
        let found = statement::query_as::<(i64, i64, i64)>(
            "select created_at / 60000 as minute, count(*), max(order_id)
             from orders
             where order_id > $1
             group by minute
             order by minute",
        )
        .bind(after.0)
        .fetch_all(&mut *self.reader().await?)
        .await?;
        let of_minute = |(minute, count, newest): (i64, i64, i64)| OrdersOfMinute {
            minute,
            count: count.unsigned_abs(),
            newest: OrderId(newest),
        };
        Ok(found.into_iter().map(of_minute).collect())
    }

    async fn count_widget(&self, day: Day, counts: WidgetCounts, forget: Day) -> Result<(), StoreError> {
        let number = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let WidgetCounts { shown, clicked, closed } = counts;
        self.writer
            .write(move |tx| {
                Box::pin(async move {
                    statement::query(
                        "insert into widget_counts (day, shown, clicked, closed)
                         values ($1, $2, $3, $4)
                         on conflict (day) do update set
                             shown = widget_counts.shown + excluded.shown,
                             clicked = widget_counts.clicked + excluded.clicked,
                             closed = widget_counts.closed + excluded.closed",
                    )
                    .bind(day.to_string())
                    .bind(number(shown))
                    .bind(number(clicked))
                    .bind(number(closed))
                    .execute(&mut tx.conn)
                    .await?;
                    statement::query(
                        "delete from widget_counts
                         where day < $1",
                    )
                    .bind(forget.to_string())
                    .execute(&mut tx.conn)
                    .await?;
                    Ok(())
                })
            })
            .await
    }

    async fn widget_counts(&self, day: Day) -> Result<WidgetCounts, StoreError> {
        let found = statement::query_as::<(i64, i64, i64)>(
            "select shown, clicked, closed
             from widget_counts
             where day = $1",
        )
        .bind(day.to_string())
        .fetch_optional(&mut *self.reader().await?)
        .await?;
        let (shown, clicked, closed) = found.unwrap_or_default();
        Ok(WidgetCounts {
            shown: shown.unsigned_abs(),
            clicked: clicked.unsigned_abs(),
            closed: closed.unsigned_abs(),
        })
    }
}
