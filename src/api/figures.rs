//! `GET /api/admin/figures`: the figures of the control room.

use actix_web::HttpResponse;

use crate::{
    figures::Figures,
    web::{Admin, Problem, State, answer},
};

/// Show the figures of the control room.
#[utoipa::path(
    get, path = "/api/admin/figures", security(("admin" = [])),
    responses((status = 200, body = Figures)),
)]
pub(super) async fn show(state: State, _admin: Admin) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(&state.board.figures().await?))
}
