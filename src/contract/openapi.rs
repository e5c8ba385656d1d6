//! The OpenAPI document: what the handlers say of themselves (`#[utoipa::path]`), and what follows from it for every one of
//! them, so that no handler repeats it.

use serde_json::{Map, Value, json};
use utoipa::OpenApi as _;

use super::{
    parts::{GROUPS, header, path_parameter, security, security_schemes},
    refusals::{self, Takes},
    schemas::schemas,
};
use crate::{api::openapi::Api, gateway::openapi::Transports, web::problem::Wire};

const ABOUT: &str = "A self-hosted commerce notification service: durable orders, told to every logged-in session at once.\n\n\
    Bodies may be `application/json` or `application/x-www-form-urlencoded`; whole numbers may be written `2`, `2.0` or \
    `\"2\"`. Answers are JSON in UTF-8. Every refusal is `application/problem+json` with a stable `code`. HEAD works \
    wherever GET does; every other method is answered with 405 and `Allow`. What is told over sockets is in \
    `/api/asyncapi.json`.";

/// The document.
///
/// # Panics
/// Something at a handler has no meaning: a test makes the document.
#[must_use]
pub fn openapi() -> Value {
    let mut all = Api::openapi();
    all.merge(Transports::openapi());
    let mut document = serde_json::to_value(&all).expect("the document is JSON");
    document["info"]["description"] = ABOUT.into();
    document["servers"] = json!([{ "url": "/", "description": "This shop." }]);
    document["tags"] = GROUPS
        .iter()
        .filter(|(_, _, about)| !about.is_empty())
        .map(|(_, group, about)| json!({ "name": group, "description": about }))
        .collect();
    for (path, item) in document["paths"].as_object_mut().into_iter().flatten() {
        for (method, operation) in item.as_object_mut().into_iter().flatten() {
            complete(path, method, operation).unwrap_or_else(|why| panic!("{method} {path}: {why}"));
        }
    }
    let components = &mut document["components"];
    components["securitySchemes"] = security_schemes();
    components["responses"] = refusals::shared().into();
    for (name, schema) in schemas::<Wire<'_>>() {
        components["schemas"][name] = schema;
    }
    document
}

/// Adds to an operation what is not said at its handler.
fn complete(path: &str, method: &str, operation: &mut Value) -> Result<(), String> {
    let operation = operation.as_object_mut().ok_or("is no operation")?;
    name(operation)?;
    let who = who(operation)?;
    add_path_parameters(path, operation)?;
    tidy_parameters(operation);
    let has_fields = add_form(operation);
    let takes = Takes {
        who: who.as_deref(),
        is_write: method != "get",
        has_fields,
        has_parameters: parameters(operation).iter().any(|one| one["in"] != "path"),
        has_id: path.contains('{'),
    };
    describe_responses(operation, method == "get")?;
    let own = operation.remove("x-refusals").unwrap_or_default();
    let refusals = refusals::responses(takes, own.as_array().map_or(&[], Vec::as_slice))?;
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut).ok_or("answers nothing")?;
    responses.extend(refusals);
    Ok(())
}

/// Groups of routes for readers, and a name for generated clients: `goods_list`.
fn name(operation: &mut Map<String, Value>) -> Result<(), String> {
    let module = operation["tags"][0].as_str().unwrap_or_default().rsplit("::").next().unwrap_or_default();
    let group = GROUPS.iter().find(|(known, ..)| *known == module);
    let (module, group, _) = group.ok_or_else(|| format!("{module} is in no group"))?;
    let id = format!("{module}_{}", operation["operationId"].as_str().unwrap_or_default());
    operation.insert("operationId".into(), id.into());
    operation.insert("tags".into(), json!([group]));
    Ok(())
}

/// Who may call it: `security(("admin" = []))` becomes the ways to prove that.
fn who(operation: &mut Map<String, Value>) -> Result<Option<String>, String> {
    let Some(said) = operation.get("security").and_then(|said| said[0].as_object()?.keys().next()) else {
        return Ok(None);
    };
    let who = said.clone();
    let proofs = security(&who).ok_or_else(|| format!("nobody is called {who}"))?;
    operation.insert("security".into(), proofs);
    Ok(Some(who))
}

fn parameters(operation: &Map<String, Value>) -> &[Value] {
    operation.get("parameters").and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn add_path_parameters(path: &str, operation: &mut Map<String, Value>) -> Result<(), String> {
    let names = path.split('{').skip(1).filter_map(|rest| rest.split_once('}')).map(|(name, _)| name);
    let found: Result<Vec<_>, _> =
        names.map(|name| path_parameter(name).ok_or_else(|| format!("{{{name}}} is not known"))).collect();
    let all = found?.into_iter().chain(parameters(operation).to_vec()).collect::<Vec<_>>();
    if !all.is_empty() {
        operation.insert("parameters".into(), all.into());
    }
    Ok(())
}

/// What a query lacks is not `null`.
fn tidy_parameters(operation: &mut Map<String, Value>) {
    for one in operation.get_mut("parameters").and_then(Value::as_array_mut).into_iter().flatten() {
        let schema = &one["schema"];
        let is_null = |kind: &Value| kind == "null" || kind["type"] == "null";
        let kept = |kinds: &Value| kinds.as_array()?.iter().find(|kind| !is_null(kind)).cloned();
        if let Some(other) = kept(&schema["oneOf"]) {
            one["schema"] = other;
        } else if let Some(kind) = kept(&schema["type"]) {
            one["schema"]["type"] = kind;
        }
    }
}

/// A body of fields may be a form, too. Whether the operation has one.
fn add_form(operation: &mut Map<String, Value>) -> bool {
    let content = operation.get_mut("requestBody").and_then(|body| body["content"].as_object_mut());
    let Some(content) = content else { return false };
    let Some(json) = content.get("application/json").cloned() else { return false };
    content.insert("application/x-www-form-urlencoded".into(), json);
    true
}

/// Descriptions, headers, and what follows from a validator.
fn describe_responses(operation: &mut Map<String, Value>, is_read: bool) -> Result<(), String> {
    let responses = operation.get_mut("responses").and_then(Value::as_object_mut).ok_or("answers nothing")?;
    let mut has_validator = false;
    for (status, response) in responses.iter_mut() {
        if response["description"].as_str().is_none_or(str::is_empty) {
            response["description"] = meaning(status).into();
        }
        for (name, about) in response.get_mut("headers").and_then(Value::as_object_mut).into_iter().flatten()
        {
            *about = header(name).ok_or_else(|| format!("the header {name} is not known"))?;
            has_validator |= name == "ETag";
        }
    }
    if has_validator && is_read {
        let tag = header("ETag").unwrap_or_default();
        responses.insert(
            "304".into(),
            json!({ "description": "The client has it already.", "headers": { "ETag": tag } }),
        );
        let known = json!({
            "name": "If-None-Match", "in": "header", "required": false, "schema": { "type": "string" },
            "description": "The `ETag` of what the client has; answered with 304 when that is still so.",
        });
        let parameters = operation.entry("parameters").or_insert_with(|| json!([]));
        parameters.as_array_mut().into_iter().for_each(|all| all.push(known.clone()));
    }
    Ok(())
}

fn meaning(status: &str) -> &'static str {
    match status {
        "201" => "It was made.",
        "202" => "It is under way.",
        "204" => "Done; there is nothing to say.",
        _ => "As asked.",
    }
}
