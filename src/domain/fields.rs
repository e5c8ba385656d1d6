//! Reads loosely typed fields (a JSON object, a form, a socket message) into domain types and gathers what is wrong
//! with each field instead of stopping at the first.
//!
//! Numbers may come as strings: a form has nothing else, and pages send what an `<input>` holds.

use serde_json::{Map, Value};

/// One field that is not what it should be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FieldError {
    /// Its name in the request.
    pub field: String,
    /// What is wrong, stable and in snake case: `required`, `too_short`, `too_long`, `out_of_range`,
    /// `invalid_characters`, `invalid`, `unknown`.
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

    /// Binds it to a field's name.
    #[must_use]
    pub fn in_field(self, field: &str) -> FieldError {
        FieldError { field: field.to_owned(), code: self.code, message: self.message }
    }
}

pub(super) const REQUIRED: Invalid = Invalid::new("required", "this field is required");
const NOT_TEXT: Invalid = Invalid::new("invalid", "this field must be a string");

/// A field that was read: its value, or what is wrong with it.
pub type Field<T> = Result<T, FieldError>;

/// The fields of one request.
///
/// Each is read on its own; [`finish`](Self::finish) turns all that were read into values or all their errors:
///
/// ```text
/// let name = fields.required("name", GoodsName::parse);
/// let stock = fields.optional("stock", parse_stock);
/// let (name, stock) = fields.finish((name, stock))?;
/// ```
#[derive(Debug, Default)]
pub struct Fields(Map<String, Value>);

impl Fields {
    /// Over the members of an object.
    #[must_use]
    pub fn new(values: Map<String, Value>) -> Self {
        Self(values)
    }

    /// Whether the field is there and not `null`.
    #[must_use]
    pub fn has(&self, field: &str) -> bool {
        self.raw(field).is_some()
    }

    /// Whether the field is there and `null`, which says more than its absence.
    #[must_use]
    pub fn is_null(&self, field: &str) -> bool {
        self.0.get(field).is_some_and(Value::is_null)
    }

    /// The field as it came; `None` when absent or `null`.
    #[must_use]
    pub fn raw(&self, field: &str) -> Option<&Value> {
        self.0.get(field).filter(|value| !value.is_null())
    }

    /// The text of a field; `None` when it is absent or something else.
    #[must_use]
    pub fn text(&self, field: &str) -> Option<&str> {
        self.raw(field).and_then(Value::as_str)
    }

    /// A field that must be there, read by `parse` from its text.
    ///
    /// # Errors
    /// `required` when it is absent or `null`; else as [`optional`](Self::optional).
    pub fn required<T>(&self, field: &str, parse: impl FnOnce(&str) -> Result<T, Invalid>) -> Field<T> {
        self.optional(field, parse)?.ok_or_else(|| REQUIRED.in_field(field))
    }

    /// A field that may be absent (or `null`), read by `parse` from its text.
    ///
    /// # Errors
    /// A list or an object; what `parse` refuses.
    pub fn optional<T>(
        &self,
        field: &str,
        parse: impl FnOnce(&str) -> Result<T, Invalid>,
    ) -> Field<Option<T>> {
        let Some(value) = self.raw(field) else { return Ok(None) };
        let parsed = match value {
            Value::String(text) => parse(text),
            Value::Number(number) => parse(&number.to_string()),
            Value::Bool(flag) => parse(if *flag { "true" } else { "false" }),
            Value::Null | Value::Array(_) | Value::Object(_) => Err(NOT_TEXT),
        };
        parsed.map(Some).map_err(|invalid| invalid.in_field(field))
    }

    /// That no field has another name than these: where a misspelled field would silently change nothing.
    ///
    /// # Errors
    /// `unknown` for each that has.
    pub fn only(&self, known: &[&str]) -> Result<(), Vec<FieldError>> {
        const UNKNOWN: Invalid = Invalid::new("unknown", "there is no such field here");
        let unknown = self.0.keys().filter(|name| !known.contains(&name.as_str()));
        let errors: Vec<_> = unknown.map(|name| UNKNOWN.in_field(name)).collect();
        if errors.is_empty() { Ok(()) } else { Err(errors) }
    }

    /// Ends the reading: a tuple of fields becomes the tuple of their values.
    ///
    /// # Errors
    /// What is wrong with each of them, in the order of the tuple; never empty.
    pub fn finish<R: ReadFields>(self, read: R) -> Result<R::Values, Vec<FieldError>> {
        read.gather()
    }
}

/// A tuple of results of reading: [`Field`]s, or what already gathered several errors.
pub trait ReadFields {
    /// The tuple of values.
    type Values;

    /// All values, or all errors.
    ///
    /// # Errors
    /// What is wrong, in the order of the tuple.
    fn gather(self) -> Result<Self::Values, Vec<FieldError>>;
}

macro_rules! read_fields {
    ($($value:ident: $error:ident),+) => {
        impl<$($value, $error: Into<Vec<FieldError>>),+> ReadFields for ($(Result<$value, $error>,)+) {
            type Values = ($($value,)+);

            #[expect(non_snake_case, reason = "the names of the types are those of the values")]
            fn gather(self) -> Result<Self::Values, Vec<FieldError>> {
                match self {
                    ($(Ok($value),)+) => Ok(($($value,)+)),
                    ($($value,)+) => {
                        let mut errors = Vec::new();
                        $(errors.extend($value.err().map(Into::into).unwrap_or_default());)+
                        Err(errors)
                    }
                }
            }
        }
    };
}

read_fields!(A: EA, B: EB);
read_fields!(A: EA, B: EB, C: EC);
read_fields!(A: EA, B: EB, C: EC, D: ED);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE, F: EF);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE, F: EF, G: EG);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE, F: EF, G: EG, H: EH);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE, F: EF, G: EG, H: EH, I: EI);
read_fields!(A: EA, B: EB, C: EC, D: ED, E: EE, F: EF, G: EG, H: EH, I: EI, J: EJ);

impl From<FieldError> for Vec<FieldError> {
    fn from(error: FieldError) -> Self {
        vec![error]
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_wrong_field_is_named_once() {
        let fields = Fields::new(serde_json::from_str(r#"{"a": [1], "b": null, "c": 7}"#).unwrap());
        let text = |text: &str| Ok(text.to_owned());
        let (a, b, c) = (fields.optional("a", text), fields.required("b", text), fields.required("c", text));
        assert_eq!(c.as_deref(), Ok("7"));
        let errors = fields.finish((a, b, c)).unwrap_err();
        assert_eq!(
            errors.iter().map(|e| (e.field.as_str(), e.code)).collect::<Vec<_>>(),
            [("a", "invalid"), ("b", "required")]
        );
    }
}
