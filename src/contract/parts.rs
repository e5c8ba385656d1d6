//! What many routes have in common, said once: groups, ids in paths, headers, and who may call.

use serde_json::{Value, json};

/// The groups of routes, in the order in which they are read: the module of the handlers, the group, and what it is.
pub(super) const GROUPS: &[(&str, &str, &str)] = &[
    ("shop", "shop", "What a page has to know before it shows anything."),
    ("goods", "goods", "The catalog."),
    ("stock", "goods", ""),
    ("media", "goods", ""),
    ("import", "goods", ""),
    ("cart", "cart", "One's own cart."),
    ("orders", "orders", "Placing orders, taking them back, and looking at one's own."),
    ("users", "account", "Registering, and one's own account."),
    ("export", "account", ""),
    ("auth", "log-in", "Logging in and out."),
    ("reset", "log-in", ""),
    ("notifications", "alerts", "Who bought what: the log, and the stream of what happens now."),
    ("sse", "alerts", ""),
    (
        "listen_keys",
        "listen keys",
        "Keys for the pages of other shops, which may listen and do nothing else.",
    ),
    (
        "sources",
        "sources",
        "Other shops that say that something was bought, and what became of what each said.",
    ),
    ("hooks", "sources", ""),
    ("endpoints", "endpoints", "Systems of others that are told news, and what became of each message."),
    ("admin_orders", "all orders", "What was bought, here and elsewhere, and what was told of it."),
    ("admin_users", "people", "All accounts, and who may do what."),
    ("audit", "audit", "What administrators did."),
    ("alerts", "settings of alerts", "Who is told, under which name, and how the widget shows it."),
    ("reports", "chat", "What visitors reported of what was said in rooms."),
    ("figures", "figures", "What the control room shows, and what the widget reports."),
    ("widget", "figures", ""),
    ("health", "operation", "For load balancers and monitoring."),
    ("documents", "documents", "The contract."),
];

/// An id in a path.
pub(super) fn path_parameter(name: &str) -> Option<Value> {
    let id = |schema: &str| json!({ "$ref": format!("#/components/schemas/{schema}") });
    let (schema, description) = match name {
        "goodsId" => (id("GoodsId"), "Which goods."),
        "orderId" => (id("OrderId"), "Which order."),
        "endpointId" => (id("EndpointId"), "Which endpoint."),
        "deliveryId" => (id("DeliveryId"), "Which message."),
        "sourceId" => (json!({ "type": "string" }), "Which source: the last part of its address."),
        "receiptId" => (json!({ "type": "integer", "minimum": 1 }), "Which receipt."),
        "key" => (json!({ "type": "string", "pattern": "^lk_" }), "Which listen key."),
        "name" => (json!({ "type": "string" }), "Which picture, and in which size."),
        "reportId" => (id("ReportId"), "Which report."),
        "userId" => (id("UserId"), "Which account."),
        "sku" => (
            json!({ "type": "string", "minLength": 1 }),
            "The number that another system knows the goods by.",
        ),
        _ => return None,
    };
    Some(
        json!({ "name": name, "in": "path", "required": true, "description": description, "schema": schema }),
    )
}

/// A header of answers.
pub(super) fn header(name: &str) -> Option<Value> {
    let (kind, description) = match name {
        "ETag" => ("string", "The validator of this body, for If-None-Match and If-Match."),
        "Location" => ("string", "Where what was made is."),
        "Set-Cookie" => ("string", "The log-in as a cookie, for pages of this site; or its end."),
        "Idempotent-Replayed" => {
            ("string", "`true` when this is the answer to an earlier request with the same key.")
        }
        "Retry-After" => ("integer", "In how many seconds to come back."),
        "WWW-Authenticate" => ("string", "`Bearer`."),
        _ => return None,
    };
    Some(json!({ "description": description, "schema": { "type": kind } }))
}

/// Ways to say who one is.
pub(super) fn security_schemes() -> Value {
    json!({
        "bearer": {
            "type": "http", "scheme": "bearer", "bearerFormat": "JWT",
            "description": "The token of a log-in. It alone decides when it is there.",
        },
        "cookie": {
            "type": "apiKey", "in": "cookie", "name": crate::web::cookie::NAME,
            "description": "The same token as a cookie. A write then needs the Origin of an allowed page.",
        },
        "listenKey": {
            "type": "apiKey", "in": "query", "name": "key",
            "description": "A listen key, from a page of its origins: hears alerts and may do nothing else.",
        },
    })
}

/// What `security(("member" = []))` at a handler stands for. The roles of OpenAPI 3.1 are said as well.
pub(super) fn security(who: &str) -> Option<Value> {
    match who {
        "member" => Some(json!([{ "bearer": [] }, { "cookie": [] }])),
        "admin" => Some(json!([{ "bearer": ["admin"] }, { "cookie": ["admin"] }])),
        "page" => Some(json!([{}, { "listenKey": [] }])),
        "audience" => Some(json!([{ "bearer": [] }, { "cookie": [] }, { "listenKey": [] }, {}])),
        _ => None,
    }
}
