//! Arguments that nobody else on the machine may read: the list of processes shows them to everyone.

use std::{
    collections::BTreeMap,
    ffi::{OsStr, OsString},
};

/// The settings whose values everyone on the machine would see in the list of processes, with their variables.
const SECRET_FLAGS: [(&str, &str); 7] = [
    ("--jwt-secret", "SHOPBELL_JWT_SECRET"),
    ("--smtp-url", "SHOPBELL_SMTP_URL"),
    ("--database-url", "DATABASE_URL"),
    ("--bus", "SHOPBELL_BUS"),
    ("--otlp-endpoint", "SHOPBELL_OTLP_ENDPOINT"),
    ("--from", "SHOPBELL_COPY_FROM"),
    ("--to", "SHOPBELL_COPY_TO"),
];

/// Starts the program again with the secrets of its arguments in its environment, which its owner alone can read, if
/// there are any. Returns only if there are none, or with why that failed.
pub(super) fn hide() -> Option<std::io::Error> {
    use std::os::unix::process::CommandExt as _;
    let (kept, hidden) = take_secrets(std::env::args_os().skip(1));
    if hidden.is_empty() {
        return None;
    }
    let program = match std::env::current_exe() {
        Ok(program) => program,
        Err(error) => return Some(error),
    };
    let mut command = std::process::Command::new(program);
    command.args(kept);
    for (variable, values) in hidden {
        command.env(variable, values.join(OsStr::new(",")));
    }
    Some(command.exec())
}

/// The arguments that anyone may see, and the values of the others by variable.
fn take_secrets(
    arguments: impl Iterator<Item = OsString>,
) -> (Vec<OsString>, BTreeMap<&'static str, Vec<OsString>>) {
    let (mut kept, mut hidden) = (Vec::new(), BTreeMap::<_, Vec<_>>::new());
    let mut arguments = arguments.peekable();
    while let Some(argument) = arguments.next() {
        let text = argument.to_string_lossy();
        let (name, joined) = text.split_once('=').map_or((&*text, None), |(name, value)| (name, Some(value)));
        let Some((flag, variable)) = SECRET_FLAGS.into_iter().find(|(flag, _)| *flag == name) else {
            kept.push(argument);
            continue;
        };
        let value = joined.map(OsString::from).or_else(|| arguments.next_if(|next| !is_flag(next)));
        match value {
            Some(value) if is_secret(flag, &value.to_string_lossy()) => {
                hidden.entry(variable).or_default().push(value);
            }
            value => kept.extend(std::iter::once(flag.into()).chain(value)),
        }
    }
    (kept, hidden)
}

/// A URL without a password is no secret, and better seen; nor is the file of a backup, which is `--to`, too.
fn is_secret(flag: &str, value: &str) -> bool {
    match flag {
        "--database-url" | "--bus" | "--otlp-endpoint" => value.contains('@'),
        "--from" | "--to" => value.contains("://") && value.contains('@'),
        _ => true,
    }
}

fn is_flag(argument: &OsString) -> bool {
    argument.as_encoded_bytes().starts_with(b"--")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_leave_the_arguments() {
        let take = |line: &str| {
            let (kept, hidden) = take_secrets(line.split(' ').map(OsString::from));
            let kept: Vec<_> = kept.iter().map(|text| text.to_str().unwrap().to_owned()).collect();
            (kept.join(" "), hidden)
        };
        let (kept, hidden) = take("serve --jwt-secret one --demo --jwt-secret=two --addr 127.0.0.1:0");
        assert_eq!(kept, "serve --demo --addr 127.0.0.1:0");
        assert_eq!(hidden["SHOPBELL_JWT_SECRET"], ["one", "two"]);
        let (kept, hidden) = take("migrate --database-url postgres://u:hunter2@x/y");
        assert_eq!(
            (kept.as_str(), hidden["DATABASE_URL"][0].to_str()),
            ("migrate", Some("postgres://u:hunter2@x/y"))
        );
        let (kept, hidden) = take("copy --from sqlite://shop.db --to=postgres://u:hunter2@x/y");
        assert_eq!(kept, "copy --from sqlite://shop.db");
        assert_eq!(hidden["SHOPBELL_COPY_TO"], ["postgres://u:hunter2@x/y"]);
        let (kept, hidden) = take("serve --bus nats://u:hunter2@x --otlp-endpoint=https://u:hunter2@y");
        assert_eq!((kept.as_str(), hidden.len()), ("serve", 2));
        for line in [
            "backup --to you@shop.db",
            "serve --bus nats://127.0.0.1:4222",
            "serve --database-url sqlite://shop.db",
            "serve --jwt-secret-file key",
            "serve --jwt-secret --demo",
            "serve --jwt-secret",
        ] {
            let (kept, hidden) = take(line);
            assert_eq!((kept.as_str(), hidden.len()), (line, 0));
        }
    }
}
