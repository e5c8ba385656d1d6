//! What a store does for the settings of alerts that change while the program runs.

use std::collections::BTreeMap;

use async_trait::async_trait;
use serde_json::Value;

use super::{Deed, Denied, StoreError};
use crate::domain::{Actor, Category, Timestamp};

/// Why the settings were not changed.
#[derive(Debug, thiserror::Error)]
pub enum AlertError {
    /// The caller may not, or no longer.
    #[error(transparent)]
    Denied(#[from] Denied),
    /// The store failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// What is kept; what nobody changed is not among it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct KeptAlerts {
    /// Settings by their names.
    pub values: BTreeMap<String, Value>,
    /// Categories whose orders are never told, by name.
    pub never: Vec<String>,
}

/// What changes, and how it is recorded.
#[derive(Clone, Debug)]
pub struct AlertChange {
    /// Settings by their names.
    pub values: BTreeMap<&'static str, Value>,
    /// Categories whose orders are never told from now on, instead of those before.
    pub never: Option<Vec<Category>>,
    /// What the record says.
    pub deed: Deed,
}

/// The settings of alerts. Who changes them must still be an administrator when it is done.
#[async_trait]
pub trait AlertStore: Send + Sync + 'static {
    /// Reads what is kept.
    async fn kept_alerts(&self) -> Result<KeptAlerts, StoreError>;
    /// Changes it. An order that commits after it goes by it.
    async fn change_alerts(
        &self,
        change: AlertChange,
        by: Option<Actor>,
        now: Timestamp,
    ) -> Result<(), AlertError>;
}
