//! Which node works for what, of all that share a database: one at a time.

use std::time::Duration;

use async_trait::async_trait;

use super::StoreError;

/// Leases, by name. A holder is a node from its start to its end, and of all holders one has a lease.
///
/// Whose time has run out is known by a clock that all nodes share, so that theirs may differ and jump: PostgreSQL's. With
/// SQLite all are processes of one machine, and a lease ends with its process and not before, without any clock.
#[async_trait]
pub trait LeaseStore: Send + Sync + 'static {
    /// Takes what nobody has, and what is over, and keeps what `holder` has. Returns those of `names` that it has now, for
    /// `ttl` from some moment of this call on. All who share a database say the same `ttl`.
    async fn take_leases(
        &self,
        names: &[String],
        holder: &str,
        ttl: Duration,
    ) -> Result<Vec<String>, StoreError>;
    /// Lets others take them. What another holder has stays as it is.
    async fn release_leases(&self, names: &[String], holder: &str) -> Result<(), StoreError>;
}
