//! `/api/admin/media` and `/media/…`: pictures of goods, uploaded by administrators and served to everyone.

use actix_files::NamedFile;
use actix_web::{
    HttpRequest, HttpResponse,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_TYPE, HeaderValue, LOCATION},
    },
    web::{self, Data},
};
use bytes::Bytes;
use serde::Serialize;
use utoipa::ToSchema;

use super::{
    assets::{self, Assets},
    requests,
};
use crate::{
    media::MediaName,
    service::media::{MAX_BYTES, Picture},
    web::{
        Admin, Body, Code, Id, Problem, State, answer,
        multipart::{boundary, part},
    },
};

/// What a form around a picture may have beside it.
const FORM: usize = 16 << 10;
/// A name means one content, for good.
const FOREVER: HeaderValue = HeaderValue::from_static("public, max-age=31536000, immutable");

/// A picture that was uploaded.
#[derive(Serialize, ToSchema)]
struct Uploaded<'a> {
    media: MediaResponse<'a>,
}

/// A picture, as whoever uploaded it sees it.
#[derive(Serialize, ToSchema)]
#[schema(as = Media)]
struct MediaResponse<'a> {
    url: &'a str,
    width: u32,
    height: u32,
    sizes: Vec<SizeResponse<'a>>,
}

/// The same picture in another size.
#[derive(Serialize, ToSchema)]
#[schema(as = MediaSize)]
struct SizeResponse<'a> {
    width: u32,
    url: &'a str,
}

impl<'a> From<&'a Picture> for MediaResponse<'a> {
    fn from(picture: &'a Picture) -> Self {
        let sizes = picture.sizes.iter().map(|(width, url)| SizeResponse { width: *width, url }).collect();
        Self { url: &picture.url, width: picture.width, height: picture.height, sizes }
    }
}

/// Upload a picture of goods.
///
/// Its `url` can stand as `thumbnailUrl`. What is no picture is told by its content, whatever its type says.
#[utoipa::path(
    post, path = "/api/admin/media", security(("admin" = [])),
    request_body(content(
        ("image/jpeg"), ("image/png"), ("image/webp"), (requests::PictureForm = "multipart/form-data"),
    )),
    responses((status = 201, body = Uploaded<'static>, headers(("Location")))),
    extensions(("x-refusals" = json!([Code::BodyTooLarge, Code::MalformedBody, Code::UnsupportedMediaType]))),
)]
pub(super) async fn upload(
    state: State,
    _admin: Admin,
    request: HttpRequest,
    body: Body,
) -> Result<HttpResponse, Problem> {
    // What is sent is told by its content; the type only says whether there is a form around it.
    let kind = request.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
    let boundary = boundary(kind);
    let room = if boundary.is_some() { FORM } else { 0 };
    let held = body.held(MAX_BYTES + room).await?;
    let file = match boundary {
        None => held.bytes.clone(),
        Some(boundary) => in_form(&held.bytes, boundary)?,
    };
    if file.len() > MAX_BYTES {
        return Err(Problem::new(Code::BodyTooLarge, format!("a picture has at most {MAX_BYTES} bytes")));
    }
    let picture = state.media.keep(file).await?;
    drop(held);
    let mut response =
        answer::private(StatusCode::CREATED, &Uploaded { media: MediaResponse::from(&picture) });
    if let Ok(location) = HeaderValue::from_str(&picture.url) {
        response.headers_mut().insert(LOCATION, location);
    }
    Ok(response)
}

fn in_form(body: &Bytes, boundary: &str) -> Result<Bytes, Problem> {
    let file = part(body, boundary, "file");
    let missing = || Problem::new(Code::MalformedBody, "the form has no part named file");
    Ok(body.slice_ref(file.ok_or_else(missing)?))
}

/// Show a picture of goods.
#[utoipa::path(
    get, path = "/media/{name}",
    responses((status = 200, body = Vec<u8>, content_type = "image/*")),
)]
pub(super) async fn show(
    state: State,
    assets: Data<Assets>,
    request: HttpRequest,
    name: Id,
) -> Result<HttpResponse, Problem> {
    // Anything else at such an address may be a page's.
    let Ok(name) = name.read(MediaName::parse) else { return assets::serve(request, assets).await };
    let path = state.media.folder().path(&name);
    let opened = web::block(move || NamedFile::open(path).ok()).await.ok().flatten();
    let file = opened.ok_or_else(Problem::not_found)?.disable_content_disposition();
    let mut response = file.into_response(&request);
    response.headers_mut().insert(CACHE_CONTROL, FOREVER);
    Ok(response)
}
