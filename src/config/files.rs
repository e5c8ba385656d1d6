//! Files that settings name: secrets in them, who can read them, and that no folder of pages holds what is nobody's to
//! download.

use std::{
    ffi::OsString,
    os::unix::fs::MetadataExt as _,
    path::{Path, PathBuf},
};

use super::{ConfigError, Secret, Settings};

/// The secrets in a file, one a line.
pub(super) fn secrets(setting: &str, path: &Path) -> Result<Vec<Secret>, ConfigError> {
    let name = path.display();
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError(format!("{setting} {name} cannot be read: {error}")))?;
    let secrets: Vec<_> = text
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty())
        .map(|line| Secret(line.to_owned()))
        .collect();
    if secrets.is_empty() {
        return Err(ConfigError(format!("{setting} {name} is empty")));
    }
    Ok(secrets)
}

/// Those of the files that others than their owner can read. The group of a service may read what is root's: so are files
/// in `/etc` kept that a service reads and cannot change.
#[must_use]
pub fn readable_by_others<'a>(files: impl IntoIterator<Item = &'a Path>) -> Vec<&'a Path> {
    let own_group = std::fs::metadata("/proc/self").map_or(0, |process| process.gid());
    let is_open = |path: &&Path| {
        std::fs::metadata(path).is_ok_and(|file| {
            let is_for_the_service = file.uid() == 0 && file.gid() == own_group && own_group != 0;
            let others = if is_for_the_service { 0o027 } else { 0o077 };
            file.is_file() && file.mode() & others != 0
        })
    };
    files.into_iter().filter(is_open).collect()
}

/// Refuses a folder of pages that holds the database, its companions, the configuration or a key: in itself, below it,
/// or by a link.
pub(super) fn check_assets(settings: &Settings, config: Option<&Path>) -> Result<(), ConfigError> {
    let Some(folder) = &settings.assets else { return Ok(()) };
    let Ok(root) = folder.canonicalize() else { return Ok(()) };
    let database = database_file(&settings.database_url);
    let companions =
        database.iter().flat_map(|path| ["", "-wal", "-shm", "-journal", "-key"].map(|end| with(path, end)));
    let secret = companions.map(|path| (path, "the database"));
    let secret = secret.chain(config.map(|path| (path.to_owned(), "the configuration")));
    let key = settings.jwt_secret_file.iter().map(|path| (path.clone(), "the key of the log-in tokens"));
    let relay = settings.smtp_url_file.iter().map(|path| (path.clone(), "the way out for mail"));
    for (path, what) in secret.chain(key).chain(relay) {
        if places(&path).iter().any(|place| place.starts_with(&root)) {
            return Err(ConfigError(format!(
                "--assets {} holds {what} ({}), which everyone could download: keep them apart",
                folder.display(),
                path.display()
            )));
        }
    }
    // What is uploaded is served as pictures and under names of its own, and never as a page.
    let media = settings.media_folder();
    if places(&media).iter().any(|place| place.starts_with(&root) || root.starts_with(place)) {
        return Err(ConfigError(format!(
            "--media {} and --assets {} are one in the other: keep them apart",
            media.display(),
            folder.display()
        )));
    }
    Ok(())
}

/// A name in the folder that the database is in.
pub(super) fn beside_database(url: &str, name: &str) -> PathBuf {
    let folder = database_file(url).and_then(|path| path.parent().map(Path::to_owned)).unwrap_or_default();
    folder.join(name)
}

/// Where a file is: what it is a link to, and the link itself. It need not exist yet.
fn places(path: &Path) -> Vec<PathBuf> {
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."));
    let named = parent.canonicalize().ok().zip(path.file_name()).map(|(parent, name)| parent.join(name));
    path.canonicalize().into_iter().chain(named).collect()
}

/// The file of a database in one: what `sqlite:` URLs name, percent-decoded.
pub(super) fn database_file(url: &str) -> Option<PathBuf> {
    use std::os::unix::ffi::OsStringExt as _;
    let (file, _) = url.split_once('?').unwrap_or((url, ""));
    let name = file.strip_prefix("sqlite:")?.trim_start_matches("//");
    let mut bytes = Vec::with_capacity(name.len());
    let mut rest = name.as_bytes();
    while let [first, after @ ..] = rest {
        let decoded = (*first == b'%')
            .then(|| after.get(..2))
            .flatten()
            .and_then(|digits| u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok());
        bytes.push(decoded.unwrap_or(*first));
        rest = if decoded.is_some() { &after[2..] } else { after };
    }
    (!bytes.is_empty()).then(|| OsString::from_vec(bytes).into())
}

