//! The limit of open files (`ulimit -n`): each connection is one, and what the program itself needs must be left.

use std::ops::RangeInclusive;

/// What is kept for the database, the listener and the threads, and for connections that come when there are too many:
/// a socket is accepted before it can be dropped, and when there is no descriptor for it, nothing is accepted for half a
/// second.
const RESERVE: RangeInclusive<u64> = 64..=4096;
/// More connections than one process serves well.
const MAX_CONNECTIONS: u64 = 1_000_000;

/// How many connections fit: the limit without an eighth of it, see [`RESERVE`].
#[must_use]
pub(super) fn connections() -> usize {
    // Without a limit, every number fits.
    let limit = rlimit::Resource::NOFILE.get_hard().unwrap_or(MAX_CONNECTIONS);
    usize::try_from(fitting(limit)).unwrap_or(usize::MAX)
}

fn fitting(limit: u64) -> u64 {
    let reserve = (limit / 8).clamp(*RESERVE.start(), *RESERVE.end());
    limit.saturating_sub(reserve).max(limit / 4).clamp(1, MAX_CONNECTIONS)
}

/// Takes all that the system grants: systems start programs with less for the sake of `select`, which is not used here.
///
/// # Errors
/// The system does not let it.
pub fn raise_limit() -> std::io::Result<()> {
    let (_, hard) = rlimit::Resource::NOFILE.get()?;
    rlimit::Resource::NOFILE.set(hard, hard)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn something_is_always_left() {
        assert_eq!([64, 128, 1024, 65_536].map(fitting), [16, 64, 896, 61_440]);
        assert_eq!(fitting(u64::MAX), MAX_CONNECTIONS);
        assert_eq!(fitting(0), 1);
    }
}
