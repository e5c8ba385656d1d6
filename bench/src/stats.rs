//! Medians, percentiles and spreads.

/// The middle of some values, and how far they lie apart.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Summary {
    /// The median; the mean of the two in the middle for an even number.
    pub median: f64,
    /// The lowest.
    pub min: f64,
    /// The highest.
    pub max: f64,
}

impl Summary {
    /// Of some values; zeros of none.
    #[must_use]
    pub fn of(values: &[f64]) -> Self {
        let mut sorted = values.to_vec();
        sorted.sort_by(f64::total_cmp);
        let (Some(&min), Some(&max)) = (sorted.first(), sorted.last()) else { return Self::default() };
        let middle = sorted.len() / 2;
        let median = if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        };
        Self { median, min, max }
    }

    /// The median of one number of each of some results.
    pub fn over<T>(results: &[T], number: impl Fn(&T) -> f64) -> Self {
        Self::of(&results.iter().map(number).collect::<Vec<_>>())
    }
}

/// How long things took, each kept: there are a million at most.
#[derive(Clone, Debug, Default)]
pub struct Latencies {
    micros: Vec<u32>,
}

impl Latencies {
    /// Adds one.
    pub fn record(&mut self, latency: std::time::Duration) {
        self.micros.push(u32::try_from(latency.as_micros()).unwrap_or(u32::MAX));
    }

    /// Forgets all.
    pub fn clear(&mut self) {
        self.micros.clear();
    }

    /// How many there are.
    #[must_use]
    pub fn len(&self) -> usize {
        self.micros.len()
    }

    /// Whether there are none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.micros.is_empty()
    }

    /// The values below which these shares (0 to 1) of all lie, in milliseconds; the nearest rank. Zeros of none.
    pub fn quantiles<const N: usize>(&mut self, shares: [f64; N]) -> [f64; N] {
        self.micros.sort_unstable();
        shares.map(|share| {
            let rank = (share * self.micros.len() as f64).ceil() as usize;
            let index = rank.max(1).min(self.micros.len()).saturating_sub(1);
            self.micros.get(index).map_or(0.0, |&micros| f64::from(micros) / 1000.0)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[test]
    fn a_median_is_in_the_middle() {
        assert_eq!(Summary::of(&[3.0, 1.0, 2.0]), Summary { median: 2.0, min: 1.0, max: 3.0 });
        assert_eq!(Summary::of(&[4.0, 1.0]).median, 2.5);
        assert_eq!(Summary::of(&[]), Summary::default());
    }

    #[test]
    fn quantiles_are_values_that_were_seen() {
        let mut latencies = Latencies::default();
        assert_eq!(latencies.quantiles([0.5]), [0.0]);
        for millis in (1..=100).rev() {
            latencies.record(Duration::from_millis(millis));
        }
        assert_eq!(latencies.quantiles([0.0, 0.5, 0.99, 1.0]), [1.0, 50.0, 99.0, 100.0]);
    }
}
