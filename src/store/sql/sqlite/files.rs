//! The files of a database and who may read them: its owner alone. The key of the log-in tokens is one of them, and not
//! a row: a copy of the database is made easily (a backup, a bug report), and must not open accounts.

use std::{
    fs::{self, OpenOptions, Permissions},
    io::{self, Write as _},
    os::unix::fs::{OpenOptionsExt as _, PermissionsExt as _},
    path::{Path, PathBuf},
};

/// Its owner reads and writes it, nobody else does.
const PRIVATE: u32 = 0o600;

/// A file beside the database: its name with an ending.
pub(super) fn beside(path: &Path, ending: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(ending);
    name.into()
}

/// Makes an empty file of its owner's, whatever the umask.
///
/// # Errors
/// There is a file of that name, or none can be made.
pub(super) fn create_private(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().write(true).create_new(true).mode(PRIVATE).open(path)
}

/// Opens a file of its owner's that holds nothing, and makes it if need be.
///
/// # Errors
/// It cannot be made or written.
pub(super) fn open_private(path: &Path) -> io::Result<fs::File> {
    OpenOptions::new().append(true).create(true).mode(PRIVATE).open(path)
}

/// Makes the database's file before SQLite does, which would let everyone read it. Its companions get the same mode
/// from SQLite. What cannot be made SQLite will say.
pub(super) fn prepare(path: &Path) {
    drop(create_private(path));
}

/// Takes from others what an earlier version or an operator's copy granted them.
pub(super) fn protect(path: &Path) {
    for file in ["", "-wal", "-shm", "-journal", "-key", "-lock"].map(|ending| beside(path, ending)) {
        let Ok(found) = fs::metadata(&file) else { continue };
        let mode = found.permissions().mode() & 0o777;
        if !found.is_file() || mode & 0o077 == 0 {
            continue;
        }
        let narrowed = fs::set_permissions(&file, Permissions::from_mode(mode & 0o700));
        let file = file.display();
        match narrowed {
            Ok(()) => {
                tracing::warn!(%file, "others could read a file of the database; now its owner alone can")
            }
            Err(error) => tracing::warn!(%file, %error, "others can read a file of the database"),
        }
    }
}

/// The key of the log-in tokens, made of `fresh` if there is none yet.
pub(in crate::store::sql) fn token_key(database: &Path, fresh: &str) -> io::Result<String> {
    if let Some(key) = kept_token_key(database)? {
        return Ok(key);
    }
    keep_token_key(database, fresh)?;
    kept_token_key(database)?.ok_or_else(|| io::ErrorKind::NotFound.into())
}

/// The key of the log-in tokens, if there is one.
pub(in crate::store::sql) fn kept_token_key(database: &Path) -> io::Result<Option<String>> {
    let path = beside(database, "-key");
    let key = match fs::read_to_string(&path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        text => text?.trim().to_owned(),
    };
    if key.len() < 32 {
        let text = format!("{} holds no key of at least 32 bytes", path.display());
        return Err(io::Error::new(io::ErrorKind::InvalidData, text));
    }
    Ok(Some(key))
}

/// Keeps a key, unless there is one. It is written in full before it has its name, because another process may look.
pub(in crate::store::sql) fn keep_token_key(database: &Path, key: &str) -> io::Result<()> {
    let path = beside(database, "-key");
    let part = beside(&path, &format!(".{:016x}", rand::random::<u64>()));
    let kept = (|| {
        let mut file = create_private(&part)?;
        file.write_all(key.as_bytes())?;
        file.sync_all()?;
        match fs::hard_link(&part, &path) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            // A file system without links: nobody else is likely to look meanwhile.
            Err(_) if !path.exists() => fs::rename(&part, &path),
            other => other,
        }
    })();
    drop(fs::remove_file(&part));
    kept
}
