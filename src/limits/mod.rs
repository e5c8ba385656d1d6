//! What may be used up, by whom and how fast: permits for connections and sessions, bytes, rates, and log-in attempts.
//! Nothing here knows what the permits are for.
//!
//! The crate `governor` limits rates too. It is not used here, because it does something else in each of the three
//! cases: its limiters read the clock themselves, while here time is an argument and no test sleeps; its store of keys
//! has no bound, while the addresses here share one bounded map with their session counts; and it cannot take back
//! an attempt, while a log-in with the right password does not count.

mod account_sessions;
mod budget;
mod exceeded;
mod fair_queue;
mod login_throttle;
mod network;
mod permits;
mod places;
mod purse;
mod rates;
mod session;
mod sessions;
mod slot;
mod token_bucket;

pub use account_sessions::AccountSessions;
pub use budget::NoRoom;
pub use exceeded::LimitExceeded;
pub use fair_queue::FairQueue;
pub use login_throttle::{Guess, LoginThrottle, TooManyAttempts};
pub use network::network;
pub use permits::{Claim, Permits, SessionPermit};
pub use places::{ConnectionPermit, Place, Standing};
pub use purse::{Charge, Purse};
pub use rates::{RateExceeded, Rates};
pub use session::SessionLimits;
pub use token_bucket::TokenBucket;
