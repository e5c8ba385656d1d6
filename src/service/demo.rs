//! The sample shop of `--demo`: a catalog, one shopper and one administrator with passwords of their own, for an
//! empty database only.

use serde::Deserialize;

use super::{ServiceError, account_forms::Registration, accounts::Accounts};
use crate::{
    domain::{
        About, Category, Currency, Email, GoodsName, Invalid, NewGoods, Nickname, Password, Price, Role,
        ThumbnailUrl, Timestamp, goods::parse_price,
    },
    store::Store,
};

const CATALOG: &str = include_str!("demo.json");
/// No letters or digits that look alike in a terminal.
const ALPHABET: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
/// 16 of 32 letters are 80 bits.
const PASSWORD_LETTERS: usize = 16;

/// Goods as `demo.json` describes them.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Sample {
    name: String,
    thumbnail_url: String,
    category: String,
    price: f64,
    stock: Option<i64>,
}

/// How to log in to an account of the demo. Only ever printed to the terminal that asked for it.
#[derive(Clone)]
pub struct DemoAccount {
    /// Its e-mail address.
    pub email: String,
    /// Its password, made for this database.
    pub password: String,
}

/// The accounts of the demo.
#[derive(Clone)]
pub struct Demo {
    /// One who buys.
    pub shopper: DemoAccount,
    /// One who changes the catalog.
    pub admin: DemoAccount,
}

/// Fills an empty database; `None` when it is not empty.
///
/// # Errors
/// The store failed, or the sample is broken.
pub async fn fill(
    store: &dyn Store,
    accounts: &Accounts,
    currency: Currency,
    now: Timestamp,
) -> Result<Option<Demo>, ServiceError> {
    if !store.is_empty().await? {
        return Ok(None);
    }
    for goods in catalog(currency)? {
        store.create_goods(goods, None, now).await?;
    }
    let shopper = open_account(accounts, "kim", Role::Member, now).await?;
    let admin = open_account(accounts, "shopkeeper", Role::Admin, now).await?;
    Ok(Some(Demo { shopper, admin }))
}

/// The addresses of the sample goods' pictures.
#[must_use]
pub fn pictures() -> Vec<String> {
    let samples: Vec<Sample> = serde_json::from_str(CATALOG).unwrap_or_default();
    samples.into_iter().map(|sample| sample.thumbnail_url).collect()
}

async fn open_account(
    accounts: &Accounts,
    nickname: &str,
    role: Role,
    now: Timestamp,
) -> Result<DemoAccount, ServiceError> {
    let email = format!("{nickname}@example.com");
    let password: String = rand::random::<[u8; PASSWORD_LETTERS]>()
        .iter()
        .map(|byte| char::from(ALPHABET[usize::from(byte % 32)]))
        .collect();
    let wanted = Registration {
        email: Email::parse(&email).map_err(broken)?,
        nickname: Nickname::parse(nickname).map_err(broken)?,
        password: Password::parse(&password).map_err(broken)?,
    };
    accounts.register(wanted, role, now).await?;
    Ok(DemoAccount { email, password })
}

fn catalog(currency: Currency) -> Result<Vec<NewGoods>, ServiceError> {
    let samples: Vec<Sample> = serde_json::from_str(CATALOG)
        .map_err(|error| ServiceError::internal("demo.json cannot be read", error))?;
    samples.into_iter().map(|sample| goods(sample, currency).map_err(broken)).collect()
}

fn goods(sample: Sample, currency: Currency) -> Result<NewGoods, Invalid> {
    Ok(NewGoods {
        goods_id: None,
        name: GoodsName::parse(&sample.name)?,
        thumbnail_url: ThumbnailUrl::parse_url(&sample.thumbnail_url)?,
        category: Category::parse(&sample.category)?,
        price: rounded(sample.price, currency)?,
        stock: sample.stock,
        about: About::default(),
    })
}

/// The samples have cents; a currency may have none.
fn rounded(price: f64, currency: Currency) -> Result<Price, Invalid> {
    parse_price(&format!("{price:.*}", usize::from(currency.decimals())), currency)
}

fn broken(invalid: Invalid) -> ServiceError {
    ServiceError::internal("the demo is broken", invalid.message)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_sample_catalog_is_sellable_in_any_currency() {
        for code in ["USD", "KRW", "KWD"] {
            let goods = catalog(code.parse().unwrap()).unwrap();
            assert!(goods.len() >= 2);
        }
        assert_eq!(rounded(6.2, "USD".parse().unwrap()).unwrap().minor, 620);
        assert_eq!(rounded(6.5, "KRW".parse().unwrap()).unwrap().minor, 6);
    }
}
