//! Goods in bulk: a table is read line by line, good lines count and bad ones are named. Lines go through the writer as single
//! writes of which few wait at a time, so that orders commit between them.
//!
//! An import that is cut short has done its first lines; done again it does the rest.

pub mod table;

use std::{collections::HashSet, sync::Arc};

use futures_util::{StreamExt as _, stream};
use tokio::sync::Semaphore;

use self::table::{Format, Row, rows};
use super::{ServiceError, catalog};
use crate::{
    domain::{
        Actor, Currency, FieldError, Fields, Goods, GoodsKey, GoodsPatch, Invalid, Sku, Timestamp,
        fields::ReadFields as _, goods::parse_chosen_id,
    },
    store::{CatalogError, ImportStore, Imported},
};

/// Lines that are written at a time: enough to share a commit, few enough that an order between them does not wait for long.
const AT_ONCE: usize = 16;
/// Lines that a report names: those that were refused, and in a dry run the first of all.
const NAMED: usize = 1000;

/// What is asked for.
#[derive(Clone, Copy, Debug)]
pub struct Task {
    /// How the table is written.
    pub format: Format,
    /// Nothing is changed; the report says what would be.
    pub dry_run: bool,
    /// Who asks; `None` is the program itself.
    pub by: Option<Actor>,
    /// When.
    pub at: Timestamp,
}

/// What became of a line, or would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// There are goods that there were not.
    Created,
    /// Goods before and after.
    Updated(Box<(Goods, Goods)>),
    /// Everything was as the line says.
    Unchanged,
    /// It says what goods cannot be.
    Refused(Vec<FieldError>),
}

impl Outcome {
    /// What it is called.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Updated(_) => "updated",
            Self::Unchanged => "unchanged",
            Self::Refused(_) => "refused",
        }
    }
}

/// A line.
#[derive(Clone, Debug)]
pub struct Line {
    /// Its number in the file, from 1.
    pub number: u64,
    /// What its goods are known by, if it can be read.
    pub key: Option<GoodsKey>,
    /// What its goods are called, if it says so or they are known.
    pub name: Option<String>,
    /// What became of it.
    pub outcome: Outcome,
}

/// What became of a table.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// Goods that were made.
    pub created: u64,
    /// Goods that were changed.
    pub updated: u64,
    /// Goods that were as their line says.
    pub unchanged: u64,
    /// Lines that were refused, and why; of very many the first.
    pub refused: Vec<(u64, Vec<FieldError>)>,
    /// How many were refused, all counted.
    pub refusals: u64,
    /// The first lines, of a dry run.
    pub lines: Vec<Line>,
}

/// Brings goods in.
pub struct Import {
    store: Arc<dyn ImportStore>,
    currency: Currency,
    /// Of the one that is under way.
    turn: Semaphore,
}

impl Import {
    /// Into a store, with prices in `currency` where a line says no other.
    #[must_use]
    pub fn new(store: Arc<dyn ImportStore>, currency: Currency) -> Self {
        Self { store, currency, turn: Semaphore::new(1) }
    }

    /// Does what a table says. `progress` hears how many bytes of it were done.
    ///
    /// # Errors
    /// A header row that cannot be used, another import under way, someone who is no administrator any more, a store that
    /// failed: what was done until then stays.
    pub async fn run(
        &self,
        table: &str,
        task: Task,
        mut progress: impl FnMut(usize),
    ) -> Result<Report, ServiceError> {
        let _turn = self.turn.try_acquire().map_err(|_| ServiceError::Busy("an import is under way"))?;
        let (mut report, mut seen) = (Report::default(), HashSet::new());
        let wanted = rows(table, task.format)?.map(|row| {
            let begins = row.begins;
            (begins, row.line, self.wanted(row, &mut seen))
        });
        let mut done = stream::iter(wanted)
            .map(|(begins, number, wanted)| async move { (begins, self.line(number, wanted, task).await) })
            .buffered(AT_ONCE);
        while let Some((begins, line)) = done.next().await {
            report.add(line?, task.dry_run);
            progress(begins);
        }
        progress(table.len());
        Ok(report)
    }

