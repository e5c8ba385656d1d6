//! The forms of stored text that SQL cannot compute (`domain::text`): filled in after the migrations, and again when the rules
//! have changed. One transaction: a start that is cut short changes nothing, and the next one begins again.
//!
//! Accounts that were different and are the same by the rules are never merged. The older one keeps the name or the address.
//! The newer one stays as it is and can log in, a nickname by the way until it changes it: its key is one that no new name
//! has. Each such pair is reported.

use std::collections::HashMap;

use super::{conn::Conn, listing, statement};
use crate::domain::{Category, Email, GoodsId, GoodsName, Nickname, text::nfc};

/// Counts the changes of the rules, and of the version of Unicode in the crates behind them.
const RULES: u32 = 3;

/// Two accounts that are one by the rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Collision {
    /// `e-mail address` or `nickname`.
    pub(super) what: &'static str,
    /// The account that keeps it.
    pub(super) older: i64,
    /// The account that is to change it.
    pub(super) newer: i64,
}

impl std::fmt::Display for Collision {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let Self { what, older, newer } = self;
        write!(
            f,
            "accounts {older} and {newer} have the same {what} without regard to case, form and look-alikes: "
        )?;
        match *what {
            "nickname" => write!(f, "account {newer} keeps it until it is renamed with PATCH /api/users/me"),
            _ => write!(
                f,
                "account {newer} logs in with exactly the address that it registered with, account {older} with all others"
            ),
        }
    }
}

/// The key of an account whose address is another's, or no address by the rules: what was typed, in lower case, as keys were
/// before. No address begins so: a colon would have to be quoted.
pub(super) fn old_key(typed: &str) -> String {
    format!("old:{}", typed.trim().to_lowercase())
}

/// Fills in what the rules demand. Returns the accounts that collide.
pub(super) async fn apply_rules(conn: &mut Conn) -> Result<Vec<Collision>, sqlx::Error> {
    conn.begin_writing().await?;
    let done = apply(conn).await;
    let ended = conn.script(if done.is_ok() { "commit" } else { "rollback" }).await;
    // The first cause counts: SQLite may have rolled back all by itself, and then there is nothing to roll back.
    let collisions = done?;
    ended.map(|()| collisions)
}

async fn apply(conn: &mut Conn) -> Result<Vec<Collision>, sqlx::Error> {
    let applied: Option<String> =
        statement::query_scalar("select value from settings where key = 'text_rules'")
            .fetch_optional(&mut *conn)
            .await?;
    // A node of a newer version may have been here, whose rules hold.
    if applied.and_then(|rules| rules.parse::<u32>().ok()).is_some_and(|rules| rules >= RULES) {
        return Ok(Vec::new());
    }
    let collisions = accounts(conn).await?;
    categories(conn).await?;
    names(conn).await?;
    statement::query(
        "insert into settings (key, value)
         values ('text_rules', $1)
         on conflict (key) do update set value = excluded.value",
    )
    .bind(RULES.to_string())
    .execute(conn)
    .await?;
    Ok(collisions)
}

/// Who has which form, the oldest account first.
#[derive(Default)]
struct Taken(HashMap<String, i64>);

impl Taken {
    /// Takes a form for an account; whose it is already, if it is.
    fn take(&mut self, form: &str, account: i64) -> Option<i64> {
        let owner = *self.0.entry(form.to_owned()).or_insert(account);
        (owner != account).then_some(owner)
    }
}

