//! Reading a bag of loosely typed fields (a JSON object, a form, a socket message) into domain types, gathering
//! what is wrong with each field instead of stopping at the first.
//!
//! Numbers may come as strings: a form has nothing else, and pages send what an `<input>` holds.

use serde::Serialize;
use serde_json::{Map, Value};

/// One field that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldError {
    /// Its name in the request.
    pub field: String,
    /// What is wrong, stable and in snake case: `required`, `too_short`, `too_long`, `out_of_range`,
    /// `invalid_characters`, `invalid`.
    pub code: &'static str,
    /// The rule it broke, for a developer.
    pub message: &'static str,
}

/// A value that breaks a rule, not yet bound to a field's name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Invalid {
    /// As [`FieldError::code`].
    pub code: &'static str,
    /// As [`FieldError::message`].
    pub message: &'static str,
}

impl Invalid {
    /// A broken rule.
    #[must_use]
    pub const fn new(code: &'static str, message: &'static str) -> Self {
        Self { code, message }
    }
}

const REQUIRED: Invalid = Invalid::new("required", "this field is required");
const NOT_TEXT: Invalid = Invalid::new("invalid", "this field must be a string");

/// The fields of one request, and what was found wrong with them so far.
#[derive(Debug, Default)]
pub struct Fields {
    values: Map<String, Value>,
    errors: Vec<FieldError>,
}

impl Fields {
    /// Over the members of an object.
    #[must_use]
    pub fn new(values: Map<String, Value>) -> Self {
        Self { values, errors: Vec::new() }
    }

    /// Whether the field is there and not `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.values.get(field).is_some_and(|value| !value.is_null())
    }

    /// Whether the field is there and `null`, which says more than its absence.
    #[must_use]
    pub fn is_null(&self, field: &str) -> bool {
        self.values.get(field).is_some_and(Value::is_null)
    }

    /// The field as it came; `None` when absent or `null`.
    #[must_use]
    pub fn raw(&self, field: &str) -> Option<&Value> {
        self.values.get(field).filter(|value| !value.is_null())
    }

    /// A field that must be there, read by `parse` from its text. `None` after noting what is wrong.
    pub fn required<T>(&mut self, field: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        match self.optional(field, parse) {
            None if !self.has(field) => self.reject(field, REQUIRED),
            found => found,
        }
    }

    /// A field that may be absent (or `null`), read by `parse` from its text.
    pub fn optional<T>(&mut self, field: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Option<T> {
        let parsed = match self.raw(field)? {
            Value::String(text) => parse(text),
            Value::Number(number) => parse(&number.to_string()),
            Value::Bool(flag) => parse(if *flag { "true" } else { "false" }),
            _ => Err(NOT_TEXT),
        };
        match parsed {
            Ok(value) => Some(value),
            Err(invalid) => self.reject(field, invalid),
        }
    }

    /// Notes that a field is wrong.
    pub fn reject<T>(&mut self, field: &str, invalid: Invalid) -> Option<T> {
        self.errors.push(FieldError {
            field: field.to_owned(),
            code: invalid.code,
            message: invalid.message,
        });
        None
    }

    /// What was wrong; empty when every field read so far was right.
    ///
    /// # Errors
    /// The fields that were wrong, in the order in which they were read.
    pub fn finish(self) -> Result<(), Vec<FieldError>> {
        if self.errors.is_empty() { Ok(()) } else { Err(self.errors) }
    }
}

/// Reads `true`/`false` (forms also send `on`, `1` and `0`).
///
/// # Errors
/// Anything else.
pub fn flag(text: &str) -> Result<bool, Invalid> {
    match text {
        "true" | "on" | "1" => Ok(true),
        "false" | "off" | "0" => Ok(false),
        _ => Err(Invalid::new("invalid", "this field must be true or false")),
    }
}

/// Refuses what could become markup in a page that inserts it as HTML, and control characters.
pub(crate) fn plain_text(text: &str, max: usize) -> Result<String, Invalid> {
    let text = text.trim();
    match text.chars().count() {
        0 => return Err(REQUIRED),
        n if n > max => return Err(Invalid::new("too_long", "this field is too long")),
        _ => {}
    }
    if text.chars().any(|c| c.is_control() || "<>\"'".contains(c)) {
        return Err(Invalid::new(
            "invalid_characters",
            "control characters and < > \" ' are not allowed here",
        ));
    }
    Ok(text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_once() {
        let mut fields = Fields::new(serde_json::from_str(r#"{"a": [1], "b": null, "c": 7}"#).unwrap());
        assert_eq!(fields.optional("a", |t| Ok(t.to_owned())), None);
        assert_eq!(fields.required("b", |t| Ok(t.to_owned())), None);
        assert_eq!(fields.required("c", |t| Ok(t.to_owned())), Some("7".to_owned()));
        let errors = fields.finish().unwrap_err();
        assert_eq!(
            errors.iter().map(|e| (e.field.as_str(), e.code)).collect::<Vec<_>>(),
            [("a", "invalid"), ("b", "required")]
        );
    }
}
