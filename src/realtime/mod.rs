//! From the log to the sessions: the relay follows the log and is the only one to broadcast; a hub actor on each
//! worker thread holds that thread's sessions; each session writes through its outbox.
//!
//! Nothing here knows what a shop is, except for the words of `domain`, or where a session's bytes come from.

pub mod announcement;
mod fanout;
pub mod hub;
pub mod registry;
pub mod relay;
pub mod replay;
pub mod rooms;
pub mod session;
pub mod viewers;

pub use announcement::{Announcement, Batch};
pub use hub::{Hub, Hubs};
pub use registry::Registry;
pub use relay::Relay;
pub use replay::Log;
pub use rooms::{Room, Rooms};
pub use session::{Close, Login, Session};
pub use viewers::{Page, Person, Viewers};
