//! What a handshake says about bursts: with `digest=N` the session is told N alerts a second each by itself, and what
//! exceeds that as one event `BUY_DIGEST` (docs/contract.md §3, "Bursts").

use std::num::NonZeroU8;

use serde_json::Value;

use super::{refusal::Refusal, resume};
use crate::{domain::number::whole, service::ServiceError, web::problem::Problem};

/// The parameter, and the member of what a Socket.IO client brings with CONNECT.
pub(super) const NAME: &str = "digest";
/// The most alerts a second that a session may want each by itself.
const MOST: u8 = 100;

/// What a query (without its `?`) says; `None` when it says nothing.
///
/// # Errors
/// 400 `validation`: it is no number from 1 to 100.
pub(super) fn from_query(query: &str) -> Result<Option<NonZeroU8>, Problem> {
    let Some(text) = resume::parameter(query, NAME) else { return Ok(None) };
    let invalid = || ServiceError::field(NAME, "out_of_range", "digest is a whole number from 1 to 100");
    parse(text).map(Some).ok_or_else(|| invalid().into())
}

/// What a member of a CONNECT says; `None` when it is not there, or `null`.
///
/// # Errors
/// `validation`, as above.
pub(super) fn from_value(value: Option<&Value>) -> Result<Option<NonZeroU8>, Refusal> {
    let number = match value {
        None | Some(Value::Null) => return Ok(None),
        Some(Value::String(text)) => parse(text),
        Some(Value::Number(number)) => parse(&number.to_string()),
        Some(_) => None,
    };
    number.map(Some).ok_or_else(|| Refusal::validation("digest is a whole number from 1 to 100."))
}

fn parse(text: &str) -> Option<NonZeroU8> {
    let number = u8::try_from(whole(text)?).ok().filter(|number| *number <= MOST)?;
    NonZeroU8::new(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_digest_is_a_number_of_alerts_a_second() {
        let number = |query| from_query(query).map(|digest| digest.map(NonZeroU8::get)).ok();
        assert_eq!(number("after=1"), Some(None));
        assert_eq!([number("digest=1"), number("after=1&digest=100")], [Some(Some(1)), Some(Some(100))]);
        for bad in ["digest=", "digest=0", "digest=101", "digest=-1", "digest=1e1", "digest=many"] {
            assert_eq!(number(bad), None, "{bad}");
        }
        let of = |value: Value| from_value(Some(&value)).map(|digest| digest.map(NonZeroU8::get)).ok();
        assert_eq!(of(json!(null)), Some(None));
        assert_eq!([of(json!(5)), of(json!("5")), of(json!(5.0))], [Some(Some(5)); 3]);
        for bad in [json!(0), json!(101), json!(1.5), json!(true), json!([5]), json!("")] {
            assert_eq!(of(bad.clone()), None, "{bad}");
        }
    }
}
