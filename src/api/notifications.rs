//! `/api/notifications`: the log, for clients that were away.

use std::sync::Arc;

use actix_web::HttpResponse;
use serde::Serialize;
use serde_json::value::RawValue;
use utoipa::ToSchema;

use super::requests;
use crate::{
    domain::{Invalid, Naming, Offset, Publication},
    protocol::publication::{self, Payload, events},
    service::ServiceError,
    web::{Code, Listener, Problem, Query, State, answer, params::limit},
};

const MAX_LIMIT: u32 = 1000;
const DEFAULT_LIMIT: u32 = 50;

/// A part of the log, oldest first.
#[derive(Serialize, ToSchema)]
#[schema(as = Notifications)]
struct List {
    notifications: Vec<Entry>,
    /// The newest that there is.
    latest: Offset,
    /// Of which log `latest` and the ids are.
    #[schema(value_type = String)]
    epoch: Arc<str>,
}

/// An event of the log, as every transport tells it.
#[derive(Serialize, ToSchema)]
#[schema(as = Notification)]
struct Entry {
    id: Offset,
    #[schema(schema_with = events)]
    event: &'static str,
    #[schema(value_type = Payload<'static>)]
    data: Box<RawValue>,
}

impl Entry {
    fn of(publication: &Publication, naming: &Naming) -> Result<Self, ServiceError> {
        let data = RawValue::from_string(publication::payload(publication, naming))
            .map_err(|error| ServiceError::internal("a notification is no JSON", error))?;
        Ok(Self { id: publication.id, event: publication::event(publication), data })
    }
}

/// Read the log of alerts.
///
/// What came after an offset, or without one the newest; for clients that were away.
#[utoipa::path(
    get, path = "/api/notifications",
    params(requests::NotificationPage),
    security(("audience" = [])),
    responses((status = 200, body = List)),
    extensions(("x-refusals" = json!([Code::TooOld]))),
)]
pub(super) async fn list(state: State, who: Listener, query: Query) -> Result<HttpResponse, Problem> {
    let fields = query.0;
    let after = fields.optional("after", |text| {
        Offset::parse(text).ok_or(Invalid::new("invalid", "after is the id of a notification, or 0"))
    });
    let limit = fields.optional("limit", limit(MAX_LIMIT));
    let epoch = fields.optional("epoch", |text| Ok::<_, Invalid>(text.to_owned()));
    let (after, limit, epoch) = fields.finish((after, limit, epoch))?;
    let page = match after {
        Some(_) if epoch.is_some_and(|epoch| *epoch != *state.epoch) => {
            return Err(state.history.of_another_log().await?.into());
        }
        Some(after) => state.history.after(after, limit.unwrap_or(DEFAULT_LIMIT)).await?,
        None => state.history.newest(limit.unwrap_or(DEFAULT_LIMIT)).await?,
    };
    let naming = state.alerts.naming().borrow().clone();
    let naming = if who.is_masked() { naming.masked() } else { naming };
    let entries = page.publications.iter().map(|publication| Entry::of(publication, &naming));
    let notifications = entries.collect::<Result<_, _>>()?;
    Ok(answer::ok(&List { notifications, latest: page.latest, epoch: state.epoch.clone() }))
}
