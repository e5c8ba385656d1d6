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
    let parameter = |name: &str| {
        let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
        pairs.into_iter().find(|(key, _)| *key == name).map(|(_, value)| value)
    };
    let Some(text) = parameter("after") else { return Ok(None) };
    match Offset::parse(text) {
        Some(after) => Ok(Some(Cursor { after, epoch: parameter("epoch").map(str::to_owned) })),
        None => Err(ServiceError::field("after", "invalid", "after is the offset of a notification").into()),
    }
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
            prop_assert_eq!(last_event_id(&headers), Some(Offset(offset)));
            if let Ok(Some(Cursor { after: Offset(read), .. })) = from_query(&text) {
                prop_assert!(text.contains(&read.to_string()));
            }
        }
    }
}