fn with(path: &Path, end: &str) -> PathBuf {
    let mut name = path.as_os_str().to_owned();
    name.push(end);
    name.into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::config::{CommonLayer, ServeLayer};

    fn refused(assets: &Path, database: &Path, config: Option<&Path>, key: Option<&Path>) -> Option<String> {
        let url = format!("sqlite://{}", database.display());
        let common = CommonLayer { database_url: Some(url.into()), ..CommonLayer::default() };
        let serve = ServeLayer {
            assets: Some(assets.to_owned()),
            jwt_secret_file: key.map(Path::to_owned),
            ..ServeLayer::default()
        };
        Settings::resolve(common, serve, config).err().map(|error| error.to_string())
    }

    #[test]
    fn pages_and_secrets_are_kept_apart() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        for name in ["pages", "pages/deep", "data"] {
            std::fs::create_dir(at(name)).unwrap();
        }
        std::os::unix::fs::symlink(at("data"), at("linked")).unwrap();
        std::os::unix::fs::symlink(at("data"), at("pages/in")).unwrap();
        for name in ["data/shop.toml", "pages/shop.toml"] {
            std::fs::write(at(name), "").unwrap();
        }
        std::fs::write(at("key"), "x".repeat(32)).unwrap();
        std::os::unix::fs::symlink(at("key"), at("pages/key")).unwrap();
        let good = at("data/shop.db");
        let says = |assets: &str, database: &str| refused(&at(assets), &at(database), None, None);
        assert_eq!(says("pages", "data/shop.db"), None);
        for (assets, database) in [
            ("pages", "pages/shop.db"),
            ("pages", "pages/deep/shop.db"),
            (".", "data/shop.db"),
            ("linked", "data/shop.db"),
            ("data", "linked/shop.db"),
            ("data", "pages/in/shop.db"),
            ("pages/..", "data/shop.db"),
            ("pages", "data/../pages/shop.db"),
        ] {
            let error = says(assets, database).unwrap_or_else(|| panic!("{assets} {database}"));
            assert!(error.contains("--assets") && error.contains("the database"), "{error}");
        }
        std::fs::create_dir_all(at("media/pages")).unwrap();
        let beside = at("shop.db");
        for (assets, refused) in [("media", true), ("media/pages", true), ("pages", false)] {
            let error = self::refused(&at(assets), &beside, None, None);
            assert_eq!(error.is_some_and(|error| error.contains("--media")), refused, "{assets}");
        }
        assert_eq!(refused(&at("pages"), &good, Some(&at("data/shop.toml")), Some(&at("key"))), None);
        let config = refused(&at("pages"), &good, Some(&at("pages/shop.toml")), None).unwrap();
        assert!(config.contains("the configuration"), "{config}");
        let key = refused(&at("pages"), &good, None, Some(&at("pages/key"))).unwrap();
        assert!(key.contains("the key"), "{key}");
    }

    #[test]
    fn a_file_of_keys_holds_one_a_line() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("keys");
        let resolve = |keys: &str, flag: Option<&str>| {
            std::fs::write(&path, keys).unwrap();
            let serve = ServeLayer {
                jwt_secret_file: Some(path.clone()),
                jwt_secret: flag.map(|flag| vec![Secret(flag.to_owned())]),
                ..ServeLayer::default()
            };
            Settings::resolve(CommonLayer::default(), serve, None)
        };
        let (first, second) = ("a".repeat(32), "b".repeat(32));
        let settings = resolve(&format!("{first}\r\n\n{second}\n"), None).unwrap();
        assert_eq!(settings.token_keys(), [&first, &second]);
        assert!(!settings.show().contains(&first) && !format!("{settings:?}").contains(&first));
        for (keys, flag, names) in [
            ("", None, "--jwt-secret-file"),
            ("short", None, "--jwt-secret"),
            (first.as_str(), Some(second.as_str()), "--jwt-secret-file"),
        ] {
            assert!(resolve(keys, flag).unwrap_err().to_string().contains(names), "{keys}");
        }
    }

    #[test]
    fn the_name_of_a_database_is_decoded() {
        assert_eq!(database_file("sqlite://a%20b/shop.db?mode=rwc"), Some("a b/shop.db".into()));
        assert_eq!(database_file("sqlite:///srv/100%.db"), Some("/srv/100%.db".into()));
        assert_eq!(database_file("sqlite:shop.db"), Some("shop.db".into()));
        assert_eq!(database_file("postgres://x/y"), None);
    }
}
