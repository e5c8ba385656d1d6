//! `GET /api/admin/figures`: the figures of the control room.

use actix_web::HttpResponse;

use crate::web::{Admin, Problem, State, answer};

pub(super) async fn show(state: State, _admin: Admin) -> Result<HttpResponse, Problem> {
    Ok(answer::ok(&state.board.figures().await?))
}
