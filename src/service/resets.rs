//! A forgotten password: a link by mail, with which a new one is chosen. Whether there is an account nobody learns from an
//! answer, nor from how long it took: what differs happens after it.

use std::{
    hash::{DefaultHasher, Hash as _, Hasher as _},
    net::IpAddr,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{ServiceError, accounts::Accounts};
use crate::{
    domain::{Email, Fields, Invalid, Language, Password, SessionSecret, Timestamp},
    limits::{Rates, network},
    mail::{Letter, Mailer},
    store::{Store, StoreError},
};

/// How long a link holds.
const LIFE: Duration = Duration::from_hours(1);
/// Letters that a network may ask for in ten minutes, and twice as many at once.
const OF_NETWORK: (u32, Duration, u8) = (5, Duration::from_mins(10), 2);
/// Letters to an address, one in twenty minutes, and three at once.
const OF_ADDRESS: (u32, Duration, u8) = (1, Duration::from_mins(20), 3);
/// Links that a network may try in a minute, and three times as many at once. None can be guessed: each costs a look at the
/// database.
const TRIES: (u32, Duration, u8) = (10, Duration::from_mins(1), 3);

/// How mail goes out, and what links begin with.
#[derive(Debug)]
pub struct Way {
    /// The way out.
    pub mailer: Arc<Mailer>,
    /// `https://shop.example`
    pub public_url: String,
}

/// Gives accounts new passwords.
pub struct Resets {
    store: Arc<dyn Store>,
    accounts: Arc<Accounts>,
    way: Option<Arc<Way>>,
    networks: Rates<IpAddr>,
    addresses: Rates<u64>,
    tries: Rates<IpAddr>,
}

/// What someone types who has a link.
pub struct NewPassword {
    secret: Option<SessionSecret>,
    password: Password,
}

impl NewPassword {
    /// Reads `token, password`.
    ///
    /// # Errors
    /// A field that is missing, a password that cannot be one.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let secret = fields.required("token", |text| Ok(SessionSecret::parse(text)));
        let password = fields.required("password", Password::parse);
        let (secret, password) = fields.finish((secret, password))?;
        Ok(Self { secret, password })
    }
}

/// Reads who wants a new password: `email`.
///
/// # Errors
/// What is no address.
pub fn read_address(fields: &Fields) -> Result<Email, ServiceError> {
    Ok(fields.required("email", Email::parse)?)
}

impl Resets {
    /// Over a store; without a way for mail everything is refused.
    #[must_use]
    pub fn new(store: Arc<dyn Store>, accounts: Arc<Accounts>, way: Option<Way>) -> Self {
        Self {
            store,
            accounts,
            way: way.map(Arc::new),
            networks: rates(OF_NETWORK),
            addresses: rates(OF_ADDRESS),
            tries: rates(TRIES),
        }
    }

    fn way(&self) -> Result<&Arc<Way>, ServiceError> {
        self.way.as_ref().ok_or(ServiceError::MailNotConfigured)
    }

    /// Takes the wish for a link. Returns before anything of the account is known.
    ///
    /// # Errors
    /// [`ServiceError::MailNotConfigured`], [`ServiceError::TooManyResets`] for a network or an address,
    /// [`ServiceError::Busy`] when too many letters wait.
    pub fn ask(
        &self,
        email: Email,
        address: IpAddr,
        language: Language,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        let way = Arc::clone(self.way()?);
        let late = ServiceError::TooManyResets;
        self.networks.take(network(address), Instant::now()).map_err(late)?;
        self.addresses.take(mark(&email), Instant::now()).map_err(late)?;
        let place = way.mailer.place().ok_or(ServiceError::Busy("mail"))?;
        let store = Arc::clone(&self.store);
        // As many of these as there are places.
        tokio::spawn(async move {
            match letter(&*store, &way, &email, language, now).await {
                Ok(Some(letter)) => way.mailer.send(&letter, place).await,
                Ok(None) => {}
                Err(error) => tracing::warn!(%error, "a link to a new password was not made"),
            }
        });
        Ok(())
    }

    /// Gives the account of a link a new password, which ends all of its log-ins.
    ///
    /// # Errors
    /// A link that does not hold, or no longer; [`ServiceError::MailNotConfigured`], [`ServiceError::TooManyResets`], too much
    /// work.
    pub async fn confirm(
        &self,
        new: NewPassword,
        address: IpAddr,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        const DEAD: Invalid =
            Invalid::new("invalid", "this link does not hold, or no longer: ask for another");
        self.way()?;
        self.tries.take(network(address), Instant::now()).map_err(ServiceError::TooManyResets)?;
        let dead = || ServiceError::from(DEAD.in_field("token"));
        let id = new.secret.ok_or_else(dead)?.id();
        // A hash costs a thousand times as much as this look.
        if !self.store.has_reset(id, now).await? {
            return Err(dead());
        }
        let password = self.accounts.hash(address, new.password).await?;
        self.store.reset_password(id, password, now).await?.map(drop).ok_or_else(dead)
    }
}

fn rates<K: Copy + Eq + std::hash::Hash>((count, time, burst): (u32, Duration, u8)) -> Rates<K> {
    Rates::new(count, time, burst)
}

/// An address as a rate knows it: no address stays in memory.
fn mark(email: &Email) -> u64 {
    let mut hasher = DefaultHasher::new();
    email.key().hash(&mut hasher);
    hasher.finish()
}

/// The letter to the account that has an address; `None` when there is none.
async fn letter(
    store: &dyn Store,
    way: &Way,
    email: &Email,
    language: Language,
    now: Timestamp,
) -> Result<Option<Letter>, StoreError> {
    let Some((user, _)) = store.user_by_login(email.as_str()).await? else { return Ok(None) };
    let secret = SessionSecret::from_random(rand::random());
    store.keep_reset(secret.id(), user.user_id, now, now.plus(LIFE)).await?;
    // In the fragment, which browsers send to no server: it is in no log on the way, and no Referer.
    let link = format!("{}/reset.html#token={}", way.public_url, secret.reveal());
    Ok(Some(Letter { to: user.email, subject: subject(language, way), text: text(language, way, &link) }))
}

fn host(way: &Way) -> &str {
    way.public_url.split_once("://").map_or(&*way.public_url, |(_, host)| host)
}

fn subject(language: Language, way: &Way) -> String {
    let host = host(way);
    match language {
        Language::English => format!("A new password for {host}"),
        Language::Korean => format!("{host} 비밀번호 재설정"),
    }
}

fn text(language: Language, way: &Way, link: &str) -> String {
    let site = &way.public_url;
    match language {
        Language::English => format!(
            "Someone, most likely you, asked for a new password for your account at\n{site}\n\n\
             Choose it here within an hour:\n{link}\n\n\
             If it was not you, there is nothing to do: your password stays as it is.\n"
        ),
        Language::Korean => format!(
            "회원님의 계정에 대한 비밀번호 재설정 요청이 있었습니다.\n{site}\n\n\
             한 시간 안에 아래 링크에서 새 비밀번호를 정해 주세요.\n{link}\n\n\
             직접 요청하지 않으셨다면 이 메일을 무시하셔도 됩니다. 비밀번호는 그대로 유지됩니다.\n"
        ),
    }
}
