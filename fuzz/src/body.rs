//! Bodies of requests: JSON when the first byte is even, else a form; then what the routes read from them.

use serde_json::Value;
use shopbell::{
    domain::{Basket, Fields},
    service::orders::OrderRequest,
    web::body::Kind,
};

/// How deep a form nests: the form, a name, four brackets, what is left of the name, a list because it stood there twice, the value.
const DEEPEST: usize = 8;

fn depth(value: &Value) -> usize {
    1 + match value {
        Value::Array(items) => items.iter().map(depth).max().unwrap_or_default(),
        Value::Object(entries) => entries.values().map(depth).max().unwrap_or_default(),
        _ => 0,
    }
}

fn check_order(request: &OrderRequest) {
    if let Basket::Lines(lines) = &request.basket {
        assert!((1..=100).contains(&lines.len()));
        assert!(lines.iter().all(|line| line.goods_id.0 > 0 && (1..=999).contains(&line.quantity.get())));
        let mut ids: Vec<_> = lines.iter().map(|line| line.goods_id).collect();
        ids.sort_unstable();
        ids.dedup();
        assert_eq!(ids.len(), lines.len(), "the same goods stand in one line");
    }
}

/// Checks one input.
pub fn check(input: &[u8]) {
    let Some((kind, bytes)) = input.split_first() else { return };
    let kind = if kind % 2 == 0 { Kind::Json } else { Kind::Form };
    let Ok(map) = kind.read(bytes) else { return };
    let value = Value::Object(map.clone());
    let text = value.to_string();
    if kind == Kind::Form {
        assert!(depth(&value) <= DEEPEST, "{value}");
        assert!(text.len() <= 16 + 16 * bytes.len(), "a body does not grow in memory");
    }
    let again = Kind::Json.read(text.as_bytes()).expect("what was read can be written and read");
    assert_eq!(Value::Object(again), value);
    let currency = "USD".parse().expect("a currency");
    if let Ok(request) = OrderRequest::read(Fields::new(map), Some("a-key"), currency) {
        check_order(&request);
    }
}
