//! Counts of orders and of what visitors did with the widget.

use std::time::Duration;

use chrono::NaiveDate;

use super::{NOW, a_user, lines, order, some_goods};
use crate::{
    domain::{Day, OrderId, Timestamp, WidgetCounts},
    store::{OrdersOfMinute, Store},
};

const MINUTE: Duration = Duration::from_mins(1);

pub(in crate::store) async fn orders_are_counted_by_minute(store: &dyn Store) {
    let kim = a_user(store, "kim").await.user_id;
    let water = some_goods(store, "Water", None).await.goods_id;
    let place = async |at: Timestamp| {
        let mut wanted = order(kim, lines(&[(water, 1)]), None);
        wanted.at = at;
        store.record_order(wanted).await.unwrap().order.order_id
    };
    let later = NOW.plus(MINUTE * 2);
    assert_eq!(store.last_order_before(later).await.unwrap(), OrderId(0));
    assert!(store.orders_by_minute(OrderId(0)).await.unwrap().is_empty());
    let (first, second, third) = (place(NOW).await, place(NOW).await, place(later).await);
    assert_eq!(store.last_order_before(NOW).await.unwrap(), OrderId(0));
    assert_eq!(store.last_order_before(later).await.unwrap(), second);
    assert_eq!(store.count_orders(second).await.unwrap(), 2);
    let minute = |at: Timestamp| at.as_millis() / 60_000;
    let newest = OrdersOfMinute { minute: minute(later), count: 1, newest: third };
    let counted = store.orders_by_minute(OrderId(0)).await.unwrap();
    assert_eq!(counted, [OrdersOfMinute { minute: minute(NOW), count: 2, newest: second }, newest]);
    assert_eq!(store.orders_by_minute(second).await.unwrap(), [newest]);
    assert_eq!(store.orders_by_minute(first).await.unwrap()[0].count, 1);
    assert!(store.orders_by_minute(third).await.unwrap().is_empty());
}

pub(in crate::store) async fn what_the_widget_counts_is_added_up_by_day(store: &dyn Store) {
    let day = |day| Day(NaiveDate::from_ymd_opt(2026, 11, day).unwrap());
    let counts = |shown, clicked, closed| WidgetCounts { shown, clicked, closed };
    assert_eq!(store.widget_counts(day(26)).await.unwrap(), counts(0, 0, 0));
    store.count_widget(day(25), counts(5, 1, 0), day(1)).await.unwrap();
    store.count_widget(day(26), counts(3, 0, 2), day(1)).await.unwrap();
    store.count_widget(day(26), counts(1, 1, 1), day(25)).await.unwrap();
    assert_eq!(store.widget_counts(day(26)).await.unwrap(), counts(4, 1, 3));
    assert_eq!(store.widget_counts(day(25)).await.unwrap(), counts(5, 1, 0));
    store.count_widget(day(26), counts(0, 0, 1), day(26)).await.unwrap();
    assert_eq!(store.widget_counts(day(25)).await.unwrap(), counts(0, 0, 0), "it was forgotten");
}
