//! The parts of an address: ids in its path and the fields of its query. Both are read by the handler, after it
//! knows who sends the request, so that 401 comes before 404 and 400.

use std::convert::Infallible;

use actix_web::{FromRequest, HttpRequest, dev::Payload, web};
use futures_util::future::{Ready, ready};
use serde_json::{Map, Value};

use super::problem::Problem;
use crate::domain::{Fields, Invalid, number};

/// The id in the path of a route, as it came.
#[derive(Debug)]
pub struct Id(String);

impl Id {
    /// Reads it.
    ///
    /// # Errors
    /// 404: nothing has an id of another form.
    pub fn read<T>(&self, parse: impl FnOnce(&str) -> Option<T>) -> Result<T, Problem> {
        parse(&self.0).ok_or_else(Problem::not_found)
    }

    /// Its text without percent-encoding (RFC 3986 §2.1); `None` when that is no UTF-8.
    #[must_use]
    pub fn text(&self) -> Option<String> {
        percent_encoding::percent_decode_str(&self.0).decode_utf8().ok().map(Into::into)
    }
}

impl FromRequest for Id {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let id = request.match_info().iter().next().map(|(_, value)| value.to_owned());
        ready(Ok(Self(id.unwrap_or_default())))
    }
}

/// The fields of the query; of a repeated one the last.
#[derive(Debug)]
pub struct Query(pub Fields);

impl FromRequest for Query {
    type Error = Infallible;
    type Future = Ready<Result<Self, Infallible>>;

    fn from_request(request: &HttpRequest, _: &mut Payload) -> Self::Future {
        let pairs = web::Query::<Vec<(String, String)>>::from_query(request.query_string());
        let pairs = pairs.map(web::Query::into_inner).unwrap_or_default();
        let map: Map<_, _> = pairs.into_iter().map(|(name, value)| (name, Value::String(value))).collect();
        ready(Ok(Self(Fields::new(map))))
    }
}

/// How much of a list is wanted: the parser of a `limit` from 1 to `max`.
pub fn limit(max: u32) -> impl FnOnce(&str) -> Result<u32, Invalid> {
    const BAD: Invalid =
        Invalid::new("out_of_range", "limit is a whole number from 1 up to the route's most");
    move |text| {
        let limit = number::whole(text).and_then(|limit| u32::try_from(limit).ok());
        limit.filter(|limit| (1..=max).contains(limit)).ok_or(BAD)
    }
}

/// What is looked for in a list: at most 200 characters. An empty field of a search form looks for nothing.
///
/// # Errors
/// It is longer.
pub fn search(text: &str) -> Result<Option<String>, Invalid> {
    match text.chars().count() {
        0 => Ok(None),
        1..=200 => Ok(Some(text.to_owned())),
        _ => Err(Invalid::new("too_long", "a search has at most 200 characters")),
    }
}

/// Where a list goes on: the parser of a `cursor` that an earlier answer gave.
pub fn cursor<T>(parse: impl FnOnce(&str) -> Option<T>) -> impl FnOnce(&str) -> Result<T, Invalid> {
    const BAD: Invalid = Invalid::new("invalid", "cursor is the nextCursor of an earlier answer");
    move |text| parse(text).ok_or(BAD)
}
