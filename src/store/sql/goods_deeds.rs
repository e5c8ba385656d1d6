//! What administrators did to goods, for the record.

use serde_json::{Map, Value, json};

use super::{
    audit::{self, By},
    writer::Tx,
};
use crate::{
    domain::{Goods, PageUrl, Sku},
    store::{Deed, StoreError},
};

pub(super) async fn created(tx: &mut Tx, by: By, goods: &Goods) -> Result<(), StoreError> {
    let details = json!({ "goodsId": goods.goods_id, "price": goods.price.decimal(), "stock": goods.stock });
    record(tx, by, "goods.create", goods, details).await
}

/// Nothing is recorded of a change that changes nothing.
pub(super) async fn changed(tx: &mut Tx, by: By, before: &Goods, after: &Goods) -> Result<(), StoreError> {
    let changes = changes(before, after);
    if changes.is_empty() {
        return Ok(());
    }
    record(tx, by, "goods.update", after, json!({ "goodsId": after.goods_id, "changes": changes })).await
}

pub(super) async fn stocked(tx: &mut Tx, by: By, before: &Goods, after: &Goods) -> Result<(), StoreError> {
    let details = json!({ "goodsId": after.goods_id, "changes": { "stock": [before.stock, after.stock] } });
    record(tx, by, "goods.stock", after, details).await
}

pub(super) async fn deleted(tx: &mut Tx, by: By, goods: &Goods) -> Result<(), StoreError> {
    record(tx, by, "goods.delete", goods, json!({ "goodsId": goods.goods_id })).await
}

async fn record(
    tx: &mut Tx,
    by: By,
    action: &'static str,
    goods: &Goods,
    details: Value,
) -> Result<(), StoreError> {
    let deed = Deed { action, subject: goods.name.as_str().to_owned(), details };
    audit::record(tx, by.actor, by.now, deed).await
}

/// Each field that is another now, with what it was and is. A description is long: that it changed is enough.
fn changes(before: &Goods, after: &Goods) -> Map<String, Value> {
    let fields = |goods: &Goods| {
        let about = &goods.about;
        [
            ("name", json!(goods.name.as_str())),
            ("thumbnailUrl", json!(goods.thumbnail_url.as_str())),
            ("category", json!(goods.category.as_str())),
            ("price", json!(goods.price.decimal())),
            ("currency", json!(goods.price.currency.code())),
            ("stock", json!(goods.stock)),
            ("sku", json!(about.sku.as_ref().map(Sku::as_str))),
            ("url", json!(about.url.as_ref().map(PageUrl::as_str))),
            ("announce", json!(about.announce)),
            ("listed", json!(about.listed)),
        ]
    };
    let pairs = fields(before).into_iter().zip(fields(after)).filter(|((_, was), (_, is))| was != is);
    let mut changes: Map<_, _> =
        pairs.map(|((name, was), (_, is))| (name.to_owned(), json!([was, is]))).collect();
    if before.about.description != after.about.description {
        changes.insert("description".to_owned(), json!(true));
    }
    changes
}
