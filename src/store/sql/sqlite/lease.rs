//! All leases of a database file: the lock of a file beside it, which the kernel gives to one process and takes back when that
//! ends, however it ends. So a shop that was killed goes on at its next start without waiting, and nothing is written while
//! one works.

use std::{
    collections::HashSet,
    fs::{File, TryLockError},
    io,
    path::{Path, PathBuf},
    sync::{Mutex, MutexGuard, PoisonError},
};

use super::files;
use crate::store::StoreError;

/// The leases, as one process has them.
pub(in crate::store::sql) struct FileLease {
    path: PathBuf,
    held: Mutex<Option<Held>>,
}

/// The lock, and for what it was taken.
struct Held {
    holder: String,
    names: HashSet<String>,
    /// Locked until it is closed.
    _file: File,
}

impl FileLease {
    /// Of a database; nothing is locked yet.
    pub(super) fn of(database: &Path) -> Self {
        Self { path: files::beside(database, "-lock"), held: Mutex::default() }
    }

    fn held(&self) -> MutexGuard<'_, Option<Held>> {
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes all or nothing.
    pub(in crate::store::sql) fn take(
        &self,
        names: &[String],
        holder: &str,
    ) -> Result<Vec<String>, StoreError> {
        let mut held = self.held();
        if held.is_none() && !names.is_empty() {
            let file = self.lock().map_err(|error| {
                StoreError::Busy(format!("{} cannot be locked: {error}", self.path.display()))
            })?;
            *held = file.map(|file| Held { holder: holder.to_owned(), names: HashSet::new(), _file: file });
        }
        match held.as_mut().filter(|held| held.holder == holder) {
            Some(held) => {
                held.names.extend(names.iter().cloned());
                Ok(names.to_vec())
            }
            None => Ok(Vec::new()),
        }
    }

    /// `None` while another process has it.
    fn lock(&self) -> io::Result<Option<File>> {
        let file = files::open_private(&self.path)?;
        match file.try_lock() {
            Ok(()) => Ok(Some(file)),
            Err(TryLockError::WouldBlock) => Ok(None),
            // A file system without locks has no two processes on one database.
            Err(TryLockError::Error(error)) => {
                tracing::warn!(file = %self.path.display(), %error, "a file cannot be locked; this process works alone");
                Ok(Some(file))
            }
        }
    }

    /// Unlocks once nothing is held any more.
    pub(in crate::store::sql) fn release(&self, names: &[String], holder: &str) {
        let mut slot = self.held();
        if let Some(held) = slot.as_mut().filter(|held| held.holder == holder) {
            for name in names {
                held.names.remove(name);
            }
            if held.names.is_empty() {
                *slot = None;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_of_the_processes_with_a_file_has_all_until_it_ends() {
        let folder = tempfile::tempdir().unwrap();
        let database = folder.path().join("shop.db");
        let [one, other] = [FileLease::of(&database), FileLease::of(&database)];
        let names = ["endpoint:1", "source:2"].map(str::to_owned);
        assert_eq!(one.take(&[], "a").unwrap(), [""; 0]);
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0, "without names there is no file");
        assert_eq!(one.take(&names[..1], "a").unwrap(), names[..1]);
        assert_eq!(other.take(&names[1..], "b").unwrap(), [""; 0]);
        assert_eq!(one.take(&names, "a").unwrap(), names);
        one.release(&names[..1], "a");
        assert_eq!(other.take(&names, "b").unwrap(), [""; 0], "the other name is held still");
        // As the kernel does when the process is killed.
        drop(one);
        assert_eq!(other.take(&names, "b").unwrap(), names);
    }
}
