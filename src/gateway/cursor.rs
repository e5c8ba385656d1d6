//! Where in the log a client that comes back says it stopped: `?after=41`, or the `Last-Event-ID` of a stream.

use actix_web::http::header::{HeaderMap, HeaderName};

use crate::{domain::Offset, service::ServiceError, web::problem::Problem};

const LAST_EVENT_ID: HeaderName = HeaderName::from_static("last-event-id");

/// The offset after which a query (without its `?`) wants alerts; `None` when it does not say.
///
/// # Errors
/// 400 `invalid_request`: what it says is no offset.
pub fn after(query: &str) -> Result<Option<Offset>, Problem> {
    let Some(text) = query.split('&').find_map(|pair| pair.strip_prefix("after=")) else { return Ok(None) };
    match Offset::parse(text) {
        Some(offset) => Ok(Some(offset)),
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
        fn every_offset_comes_back_and_nothing_else_is_one(offset in 0..=MAX_SAFE_INTEGER, text in ".{0,20}") {
            let read = after(&format!("x=1&after={offset}&after=no")).ok().flatten();
            prop_assert_eq!(read, Some(Offset(offset)));
            let mut headers = HeaderMap::new();
            headers.insert(LAST_EVENT_ID, offset.into());
            prop_assert_eq!(last_event_id(&headers), Some(Offset(offset)));
            if let Ok(Some(Offset(read))) = after(&text) {
                prop_assert!(text.contains(&read.to_string()));
            }
        }
    }
}
