//! Reads arguments, JSON values joined by commas, in one pass over their text.

use serde::de::{DeserializeSeed, Error as _, IgnoredAny, SeqAccess};

/// White space of JSON (RFC 8259 §2).
const BLANK: [char; 4] = [' ', '\t', '\n', '\r'];

/// The values that are still to be read.
pub(super) struct Items<'de> {
    rest: &'de str,
    /// A comma was read, so that a value must follow.
    is_due: bool,
}

impl<'de> Items<'de> {
    pub(super) fn new(json: &'de str) -> Self {
        Self { rest: json.trim_start_matches(BLANK), is_due: false }
    }
}

impl<'de> SeqAccess<'de> for Items<'de> {
    type Error = serde_json::Error;

    fn next_element_seed<T: DeserializeSeed<'de>>(
        &mut self,
        seed: T,
    ) -> Result<Option<T::Value>, serde_json::Error> {
        if self.rest.is_empty() && !self.is_due {
            return Ok(None);
        }
        let mut json = serde_json::Deserializer::from_str(self.rest);
        let value = seed.deserialize(&mut json)?;
        let end = json.into_iter::<IgnoredAny>().byte_offset();
        let rest = self.rest.get(end..).unwrap_or_default().trim_start_matches(BLANK);
        (self.rest, self.is_due) = match rest.strip_prefix(',') {
            Some(more) => (more.trim_start_matches(BLANK), true),
            None if rest.is_empty() => (rest, false),
            None => return Err(serde_json::Error::custom("a comma is missing")),
        };
        Ok(Some(value))
    }
}
