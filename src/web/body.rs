//! The fields of a body, whether it is JSON or a form as jQuery writes one: `items[0][goodsId]=4`.
//!
//! A [`Body`] is read by the handler, after it knows who sends the request, so that 401 comes before 413 and 415.

use std::{convert::Infallible, time::Duration};

use actix_web::{
    FromRequest, HttpRequest,
    dev::Payload,
    http::header::{CONTENT_ENCODING, CONTENT_LENGTH, CONTENT_TYPE, HeaderMap, HeaderName},
    web::Data,
};
use bytes::{Bytes, BytesMut};
use futures_util::{
    StreamExt,
    future::{Ready, ready},
};
use serde_json::{Map, Value};

use super::{Code, auth, problem::Problem};
use crate::{
    domain::Fields,
    limits::{Charge, LimitExceeded, Purse},
    service::ServiceError,
    state::AppState,
};

/// How deep brackets nest: `items[0][goodsId]` is 2.
const MAX_DEPTH: usize = 4;
/// Bytes of the smallest body that is counted in the budget.
const SMALL: u64 = 4096;
/// Bytes and time for a body when the settings are missing, as in a test of one handler.
const DEFAULTS: (usize, Duration) = (65_536, Duration::from_secs(30));

/// A body that is still to be read.
pub struct Body {
    request: HttpRequest,
    payload: Payload,
}

impl std::fmt::Debug for Body {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Body(…)")
    }
}

impl FromRequest for Body {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, payload: &mut Payload) -> Self::Future {
        ready(Ok(Self { request: request.clone(), payload: payload.take() }))
    }
}

impl Body {
    /// Reads it.
    ///
    /// # Errors
    /// 415 for another type, charset or encoding; 413 past `--max-body`; 400 `malformed_body` for what is no object,
    /// 408 when it does not come, 503 when there is no room for it in `--memory-budget`.
    pub async fn fields(self) -> Result<Fields, Problem> {
        let kind = Kind::of(self.request.headers())?;
        let limit = self.settings().0;
        let bytes = self.bytes(limit).await?;
        kind.read(&bytes).map(Fields::new)
    }

    /// Reads it where there may be none.
    ///
    /// # Errors
    /// As [`fields`](Self::fields).
    pub async fn fields_if_any(self) -> Result<Fields, Problem> {
        let kind = Kind::of(self.request.headers())?;
        let limit = self.settings().0;
        let bytes = self.bytes(limit).await?;
        if bytes.is_empty() { Ok(Fields::default()) } else { kind.read(&bytes).map(Fields::new) }
    }

    /// Reads it as it is, whatever its type, up to `limit` bytes.
    ///
    /// # Errors
    /// 413 past the limit, 408 when it does not come, 400 when it does not come whole, 503 when there is no room for it in
    /// `--memory-budget`.
    pub async fn bytes(self, limit: usize) -> Result<Bytes, Problem> {
        Ok(self.held(limit).await?.bytes)
    }

    /// As [`bytes`](Self::bytes), for a body that is worked on for long: what it holds of `--memory-budget` is given back when
    /// it is dropped.
    ///
    /// # Errors
    /// As there.
    pub async fn held(mut self, limit: usize) -> Result<Held, Problem> {
        let deadline = self.settings().1;
        let state = self.request.app_data::<Data<AppState>>();
        let declared =
            header(self.request.headers(), &CONTENT_LENGTH).and_then(|text| text.parse::<u64>().ok());
        if declared.is_some_and(|bytes| usize::try_from(bytes).map_or(true, |bytes| bytes > limit)) {
            return Err(too_large(limit));
        }
        // Of what is small nobody counts the bytes, so that nobody need know whose they are.
        let payer = state.filter(|_| declared.is_none_or(|bytes| bytes >= SMALL));
        let mut held = payer.map_or_else(Purse::free, |state| auth::purse(state, &self.request)).charge();
        let read = tokio::time::timeout(deadline, collect(&mut self.payload, limit, &mut held));
        let bytes = read.await.map_err(|_| Problem::new(Code::RequestTimeout, "the body did not come"))??;
        Ok(Held { bytes: bytes.freeze(), _charge: held })
    }

