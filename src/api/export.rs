//! `/api/users/me/export`: all that is kept about an account, as one JSON document. It is written as it is read, a page at a
//! time, so that a long life costs no more memory than a short one.

use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        Method,
        header::{CACHE_CONTROL, CONTENT_DISPOSITION, CONTENT_TYPE},
    },
};
use bytes::Bytes;
use futures_util::{StreamExt as _, TryStreamExt as _, stream};
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    cart::CartLineResponse, names::report_outcomes, orders::OrderResponse, stock::ChangeResponse,
    users::UserResponse,
};
use crate::{
    clock,
    domain::{
        GoodsId, Offset, OrderId, Report, ReportId, SessionId, Speaker, StockChangeId, StockRecord,
        Timestamp, UserId,
    },
    store::{KeptKey, KeptLogIn, KeptOrder, StoreError},
    web::{CurrentUser, Problem, State, edge::log_cause},
};

/// Entries that are read at once.
const PAGE: u32 = 100;

/// A log-in of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedLogIn)]
#[serde(rename_all = "camelCase")]
struct LogInEntry {
    created_at: Timestamp,
    expires_at: Timestamp,
    ended_at: Option<Timestamp>,
    /// Whether it is the one by which this is asked.
    current: bool,
}

/// An order of the account.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedOrder)]
#[serde(rename_all = "camelCase")]
struct OrderEntry<'a> {
    #[serde(flatten)]
    order: OrderResponse<'a>,
    /// Its alert, and the name that others read in it.
    notification: Option<Offset>,
    named: Option<&'a str>,
}

/// A name that the account gave an order.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedKey)]
#[serde(rename_all = "camelCase")]
struct KeyEntry<'a> {
    key: &'a str,
    order_id: OrderId,
    created_at: Timestamp,
}

/// A change of a stock that the account made.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedStockChange)]
#[serde(rename_all = "camelCase")]
struct StockEntry<'a> {
    goods_id: GoodsId,
    #[serde(flatten)]
    change: ChangeResponse<'a>,
}

/// A message that was reported: of one's own, or by oneself. Who the other is, is not one's own.
#[derive(Serialize, ToSchema)]
#[schema(as = ExportedReport)]
#[serde(rename_all = "camelCase")]
struct ReportEntry<'a> {
    room: &'a str,
    message: &'a str,
    /// Whether it is one's own message.
    own: bool,
    said_at: Timestamp,
    reported_at: Timestamp,
    #[schema(schema_with = report_outcomes)]
    outcome: Option<&'static str>,
}

/// All that is kept about an account. It is written a part at a time, in this order.
#[derive(ToSchema)]
#[schema(as = Export, rename_all = "camelCase")]
#[expect(dead_code, reason = "it is never whole in memory; the contract's document says what it comes to")]
struct Document<'a> {
    exported_at: Timestamp,
    account: UserResponse<'a>,
    log_ins: Vec<LogInEntry>,
    cart: Vec<CartLineResponse<'a>>,
    orders: Vec<OrderEntry<'a>>,
    idempotency_keys: Vec<KeyEntry<'a>>,
    stock_changes: Vec<StockEntry<'a>>,
    chat_reports: Vec<ReportEntry<'a>>,
}

/// A list of the document, and after or below what it goes on.
#[derive(Clone, Debug)]
enum List {
    LogIns(Option<SessionId>),
    Cart,
    Orders(Option<OrderId>),
    Keys(Option<String>),
    StockChanges(Option<StockChangeId>),
    Reports(Option<ReportId>),
}

impl List {
    fn name(&self) -> &'static str {
        match self {
            Self::LogIns(_) => "logIns",
            Self::Cart => "cart",
            Self::Orders(_) => "orders",
            Self::Keys(_) => "idempotencyKeys",
            Self::StockChanges(_) => "stockChanges",
            Self::Reports(_) => "chatReports",
        }
    }

    /// The list that follows.
    fn following(&self) -> Option<Self> {
        match self {
            Self::LogIns(_) => Some(Self::Cart),
            Self::Cart => Some(Self::Orders(None)),
            Self::Orders(_) => Some(Self::Keys(None)),
            Self::Keys(_) => Some(Self::StockChanges(None)),
            Self::StockChanges(_) => Some(Self::Reports(None)),
            Self::Reports(_) => None,
        }
    }
}

/// What is still to be written.
struct Export {
    state: State,
    member: CurrentUser,
    list: List,
    /// Whether the list has an entry before the next one.
    is_begun: bool,
}

