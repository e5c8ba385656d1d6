//! How the widget shows alerts, where its own attributes do not say otherwise.

use serde::{Deserialize, Serialize};

use super::{FieldError, Fields, Invalid, number};

/// Beginnings of paths in one list.
const MAX_PATHS: usize = 50;
/// Characters of one.
const MAX_PATH: usize = 200;

/// The settings of toasts.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Toasts {
    /// How long one stays, 5 to 60: who reads slowly needs five.
    pub seconds: u32,
    /// None of others' orders before a page is that old, up to an hour.
    pub delay_seconds: u32,
    /// From the beginning of one to that of the next, up to an hour.
    pub gap_seconds: u32,
    /// How many at once, 1 to 5.
    pub at_once: u32,
    /// How many of others' orders in a visit, up to 1,000; `None` for any number.
    pub per_visit: Option<u32>,
    /// Beginnings of the paths of pages that show them; empty is all.
    pub include: Vec<String>,
    /// Beginnings of the paths of pages that do not.
    pub exclude: Vec<String>,
    /// None of others' orders for so many days after one was closed, up to a year.
    pub quiet_days: u32,
    /// What exceeds so many alerts a second is one, 1 to 100; `None` for never.
    pub digest_per_second: Option<u32>,
}

impl Default for Toasts {
    /// As the widget does by itself.
    fn default() -> Self {
        Self {
            seconds: 6,
            delay_seconds: 0,
            gap_seconds: 0,
            at_once: 3,
            per_visit: None,
            include: Vec::new(),
            exclude: Vec::new(),
            quiet_days: 0,
            digest_per_second: None,
        }
    }
}

impl Toasts {
    /// These with what `toasts` of a request changes.
    ///
    /// # Errors
    /// Fields that are not valid or not known, by their whole names: `toasts.seconds`.
    pub fn changed(&self, fields: Fields) -> Result<Self, Vec<FieldError>> {
        let number = |name: &str, was: u32, least: u32, most: u32| {
            fields.optional(name, within(least, most)).map(|given| given.unwrap_or(was))
        };
        let or_none = |name: &str, was: Option<u32>, least: u32, most: u32| {
            if fields.is_null(name) {
                return Ok(None);
            }
            fields.optional(name, within(least, most)).map(|given| given.or(was))
        };
        let read = (
            number("seconds", self.seconds, 5, 60),
            number("delaySeconds", self.delay_seconds, 0, 3600),
            number("gapSeconds", self.gap_seconds, 0, 3600),
            number("atOnce", self.at_once, 1, 5),
            or_none("perVisit", self.per_visit, 1, 1000),
            paths(&fields, "include", &self.include),
            paths(&fields, "exclude", &self.exclude),
            number("quietDays", self.quiet_days, 0, 366),
            or_none("digestPerSecond", self.digest_per_second, 1, 100),
            fields.only(&[
                "seconds",
                "delaySeconds",
                "gapSeconds",
                "atOnce",
                "perVisit",
                "include",
                "exclude",
                "quietDays",
                "digestPerSecond",
            ]),
        );
        let read =
            fields.finish(read).map_err(|errors| errors.into_iter().map(in_toasts).collect::<Vec<_>>());
        let (
            seconds,
            delay_seconds,
            gap_seconds,
            at_once,
            per_visit,
            include,
            exclude,
            quiet_days,
            digest,
            (),
        ) = read?;
        Ok(Self {
            seconds,
            delay_seconds,
            gap_seconds,
            at_once,
            per_visit,
            include,
            exclude,
            quiet_days,
            digest_per_second: digest,
        })
    }
}

fn in_toasts(error: FieldError) -> FieldError {
    FieldError { field: format!("toasts.{}", error.field), ..error }
}

fn within(least: u32, most: u32) -> impl FnOnce(&str) -> Result<u32, Invalid> {
    const BAD: Invalid = Invalid::new("out_of_range", "this is a whole number within the setting's range");
    move |text| {
        let number = number::whole(text).and_then(|number| u32::try_from(number).ok());
        number.filter(|number| (least..=most).contains(number)).ok_or(BAD)
    }
}

/// A list of the beginnings of paths; the one that there was where none is given.
fn paths(fields: &Fields, name: &str, was: &[String]) -> Result<Vec<String>, FieldError> {
    const BAD: Invalid =
        Invalid::new("invalid", "this is a list of up to 50 beginnings of paths, each with a / first");
    let Some(given) = fields.raw(name) else { return Ok(was.to_vec()) };
    let given = given.as_array().ok_or(BAD).and_then(|list| {
        let path = |path: &serde_json::Value| path.as_str().filter(|path| is_path(path)).map(str::to_owned);
        list.iter().map(path).collect::<Option<Vec<_>>>().filter(|list| list.len() <= MAX_PATHS).ok_or(BAD)
    });
    given.map_err(|invalid| invalid.in_field(name))
}

/// Whether a text can begin the path of a URL (RFC 3986 §3.3).
fn is_path(text: &str) -> bool {
    let fits = |c: char| c.is_ascii_graphic() && !"\"<>\\^`{|},?#".contains(c);
    text.starts_with('/') && text.len() <= MAX_PATH && text.chars().all(fits)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn changed(json: &str) -> Result<Toasts, Vec<String>> {
        let fields = Fields::new(serde_json::from_str(json).unwrap());
        let errors = |errors: Vec<FieldError>| errors.into_iter().map(|error| error.field).collect();
        Toasts { per_visit: Some(4), ..Toasts::default() }.changed(fields).map_err(errors)
    }

    #[test]
    fn what_is_not_named_stays_and_null_is_no_bound() {
        let toasts = changed(r#"{"seconds": 9, "include": ["/shop/"], "digestPerSecond": "5"}"#).unwrap();
        assert_eq!((toasts.seconds, toasts.per_visit, toasts.digest_per_second), (9, Some(4), Some(5)));
        assert_eq!((toasts.include.as_slice(), toasts.at_once), (&["/shop/".to_owned()][..], 3));
        assert_eq!(changed(r#"{"perVisit": null}"#).unwrap().per_visit, None);
    }

    #[test]
    fn each_wrong_setting_is_named() {
        let wrong = r#"{"seconds": 4, "atOnce": 6, "include": "/", "exclude": ["x", "/<"], "colour": 1}"#;
        let fields =
            ["seconds", "atOnce", "include", "exclude", "colour"].map(|name| format!("toasts.{name}"));
        assert_eq!(changed(wrong), Err(fields.into()));
    }
}
