//! `/api/shop`: what a page has to know of the shop before it shows anything.

use actix_web::HttpResponse;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    alerts::ToastsResponse,
    documents,
    names::{audiences, displays},
};
use crate::{
    clock,
    domain::Timestamp,
    web::{State, answer},
};

/// What a page has to know of the shop before it shows anything.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Shop<'a> {
    currency: &'a str,
    /// The one source of decimals for whoever writes or adds up prices: browsers have tables that differ from ISO 4217.
    currency_decimals: u8,
    #[schema(schema_with = audiences)]
    audience: &'static str,
    #[schema(schema_with = displays)]
    nickname_display: &'static str,
    toasts: ToastsResponse<'a>,
    /// The server's clock.
    time: Timestamp,
    links: Links,
}

/// Where the contract is as a document.
#[derive(Serialize, ToSchema)]
struct Links {
    openapi: &'static str,
    asyncapi: &'static str,
}

/// Show what a page has to know of the shop.
#[utoipa::path(
    get, path = "/api/shop",
    responses((status = 200, body = Shop<'static>)),
)]
pub(super) async fn show(state: State) -> HttpResponse {
    let (settings, alerts) = (&state.settings, state.alerts.current());
    answer::ok(&Shop {
        currency: settings.currency.code(),
        currency_decimals: settings.currency.decimals(),
        audience: alerts.audience.name(),
        nickname_display: alerts.display.name(),
        toasts: (&alerts.toasts).into(),
        time: clock::now(),
        links: Links { openapi: documents::OPENAPI, asyncapi: documents::ASYNCAPI },
    })
}
