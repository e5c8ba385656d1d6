//! `shopbell admin`: administrators, passwords and bans.

use clap::{Args, Subcommand};

use super::common::{CommonArgs, Failure, ask_password, open, print, sentence};
use crate::{
    clock,
    domain::{Email, Nickname, Password, PersonPatch, Role, UserId},
    service::{ServiceError, account_forms::Registration, accounts, passwords::Passwords},
    store::{PersonError, Store},
};

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Create an administrator; the password is asked for
    Create(AdminArgs),
    /// Give an account a new password, which is asked for; its sessions end at once
    Password(PasswordArgs),
    /// Keep an account from logging in; its sessions end at once
    Ban(WhoseArgs),
    /// Let a banned account log in again
    Unban(WhoseArgs),
}

#[derive(Args)]
pub(super) struct WhoseArgs {
    #[command(flatten)]
    common: CommonArgs,
    #[command(flatten)]
    whose: Whose,
}

/// One account.
#[derive(Args)]
#[group(required = true, multiple = false)]
struct Whose {
    /// E-mail address of the account
    #[arg(long, value_name = "E-MAIL")]
    email: Option<String>,
    /// Number of the account: for two of old that share an address
    #[arg(long, value_name = "NUMBER")]
    user: Option<i64>,
}

#[derive(Args)]
pub(super) struct PasswordArgs {
    #[command(flatten)]
    whose: WhoseArgs,
    /// Read the password from standard input instead of asking
    #[arg(long)]
    password_stdin: bool,
}

#[derive(Args)]
pub(super) struct AdminArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// E-mail address to log in with
    #[arg(long, value_name = "E-MAIL", value_parser = |text: &str| sentence(Email::parse(text)))]
    email: Email,
    /// Name to be shown
    #[arg(long, value_name = "NAME", value_parser = |text: &str| sentence(Nickname::parse(text)))]
    nickname: Nickname,
    /// Read the password from standard input instead of asking
    #[arg(long)]
    password_stdin: bool,
}

impl AdminCommand {
    pub(super) async fn run(self) -> Result<(), Failure> {
        match self {
            Self::Create(args) => create(args).await,
            Self::Password(args) => change_password(args).await,
            Self::Ban(args) => ban(args, true).await,
            Self::Unban(args) => ban(args, false).await,
        }
    }
}

async fn create(args: AdminArgs) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let password = read_password(args.password_stdin)?;
    let wanted = Registration { email: args.email, nickname: args.nickname, password };
    let created = accounts::create(&*store, &Passwords::default(), wanted, Role::Admin, clock::now()).await;
    store.close().await;
    let user = created.map_err(|error| Failure::Run(error.to_string()))?;
    print(&format!("{} is an administrator\n", user.nickname.as_str()))
}

fn read_password(from_stdin: bool) -> Result<Password, Failure> {
    sentence(Password::parse(&ask_password(from_stdin)?)).map_err(Failure::Usage)
}

async fn change_password(args: PasswordArgs) -> Result<(), Failure> {
    let PasswordArgs { whose: WhoseArgs { common, whose }, password_stdin } = args;
    let store = open(&common.settings()?).await?;
    let changed = async {
        let user = whose.find(&*store).await?;
        let password = read_password(password_stdin)?;
        accounts::replace_password(&*store, &Passwords::default(), user, password, clock::now())
            .await
            .map_err(|error| match error {
                ServiceError::Denied(_) => no_account(format_args!("number {user}")),
                error => Failure::Run(error.to_string()),
            })
    };
    let changed = changed.await;
    store.close().await;
    print(&format!("{} has a new password, all sessions have ended\n", changed?.nickname.as_str()))
}

async fn ban(WhoseArgs { common, whose }: WhoseArgs, banned: bool) -> Result<(), Failure> {
    let store = open(&common.settings()?).await?;
    let done = async {
        let user = whose.find(&*store).await?;
        store.change_person(user, PersonPatch::banned(banned), None, clock::now()).await.map_err(|error| {
            match error {
                PersonError::NotFound => no_account(format_args!("number {user}")),
                error => Failure::Run(error.to_string()),
            }
        })
    };
    let done = done.await;
    store.close().await;
    done?;
    print(if banned {
        "the account is banned, its sessions have ended\n"
    } else {
        "the account may log in again\n"
    })
}

impl Whose {
    /// Finds the account. An address that several have is none to act on: it is not known which of them is meant.
    async fn find(&self, store: &dyn Store) -> Result<UserId, Failure> {
        let Some(email) = &self.email else { return Ok(UserId(self.user.unwrap_or_default())) };
        let found = store.users_with_address(email).await;
        match found.map_err(|error| Failure::Run(error.to_string()))?.as_slice() {
            [] => Err(no_account(format_args!("{email}"))),
            [one] => Ok(*one),
            several => {
                let flags: Vec<_> = several.iter().map(|user| format!("--user {user}")).collect();
                let ways = flags.join(" or ");
                Err(Failure::Run(format!("{} accounts share this address: say {ways}", several.len())))
            }
        }
    }
}

fn no_account(which: std::fmt::Arguments<'_>) -> Failure {
    Failure::Run(format!("there is no account {which}"))
}