    /// Bytes and time for a body.
    fn settings(&self) -> (usize, Duration) {
        let state = self.request.app_data::<Data<AppState>>();
        state.map_or(DEFAULTS, |state| (state.settings.max_body, state.settings.body_timeout))
    }
}

/// A body that is here, and counted.
#[derive(Debug)]
pub struct Held {
    /// What came.
    pub bytes: Bytes,
    _charge: Charge,
}

/// How a body is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// As a JSON object.
    Json,
    /// As a form.
    Form,
    /// Not said, which is right only for a body that is not there.
    Unsaid,
}

impl Kind {
    /// What a request's headers say of its body.
    ///
    /// # Errors
    /// 415 for another type, charset or encoding.
    pub fn of(headers: &HeaderMap) -> Result<Self, Problem> {
        let unsupported = |detail| Err(Problem::new(Code::UnsupportedMediaType, detail));
        if header(headers, &CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
            return unsupported("a body must not be compressed");
        }
        if !headers.contains_key(CONTENT_TYPE) {
            return Ok(Self::Unsaid);
        }
        let text = header(headers, &CONTENT_TYPE).unwrap_or_default().to_ascii_lowercase();
        let mut parts = text.split(';').map(str::trim);
        let kind = match parts.next() {
            Some("application/json") => Self::Json,
            Some("application/x-www-form-urlencoded") => Self::Form,
            _ => return unsupported("a body is application/json or application/x-www-form-urlencoded"),
        };
        let charset = parts.find_map(|part| part.strip_prefix("charset="));
        match charset.map(|charset| charset.trim_matches('"')) {
            None | Some("utf-8" | "utf8") => Ok(kind),
            Some(_) => unsupported("a body is UTF-8"),
        }
    }

    /// Reads the bytes of a body.
    ///
    /// # Errors
    /// 400 `malformed_body` for what is no object, 415 for bytes of which nothing was said.
    pub fn read(self, bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
        match self {
            Self::Json => json(bytes),
            Self::Form => form(bytes),
            Self::Unsaid if bytes.is_empty() => Err(malformed("a body is needed here")),
            Self::Unsaid => Err(Problem::new(Code::UnsupportedMediaType, "a body needs a Content-Type")),
        }
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &HeaderName) -> Option<&'a str> {
    headers.get(name).and_then(|value| value.to_str().ok())
}

fn too_large(limit: usize) -> Problem {
    Problem::new(Code::BodyTooLarge, format!("a body has at most {limit} bytes"))
}

fn malformed(detail: &'static str) -> Problem {
    Problem::new(Code::MalformedBody, detail)
}

/// What of the body is here is counted by `held`.
async fn collect(payload: &mut Payload, limit: usize, held: &mut Charge) -> Result<BytesMut, Problem> {
    let mut body = BytesMut::new();
    while let Some(chunk) = payload.next().await {
        let chunk = chunk.map_err(|_| malformed("the body did not come complete"))?;
        if body.len() + chunk.len() > limit {
            return Err(too_large(limit));
        }
        body.extend_from_slice(&chunk);
        held.set(body.capacity()).map_err(|full| ServiceError::from(LimitExceeded::from(full)))?;
    }
    Ok(body)
}

fn json(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    match serde_json::from_slice(bytes) {
        Ok(Value::Object(map)) => Ok(map),
        Ok(_) => Err(malformed("the body must be a JSON object")),
        Err(_) => Err(malformed("the body is not JSON in UTF-8")),
    }
}

