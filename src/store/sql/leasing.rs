//! Where it is kept which node works for what: apart from `leases.rs`, which needs the store that holds this.

use super::sqlite::lease::FileLease;

/// What says who has a lease.
pub(super) enum Leases {
    /// A file beside the database, locked by the process that has all of them.
    Beside(FileLease),
    /// A table.
    Within,
}
