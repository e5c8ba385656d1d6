//! Bodies and queries of administrators: listen keys, sources, endpoints.

use utoipa::{IntoParams, ToSchema};

use crate::{
    api::names::{
        audiences, buyers, delivery_statuses, displays, formats, kinds, outcomes, report_states, roles,
        topics,
    },
    domain::{AuditId, DeliveryId, OrderId, ReportId, UserId},
    protocol::shapes::order_statuses,
};

/// A key for the pages of another shop.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"origins": ["https://shop.example"], "name": "my shop"})))]
pub struct NewListenKey {
    /// The origins of the pages that may use it, 1 to 20; in a form one text with commas.
    #[schema(min_items = 1, max_items = 20)]
    pub origins: Vec<String>,
    /// How names are shown there; `masked` when it is absent.
    #[schema(schema_with = displays)]
    pub display: Option<String>,
    /// What administrators call it.
    pub name: Option<String>,
}

/// A system that may say that something was bought.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({"kind": "woocommerce", "name": "my shop"})))]
pub struct NewSource {
    /// What it is, which decides how it signs and what it says.
    #[schema(schema_with = kinds)]
    pub kind: String,
    /// What administrators call it.
    #[schema(min_length = 1)]
    pub name: String,
    /// What the other system signs with, where that makes it (`shopify`, `stripe`); else one is made.
    pub secret: Option<String>,
    /// How its buyers are named; `masked` when it is absent.
    #[schema(schema_with = buyers)]
    pub buyer: Option<String>,
    /// What an order is called whose goods have no name.
    pub goods_name: Option<String>,
    /// How old an order may be to be told as news, `1h` or `90s`.
    #[schema(examples("1h"))]
    pub announce_within: Option<String>,
    /// Receipts a second that are taken.
    #[schema(minimum = 1, maximum = 100_000)]
    pub rate: Option<u32>,
    /// The address of a WooCommerce shop that is read over REST as well.
    pub poll_url: Option<String>,
    /// Its key for that, `ck_…:cs_…`.
    pub poll_key: Option<String>,
}

/// What changes about a source; what is absent stays.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({"buyer": "none"})))]
pub struct SourceChange {
    /// As in `NewSource`.
    #[schema(min_length = 1)]
    pub name: Option<String>,
    /// As in `NewSource`.
    #[schema(schema_with = buyers)]
    pub buyer: Option<String>,
    /// As in `NewSource`; `null` takes it away.
    pub goods_name: Option<String>,
    /// As in `NewSource`.
    pub announce_within: Option<String>,
    /// As in `NewSource`.
    #[schema(minimum = 1, maximum = 100_000)]
    pub rate: Option<u32>,
    /// As in `NewSource`; `null` ends the polling.
    pub poll_url: Option<String>,
    /// As in `NewSource`.
    pub poll_key: Option<String>,
}

/// Another secret beside those that hold; or the end of the older ones.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(rename_all = "camelCase", examples(json!({"dropOld": true})))]
pub struct Rotation {
    /// The other system's new secret, where that makes it.
    pub secret: Option<String>,
    /// Only the newest secret holds from now on.
    pub drop_old: Option<bool>,
}

/// Which receipts of a source.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReceiptPage {
    /// The `nextCursor` of an earlier answer: what comes after it.
    #[param(minimum = 1)]
    pub cursor: Option<i64>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
    /// Only those that became this.
    #[param(schema_with = outcomes)]
    pub outcome: Option<String>,
}

/// A system that is told news.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"url": "https://crm.example/hook", "events": ["order.placed"]})))]
pub struct NewEndpoint {
    /// Where it is told.
    pub url: String,
    /// What it is told; in a form one text with commas.
    #[schema(schema_with = topics)]
    pub events: Vec<String>,
}

/// What changes about an endpoint; what is absent stays.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"enabled": false})))]
pub struct EndpointChange {
    /// As in `NewEndpoint`.
    pub url: Option<String>,
    /// As in `NewEndpoint`.
    #[schema(schema_with = topics)]
    pub events: Option<Vec<String>>,
    /// Whether it is told anything.
    pub enabled: Option<bool>,
}