/// Export all that is kept about one's account.
#[utoipa::path(
    get, path = "/api/users/me/export",
    security(("member" = [])),
    responses((status = 200, body = Document<'static>)),
)]
pub(super) async fn show(
    state: State,
    member: CurrentUser,
    request: HttpRequest,
) -> Result<HttpResponse, Problem> {
    let mut response = HttpResponse::Ok();
    response
        .insert_header((CONTENT_TYPE, "application/json"))
        .insert_header((CACHE_CONTROL, "no-store"))
        .insert_header((CONTENT_DISPOSITION, "attachment; filename=\"shopbell-account.json\""));
    if request.method() == Method::HEAD {
        return Ok(response.finish());
    }
    let list = List::LogIns(None);
    let (now, account) = (json(&clock::now()), json(&UserResponse::from(member.user())));
    let head = format!(r#"{{"exportedAt":{now},"account":{account},"{}":["#, list.name());
    let export = Export { state, member, list, is_begun: false };
    let rest = stream::try_unfold(Some(export), async |export| match export {
        Some(export) => export.write().await.map(Some),
        None => Ok(None),
    });
    // A part that cannot be read ends the answer before its end, which its reader sees.
    let rest = rest.inspect_err(log_cause).map_err(actix_web::Error::from);
    Ok(response.streaming(stream::iter([Ok(Bytes::from(head))]).chain(rest)))
}

impl Export {
    /// The next part of the document, which is never empty, and what comes after it.
    async fn write(mut self) -> Result<(Bytes, Option<Self>), Problem> {
        let (entries, next) = self.read().await?;
        let mut out = String::new();
        for entry in entries {
            if std::mem::replace(&mut self.is_begun, true) {
                out.push(',');
            }
            out.push_str(&entry);
        }
        if let Some(list) = next {
            return Ok((out.into(), Some(Self { list, ..self })));
        }
        let Some(list) = self.list.following() else { return Ok(((out + "]}").into(), None)) };
        let out = format!(r#"{out}],"{}":["#, list.name());
        Ok((out.into(), Some(Self { list, is_begun: false, ..self })))
    }

    /// The next page of the list, and where it goes on.
    async fn read(&self) -> Result<(Vec<String>, Option<List>), StoreError> {
        let (store, user) = (&self.state.store, self.member.user().user_id);
        Ok(match &self.list {
            List::LogIns(after) => {
                let found = store.kept_log_ins(user, *after, PAGE).await?;
                let entry = |kept: &KeptLogIn| LogInEntry::of(kept, self.member.login.id);
                page(&found, entry, |last| List::LogIns(Some(last.id)))
            }
            List::Cart => (
                store.cart(user).await?.iter().map(|line| json(&CartLineResponse::from(line))).collect(),
                None,
            ),
            List::Orders(before) => {
                let found = store.kept_orders(user, *before, PAGE).await?;
                page(&found, OrderEntry::of, |last| List::Orders(Some(last.order.order_id)))
            }
            List::Keys(after) => {
                let found = store.kept_keys(user, after.clone(), PAGE).await?;
                page(&found, KeyEntry::of, |last| List::Keys(Some(last.key.clone())))
            }
            List::StockChanges(before) => {
                let found = store.kept_stock_changes(user, *before, PAGE).await?;
                page(&found, StockEntry::of, |last| List::StockChanges(Some(last.change_id)))
            }
            List::Reports(before) => {
                let found = store.kept_reports(user, *before, PAGE).await?;
                let entry = |report| ReportEntry::of(report, user);
                page(&found, entry, |last| List::Reports(Some(last.report_id)))
            }
        })
    }
}

/// The entries of what was read, and where the list goes on, if it does.
fn page<'a, T, E: Serialize>(
    found: &'a [T],
    entry: impl Fn(&'a T) -> E,
    next: impl FnOnce(&T) -> List,
) -> (Vec<String>, Option<List>) {
    let is_full = found.len() == PAGE as usize;
    (found.iter().map(|one| json(&entry(one))).collect(), found.last().filter(|_| is_full).map(next))
}

fn json(value: &impl Serialize) -> String {
    serde_json::to_string(value).expect("structs of numbers and strings are always JSON")
}

impl LogInEntry {
    fn of(kept: &KeptLogIn, current: SessionId) -> Self {
        Self {
            created_at: kept.created_at,
            expires_at: kept.expires_at,
            ended_at: kept.revoked_at,
            current: kept.id == current,
        }
    }
}

impl<'a> OrderEntry<'a> {
    fn of(kept: &'a KeptOrder) -> Self {
        let order = OrderResponse::from(&kept.order);
        Self { order, notification: kept.announced_as, named: kept.named.as_deref() }
    }
}

impl<'a> KeyEntry<'a> {
    fn of(kept: &'a KeptKey) -> Self {
        Self { key: &kept.key, order_id: kept.order_id, created_at: kept.created_at }
    }
}

impl<'a> StockEntry<'a> {
    fn of(record: &'a StockRecord) -> Self {
        Self { goods_id: record.goods_id, change: record.into() }
    }
}

impl<'a> ReportEntry<'a> {
    fn of(report: &'a Report, user: UserId) -> Self {
        Self {
            room: &report.room,
            message: &report.said.message,
            own: report.said.speaker == Speaker::Member(user),
            said_at: report.said.at,
            reported_at: report.reported_at,
            outcome: report.closed.map(|(outcome, _)| outcome.name()),
        }
    }
}
