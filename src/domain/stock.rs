//! The history of stocks: every change that was not an order's or a cancellation's.

use super::{GoodsId, Stock, StockChangeId, Timestamp, UserId};

/// How a stock was changed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StockRecordKind {
    /// What there was when the history began.
    Opening,
    /// Counted anew, also for the first time, or not counted any more.
    Set,
    /// So many pieces more or less.
    Change,
}

/// One change of a stock.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StockRecord {
    /// Its number, which grows with time.
    pub change_id: StockChangeId,
    /// Of these goods.
    pub goods_id: GoodsId,
    /// How.
    pub kind: StockRecordKind,
    /// By how many pieces; what is not counted is 0 in that.
    pub change: i64,
    /// What it came to.
    pub stock: Stock,
    /// Why, in the words of who did it.
    pub reason: Option<String>,
    /// Who did it, with the nickname of today; `None` for the program itself, and for an account that was erased.
    pub by: Option<(UserId, String)>,
    /// When.
    pub at: Timestamp,
}