/// Since when everything is told again.
#[derive(Debug, ToSchema)]
#[serde(deny_unknown_fields)]
#[schema(examples(json!({"since": "2026-11-21T00:54:21Z"})))]
pub struct Replay {
    /// RFC 3339.
    #[schema(format = DateTime)]
    pub since: String,
}

/// Which deliveries of an endpoint.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct DeliveryPage {
    /// Only those of this status.
    #[param(schema_with = delivery_statuses)]
    pub status: Option<String>,
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<DeliveryId>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 200)]
    pub limit: Option<u32>,
}

/// What visitors did with the widget since the last report.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"shown": 3, "clicked": 1})))]
#[serde(deny_unknown_fields)]
pub struct WidgetReport {
    /// Alerts that were shown.
    #[schema(maximum = 100)]
    pub shown: Option<u64>,
    /// Alerts that were clicked.
    #[schema(maximum = 100)]
    pub clicked: Option<u64>,
    /// Alerts that were closed by hand.
    #[schema(maximum = 100)]
    pub closed: Option<u64>,
}

/// Which reports of messages in rooms.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct ReportPage {
    /// Only those that wait, or only those that do not.
    #[param(schema_with = report_states)]
    pub state: Option<String>,
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<ReportId>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// Which orders of all.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct LedgerSearch {
    /// Only those of this status.
    #[param(schema_with = order_statuses)]
    pub status: Option<String>,
    /// Only those that this source told of; `own`: those that were placed here.
    pub source: Option<String>,
    /// Order number, nickname, name of goods.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Only those from then on.
    #[param(format = DateTime)]
    pub from: Option<String>,
    /// Only those before then.
    #[param(format = DateTime)]
    pub to: Option<String>,
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<OrderId>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
    /// How it is written.
    #[param(schema_with = formats)]
    pub format: Option<String>,
}

/// Which accounts of all.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct PeopleSearch {
    /// Part of a nickname or an e-mail address.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Only those who may do this.
    #[param(schema_with = roles)]
    pub role: Option<String>,
    /// Only those that are banned, or only those that are not.
    pub banned: Option<bool>,
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<UserId>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// Which entries of the record of what administrators did.
#[derive(Debug, IntoParams)]
#[into_params(parameter_in = Query)]
pub struct AuditSearch {
    /// Part of a subject, or of an administrator's nickname.
    #[param(max_length = 200)]
    pub q: Option<String>,
    /// Only this action, or all that begin with a word.
    #[param(max_length = 40, pattern = "^[a-z.-]*$")]
    pub action: Option<String>,
    /// The `nextCursor` of an earlier answer: what comes after it.
    pub cursor: Option<AuditId>,
    /// At most so many; 50 when it is absent.
    #[param(minimum = 1, maximum = 1000)]
    pub limit: Option<u32>,
}

/// What changes about alerts; what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"toasts": {"seconds": 8}})))]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct AlertsChange {
    /// Who receives them.
    #[schema(schema_with = audiences)]
    pub audience: Option<String>,
    /// How names are shown.
    #[schema(schema_with = displays)]
    pub nickname_display: Option<String>,
    /// What buyers are called who are not to be named.
    #[schema(max_length = 20)]
    pub unnamed_buyer: Option<String>,
    /// Categories whose orders are never told.
    #[schema(max_items = 100)]
    pub never_announce_categories: Option<Vec<String>>,
    /// How the widget shows them.
    #[schema(value_type = Option<Object>)]
    pub toasts: Option<serde_json::Value>,
}

/// What changes about an account; what is absent stays.
#[derive(Debug, ToSchema)]
#[schema(examples(json!({"banned": true})))]
#[serde(deny_unknown_fields)]
pub struct PersonChange {
    /// What it may do.
    #[schema(schema_with = roles)]
    pub role: Option<String>,
    /// Whether it is banned.
    pub banned: Option<bool>,
    /// Whether it may not speak in rooms.
    pub muted: Option<bool>,
}
