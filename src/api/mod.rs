//! The REST API and the pages: the route table, and one file per resource with handlers that extract, call one use
//! case and answer.

use actix_web::{
    App, Error, HttpResponse,
    body::BoxBody,
    dev::{ServiceFactory, ServiceRequest, ServiceResponse},
    middleware::from_fn,
    web::{self, Data, ServiceConfig},
};

use crate::{
    state::AppState,
    web::{
        Problem,
        edge::edge,
        resource::{delete, get, patch, post, put, resource},
    },
};

mod admin_orders;
mod admin_users;
mod alerts;
pub mod assets;
mod audit;
mod auth;
mod bundle;
mod bundles;
mod cart;
mod catalog_cache;
mod comments;
pub mod documents;
mod endpoints;
mod export;
mod figures;
mod goods;
mod health;
mod hooks;
mod import;
mod ledger_csv;
mod listen_keys;
mod media;
mod names;
mod notifications;
pub mod openapi;
mod orders;
mod pages;
mod reports;
pub mod requests;
mod reset;
mod shop;
mod sources;
mod stock;
#[cfg(test)]
mod tests;
mod texts;
mod users;
mod widget;

pub use catalog_cache::CatalogCache;
pub use documents::Documents;
pub(crate) use import::changes;

/// Every route of the contract's §1 and §2 but `GET /api/events`, which is a transport.
pub fn configure(cfg: &mut ServiceConfig) {
    cfg.service(
        web::scope("/api")
            .service(resource("/users", [post(users::register)]))
            .service(resource("/users/me", [get(users::show), patch(users::change), delete(users::erase)]))
            .service(resource("/users/me/export", [get(export::show)]))
            .service(resource("/users/me/sessions", [delete(users::log_out_elsewhere)]))
            .service(resource("/auth/reset", [post(reset::ask)]))
            .service(resource("/auth/reset/confirm", [post(reset::confirm)]))
            .service(resource("/auth", [post(auth::log_in), delete(auth::log_out)]))
            .service(resource("/goods", [get(goods::list), post(goods::create)]))
            .service(resource("/shop", [get(shop::show)]))
            .service(resource("/openapi.json", [get(documents::openapi)]))
            .service(resource("/asyncapi.json", [get(documents::asyncapi)]))
            .service(resource("/categories", [get(goods::categories)]))
            .service(resource("/goods/cart", [get(cart::list)]))
            .service(resource("/goods/import", [post(import::import)]))
            .service(resource(
                "/goods/{goodsId}",
                [get(goods::show), patch(goods::change), delete(goods::delete)],
            ))
            .service(resource("/goods/by-sku/{sku}", [put(goods::put)]))
            .service(resource("/goods/{goodsId}/stock", [get(stock::history), post(stock::change)]))
            .service(resource(
                "/goods/{goodsId}/cart",
                [put(cart::put), post(cart::add), delete(cart::remove)],
            ))
            .service(resource("/orders", [get(orders::list), post(orders::place)]))
            .service(resource("/orders/{orderId}", [get(orders::show)]))
            .service(resource("/orders/{orderId}/cancel", [post(orders::cancel)]))
            .service(resource("/notifications", [get(notifications::list)]))
            .service(resource("/admin/goods", [get(goods::list_all)]))
            .service(resource("/admin/orders", [get(admin_orders::list)]))
            .service(resource("/admin/orders/{orderId}", [get(admin_orders::show)]))
            .service(resource("/admin/orders/{orderId}/cancel", [post(admin_orders::cancel)]))
            .service(resource("/admin/users", [get(admin_users::list)]))
            .service(resource("/admin/users/{userId}", [get(admin_users::show), patch(admin_users::change)]))
            .service(resource("/admin/users/{userId}/sessions", [delete(admin_users::log_out)]))
            .service(resource("/admin/audit", [get(audit::list)]))
            .service(resource("/admin/alerts", [get(alerts::show), patch(alerts::change)]))
            .service(resource("/admin/listen-keys", [get(listen_keys::list), post(listen_keys::create)]))
            .service(resource("/admin/listen-keys/{key}", [delete(listen_keys::revoke)]))
            .service(resource("/admin/media", [post(media::upload)]))
            .service(resource("/admin/sources", [get(sources::list), post(sources::create)]))
            .service(resource(
                "/admin/sources/{sourceId}",
                [get(sources::show), patch(sources::change), delete(sources::remove)],
            ))
            .service(resource("/admin/sources/{sourceId}/rotate", [post(sources::rotate)]))
            .service(resource("/admin/sources/{sourceId}/receipts", [get(sources::receipts)]))
            .service(resource("/admin/sources/{sourceId}/receipts/{receiptId}/retry", [post(sources::retry)]))
            .service(resource("/admin/endpoints", [get(endpoints::list), post(endpoints::create)]))
            .service(resource(
                "/admin/endpoints/{endpointId}",
                [get(endpoints::show), patch(endpoints::change), delete(endpoints::remove)],
            ))
            .service(resource("/admin/endpoints/{endpointId}/rotate", [post(endpoints::rotate)]))
            .service(resource("/admin/endpoints/{endpointId}/replay", [post(endpoints::replay)]))
            .service(resource("/admin/endpoints/{endpointId}/test", [post(endpoints::test)]))
            .service(resource("/admin/endpoints/{endpointId}/deliveries", [get(endpoints::deliveries)]))
            .service(resource(
                "/admin/endpoints/{endpointId}/deliveries/{deliveryId}",
                [get(endpoints::show_delivery)],
            ))
            .service(resource(
                "/admin/endpoints/{endpointId}/deliveries/{deliveryId}/resend",
                [post(endpoints::resend)],
            ))
            .service(resource("/admin/figures", [get(figures::show)]))
            .service(resource("/widget/counts", [post(widget::count)]))
            .service(resource("/admin/reports", [get(reports::list)]))
            .service(resource("/admin/reports/{reportId}/dismiss", [post(reports::dismiss)]))
            .service(resource("/admin/reports/{reportId}/mute", [post(reports::mute)]))
            .default_service(web::to(unknown)),
    )
    .service(resource("/media/{name}", [get(media::show)]))
    .service(resource("/hooks/{sourceId}", [post(hooks::receive)]))
    .service(resource("/healthz", [get(health::alive)]))
    .service(resource("/readyz", [get(health::ready)]))
    .service(resource("/metrics", [get(health::public_metrics)]))
    .default_service(web::to(assets::serve));
}

async fn unknown() -> Result<HttpResponse, Problem> {
    Err(Problem::not_found())
}

/// What is served at `--metrics-addr`.
pub fn metrics(config: &mut ServiceConfig) {
    config.service(resource("/metrics", [get(health::metrics)])).default_service(web::to(unknown));
}

/// What is served at `--addr`. `transports` adds the routes of the transports; they come first, so that `/api/events`
/// is not taken for an unknown address of the API.
pub fn shop<T: FnOnce(&mut ServiceConfig)>(
    assets: Data<assets::Assets>,
    catalog: CatalogCache,
    documents: Documents,
    transports: T,
) -> impl FnOnce(&mut ServiceConfig) + use<T> {
    move |config| {
        config.app_data(assets).app_data(Data::new(catalog)).app_data(Data::new(documents));
        transports(config);
        configure(config);
    }
}

/// An application of these routes.
pub fn app(
    state: AppState,
    routes: impl FnOnce(&mut ServiceConfig),
) -> App<
    impl ServiceFactory<
        ServiceRequest,
        Config = (),
        Response = ServiceResponse<BoxBody>,
        Error = Error,
        InitError = (),
    >,
> {
    App::new().app_data(Data::new(state)).configure(routes).wrap(from_fn(edge))
}
