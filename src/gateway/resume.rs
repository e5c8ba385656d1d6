//! Where in the log a client says it stopped, `?after=41&epoch=…` or the `Last-Event-ID` of a stream, and where it
//! therefore starts.

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::{domain::Offset, service::ServiceError, web::problem::Problem};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// A place in the log that a client names.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Cursor {
    /// It has seen everything up to here.
    pub after: Offset,
    /// The epoch of the log that the offset is of; `None` when the client does not say.
    pub epoch: Option<String>,
}

/// Where a session starts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Start {
    /// At the end of the log.
    Live,
    /// After an offset.
    After(Offset),
    /// At the end of the log, after it is told of a gap: the offset is one of another database.
    Gap(Offset),
}

/// The place that a query (without its `?`) names; `None` when it names none.
///
/// # Errors
/// 400 `validation`: what it says is no offset.
pub fn from_query(query: &str) -> Result<Option<Cursor>, Problem> {
    let Some(text) = parameter(query, "after") else { return Ok(None) };
    match Offset::parse(text) {
        Some(after) => Ok(Some(Cursor { after, epoch: epoch(query) })),
        None => Err(ServiceError::field("after", "invalid", "after is the offset of a notification").into()),
    }
}

/// The place that a request for a stream names: in its header, else as `lastEventId`, which is how clients say the same
/// that can set no headers, else as `after`. A browser that reconnects repeats the address that it began with, so that
/// what it says about `after` is of the past.
///
/// # Errors
/// 400 `validation`: `after` is no offset.
pub fn of_stream(query: &str, headers: &HeaderMap) -> Result<Option<Cursor>, Problem> {
    let named = from_query(query)?;
    let in_query = || parameter(query, "lastEventId").and_then(Offset::parse);
    Ok(match last_event_id(headers).or_else(in_query) {
        Some(after) => Some(Cursor { after, epoch: epoch(query) }),
        None => named,
    })
}

/// The first value of a parameter in a query, as it stands there.
pub(super) fn parameter<'a>(query: &'a str, name: &str) -> Option<&'a str> {
    let mut pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.find(|(key, _)| *key == name).map(|(_, value)| value)
}

fn epoch(query: &str) -> Option<String> {
    parameter(query, "epoch").filter(|epoch| !epoch.is_empty()).map(str::to_owned)
}

/// The id of the last event that a stream's client has seen; `None` without one of ours.
#[must_use]
pub fn last_event_id(headers: &HeaderMap) -> Option<Offset> {
    headers.get(LAST_EVENT_ID).and_then(|id| id.to_str().ok()).and_then(Offset::parse)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::domain::id::MAX_SAFE_INTEGER;

    proptest! {
        #[test]
        fn every_offset_is_read_back_and_nothing_else_is_one(offset in 0..=MAX_SAFE_INTEGER, text in ".{0,20}") {
            let read = from_query(&format!("x=1&after={offset}&after=no&epoch=e")).ok().flatten();
            prop_assert_eq!(read, Some(Cursor { after: Offset(offset), epoch: Some("e".to_owned()) }));
            let mut headers = HeaderMap::new();
            headers.insert(LAST_EVENT_ID, offset.into());
            let after = |query: &str, headers| of_stream(query, headers).unwrap().map(|cursor| cursor.after.0);
            prop_assert_eq!(after("after=0&lastEventId=0", &headers), Some(offset));
            let none = HeaderMap::new();
            prop_assert_eq!(after(&format!("after=0&lastEventId={offset}"), &none), Some(offset));
            prop_assert_eq!(after(&format!("lastEventId=&after={offset}"), &none), Some(offset));
            if let Ok(Some(Cursor { after: Offset(read), .. })) = from_query(&text) {
                prop_assert!(text.contains(&read.to_string()));
            }
        }
    }
}
