//! `/api/openapi.json` and `/api/asyncapi.json`: the contract as documents. What they say is put together in `contract`,
//! which knows all of the program's edges; here they are answered.

use std::sync::{Arc, OnceLock};

use actix_web::{HttpRequest, HttpResponse, web::Data};
use serde_json::Value;

use crate::web::etag::{self, Document};

/// Where the one is.
pub const OPENAPI: &str = "/api/openapi.json";
/// Where the other is.
pub const ASYNCAPI: &str = "/api/asyncapi.json";

/// Both documents, each made when it is first asked for. Copies share them.
#[derive(Clone, Debug)]
pub struct Documents {
    openapi: Lazy,
    asyncapi: Lazy,
}

#[derive(Clone, Debug)]
struct Lazy {
    make: fn() -> Value,
    made: Arc<OnceLock<Document>>,
}

impl Lazy {
    fn new(make: fn() -> Value) -> Self {
        Self { make, made: Arc::default() }
    }

    fn get(&self) -> &Document {
        self.made.get_or_init(|| etag::document(&(self.make)()))
    }
}

impl Documents {
    /// Of what makes them.
    #[must_use]
    pub fn new(openapi: fn() -> Value, asyncapi: fn() -> Value) -> Self {
        Self { openapi: Lazy::new(openapi), asyncapi: Lazy::new(asyncapi) }
    }
}

/// Read this document.
///
/// The HTTP side of the contract, OpenAPI 3.1.
#[utoipa::path(
    get, path = "/api/openapi.json",
    responses((status = 200, body = Value, headers(("ETag")))),
)]
pub(super) async fn openapi(request: HttpRequest, documents: Data<Documents>) -> HttpResponse {
    etag::public(request.headers(), documents.openapi.get())
}

/// Read the document of the events.
///
/// The real-time side of the contract, AsyncAPI 3.0.
#[utoipa::path(
    get, path = "/api/asyncapi.json",
    responses((status = 200, body = Value, headers(("ETag")))),
)]
pub(super) async fn asyncapi(request: HttpRequest, documents: Data<Documents>) -> HttpResponse {
    etag::public(request.headers(), documents.asyncapi.get())
}