async fn accounts(conn: &mut Conn) -> Result<Vec<Collision>, sqlx::Error> {
    let accounts: Vec<(i64, String, String)> = statement::query_as::<(i64, String, String)>(
        "select user_id, email, nickname from users where erased_at is null order by user_id",
    )
    .fetch_all(&mut *conn)
    .await?;
    // No new key may meet an old one that is about to change.
    statement::query(
        "update users
         set email_key = 'new:' || user_id, nickname_key = 'new:' || user_id, nickname_look = null
         where erased_at is null",
    )
    .execute(&mut *conn)
    .await?;
    let (mut emails, mut keys, mut looks) = (Taken::default(), Taken::default(), Taken::default());
    let mut collisions = Vec::new();
    for (newer, typed, nickname) in accounts {
        let parsed = Email::parse(&typed).ok();
        let owner = parsed.as_ref().and_then(|email| emails.take(&email.key(), newer));
        collisions.extend(owner.map(|older| Collision { what: "e-mail address", older, newer }));
        let (email, email_key) = match parsed.filter(|_| owner.is_none()) {
            Some(email) => (email.as_str().to_owned(), email.key()),
            None => (typed.clone(), old_key(&typed)),
        };
        let nickname = Nickname::trusted(nickname);
        let (key, look) = (nickname.key(), nickname.look());
        let owner = keys.take(&key, newer).or(looks.take(&look, newer));
        collisions.extend(owner.map(|older| Collision { what: "nickname", older, newer }));
        // A name of invisible characters has an empty form; no name that is valid now has `#` in it.
        let (key, look) = match owner.is_none() && !key.is_empty() {
            true => (key, Some(look)),
            false => (format!("{key}#{newer}"), None),
        };
        statement::query("update users set email = $1, email_key = $2, nickname_key = $3, nickname_look = $4 where user_id = $5")
            .bind(email)
            .bind(email_key)
            .bind(key)
            .bind(look)
            .bind(newer)
            .execute(&mut *conn)
            .await?;
    }
    Ok(collisions)
}

/// All goods of a category get the spelling of the oldest. Those that are never told are known by the new keys, too.
async fn categories(conn: &mut Conn) -> Result<(), sqlx::Error> {
    let spellings: Vec<String> =
        statement::query_scalar("select category from goods group by category order by min(goods_id)")
            .fetch_all(&mut *conn)
            .await?;
    statement::query("delete from categories").execute(&mut *conn).await?;
    for spelling in spellings {
        let key = Category::trusted(spelling.clone()).key();
        statement::query("insert into categories (key, name) values ($1, $2) on conflict (key) do nothing")
            .bind(&key)
            .bind(nfc(&spelling))
            .execute(&mut *conn)
            .await?;
        statement::query(
            "update goods
             set category = categories.name
             from categories
             where categories.key = $1 and goods.category = $2 and categories.name <> $2",
        )
        .bind(&key)
        .bind(&spelling)
        .execute(&mut *conn)
        .await?;
    }
    silent_categories(conn).await
}

async fn silent_categories(conn: &mut Conn) -> Result<(), sqlx::Error> {
    let names: Vec<String> = statement::query_scalar("select name from silent_categories order by key")
        .fetch_all(&mut *conn)
        .await?;
    statement::query("delete from silent_categories").execute(&mut *conn).await?;
    for name in names {
        statement::query(
            "insert into silent_categories (key, name) values ($1, $2) on conflict (key) do nothing",
        )
        .bind(Category::trusted(name.clone()).key())
        .bind(name)
        .execute(&mut *conn)
        .await?;
    }
    Ok(())
}

async fn names(conn: &mut Conn) -> Result<(), sqlx::Error> {
    let goods: Vec<(i64, String)> = statement::query_as::<(i64, String)>("select goods_id, name from goods")
        .fetch_all(&mut *conn)
        .await?;
    statement::query("delete from goods_names").execute(&mut *conn).await?;
    for (id, name) in goods {
        let normalized = nfc(&name);
        if normalized != name {
            statement::query("update goods set name = $1 where goods_id = $2")
                .bind(normalized)
                .bind(id)
                .execute(&mut *conn)
                .await?;
        }
        listing::keep_name(&mut *conn, GoodsId(id), &GoodsName::trusted(name)).await?;
    }
    names_of_old(conn).await
}

/// What goods were called when they were ordered, and what they are called now.
async fn names_of_old(conn: &mut Conn) -> Result<(), sqlx::Error> {
    let names: Vec<(i64, String)> = statement::query_as::<(i64, String)>(
        "select goods_id, name from goods union select goods_id, name from order_items",
    )
    .fetch_all(&mut *conn)
    .await?;
    for (id, name) in names {
        statement::query("insert into goods_names (goods_id, form) values ($1, $2) on conflict (goods_id, form) do nothing")
            .bind(id)
            .bind(GoodsName::trusted(name).search_form().into_bytes())
            .execute(&mut *conn)
            .await?;
    }
    Ok(())
}
