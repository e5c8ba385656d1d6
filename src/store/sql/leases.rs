//! Leases: a table where there can be many machines, the lock of a file where there is one.

use std::time::Duration;

use async_trait::async_trait;

use super::{SqlStore, leasing::Leases, postgres::leases as table};
use crate::store::{LeaseStore, StoreError};

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
