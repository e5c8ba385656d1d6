//! What a change of the catalog tells those who look at it.

use super::writer::Tx;
use crate::domain::{Goods, GoodsAction, GoodsEvent};

/// Tells when this is committed what became of goods that were sold before or not. For those who look at the catalog,
/// goods that are listed are new, and goods that no longer are have gone.
pub(super) fn tell(tx: &mut Tx, was_listed: bool, goods: Goods) {
    tx.news.catalog = true;
    let action = match (was_listed, goods.about.listed) {
        (false, false) => return,
        (false, true) => GoodsAction::Create,
        (true, true) => GoodsAction::Update,
        (true, false) => GoodsAction::Delete,
    };
    tx.news.goods.push(GoodsEvent { action, goods });
}
