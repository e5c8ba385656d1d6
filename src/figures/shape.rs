//! The figures as clients read them: the answer of `GET /api/admin/figures` and the payload of `FIGURES`.

use std::collections::BTreeMap;

use serde::Serialize;
use utoipa::ToSchema;

use crate::domain::{Timestamp, WidgetCounts};

/// All figures.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Figures {
    /// When they were read.
    pub time: Timestamp,
    /// How long the server has been running; with several nodes the one that answers.
    pub uptime_seconds: u64,
    /// Who is connected.
    pub sessions: Sessions,
    /// Sessions that are not up to date and read on from the log.
    pub lagging: u64,
    /// What was ordered.
    pub orders: OrderFigures,
    /// What was told.
    pub alerts: Alerts,
    /// How fast.
    pub latency: Latency,
    /// What was refused since the start.
    pub refusals: Refused,
    /// What visitors did with the widget today.
    pub widget: WidgetCounts,
}

impl Figures {
    /// As JSON.
    #[must_use]
    pub fn json(&self) -> String {
        serde_json::to_string(self).expect("structs of numbers and strings are always JSON")
    }
}

/// Live sessions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SessionFigures)]
#[serde(rename_all = "camelCase")]
pub struct Sessions {
    /// All of them.
    pub total: u64,
    /// Those with a log-in.
    pub members: u64,
    /// Those without, listeners by a key among them.
    pub guests: u64,
    /// All of them by how they are connected now.
    pub by_transport: Transports,
}

/// Sessions by transport.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = SessionsByTransport)]
pub struct Transports {
    /// `/ws`.
    pub websocket: u64,
    /// Socket.IO over WebSocket.
    pub socketio: u64,
    /// Socket.IO by polls.
    pub polling: u64,
    /// Event streams.
    pub sse: u64,
}

/// Orders that were placed, those that were canceled later among them.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct OrderFigures {
    /// Of the last 60 minutes of the clock, the oldest first; the last is the one that has begun.
    pub per_minute: Vec<u64>,
    /// Since midnight where the server is.
    pub today: u64,
    /// All there ever were.
    pub total: u64,
}

/// Alerts that were written to sessions since the start.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = AlertFigures)]
#[serde(rename_all = "camelCase")]
pub struct Alerts {
    /// All of them: an alert for a thousand sessions counts a thousand times.
    pub delivered: u64,
    /// Those of the last whole second.
    pub per_second: u64,
}

/// Alerts that were broadcast since the start, by how long after their COMMIT the last session of a thread had them.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Latency {
    /// Upper bounds in milliseconds.
    pub bounds_ms: Vec<f64>,
    /// One more than bounds: the last took longer than all of them.
    pub counts: Vec<u64>,
}

/// What was refused since the start, over HTTP and on sessions.
#[derive(Clone, Debug, Serialize, ToSchema)]
#[schema(as = RefusalFigures)]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// All of it.
    pub total: u64,
    /// What of it was refused in the last whole second.
    pub per_second: u64,
    /// All of it by code.
    pub by_code: BTreeMap<String, u64>,
}
