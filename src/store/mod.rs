//! Where everything is kept, in the words of the shop: a trait for each aggregate, one method is one transaction is one
//! sentence. Callers never see SQL; [`open`] is the one place that knows which database is behind the traits.
//!
//! What commits announce to the running program (new notifications, changed goods, ended log-ins) goes out through the
//! [`Feed`].

mod accounts;
mod alerts;
mod audit;
mod carts;
mod catalog;
#[cfg(test)]
mod contract_tests;
mod deliveries;
mod denied;
mod endpoints;
mod errors;
pub mod feed;
mod figures;
mod imports;
mod leases;
mod ledger;
mod listen_keys;
mod log;
mod moderation;
mod news;
mod open;
mod orders;
mod people;
mod personal;
mod resets;
mod shop;
mod sources;
mod sql;

pub use accounts::{AccountError, AccountStore};
pub use alerts::{AlertChange, AlertError, AlertStore, KeptAlerts};
pub use audit::{AuditEntry, AuditQuery, AuditStore, Deed};
pub use carts::CartStore;
pub use catalog::{CatalogError, CatalogStore, GoodsQuery, Precondition};
pub use deliveries::{DeliveryStore, DueDelivery, Waiting};
pub use denied::Denied;
pub use endpoints::{EndpointError, EndpointStore, MAX_ENDPOINTS};
pub use errors::StoreError;
pub use feed::Feed;
pub use figures::{FigureStore, OrdersOfMinute};
pub use imports::{ImportStore, Imported};
pub use leases::LeaseStore;
pub use ledger::{LedgerQuery, LedgerStore, OrderedAt};
pub use listen_keys::{ListenKeyError, ListenKeyStore};
pub use log::{LogStore, OrderEvent, OrderEventKind, Reach, Sequence};
pub use moderation::{ModerationError, ModerationStore, MutedGuest};
pub use news::{Backlog, NewsStore};
pub use open::{CopyError, OpenError, backup, check, copy, open};
pub use orders::{CancelError, OrderError, OrderStore, PlacedOrder};
pub use people::{PeopleQuery, PeopleStore, PersonError};
pub use personal::{KeptKey, KeptLogIn, KeptOrder, PersonalStore};
pub use resets::ResetStore;
pub use shop::{LOW_STOCK, Store};
pub use sources::{
    Became, Heard, KeptBody, KeptSecret, Outcome, Receipt, ReceiptId, ReceiptQuery, Source, SourceError,
    SourceStore, Via,
};
