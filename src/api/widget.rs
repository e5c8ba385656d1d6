//! `POST /api/widget/counts`: what visitors do with the widget, from the pages that have it.

use std::time::Instant;

use actix_web::{HttpRequest, HttpResponse};

use super::requests;
use crate::{
    clock,
    domain::WidgetCounts,
    web::{Body, Code, Problem, State, client, listen, origin::Origin},
};

/// Count what visitors do with the widget.
///
/// From pages that may have it. Nothing of the request is kept, and no cookie is set.
#[utoipa::path(
    post, path = "/api/widget/counts", security(("page" = [])),
    request_body = requests::WidgetReport,
    responses((status = 204)),
    extensions(("x-refusals" = json!([Code::TooManyCounts]))),
)]
pub(super) async fn count(state: State, request: HttpRequest, body: Body) -> Result<HttpResponse, Problem> {
    check_page(&state, &request)?;
    let address = client::address(&state.settings, request.peer_addr(), request.headers());
    state.widget.admit(address, Instant::now())?;
    let counts = WidgetCounts::read(body.fields().await?)?;
    state.widget.count(counts, clock::now());
    Ok(HttpResponse::NoContent().finish())
}

/// Whether it comes from a page that may have the widget: of this site, of an allowed origin, or with a listen key.
fn check_page(state: &State, request: &HttpRequest) -> Result<(), Problem> {
    if listen::by_key(state, request.query_string(), request.headers())?.is_some() {
        return Ok(());
    }
    match Origin::of(&state.settings, request.headers()) {
        Origin::Same | Origin::Allowed | Origin::Anyone => Ok(()),
        Origin::Missing | Origin::Forbidden => {
            Err(Problem::new(Code::OriginForbidden, "only pages with the widget count what it does"))
        }
    }
}
