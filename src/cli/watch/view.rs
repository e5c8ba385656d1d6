//! What the screen of `watch` shows, apart from how: the figures, the newest orders, and whether it is connected.

use std::{collections::VecDeque, time::Duration};

use serde_json::Value;

use super::link::News;

/// Orders that are kept for the screen.
const FEED: usize = 200;

/// The connection.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Status {
    Connecting,
    Connected,
    Lost { why: String, again: Duration },
}

/// Everything on the screen.
pub(super) struct View {
    pub(super) shop: String,
    pub(super) status: Status,
    /// The last ones that came; `null` before.
    pub(super) figures: Value,
    /// The newest first.
    pub(super) feed: VecDeque<String>,
}

impl View {
    pub(super) fn new(shop: &str) -> Self {
        Self {
            shop: shop.to_owned(),
            status: Status::Connecting,
            figures: Value::Null,
            feed: VecDeque::new(),
        }
    }

    pub(super) fn hear(&mut self, news: News) {
        match news {
            News::Connected => self.status = Status::Connected,
            News::Lost { why, again } => self.status = Status::Lost { why, again },
            News::Event(mut event) => match event["type"].as_str() {
                Some("FIGURES") => self.figures = event["payload"].take(),
                Some("BUY_GOODS") => self.tell(bought(&event["payload"])),
                Some("BUY_CANCELED") => self.tell(canceled(&event["payload"])),
                Some("gap") => self.tell("… orders that are no longer in the log …".to_owned()),
                _ => {}
            },
        }
    }

    fn tell(&mut self, line: String) {
        self.feed.push_front(line);
        self.feed.truncate(FEED);
    }

    /// A number of the figures, by its path.
    pub(super) fn number(&self, path: &str) -> u64 {
        self.figures.pointer(path).and_then(Value::as_u64).unwrap_or_default()
    }

    /// Numbers of the figures, by their path.
    pub(super) fn numbers(&self, path: &str) -> Vec<u64> {
        let found = self.figures.pointer(path).and_then(Value::as_array);
        found.into_iter().flatten().map(|number| number.as_u64().unwrap_or_default()).collect()
    }

    /// What was refused most, with how often.
    pub(super) fn refusals(&self) -> Vec<(&str, u64)> {
        let by_code = self.figures.pointer("/refusals/byCode").and_then(Value::as_object);
        let mut counts: Vec<_> = by_code
            .into_iter()
            .flatten()
            .map(|(code, count)| (code.as_str(), count.as_u64().unwrap_or_default()))
            .collect();
        counts.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        counts
    }

    /// The classes of the time from an order to the socket, with how many alerts took so long.
    pub(super) fn latency(&self) -> Vec<(String, u64)> {
        let bounds = self.figures.pointer("/latency/boundsMs").and_then(Value::as_array);
        let labels = bounds.into_iter().flatten().map(|bound| label(bound.as_f64().unwrap_or_default()));
        labels.chain([">".to_owned()]).zip(self.numbers("/latency/counts")).collect()
    }
}

/// An upper bound in milliseconds, in few characters.
fn label(millis: f64) -> String {
    if millis < 1000.0 { format!("{millis}") } else { format!("{}s", millis / 1000.0) }
}

/// Names reach the terminal as text: what would move its cursor is left out. (No name that the shop takes has such.)
fn text(value: &Value) -> String {
    value.as_str().unwrap_or_default().chars().filter(|c| !c.is_control()).collect()
}

/// `2026-11-26T01:02:03.004Z`: the time of day.
fn time(payload: &Value) -> String {
    text(&payload["date"]).get(11..19).unwrap_or_default().to_owned()
}

fn bought(payload: &Value) -> String {
    let pieces = payload["quantity"].as_i64().unwrap_or(1);
    format!("{}  {}  {} × {pieces}", time(payload), text(&payload["nickname"]), text(&payload["goodsName"]))
}

fn canceled(payload: &Value) -> String {
    format!("{}  canceled: #{}", time(payload), payload["canceled"])
}

#[cfg(test)]
pub(super) mod tests {
    use serde_json::json;

    use super::*;

    /// A shop in full swing.
    pub(in crate::cli::watch) fn view() -> View {
        let mut view = View::new("http://shop.example/");
        view.hear(News::Connected);
        let mut minutes = vec![0; 58];
        minutes.extend([7, 3]);
        let mut counts = vec![0; 17];
        (counts[3], counts[4], counts[16]) = (40, 9, 1);
        let figures = json!({
            "time": "2026-11-26T01:02:03.004Z", "uptimeSeconds": 93_784,
            "sessions": {
                "total": 12, "members": 8, "guests": 4,
                "byTransport": {"websocket": 5, "socketio": 4, "polling": 1, "sse": 2},
            },
            "lagging": 1,
            "orders": {"perMinute": minutes, "today": 41, "total": 1234},
            "alerts": {"delivered": 50, "perSecond": 6},
            "latency": {
                "boundsMs": [0.1, 0.25, 0.5, 1, 2.5, 5, 10, 25, 50, 100, 250, 500, 1000, 2500, 5000, 10000],
                "counts": counts,
            },
            "refusals": {"total": 5, "perSecond": 1, "byCode": {"not_found": 2, "login_required": 3}},
            "widget": {"shown": 30, "clicked": 2, "closed": 1},
        });
        view.hear(News::Event(json!({"type": "FIGURES", "payload": figures})));
        let date = "2026-11-26T01:02:03.004Z";
        let bought = json!({"nickname": "kim\u{1b}[2J", "goodsName": "Tea", "quantity": 2, "date": date});
        view.hear(News::Event(json!({"type": "BUY_GOODS", "payload": bought})));
        view.hear(News::Event(json!({"type": "BUY_CANCELED", "payload": {"canceled": 7, "date": date}})));
        view
    }

    #[test]
    fn what_comes_is_put_in_its_place() {
        let view = view();
        assert_eq!(view.feed, ["01:02:03  canceled: #7", "01:02:03  kim[2J  Tea × 2"]);
        assert_eq!((view.number("/orders/today"), view.number("/nothing")), (41, 0));
        assert_eq!(view.refusals(), [("login_required", 3), ("not_found", 2)]);
        let latency = view.latency();
        assert_eq!(
            (latency.len(), &latency[3], &latency[12].0),
            (17, &("1".to_owned(), 40), &"1s".to_owned())
        );
        assert_eq!(latency[16], (">".to_owned(), 1));
    }
}
