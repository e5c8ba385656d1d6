//! Everything of a shop behind one trait, and the life of the store itself.

use async_trait::async_trait;

use super::{
    accounts::AccountStore, alerts::AlertStore, audit::AuditStore, carts::CartStore, catalog::CatalogStore,
    deliveries::DeliveryStore, endpoints::EndpointStore, errors::StoreError, figures::FigureStore,
    imports::ImportStore, leases::LeaseStore, ledger::LedgerStore, listen_keys::ListenKeyStore,
    log::LogStore, moderation::ModerationStore, news::NewsStore, orders::OrderStore, people::PeopleStore,
    personal::PersonalStore, resets::ResetStore, sources::SourceStore,
};
use crate::domain::Timestamp;

/// What a low stock is unless anything else is said.
pub const LOW_STOCK: i64 = 5;

/// The data of a shop. Use cases take the trait of the aggregate that they are about; this one is for who needs several,
/// and for the life of the store itself.
#[async_trait]
pub trait Store:
    AccountStore
    + AlertStore
    + AuditStore
    + CatalogStore
    + CartStore
    + OrderStore
    + LedgerStore
    + PeopleStore
    + ListenKeyStore
    + LogStore
    + ModerationStore
    + PersonalStore
    + EndpointStore
    + DeliveryStore
    + NewsStore
    + SourceStore
    + ResetStore
    + ImportStore
    + FigureStore
    + LeaseStore
{
    /// Fails when the database cannot be read or its writer does not run.
    async fn ping(&self) -> Result<(), StoreError>;
    /// Now, by the clock that all nodes have in common: that of the database's server, or `here`, where that is this machine.
    async fn now(&self, here: Timestamp) -> Result<Timestamp, StoreError>;
    /// Commits what is queued, then closes all connections; later calls fail.
    async fn close(&self);

    /// Whether there are no accounts and no goods: what `--demo` may fill.
    async fn is_empty(&self) -> Result<bool, StoreError>;
    /// From now on a stock is low that falls to this number of pieces; it is [`LOW_STOCK`] until this is called.
    fn watch_stock(&self, low: i64);
    /// Reads a setting that outlives restarts, set to `default` if it has no value yet.
    async fn setting(&self, key: &'static str, default: &str) -> Result<String, StoreError>;
    /// The key of the log-in tokens, set to `fresh` if there is none yet. It is kept beside the data, so that a copy of the
    /// data signs no token.
    async fn token_key(&self, fresh: &str) -> Result<String, StoreError>;
    /// Changes a setting that outlives restarts.
    async fn change_setting(&self, key: &'static str, value: &str) -> Result<(), StoreError>;
}
