//! `/api/goods/import`: goods in bulk, from a table.

use actix_web::{
    HttpRequest, HttpResponse,
    http::header::{CONTENT_ENCODING, CONTENT_TYPE},
};
use serde::Serialize;
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::requests;
use crate::{
    clock,
    domain::{FieldError, Goods, GoodsKey, Language, Sku, fields::flag},
    protocol::shapes::GoodsResponse,
    service::import::{Line, Outcome, Report, Task, table::Format},
    web::{Admin, Body, Code, Problem, Query, State, answer, messages},
};

/// Bytes of a table: some fifty thousand lines.
const MAX_BYTES: usize = 10 << 20;

/// What became of a table of goods, or would.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportReport<'a> {
    /// Goods that there were not.
    created: u64,
    /// Goods that a line changed.
    updated: u64,
    /// Goods that were as their line says.
    unchanged: u64,
    /// Lines that say what goods cannot be, the first 1,000.
    refused: Vec<ImportRefusal<'a>>,
    /// How many were refused, also those that are not named.
    refusals: u64,
    /// In a dry run the first 1,000 lines.
    #[serde(skip_serializing_if = "Option::is_none")]
    lines: Option<Vec<ImportLine<'a>>>,
}

/// A line that was refused.
#[derive(Serialize, ToSchema)]
struct ImportRefusal<'a> {
    line: u64,
    errors: Vec<ImportError<'a>>,
}

/// What is wrong with a line.
#[derive(Serialize, ToSchema)]
struct ImportError<'a> {
    field: &'a str,
    code: &'static str,
    message: &'static str,
}

/// A line of a dry run.
#[derive(Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct ImportLine<'a> {
    line: u64,
    sku: Option<&'a str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    goods_id: Option<i64>,
    name: Option<&'a str>,
    outcome: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Object>)]
    changes: Option<Map<String, Value>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    errors: Option<Vec<ImportError<'a>>>,
}

/// Make and change goods from a table.
///
/// CSV with a header row or a JSON object a line, keyed by `sku`, or by `goodsId` where there is none. Good lines count, bad ones
/// are named.
#[utoipa::path(
    post, path = "/api/goods/import", security(("admin" = [])),
    params(requests::ImportOptions),
    request_body(content(("text/csv"), ("application/x-ndjson"))),
    responses((status = 200, body = ImportReport<'static>)),
    extensions(("x-refusals" = json!([Code::BodyTooLarge, Code::MalformedBody, Code::UnsupportedMediaType]))),
)]
pub(super) async fn import(
    state: State,
    admin: Admin,
    request: HttpRequest,
    query: Query,
    body: Body,
) -> Result<HttpResponse, Problem> {
    let dry_run = query.0.optional("dryRun", flag).map_err(Vec::<FieldError>::from)?.unwrap_or(false);
    let said = said_format(&request)?;
    let held = body.held(MAX_BYTES).await?;
    let table = std::str::from_utf8(&held.bytes);
    let table = table.map_err(|_| Problem::new(Code::MalformedBody, "the table is not UTF-8"))?;
    let format = said.unwrap_or_else(|| Format::guess(table));
    let task = Task { format, dry_run, by: Some(admin.actor()), at: clock::now() };
    let report = state.import.run(table, task, |_| {}).await?;
    let language = Language::of(request.headers());
    Ok(answer::ok(&ImportReport::of(&report, dry_run, language)))
}

/// How the table is written, as far as its type says it. Browsers on Windows call CSV what they would open it with.
fn said_format(request: &HttpRequest) -> Result<Option<Format>, Problem> {
    let unsupported = |detail| Err(Problem::new(Code::UnsupportedMediaType, detail));
    let header = |name| request.headers().get(name).map(|value| value.to_str().unwrap_or_default());
    if header(CONTENT_ENCODING).is_some_and(|coding| !coding.eq_ignore_ascii_case("identity")) {
        return unsupported("a table must not be compressed");
    }
    let kind = header(CONTENT_TYPE).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    match kind.as_str() {
        "text/csv" | "application/csv" | "text/tab-separated-values" => Ok(Some(Format::Csv)),
        "application/x-ndjson" | "application/ndjson" | "application/jsonl" | "application/json-lines" => {
            Ok(Some(Format::Ndjson))
        }
        "" | "text/plain" | "application/octet-stream" | "application/vnd.ms-excel" => Ok(None),
        _ => unsupported("a table is text/csv or application/x-ndjson"),
    }
}

impl<'a> ImportReport<'a> {
    fn of(report: &'a Report, is_dry: bool, language: Language) -> Self {
        let refused = |(line, errors): &'a (u64, Vec<FieldError>)| ImportRefusal {
            line: *line,
            errors: said(errors, language),
        };
        let lines = || report.lines.iter().map(|line| ImportLine::of(line, language)).collect();
        Self {
            created: report.created,
            updated: report.updated,
            unchanged: report.unchanged,
            refused: report.refused.iter().map(refused).collect(),
            refusals: report.refusals,
            lines: is_dry.then(lines),
        }
    }
}

fn said(errors: &[FieldError], language: Language) -> Vec<ImportError<'_>> {
    let said = |error: &FieldError| messages::rule(error, language);
    errors
        .iter()
        .map(|error| ImportError { field: &error.field, code: error.code, message: said(error) })
        .collect()
}

impl<'a> ImportLine<'a> {
    fn of(line: &'a Line, language: Language) -> Self {
        let (sku, goods_id) = match &line.key {
            Some(GoodsKey::Sku(sku)) => (Some(Sku::as_str(sku)), None),
            Some(GoodsKey::Id(id)) => (None, Some(id.0)),
            None => (None, None),
        };
        let (changes, errors) = match &line.outcome {
            Outcome::Updated(change) => (Some(changes(&change.0, &change.1)), None),
            Outcome::Refused(errors) => (None, Some(said(errors, language))),
            Outcome::Created | Outcome::Unchanged => (None, None),
        };
        let outcome = line.outcome.name();
        Self { line: line.number, sku, goods_id, name: line.name.as_deref(), outcome, changes, errors }
    }
}

/// The members of goods that differ, each as it was and as it is; not when they last changed, which always does.
pub(crate) fn changes(before: &Goods, after: &Goods) -> Map<String, Value> {
    let members = |goods| match serde_json::to_value(GoodsResponse::from(goods)) {
        Ok(Value::Object(members)) => members,
        _ => Map::new(),
    };
    let (before, after) = (members(before), members(after));
    let differs = |(name, new): (String, Value)| {
        let old = before.get(&name).cloned().unwrap_or_default();
        (old != new && name != "updatedAt").then(|| (name, json!([old, new])))
    };
    after.into_iter().filter_map(differs).collect()
}
