//! `POST /hooks/{sourceId}`: the door of a source. Who knocks is known by a signature over the bytes of the body, so that
//! neither cookies nor origins matter here, nor what type the body is said to have.

use actix_web::{HttpRequest, HttpResponse};
use serde::Serialize;
use utoipa::ToSchema;

use super::names::outcomes;
use crate::{
    clock,
    domain::{Offset, OrderId, SourceId},
    service::ingest::Answer,
    store::{Became, Outcome},
    web::{Body, Code, Id, Problem, State, answer, headers::traceparent},
};

/// The largest body: orders of some sources have hundreds of lines.
const MAX_BODY: usize = 1 << 20;

/// What became of a receipt.
#[derive(Serialize, ToSchema)]
#[schema(as = Became)]
#[serde(rename_all = "camelCase")]
pub(super) struct BecameResponse<'a> {
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    #[schema(required = false)]
    ignored: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(schema_with = outcomes, required = false)]
    outcome: Option<&'static str>,
    why: &'a str,
    #[serde(skip_serializing_if = "Option::is_none")]
    order_id: Option<OrderId>,
    #[serde(skip_serializing_if = "Option::is_none")]
    id: Option<Offset>,
}

impl<'a> From<&'a Became> for BecameResponse<'a> {
    fn from(became: &'a Became) -> Self {
        Self {
            ignored: became.outcome == Outcome::Ignored,
            outcome: Some(became.outcome.name()),
            why: &became.why,
            order_id: became.order_id,
            id: became.notification,
        }
    }
}

/// Somebody asked whether somebody is there.
const PING: BecameResponse<'static> =
    BecameResponse { ignored: true, outcome: None, why: "somebody is there", order_id: None, id: None };

/// Take what another shop says.
///
/// Its body and its signature are as its kind has them (docs/contract.md, section 4); a repeat changes nothing.
#[utoipa::path(
    post, path = "/hooks/{sourceId}",
    request_body(content = serde_json::Value, content_type = "*/*"),
    responses((status = 200, body = BecameResponse<'static>)),
    extensions(("x-refusals" = json!([Code::BadSignature, Code::MalformedBody, Code::BodyTooLarge, Code::RequestTimeout, Code::TooManyReceipts, Code::Restarting]))),
)]
pub(super) async fn receive(
    state: State,
    request: HttpRequest,
    id: Id,
    body: Body,
) -> Result<HttpResponse, Problem> {
    state.readiness.admit()?;
    let id = id.read(SourceId::parse)?;
    let source = state.sources.find(&id).ok_or_else(Problem::not_found)?;
    let step = state.traces.begin("POST /hooks/{sourceId}", || traceparent(&request));
    let body = body.bytes(MAX_BODY).await?;
    let headers: Vec<(&str, &[u8])> =
        request.headers().iter().map(|(name, value)| (name.as_str(), value.as_bytes())).collect();
    Ok(match state.ingest.receive(source, &headers, body, step.context(), clock::now()).await? {
        Answer::Ping => answer::ok(&PING),
        Answer::Kept(became) => answer::ok(&BecameResponse::from(&became)),
    })
}
