//! `shopbell admin`: administrators and bans.

use std::io::BufRead as _;

use clap::{Args, Subcommand};

use super::common::{CommonArgs, Failure, open, print, sentence};
use crate::{
    clock,
    domain::{Email, Nickname, Password, Role},
    service::{
        accounts::{self, Registration},
        passwords::Passwords,
    },
};

#[derive(Subcommand)]
pub(super) enum AdminCommand {
    /// Create an administrator; the password is asked for
    Create(AdminArgs),
    /// Keep an account from logging in; its sessions end at once
    Ban(BanArgs),
    /// Let a banned account log in again
    Unban(BanArgs),
}

#[derive(Args)]
pub(super) struct BanArgs {
    #[command(flatten)]
    common: CommonArgs,
    /// E-mail address of the account
    #[arg(long, value_name = "E-MAIL", value_parser = |text: &str| sentence(Email::parse(text)))]
    email: Email,
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
            Self::Ban(args) => ban(args, true).await,
            Self::Unban(args) => ban(args, false).await,
        }
    }
}

async fn create(args: AdminArgs) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let typed = if args.password_stdin {
        let mut line = String::new();
        std::io::stdin().lock().read_line(&mut line).map_err(|error| Failure::Run(error.to_string()))?;
        line.trim_end_matches(['\r', '\n']).to_owned()
    } else {
        rpassword::prompt_password("Password: ")
            .map_err(|error| Failure::Run(format!("cannot ask: {error}")))?
    };
    let password = sentence(Password::parse(&typed)).map_err(Failure::Usage)?;
    let wanted = Registration { email: args.email, nickname: args.nickname, password };
    let created = accounts::create(&*store, &Passwords::default(), wanted, Role::Admin, clock::now()).await;
    store.close().await;
    let user = created.map_err(|error| Failure::Run(error.to_string()))?;
    print(&format!("{} is an administrator\n", user.nickname.as_str()))
}

async fn ban(args: BanArgs, banned: bool) -> Result<(), Failure> {
    let store = open(&args.common.settings()?).await?;
    let found = store.ban(&args.email, banned, clock::now()).await;
    store.close().await;
    match found {
        Ok(true) if banned => print("the account is banned, its sessions have ended\n"),
        Ok(true) => print("the account may log in again\n"),
        Ok(false) => Err(Failure::Run(format!("there is no account {}", args.email.as_str()))),
        Err(error) => Err(Failure::Run(error.to_string())),
    }
}
