//! The load: sessions by the ten thousand on one epoll and one thread, light enough that the server is what is
//! measured. What arrives is counted by its frames; JSON is looked at only for the first bytes and, when asked, the id.

mod clients;
mod connect;
mod counters;
mod fleet;
mod frame;
pub mod http;
mod load;
mod resume;
mod session;
mod target;

pub use clients::{Clients, Pause};
pub use counters::Counters;
pub use fleet::Fleet;
pub use load::Load;
pub use session::Session;
pub use target::{Target, Wire};
