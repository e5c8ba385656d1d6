//! Refusals since the start, as the figures of the control room show them: the recorder of metrics tells its numbers to
//! nobody but Prometheus.

use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use super::meter::Meter;

/// What was refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Refusals {
    /// All of it.
    pub total: u64,
    /// What of it was refused in the last whole second.
    pub per_second: u64,
    /// All of it by code.
    pub by_code: BTreeMap<&'static str, u64>,
}

/// Of this process, as the metrics are. There are as many entries as codes.
static COUNTED: Mutex<(Meter, BTreeMap<&'static str, u64>)> = Mutex::new((Meter::new(), BTreeMap::new()));

pub(super) fn count(code: &'static str, now: Instant) {
    // Every change under the lock is complete in itself, so that a panic elsewhere poisons nothing.
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    counted.0.add(1, now);
    *counted.1.entry(code).or_default() += 1;
}

pub(super) fn counted(now: Instant) -> Refusals {
    let mut counted = COUNTED.lock().unwrap_or_else(PoisonError::into_inner);
    let (meter, by_code) = &mut *counted;
    Refusals { per_second: meter.per_second(now), total: meter.total(), by_code: by_code.clone() }
}
