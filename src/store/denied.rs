//! Why someone may no longer do what they could when they asked.

/// The writer's own job found that the caller lost the right since the request came in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The account is banned or gone, or the log-in was revoked or has expired.
    #[error("the log-in has ended")]
    LoggedOut,
    /// The account is no administrator.
    #[error("only administrators may do this")]
    NotAdmin,
}
