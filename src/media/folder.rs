//! The folder of pictures. A file is written once, whole, under a name that its content gives it, and never changed: caches
//! keep it for good, and a copy can be made at any moment. Its owner alone reads it, as with the database.

use std::{
    fs::{self, DirBuilder, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

use sha2::{Digest, Sha256};

use super::picture::{Format, Rendition};

/// Where pictures are served.
pub const PREFIX: &str = "/media/";

/// Hexadecimal digits of a content's hash in a name: enough that no two contents ever share them.
const HASH_DIGITS: usize = 32;

/// The name of a picture: the hash of the file it was made of, its width, its kind. Nothing else is ever served.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct MediaName {
    hash: String,
    width: u32,
    format: Format,
}

impl MediaName {
    /// Of a picture that was made of a file.
    #[must_use]
    pub fn of(file: &[u8], rendition: &Rendition) -> Self {
        let digest = Sha256::digest(file);
        let hash: String = digest.iter().take(HASH_DIGITS / 2).map(|byte| format!("{byte:02x}")).collect();
        Self { hash, width: rendition.width, format: rendition.format }
    }

    /// Reads one; `None` for all else, such as a path.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (hash, rest) = text.split_once('-')?;
        let (width, end) = rest.split_once('.')?;
        let format = [Format::Jpeg, Format::Png].into_iter().find(|format| format.extension() == end)?;
        let digits = |b: u8| b.is_ascii_digit() || (b'a'..=b'f').contains(&b);
        let is_hash = hash.len() == HASH_DIGITS && hash.bytes().all(digits);
        let name = Self { hash: hash.to_owned(), width: width.parse().ok()?, format };
        (is_hash && name.to_string() == text).then_some(name)
    }

    /// How it is written.
    #[must_use]
    pub fn format(&self) -> Format {
        self.format
    }

    /// Where it is served.
    #[must_use]
    pub fn url(&self) -> String {
        format!("{PREFIX}{self}")
    }
}

impl std::fmt::Display for MediaName {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}.{}", self.hash, self.width, self.format.extension())
    }
}

/// The folder.
#[derive(Clone, Debug)]
pub struct Folder(PathBuf);

impl Folder {
    /// At a place, which need not exist until something is kept there.
    #[must_use]
    pub fn new(path: PathBuf) -> Self {
        Self(path)
    }

    /// Where a picture is, if there is one.
    #[must_use]
    pub fn path(&self, name: &MediaName) -> PathBuf {
        self.0.join(name.to_string())
    }

    /// Keeps a picture. One that is there already is the same.
    ///
    /// # Errors
    /// The folder cannot be made, or the file cannot be written.
    pub fn keep(&self, name: &MediaName, bytes: &[u8]) -> io::Result<()> {
        let path = self.path(name);
        if path.is_file() {
            return Ok(());
        }
        if !self.0.is_dir() {
            DirBuilder::new().recursive(true).mode(0o700).create(&self.0)?;
        }
        // Whole before it has its name: whoever finds it reads all of it, also after a crash.
        let part = self.0.join(format!(".{:016x}.part", rand::random::<u64>()));
        let written = write(&part, bytes).and_then(|()| fs::rename(&part, &path));
        if written.is_err() {
            drop(fs::remove_file(&part));
        }
        written
    }
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(path)?;
    file.write_all(bytes)?;
    file.sync_all()
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt as _;

    use super::*;

    fn rendition(bytes: &[u8]) -> Rendition {
        Rendition { width: 160, height: 80, format: Format::Jpeg, bytes: bytes.to_vec() }
    }

    #[test]
    fn nothing_but_the_name_of_a_picture_is_one() {
        let name = MediaName::of(b"a file", &rendition(b""));
        assert_eq!(MediaName::parse(&name.to_string()), Some(name.clone()));
        assert!(name.url().starts_with("/media/") && name.url().ends_with("-160.jpg"));
        let hash = "0123456789abcdef0123456789abcdef";
        for bad in [
            "",
            "shop.db",
            "..",
            &format!("{hash}-160.db"),
            &format!("{hash}-160.jpg/"),
            &format!("{hash}-160.jpg.png"),
            &format!("../{hash}-160.jpg"),
            &format!("{hash}/-160.jpg"),
            &format!("{hash}-.jpg"),
            &format!("{hash}-0160.jpg"),
            &format!("{hash}-+160.jpg"),
            &format!("{hash}-160.JPG"),
            &format!("{}-160.jpg", hash.to_uppercase()),
            &format!("{}-160.jpg", &hash[1..]),
            &format!("{hash}0-160.jpg"),
            &format!("{hash}-99999999999.jpg"),
        ] {
            assert_eq!(MediaName::parse(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_picture_is_its_owners_alone() {
        let above = tempfile::tempdir().unwrap();
        let folder = Folder::new(above.path().join("deep/media"));
        let made = rendition(b"a picture");
        let name = MediaName::of(b"a file", &made);
        for _ in 0..2 {
            folder.keep(&name, &made.bytes).unwrap();
        }
        assert_eq!(fs::read(folder.path(&name)).unwrap(), b"a picture");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!((mode(&above.path().join("deep/media")), mode(&folder.path(&name))), (0o700, 0o600));
        assert_eq!(fs::read_dir(above.path().join("deep/media")).unwrap().count(), 1, "nothing is left over");
    }
}
