//! From the log to the sessions: the relay follows the log and is the only one to broadcast; a hub actor on each worker
//! thread delivers to that thread's sessions; a follower reads the log for those that are not up to date.
//!
//! Nothing here knows where a session's bytes come from, or what its client may ask for.

mod accounts;
mod announcement;
mod changes;
mod company;
mod fanout;
mod follower;
pub mod hub;
mod kept;
mod log;
pub mod nodes;
mod place;
mod portion;
pub mod recovery;
mod registry;
mod relay;
mod room_logs;
mod rooms;
mod session;
mod talk;
mod tally;
#[cfg(test)]
mod tests;
mod traced;
mod viewers;
mod watchers;
mod window;

pub use announcement::{Announcement, Batch};
pub use company::Company;
pub use follower::Follower;
pub use hub::{Hub, Hubs};
pub use log::Log;
pub use nodes::{Nodes, Ours, RoomEvent};
pub use place::Place;
pub use recovery::Recovery;
pub use registry::Registry;
pub use relay::Relay;
pub use rooms::{Room, Rooms};
pub use session::{Delivery, Feeding, Login, NewSession, Session};
pub use talk::Talk;
pub use tally::{BOUNDS_MS, Deliveries, SessionCount, Tally};
pub use viewers::{Page, Person, Viewers};