    /// What a line asks for. Goods that a line before it was about are refused: which of the two is meant?
    fn wanted(&self, row: Row, seen: &mut HashSet<GoodsKey>) -> Result<Wanted, Vec<FieldError>> {
        const TWICE: Invalid = Invalid::new("duplicate", "a line before it is about the same goods");
        let wanted = Wanted::read(row.fields?, self.currency)?;
        let field = if matches!(wanted.key, GoodsKey::Sku(_)) { "sku" } else { "goodsId" };
        if seen.insert(wanted.key.clone()) { Ok(wanted) } else { Err(vec![TWICE.in_field(field)]) }
    }

    async fn line(
        &self,
        number: u64,
        wanted: Result<Wanted, Vec<FieldError>>,
        task: Task,
    ) -> Result<Line, ServiceError> {
        let Wanted { key, patch, lacking } = match wanted {
            Ok(wanted) => wanted,
            Err(errors) => {
                return Ok(Line { number, key: None, name: None, outcome: Outcome::Refused(errors) });
            }
        };
        let said = patch.name.as_ref().map(|name| name.as_str().to_owned());
        let done = if task.dry_run {
            self.store.foresee_import(key.clone(), patch, task.at).await
        } else {
            self.store.import_goods(key.clone(), patch, task.by, task.at).await
        };
        let (known, outcome) = match done {
            Ok(Imported::Created) => (None, Outcome::Created),
            Ok(Imported::Updated(change)) => (Some(change.1.name.clone()), Outcome::Updated(change)),
            Ok(Imported::Unchanged(name)) => (Some(name), Outcome::Unchanged),
            Err(error) => (None, Outcome::Refused(refusal(error, lacking)?)),
        };
        let name = known.map(|name| name.as_str().to_owned()).or(said);
        Ok(Line { number, key: Some(key), name, outcome })
    }
}

/// What is wrong with a line that the store refused.
fn refusal(error: CatalogError, lacking: Option<Vec<FieldError>>) -> Result<Vec<FieldError>, ServiceError> {
    const GONE: Invalid = Invalid::new("goods_exists", "this number belonged to other goods");
    match (error, lacking) {
        (CatalogError::Incomplete, Some(lacking)) => Ok(lacking),
        (CatalogError::GoodsExist, _) => Ok(vec![GONE.in_field("goodsId")]),
        (error, _) => match error.into() {
            ServiceError::Validation(errors) => Ok(errors),
            error => Err(error),
        },
    }
}

/// What a line asks for.
struct Wanted {
    key: GoodsKey,
    patch: GoodsPatch,
    /// What it lacks, should there be no such goods.
    lacking: Option<Vec<FieldError>>,
}

impl Wanted {
    fn read(fields: Fields, shop: Currency) -> Result<Self, Vec<FieldError>> {
        const KEYLESS: Invalid = Invalid::new("required", "goods are known by a sku or a goodsId");
        const BAD: Invalid = Invalid::new("invalid", "a currency is a code of ISO 4217");
        let currency = fields.optional("currency", |text| text.parse::<Currency>().map_err(|_| BAD));
        let sku = fields.optional("sku", Sku::parse);
        let goods_id = fields.optional("goodsId", parse_chosen_id);
        let (patch, lacking) = match &currency {
            Ok(currency) => {
                let read = |is_new| catalog::read(&fields, currency.unwrap_or(shop), is_new);
                (read(false), read(true).err())
            }
            Err(_) => (Ok(GoodsPatch::default()), None),
        };
        // What is wrong with the sku is said once.
        let patch = patch
            .map_err(|errors| errors.into_iter().filter(|error| error.field != "sku").collect::<Vec<_>>());
        let (_, sku, goods_id, patch) = (currency, sku, goods_id, patch).gather()?;
        let key = match (sku, goods_id) {
            (Some(sku), _) => GoodsKey::Sku(sku),
            (None, Some(id)) => GoodsKey::Id(id),
            (None, None) => return Err(vec![KEYLESS.in_field("sku")]),
        };
        Ok(Self { key, patch: GoodsPatch { sku: None, ..patch }, lacking })
    }
}

impl Report {
    fn add(&mut self, line: Line, is_dry: bool) {
        match &line.outcome {
            Outcome::Created => self.created += 1,
            Outcome::Updated(_) => self.updated += 1,
            Outcome::Unchanged => self.unchanged += 1,
            Outcome::Refused(errors) => {
                self.refusals += 1;
                if self.refused.len() < NAMED {
                    self.refused.push((line.number, errors.clone()));
                }
            }
        }
        if is_dry && self.lines.len() < NAMED {
            self.lines.push(line);
        }
    }
}
