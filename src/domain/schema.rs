//! How ids and moments look in the documents of the contract (`/api/openapi.json`, `/api/asyncapi.json`): one schema for
//! each, whose name is the type's. No part of what they are.

use std::borrow::Cow;

use utoipa::{
    PartialSchema, ToSchema,
    openapi::{
        KnownFormat, Object, ObjectBuilder, RefOr, SchemaFormat, Type,
        schema::{Schema, SchemaType},
    },
};

use super::{
    AuditId, DeliveryId, EndpointId, GoodsId, Offset, OrderId, ReportId, StockChangeId, Timestamp, UserId,
    id::MAX_SAFE_INTEGER,
};

macro_rules! whole {
    ($($name:ident from $least:literal: $description:literal, such as $example:literal;)*) => {$(
        impl PartialSchema for $name {
            fn schema() -> RefOr<Schema> {
                let whole = ObjectBuilder::new()
                    .schema_type(SchemaType::Type(Type::Integer))
                    .format(Some(SchemaFormat::KnownFormat(KnownFormat::Int64)))
                    .minimum(Some($least))
                    .maximum(Some(MAX_SAFE_INTEGER))
                    .description(Some($description))
                    .examples([$example]);
                whole.build().into()
            }
        }

        impl ToSchema for $name {
            fn name() -> Cow<'static, str> {
                stringify!($name).into()
            }
        }
    )*};
}

whole! {
    UserId from 1: "The number of an account.", such as 7;
    GoodsId from 1: "The number of goods; it never means a second thing.", such as 4;
    OrderId from 1: "The number of an order.", such as 12;
    EndpointId from 1: "The number of an endpoint that is told news.", such as 1;
    DeliveryId from 1: "The number of a message to an endpoint.", such as 31;
    StockChangeId from 1: "The number of an entry of the history of stocks.", such as 3;
    ReportId from 1: "The number of a report of a message.", such as 2;
    AuditId from 1: "The number of an entry of the record of what administrators did.", such as 7;
    Offset from 0: "A place in the log of notifications: the id of one, or 0 for before the first. It only grows.", such as 41;
}

impl PartialSchema for Timestamp {
    fn schema() -> RefOr<Schema> {
        let moment = ObjectBuilder::new()
            .schema_type(SchemaType::Type(Type::String))
            .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
            .description(Some("A moment in UTC, RFC 3339 with milliseconds."))
            .examples(["2026-11-21T00:54:21.123Z"]);
        moment.build().into()
    }
}

impl ToSchema for Timestamp {
    fn name() -> Cow<'static, str> {
        "Timestamp".into()
    }
}

/// A string that is one of these names.
#[must_use]
pub fn one_of<'a>(names: impl IntoIterator<Item = &'a str>) -> Object {
    let names: Vec<_> = names.into_iter().map(str::to_owned).collect();
    ObjectBuilder::new().schema_type(SchemaType::Type(Type::String)).enum_values(Some(names)).build()
}
