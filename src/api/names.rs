//! Fields that hold one of some names, as the documents of the contract tell them (`#[schema(schema_with = …)]`).

use utoipa::openapi::{
    Array, Object, Type,
    schema::{ArrayBuilder, SchemaType},
};

use crate::{
    domain::{BuyerDisplay, DeliveryStatus, DisabledBy, ReportOutcome, Silence, Topic, schema::one_of},
    hooks::SourceKind,
    store::Outcome,
};

/// Of the orders of a list of goods.
pub(super) fn sorts() -> Object {
    one_of(["newest", "priceAsc", "priceDesc", "name"])
}

/// Of what an account may do.
pub(super) fn roles() -> Object {
    one_of(["member", "admin"])
}

/// Of how names are shown.
pub(super) fn displays() -> Object {
    one_of(["full", "masked"])
}

/// Of who hears alerts.
pub(super) fn audiences() -> Object {
    one_of(["members", "everyone"])
}

/// Of what other shops are.
pub(super) fn kinds() -> Object {
    one_of(SourceKind::ALL.map(SourceKind::as_str))
}

/// Of how buyers of a source are named.
pub(super) fn buyers() -> Object {
    one_of(BuyerDisplay::ALL.map(BuyerDisplay::name))
}

/// Of what became of a receipt.
pub(super) fn outcomes() -> Object {
    one_of(Outcome::ALL.iter().map(|outcome| outcome.name()))
}

/// Of what endpoints are told.
pub(super) fn topics() -> Array {
    ArrayBuilder::new().items(one_of(Topic::ALL.map(Topic::name))).build()
}

/// Of where a delivery stands.
pub(super) fn delivery_statuses() -> Object {
    one_of(DeliveryStatus::ALL.map(DeliveryStatus::name))
}

/// Of how a stock was changed.
pub(super) fn stock_changes() -> Object {
    one_of(["opening", "set", "change"])
}

/// Of who switched an endpoint off, or nobody.
pub(super) fn disabled_by() -> Object {
    or_null(one_of(DisabledBy::ALL.map(DisabledBy::name)))
}

/// Of what became of a report of a message, or nothing yet.
pub(super) fn report_outcomes() -> Object {
    or_null(one_of([ReportOutcome::Dismissed, ReportOutcome::Muted].map(ReportOutcome::name)))
}

/// Of whether a report waits.
pub(super) fn report_states() -> Object {
    one_of(["open", "closed"])
}

/// Of how a list is written.
pub(super) fn formats() -> Object {
    one_of(["json", "csv"])
}

/// Of why nobody was told of an order, or `null`.
pub(super) fn silences() -> Object {
    or_null(one_of(Silence::ALL.iter().map(|silence| silence.name())))
}

/// The same, or `null`.
fn or_null(mut names: Object) -> Object {
    names.schema_type = SchemaType::Array(vec![Type::String, Type::Null]);
    names.enum_values.get_or_insert_default().push(serde_json::Value::Null);
    names
}
