//! The document against the route table.

use std::collections::BTreeSet;

use serde_json::Value;

use super::{asyncapi, events, openapi};
use crate::{
    protocol::events::{ClientEvent, EventError},
    web::event_stream,
};

/// Method and path of what the document says.
fn documented() -> BTreeSet<(String, String)> {
    let document = openapi();
    let paths = document["paths"].as_object().unwrap();
    let of = |path: &String, item: &Value| {
        let path = path.clone();
        let methods: Vec<_> = item.as_object().unwrap().keys().map(|method| method.to_uppercase()).collect();
        methods.into_iter().map(move |method| (method, path.clone()))
    };
    paths.iter().flat_map(|(path, item)| of(path, item)).collect()
}

/// The route table as it is written: `resource("/goods", [get(goods::list), post(goods::create)])`.
const TABLE: &str = include_str!("../api/mod.rs");

/// Method and path of what the table serves.
fn served() -> BTreeSet<(String, String)> {
    let (table, _) = TABLE.split_once("async fn unknown").unwrap();
    let (under_api, at_root) = table.split_once(".default_service(").unwrap();
    let of = |part: &str, prefix: &str| -> Vec<(String, String)> {
        let addresses = part.split("resource(").skip(1).filter_map(|address| {
            let (path, rest) = address.trim_start().strip_prefix('"')?.split_once('"')?;
            let (methods, _) = rest.split_once('[')?.1.split_once(']')?;
            Some((format!("{prefix}{path}"), methods))
        });
        let method = |handler: &str| handler.split_once('(').map(|(method, _)| method.trim().to_uppercase());
        addresses
            .flat_map(|(path, methods)| {
                methods
                    .split(',')
                    .filter_map(method)
                    .map(move |method| (method, path.clone()))
                    .collect::<Vec<_>>()
            })
            .collect()
    };
    of(under_api, "/api").into_iter().chain(of(at_root, "")).collect()
}

#[test]
fn the_document_has_each_route_and_no_other() {
    let mut routes = served();
    assert!(routes.len() > 50, "{routes:?}");
    // A transport, which is no part of the table.
    routes.insert(("GET".into(), event_stream::PATH.into()));
    let documented = documented();
    let lacking: Vec<_> = routes.difference(&documented).collect();
    assert!(lacking.is_empty(), "not in src/api/openapi.rs, or documented as something else: {lacking:?}");
    let gone: Vec<_> = documented.difference(&routes).collect();
    assert!(gone.is_empty(), "in the document and in no route table: {gone:?}");
}

#[test]
fn every_operation_has_a_name_of_its_own_and_says_what_it_does() {
    let document = openapi();
    let mut names = BTreeSet::new();
    for (path, item) in document["paths"].as_object().unwrap() {
        for (method, operation) in item.as_object().unwrap() {
            let name = operation["operationId"].as_str().unwrap();
            assert!(names.insert(name.to_owned()), "{name} is there twice");
            let summary = operation["summary"].as_str().unwrap_or_default();
            assert!(
                summary.ends_with('.') && summary.len() < 90,
                "{method} {path} begins with no sentence: {summary:?}"
            );
        }
    }
}

#[test]
fn every_reference_leads_somewhere() {
    fn check(document: &Value, part: &Value) {
        match part {
            Value::Object(members) => {
                if let Some(Value::String(to)) = members.get("$ref") {
                    assert!(document.pointer(&to[1..]).is_some(), "{to} leads nowhere");
                }
                members.values().for_each(|member| check(document, member));
            }
            Value::Array(parts) => parts.iter().for_each(|part| check(document, part)),
            _ => {}
        }
    }
    for document in [openapi(), asyncapi()] {
        check(&document, &document);
    }
}

#[test]
fn the_events_of_clients_are_those_that_are_read() {
    let documented: Vec<_> = events::asked().iter().map(|event| event.name).collect();
    assert_eq!(documented, ClientEvent::NAMES);
    for name in ClientEvent::NAMES {
        assert!(!matches!(ClientEvent::read(name, []), Err(EventError::Unknown)), "{name}");
    }
}

#[test]
fn acknowledgements_are_found_among_those_that_are_sent() {
    for event in events::asked() {
        let ack = events::acknowledgement(&event);
        let members = ack["oneOf"][0]["properties"].as_object().unwrap();
        for member in event.acknowledged_with {
            assert!(members.contains_key(*member), "{} is acknowledged with no {member}: {ack}", event.name);
        }
    }
}
