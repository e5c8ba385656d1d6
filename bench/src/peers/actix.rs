//! actix-web with nothing behind it: answers each path with the status, headers and bytes that it was given.

use std::{collections::HashMap, fs};

use actix_web::{
    App, HttpRequest, HttpResponse, HttpServer,
    http::StatusCode,
    web::{self, Bytes, Data},
};

use super::child::listening;
use crate::{Result, client::http::Answer};

/// Serves until the process is ended. `BENCH_ANSWERS` is a JSON file with an [`Answer`] for each path.
pub(super) fn run() -> Result<()> {
    let answers: HashMap<String, Answer> =
        serde_json::from_str(&fs::read_to_string(std::env::var("BENCH_ANSWERS")?)?)?;
    let answers: HashMap<String, (Answer, Bytes)> = answers
        .into_iter()
        .map(|(path, answer)| {
            let body = Bytes::from(answer.body.clone());
            (path, (answer, body))
        })
        .collect();
    let answers = Data::new(answers);
    actix_web::rt::System::new().block_on(async move {
        let server = HttpServer::new(move || {
            App::new()
                .app_data(answers.clone())
                .route("/api/goods", web::to(given))
                .route("/api/goods/{goodsId}", web::to(given))
                .route("/api/goods/{goodsId}/cart", web::to(given))
        })
        .workers(1)
        .bind("127.0.0.1:0")?;
        listening(server.addrs()[0])?;
        Ok(server.run().await?)
    })
}

async fn given(
    request: HttpRequest,
    _body: Bytes,
    answers: Data<HashMap<String, (Answer, Bytes)>>,
) -> HttpResponse {
    let path = request.uri().path_and_query().map_or("", |path| path.as_str());
    let Some((answer, body)) = answers.get(path) else { return HttpResponse::NotFound().finish() };
    let status = StatusCode::from_u16(answer.status).unwrap_or_default();
    let mut response = HttpResponse::build(status);
    for (name, value) in &answer.headers {
        response.append_header((name.as_str(), value.as_str()));
    }
    response.body(body.clone())
}
