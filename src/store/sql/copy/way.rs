//! How far a copy is.

/// Is told what is done, and how many of how many rows.
pub(in crate::store) type Progress<'p> = dyn FnMut(&str, u64, u64) + Send + 'p;

/// The rows that were copied and compared.
pub(super) struct Way<'w, 'p> {
    total: u64,
    done: u64,
    progress: &'w mut Progress<'p>,
}

impl<'w, 'p> Way<'w, 'p> {
    /// A way of so many rows, of which some were gone before.
    pub(super) fn new(total: u64, done: u64, progress: &'w mut Progress<'p>) -> Self {
        Self { total, done, progress }
    }

    /// So many rows of a table were copied or compared.
    pub(super) fn went(&mut self, deed: &str, table: &str, rows: usize) {
        self.done += rows as u64;
        (self.progress)(&format!("{deed} {table}"), self.done.min(self.total), self.total);
    }
}
