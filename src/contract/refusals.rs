//! The refusals of a route: those that its handler names (`extensions(("x-refusals" = …))`), and those that follow from
//! what it takes. Each code has its status and its sentence in the one table of codes.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value, json};

use super::parts::header;
use crate::web::{Code, problem::CONTENT_TYPE_VALUE};

/// What every route may answer, whatever it is.
const ALWAYS: &[Code] = &[
    Code::BadRequest,
    Code::RequestTimeout,
    Code::TooManyConnections,
    Code::HeadersTooLarge,
    Code::InternalError,
    Code::ServerFull,
    Code::Unavailable,
];

/// What a route takes.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Takes<'a> {
    /// Who may call it.
    pub(super) who: Option<&'a str>,
    /// Whether it changes something.
    pub(super) is_write: bool,
    /// Whether it reads the fields of a body.
    pub(super) has_fields: bool,
    /// Whether it reads a query or headers.
    pub(super) has_parameters: bool,
    /// Whether its address has an id.
    pub(super) has_id: bool,
}

/// The refusals of a route by status, its own ones named in `own`.
pub(super) fn responses(takes: Takes<'_>, own: &[Value]) -> Result<Map<String, Value>, String> {
    let mut codes: BTreeSet<&str> = implied(takes).chain(ALWAYS.iter().copied()).map(Code::name).collect();
    codes.extend(own.iter().filter_map(Value::as_str));
    let mut by_status: BTreeMap<u16, Vec<Code>> = BTreeMap::new();
    for name in codes {
        let code = Code::ALL.iter().find(|code| code.name() == name);
        let code = *code.ok_or_else(|| format!("there is no code {name}"))?;
        by_status.entry(code.status().as_u16()).or_default().push(code);
    }
    let always = |status: u16| ALWAYS.iter().filter(move |code| code.status().as_u16() == status).count();
    Ok(by_status
        .into_iter()
        .map(|(status, codes)| {
            let is_common = codes.len() == always(status) && codes.iter().all(|code| ALWAYS.contains(code));
            let shared = json!({ "$ref": format!("#/components/responses/{}", name(status)) });
            (status.to_string(), if is_common { shared } else { response(status, &codes) })
        })
        .collect())
}

/// The refusals that every route has, which routes refer to.
pub(super) fn shared() -> Map<String, Value> {
    let statuses: BTreeSet<u16> = ALWAYS.iter().map(|code| code.status().as_u16()).collect();
    let of = |status| ALWAYS.iter().copied().filter(move |code| code.status().as_u16() == status);
    statuses
        .into_iter()
        .map(|status| (name(status), response(status, &of(status).collect::<Vec<_>>())))
        .collect()
}

fn name(status: u16) -> String {
    format!("Refused{status}")
}

fn implied(takes: Takes<'_>) -> impl Iterator<Item = Code> {
    let who = takes.who.unwrap_or_default();
    [
        (matches!(who, "member" | "admin" | "audience"), Code::LoginRequired),
        (who == "admin", Code::Forbidden),
        (matches!(who, "audience" | "page") || !who.is_empty() && takes.is_write, Code::OriginForbidden),
        (matches!(who, "audience" | "page"), Code::UnknownListenKey),
        (takes.has_fields || takes.has_parameters, Code::Validation),
        (takes.has_fields, Code::MalformedBody),
        (takes.has_fields, Code::BodyTooLarge),
        (takes.has_fields, Code::UnsupportedMediaType),
        (takes.has_id, Code::NotFound),
    ]
    .into_iter()
    .filter_map(|(applies, code)| applies.then_some(code))
}

fn response(status: u16, codes: &[Code]) -> Value {
    let sentences =
        codes.iter().map(|code| format!("`{}`: {}", code.name(), code.sentences().0.replace("{}", "…")));
    let names: Vec<_> = codes.iter().map(|code| code.name()).collect();
    let mut response = json!({
        "description": sentences.collect::<Vec<_>>().join("\n\n"),
        "content": { CONTENT_TYPE_VALUE: { "schema": {
            "allOf": [{ "$ref": "#/components/schemas/Problem" }],
            "properties": { "status": { "const": status }, "code": { "enum": names } },
        } } },
    });
    let told = match status {
        401 => Some("WWW-Authenticate"),
        429 | 503 => Some("Retry-After"),
        _ => None,
    };
    if let Some(told) = told {
        response["headers"] = json!({ told: header(told) });
    }
    response
}
