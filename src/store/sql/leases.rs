//! Leases: a table where there can be many machines, the lock of a file where there is one.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqlStore, postgres::leases as table, sqlite::lease::FileLease};
use crate::store::{LeaseStore, StoreError};

/// What says who has a lease.
pub(super) enum Leases {
    /// A file beside the database, locked by the process that has all of them.
    Beside(FileLease),
    /// A table.
    Within,
}

#[async_trait]
impl LeaseStore for SqlStore {
    async fn take_leases(
        &self,
        names: &[String],
        holder: &str,
        ttl: Duration,
    ) -> Result<Vec<String>, StoreError> {
        match &self.leases {
            Leases::Beside(file) => file.take(names, holder),
            Leases::Within => table::take(&self.writer, names, holder, ttl).await,
        }
    }

    async fn release_leases(&self, names: &[String], holder: &str) -> Result<(), StoreError> {
        match &self.leases {
            Leases::Beside(file) => file.release(names, holder),
            Leases::Within => return table::release(&self.writer, names, holder).await,
        }
        Ok(())
    }
}
