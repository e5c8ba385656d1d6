//! Why a session ends. What its client hears of it depends on the wire, see [`Wire`](super::Wire).

use crate::protocol::frame::FrameError;

/// The reason for which a session is closed (docs/contract.md, "Close codes").
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Close {
    /// 1001: the server goes away; reconnect after so many milliseconds.
    GoingAway {
        /// A delay of this session's own, so that not all reconnect at once.
        delay_millis: u32,
    },
    /// 1002, 1007 or 1009: the client broke RFC 6455.
    Protocol(FrameError),
    /// 1002: a WebSocket that should take over from polls sent something else than the upgrade.
    NotAnUpgrade,
    /// 1003: a kind of message that is not taken here.
    Unsupported,
    /// 1013: the client could not be let in for a reason that passes; it comes back.
    Unavailable,
    /// 4001: the log-in was revoked or has expired.
    LoggedOut,
    /// 4008: no answer to a heartbeat; the client resumes when it comes back.
    Silent,
    /// 4008: the client took nothing of what waits for it for too long.
    TooSlow,
    /// 4008: there is no room for what waits for the client, or for what it sends.
    NoRoom,
    /// 4008: the client began a message and did not end it.
    Unfinished,
    /// 4029: the client sent too many messages.
    TooManyMessages,
    /// 1000: the client broke Engine.IO or Socket.IO, which have no codes, or had its time to connect.
    Violation,
    /// 1000: the client said that it leaves.
    Left,
    /// The connection is lost, or is dropped without a word.
    Lost,
}

impl Close {
    /// The code of the close frame, also the label of the metric.
    #[must_use]
    pub fn code(self) -> u16 {
        match self {
            Self::GoingAway { .. } => 1001,
            Self::Protocol(error) => error.close_code(),
            Self::NotAnUpgrade => 1002,
            Self::Unsupported => 1003,
            Self::Unavailable => 1013,
            Self::LoggedOut => 4001,
            Self::Silent | Self::TooSlow | Self::NoRoom | Self::Unfinished => 4008,
            Self::TooManyMessages => 4029,
            Self::Violation | Self::Left => 1000,
            // "a reserved value [that] MUST NOT be set as a status code in a Close control frame" (RFC 6455 §7.4.1).
            Self::Lost => 1006,
        }
    }

    /// The text beside the code. For 1001 it is the delay in milliseconds before reconnecting, as a number.
    #[must_use]
    pub fn reason(self) -> String {
        match self {
            Self::GoingAway { delay_millis } => delay_millis.to_string(),
            Self::Protocol(error) => error.to_string(),
            Self::NotAnUpgrade => "this is no upgrade".into(),
            Self::Unsupported => "only text is taken here".into(),
            Self::Unavailable => "try again".into(),
            Self::LoggedOut => "the log-in ended".into(),
            Self::Silent => "no answer to a heartbeat".into(),
            Self::TooSlow => "too slow".into(),
            Self::NoRoom => "no room for what waits".into(),
            Self::Unfinished => "a message did not come to its end".into(),
            Self::TooManyMessages => "too many messages".into(),
            Self::Violation | Self::Left | Self::Lost => String::new(),
        }
    }
}
