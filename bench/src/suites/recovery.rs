//! What the suites `jitter` and `avalanche` share: who takes part, and the reconciliation of what each client has seen
//! with what was told.

use std::{fmt, ops::RangeInclusive};

use serde::{Deserialize, Serialize};

use crate::{
    client::Wire,
    context::Context,
    peers::{Kind, Options},
};

/// A server on a wire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Contestant {
    pub(super) kind: Kind,
    pub(super) wire: Wire,
}

impl fmt::Display for Contestant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.kind {
            Kind::SocketIo => write!(f, "{} with recovery", self.kind),
            _ if self.kind.is_shopbell() => write!(f, "{}, {}", self.kind, self.wire.name()),
            _ => write!(f, "{}", self.kind),
        }
    }
}

/// Who takes part: shopbell on both wires, Socket.IO with its recovery, Bun, which has none.
pub(super) fn contestants(context: &Context) -> Vec<Contestant> {
    let on = |wire| move |kind| Contestant { kind, wire };
    let (ours, theirs): (&[Kind], &[Contestant]) = if context.baseline.is_some() {
        (&[Kind::Shopbell, Kind::Before], &[])
    } else {
        let theirs = &[
            Contestant { kind: Kind::SocketIo, wire: Wire::SocketIo },
            Contestant { kind: Kind::Bun, wire: Wire::Ws },
        ];
        (&[Kind::Shopbell], theirs)
    };
    let ws = ours.iter().copied().map(on(Wire::Ws));
    let socket_io = ours.iter().copied().map(on(Wire::SocketIo));
    ws.chain(socket_io).chain(theirs.iter().copied()).collect()
}

/// How the servers are started: with what they have to let clients recover.
pub(super) fn options() -> Options {
    Options { recovery: true, ..Options::default() }
}

/// What clients have seen of what was told.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Tally {
    /// Alerts that should have been seen, over all clients.
    pub(super) expected: u64,
    /// Those that were not.
    pub(super) lost: u64,
    /// Those that were seen once more.
    pub(super) repeated: u64,
    /// Those that were seen for the first time after a newer one.
    pub(super) disordered: u64,
}

impl Tally {
    /// Compares what clients have seen with the alerts that each of them should have.
    pub(super) fn of<'a>(clients: impl Iterator<Item = &'a [u64]>, expected: &RangeInclusive<u64>) -> Self {
        let mut whole = Self::default();
        for seen in clients {
            whole += Self::of_one(seen, expected);
        }
        whole
    }

    fn of_one(seen: &[u64], expected: &RangeInclusive<u64>) -> Self {
        let mut tally =
            Self { expected: (expected.end() + 1).saturating_sub(*expected.start()), ..Self::default() };
        let mut there = vec![false; usize::try_from(tally.expected).unwrap_or_default()];
        let (mut newest, mut distinct) = (0, 0);
        // What came before the first that counts is nobody's concern.
        for &id in seen.iter().filter(|id| expected.contains(id)) {
            let there = &mut there[usize::try_from(id - expected.start()).unwrap_or_default()];
            if std::mem::replace(there, true) {
                tally.repeated += 1;
            } else {
                distinct += 1;
                tally.disordered += u64::from(id < newest);
            }
            newest = newest.max(id);
        }
        tally.lost = tally.expected - distinct;
        tally
    }

    /// The share of what was told that has arrived, in percent.
    pub(super) fn delivered(&self) -> f64 {
        100.0 * (self.expected - self.lost) as f64 / self.expected.max(1) as f64
    }

    /// As it is shown: only all is a hundred percent.
    pub(super) fn shown(&self) -> String {
        if self.lost == 0 { "100 %".to_owned() } else { format!("{:.2} %", self.delivered().min(99.99)) }
    }
}

impl std::ops::AddAssign for Tally {
    fn add_assign(&mut self, other: Self) {
        self.expected += other.expected;
        self.lost += other.lost;
        self.repeated += other.repeated;
        self.disordered += other.disordered;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tally(seen: &[u64]) -> [u64; 4] {
        let Tally { expected, lost, repeated, disordered } = Tally::of([seen].into_iter(), &(3..=6));
        [expected, lost, repeated, disordered]
    }

    #[test]
    fn what_each_client_has_seen_is_reconciled_with_what_was_told() {
        assert_eq!(tally(&[1, 2, 3, 4, 5, 6, 7]), [4, 0, 0, 0]);
        assert_eq!(tally(&[]), [4, 4, 0, 0]);
        assert_eq!(tally(&[3, 6]), [4, 2, 0, 0]);
        assert_eq!(tally(&[3, 4, 3, 4, 5, 6]), [4, 0, 2, 0], "a replay of what was there");
        assert_eq!(tally(&[3, 5, 4, 6]), [4, 0, 0, 1]);
        assert_eq!(tally(&[6, 3, 4, 5, 5]), [4, 0, 1, 3]);
        // One that is missed by the one is not made up for by what the other has twice.
        let seen: [&[u64]; 2] = [&[3, 4, 5], &[3, 4, 5, 6, 6]];
        let both = Tally::of(seen.into_iter(), &(3..=6));
        assert_eq!(both, Tally { expected: 8, lost: 1, repeated: 1, disordered: 0 });
        assert_eq!(both.delivered(), 87.5);
    }

    #[test]
    fn a_single_lost_alert_is_not_rounded_away() {
        let tally = Tally { expected: 10_000_000, lost: 1, ..Tally::default() };
        assert_eq!(tally.shown(), "99.99 %");
        assert_eq!(Tally { lost: 0, ..tally }.shown(), "100 %");
    }
}
