//! The routes against a real store, without sockets: what each row of the contract's §2 answers.

use actix_http::Request;
use actix_web::{
    App, Error,
    body::{BoxBody, to_bytes},
    dev::{Service, ServiceResponse},
    http::StatusCode,
    test::{self, TestRequest},
};
use serde_json::{Value, json};

use super::{CatalogCache, Documents, app};
use crate::{
    clock,
    config::Settings,
    domain::{Email, Nickname, Password, Role},
    service::account_forms::Registration,
    state::AppState,
    store,
    web::client::tests::settings,
};

const PASSWORD: &str = "correct horse";

mod accounts;
mod catalog;
mod edge;

/// A shop of its own, reached through the whole application.
struct Shop<S> {
    service: S,
    _folder: tempfile::TempDir,
}

struct Answer {
    status: StatusCode,
    headers: actix_web::http::header::HeaderMap,
    body: Value,
    bytes: actix_web::web::Bytes,
}

impl Answer {
    fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    fn code(&self) -> &str {
        self.body["code"].as_str().unwrap_or_default()
    }
}

async fn shop(
    change: impl FnOnce(&mut Settings),
) -> Shop<impl Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>> {
    let folder = tempfile::tempdir().unwrap();
    let mut settings = settings();
    change(&mut settings);
    let url = format!("sqlite://{}", folder.path().join("shop.db").display());
    let store = store::open(&url, settings.currency).await.unwrap();
    let state = AppState::open(settings, store).await.unwrap();
    for (nickname, role) in [("kim", Role::Member), ("boss", Role::Admin)] {
        let wanted = Registration {
            email: Email::parse(&format!("{nickname}@example.com")).unwrap(),
            nickname: Nickname::parse(nickname).unwrap(),
            password: Password::parse(PASSWORD).unwrap(),
        };
        state.accounts.register(wanted, role, clock::now()).await.unwrap();
    }
    let catalog = CatalogCache::new(std::sync::Arc::clone(state.store.feed()));
    let documents = Documents::new(|| json!({}), || json!({}));
    let assets = actix_web::web::Data::new(super::assets::Assets::of(&state.settings));
    let routes = super::shop(assets, catalog, documents, |cfg| {
        cfg.route("/panic", actix_web::web::get().to(|| async { panics() }));
    });
    let app: App<_> = app(state, routes);
    Shop { service: test::init_service(app).await, _folder: folder }
}

fn panics() -> &'static str {
    panic!("on purpose")
}

impl<S: Service<Request, Response = ServiceResponse<BoxBody>, Error = Error>> Shop<S> {
    async fn send(&self, request: TestRequest) -> Answer {
        let peer = "127.0.0.1:5000".parse().unwrap();
        let response = match self.service.call(request.peer_addr(peer).to_request()).await {
            Ok(response) => response.into_parts().1,
            Err(error) => error.error_response(),
        };
        let (status, headers) = (response.status(), response.headers().clone());
        let bytes = to_bytes(response.into_body()).await.unwrap();
        Answer { status, headers, body: serde_json::from_slice(&bytes).unwrap_or_default(), bytes }
    }

    async fn get(&self, path: &str, token: &str) -> Answer {
        self.send(with(TestRequest::get().uri(path), token)).await
    }

    async fn post(&self, path: &str, token: &str, body: Value) -> Answer {
        self.send(with(TestRequest::post().uri(path), token).set_json(body)).await
    }

    async fn log_in(&self, nickname: &str) -> String {
        let body = json!({"email": format!("{nickname}@example.com"), "password": PASSWORD});
        let answer = self.post("/api/auth", "", body).await;
        assert_eq!(answer.status, 200, "{}", answer.body);
        answer.body["token"].as_str().unwrap().to_owned()
    }

    async fn sell(&self, boss: &str, name: &str, stock: Option<i64>) -> i64 {
        let body = json!({"name": name, "thumbnailUrl": "/a.svg", "category": "drink", "price": 6.2, "stock": stock});
        let answer = self.post("/api/goods", boss, body).await;
        assert_eq!(answer.status, 201, "{}", answer.body);
        answer.body["goods"]["goodsId"].as_i64().unwrap()
    }
}

fn with(request: TestRequest, token: &str) -> TestRequest {
    if token.is_empty() {
        return request;
    }
    request.insert_header(("authorization", format!("Bearer {token}")))
}

fn cookie(request: TestRequest, token: &str) -> TestRequest {
    request.insert_header(("cookie", format!("shopbell_token={token}")))
}