/// Brackets become objects and, when they hold the numbers from 0 on, arrays. Numbers that leave some out are refused,
/// so that `items[999999999]=1` costs nothing.
fn form(bytes: &[u8]) -> Result<Map<String, Value>, Problem> {
    let bad = || malformed("the body is not a form in UTF-8");
    // serde_qs knows encoded brackets in capitals only.
    let text = std::str::from_utf8(bytes).map_err(|_| bad())?.replace("%5b", "%5B").replace("%5d", "%5D");
    let config = serde_qs::Config::new().max_depth(MAX_DEPTH).use_form_encoding(true);
    config.deserialize_str(&text).map_err(|_| bad())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::web::client::tests::headers;

    fn read_form(text: &str) -> Option<Value> {
        form(text.as_bytes()).ok().map(Value::Object)
    }

    #[test]
    fn forms_are_read_as_jquery_writes_them() {
        let expected =
            json!({"items": [{"goodsId": "4", "quantity": "1"}, {"goodsId": "5", "quantity": "2"}]});
        for text in [
            "items[0][goodsId]=4&items[0][quantity]=1&items[1][goodsId]=5&items[1][quantity]=2",
            "items%5B0%5D%5BgoodsId%5D=4&items%5B0%5D%5Bquantity%5D=1&items%5B1%5D%5BgoodsId%5D=5&items%5B1%5D%5Bquantity%5D=2",
            "items%5b1%5d%5bgoodsId%5d=5&items%5b1%5d%5bquantity%5d=2&items%5b0%5d%5bgoodsId%5d=4&items%5b0%5d%5bquantity%5d=1",
        ] {
            assert_eq!(read_form(text), Some(expected.clone()), "{text}");
        }
        assert_eq!(
            read_form("email=kim%40example.com&nickname=%EA%B9%80+x&stock=&a[]=1&a[]=2"),
            Some(json!({"email": "kim@example.com", "nickname": "김 x", "stock": "", "a": ["1", "2"]}))
        );
        assert_eq!(read_form(""), Some(json!({})));
        let many: String = (0..12).map(|n| format!("items[{n}]={n}&")).collect();
        assert_eq!(read_form(&many).unwrap()["items"][11], "11");
    }

    #[test]
    fn hostile_forms_are_refused_cheaply() {
        for bad in ["items[999999999]=1", "items[1]=1", "a=%FF", "a[b=1", "a[0]=1&a[x"] {
            assert_eq!(read_form(bad), None, "{bad}");
        }
        let deep = format!("a{}=1", "[b]".repeat(10_000));
        assert!(read_form(&deep).is_none_or(|value| value.to_string().len() < 50_000));
        let _ = read_form(&"[".repeat(60_000));
        let _ = read_form(&"a[%5B]".repeat(9_000));
        assert!(form(b"a=\xff").is_err());
    }

    #[test]
    fn json_must_be_an_object() {
        assert!(json(br#"{"a": 1}"#).is_ok());
        for bad in [&b"[]"[..], b"1", b"null", b"", b"{", b"{\"a\": \"\xff\"}", b"{} {}"] {
            assert!(json(bad).is_err());
        }
        assert!(json("[".repeat(60_000).as_bytes()).is_err());
    }

    #[test]
    fn types_charsets_and_codings_are_held_to() {
        let kind = |value| Kind::of(&headers(&[("content-type", value)])).map_err(|problem| problem.code());
        assert_eq!(kind("application/json"), Ok(Kind::Json));
        assert_eq!(kind("Application/JSON; charset=\"UTF-8\""), Ok(Kind::Json));
        assert_eq!(kind("application/x-www-form-urlencoded; charset=UTF-8"), Ok(Kind::Form));
        for bad in ["text/plain", "", "multipart/form-data; boundary=x", "application/json; charset=latin1"] {
            assert_eq!(kind(bad), Err(Code::UnsupportedMediaType), "{bad}");
        }
        let coded = headers(&[("content-type", "application/json"), ("content-encoding", "gzip")]);
        assert!(Kind::of(&coded).is_err());
        assert_eq!(Kind::of(&HeaderMap::new()).unwrap(), Kind::Unsaid);
        assert_eq!(Kind::Unsaid.read(b"").unwrap_err().code(), Code::MalformedBody);
        assert_eq!(Kind::Unsaid.read(b"{}").unwrap_err().code(), Code::UnsupportedMediaType);
    }

    #[actix_web::test]
    async fn a_body_without_a_length_is_stopped_at_the_limit() {
        let chunks = futures_util::stream::repeat_with(|| Ok(bytes::Bytes::from_static(&[b'x'; 1000])));
        let stream: std::pin::Pin<Box<dyn futures_util::Stream<Item = _>>> = Box::pin(chunks);
        let error = collect(&mut Payload::from(stream), 4500, &mut Purse::free().charge()).await.unwrap_err();
        assert_eq!(error.code(), Code::BodyTooLarge);
    }
}
