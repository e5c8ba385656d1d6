//! What may be used up, by whom and how fast: permits for connections and sessions, rates, and log-in attempts.
//! Nothing here knows what the permits are for.

pub mod admission;
pub mod bucket;
pub mod login_attempts;
