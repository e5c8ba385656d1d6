//! The settings of alerts that administrators change while the program runs. What the operator's flags, variables or file
//! set wins, and cannot be changed here.

use std::{collections::BTreeMap, sync::Arc, time::Duration};

use serde_json::{Map, Value, json};
use tokio::sync::{Mutex, watch};

use super::ServiceError;
use crate::{
    config::{Audience, Settings},
    domain::{
        Actor, Category, FieldError, Fields, Invalid, Naming, NicknameDisplay, Timestamp, Toasts,
        line::plain_text, listen_key::parse_display, notification::UNNAMED,
    },
    store::{AlertChange, AlertError, AlertStore, Deed, KeptAlerts, StoreError},
    telemetry::Outage,
};

const AUDIENCE: &str = "audience";
const DISPLAY: &str = "nicknameDisplay";
const UNNAMED_BUYER: &str = "unnamedBuyer";
const NEVER: &str = "neverAnnounceCategories";
const TOASTS: &str = "toasts";
/// Categories that are never told.
const MAX_NEVER: usize = 100;
/// How often the store is asked what is kept.
const INTERVAL: Duration = Duration::from_millis(500);

/// The settings in force.
#[derive(Clone, Debug, PartialEq)]
pub struct AlertSettings {
    /// Who receives alerts: sessions that connect from now on.
    pub audience: Audience,
    /// How buyers are called who have a name, from the next batch on.
    pub display: NicknameDisplay,
    /// What buyers are called who are not to be named.
    pub unnamed: String,
    /// Categories whose orders are never told, from the next order on.
    pub never: Vec<String>,
    /// How the widget shows them.
    pub toasts: Toasts,
}

impl AlertSettings {
    fn naming(&self) -> Naming {
        Naming { display: self.display, unnamed: self.unnamed.as_str().into() }
    }

    /// Each setting as it is kept and recorded.
    fn values(&self) -> [(&'static str, Value); 5] {
        [
            (AUDIENCE, json!(self.audience.name())),
            (DISPLAY, json!(self.display.name())),
            (UNNAMED_BUYER, json!(self.unnamed)),
            (NEVER, json!(self.never)),
            (TOASTS, json!(self.toasts)),
        ]
    }
}

/// What the operator set.
#[derive(Clone, Debug, Default)]
struct Fixed {
    audience: Option<Audience>,
    display: Option<NicknameDisplay>,
    unnamed: Option<String>,
}

impl Fixed {
    fn names(&self) -> Vec<&'static str> {
        let names = [
            (AUDIENCE, self.audience.is_some()),
            (DISPLAY, self.display.is_some()),
            (UNNAMED_BUYER, self.unnamed.is_some()),
        ];
        names.into_iter().filter(|(_, is_fixed)| *is_fixed).map(|(name, _)| name).collect()
    }

    /// What is in force. What is kept was checked when it was written; what this version does not know is left out.
    fn over(&self, kept: KeptAlerts) -> AlertSettings {
        let text = |name| kept.values.get(name).and_then(Value::as_str);
        let audience = text(AUDIENCE).and_then(|text| Audience::parse(text).ok());
        let display = text(DISPLAY).and_then(|text| parse_display(text).ok());
        let toasts = kept.values.get(TOASTS).and_then(|value| serde_json::from_value(value.clone()).ok());
        AlertSettings {
            audience: self.audience.or(audience).unwrap_or_default(),
            display: self.display.or(display).unwrap_or_default(),
            unnamed: self
                .unnamed
                .clone()
                .or(text(UNNAMED_BUYER).map(str::to_owned))
                .unwrap_or(UNNAMED.into()),
            toasts: toasts.unwrap_or_default(),
            never: kept.never,
        }
    }
}

/// What an administrator changes.
#[derive(Debug)]
pub struct AlertsPatch {
    audience: Option<Audience>,
    display: Option<NicknameDisplay>,
    unnamed: Option<String>,
    never: Option<Vec<Category>>,
    toasts: Option<Map<String, Value>>,
}

impl AlertsPatch {
    /// Reads `audience?, nicknameDisplay?, unnamedBuyer?, neverAnnounceCategories?, toasts?`.
    ///
    /// # Errors
    /// Fields that are not valid or not known. Those of `toasts` are looked at when they are put over the ones before.
    pub fn read(fields: Fields) -> Result<Self, ServiceError> {
        let read = (
            fields.optional(AUDIENCE, Audience::parse),
            fields.optional(DISPLAY, parse_display),
            fields.optional(UNNAMED_BUYER, |text| plain_text(text, 20)),
            categories(&fields),
            toasts(&fields),
            fields.only(&[AUDIENCE, DISPLAY, UNNAMED_BUYER, NEVER, TOASTS]),
        );
        let (audience, display, unnamed, never, toasts, ()) = fields.finish(read)?;
        Ok(Self { audience, display, unnamed, never, toasts })
    }

    fn names(&self) -> [(&'static str, bool); 3] {
        [
            (AUDIENCE, self.audience.is_some()),
            (DISPLAY, self.display.is_some()),
            (UNNAMED_BUYER, self.unnamed.is_some()),
        ]
    }
}

fn categories(fields: &Fields) -> Result<Option<Vec<Category>>, FieldError> {
    const BAD: Invalid = Invalid::new("invalid", "this is a list of up to 100 names of categories");
    let Some(given) = fields.raw(NEVER) else { return Ok(None) };
    let parse = |list: &Vec<Value>| {
        let one = |name: &Value| name.as_str().and_then(|name| Category::parse(name).ok());
        list.iter().map(one).collect::<Option<Vec<_>>>().filter(|list| list.len() <= MAX_NEVER)
    };
    given.as_array().and_then(parse).ok_or(BAD.in_field(NEVER)).map(Some)
}

fn toasts(fields: &Fields) -> Result<Option<Map<String, Value>>, FieldError> {
    const BAD: Invalid = Invalid::new("invalid", "this is an object");
    let Some(given) = fields.raw(TOASTS) else { return Ok(None) };
    given.as_object().cloned().map(Some).ok_or(BAD.in_field(TOASTS))
}

/// The use cases of the settings of alerts.
pub struct Alerts {
    store: Arc<dyn AlertStore>,
    fixed: Fixed,
    current: watch::Sender<Arc<AlertSettings>>,
    naming: watch::Sender<Naming>,
    /// One change at a time: each is put over the one before.
    changing: Mutex<()>,
    /// One refresh at a time: what was read before a change must not be put in after.
    refreshing: Mutex<()>,
}

impl Alerts {
    /// Over a store, with what it keeps and what the operator set.
    ///
    /// # Errors
    /// The store failed.
    pub async fn open(store: Arc<dyn AlertStore>, settings: &Settings) -> Result<Self, StoreError> {
        let fixed = Fixed {
            audience: settings.audience,
            display: settings.nickname_display,
            unnamed: settings.unnamed_buyer.clone(),
        };
        let current = fixed.over(store.kept_alerts().await?);
        let naming = watch::Sender::new(current.naming());
        Ok(Self {
            store,
            fixed,
            current: watch::Sender::new(Arc::new(current)),
            naming,
            changing: Mutex::default(),
            refreshing: Mutex::default(),
        })
    }

    /// The settings in force.
    #[must_use]
    pub fn current(&self) -> Arc<AlertSettings> {
        Arc::clone(&self.current.borrow())
    }

    /// Who receives alerts.
    #[must_use]
    pub fn audience(&self) -> Audience {
        self.current.borrow().audience
    }

    /// What buyers are called, now and whenever that changes.
    #[must_use]
    pub fn naming(&self) -> watch::Receiver<Naming> {
        self.naming.subscribe()
    }

    /// The names of the settings that the operator set, which cannot be changed here.
    #[must_use]
    pub fn fixed(&self) -> Vec<&'static str> {
        self.fixed.names()
    }

    /// Changes settings.
    ///
    /// # Errors
    /// A setting that the operator set; toasts that are not valid; someone who is no administrator any more.
    pub async fn change(
        &self,
        patch: AlertsPatch,
        by: Actor,
        now: Timestamp,
    ) -> Result<Arc<AlertSettings>, ServiceError> {
        const FIXED: Invalid = Invalid::new("fixed", "the operator of the program has set this");
        let fixed = self.fixed();
        let named = patch.names().into_iter().filter(|(name, given)| *given && fixed.contains(name));
        let refused: Vec<_> = named.map(|(name, _)| FIXED.in_field(name)).collect();
        if !refused.is_empty() {
            return Err(refused.into());
        }
        let _one_at_a_time = self.changing.lock().await;
        let before = self.refresh().await?;
        let toasts = patch.toasts.map(|toasts| before.toasts.changed(Fields::new(toasts))).transpose()?;
        let never = patch.never.map(each_once);
        let names = |never: &Vec<Category>| never.iter().map(|name| name.as_str().to_owned()).collect();
        let after = AlertSettings {
            audience: patch.audience.unwrap_or(before.audience),
            display: patch.display.unwrap_or(before.display),
            unnamed: patch.unnamed.unwrap_or_else(|| before.unnamed.clone()),
            never: never.as_ref().map_or_else(|| before.never.clone(), names),
            toasts: toasts.unwrap_or_else(|| before.toasts.clone()),
        };
        let (values, details) = differences(&before, &after);
        if details.is_empty() {
            return Ok(before);
        }
        let deed = Deed {
            action: "alerts.change",
            subject: "alerts".to_owned(),
            details: json!({ "changes": details }),
        };
        self.store.change_alerts(AlertChange { values, never, deed }, Some(by), now).await?;
        Ok(self.refresh().await?)
    }

    /// Keeps up with what is in the store, until it is dropped: a request that ends early, or a store that fails for a
    /// moment, must not leave other settings in force than those that are kept.
    pub async fn follow(self: Arc<Self>) {
        let outage = Outage::new("the settings of alerts cannot be read");
        loop {
            tokio::time::sleep(INTERVAL).await;
            outage.note(&self.refresh().await);
        }
    }

    /// Puts into force what is kept.
    async fn refresh(&self) -> Result<Arc<AlertSettings>, StoreError> {
        let _one_at_a_time = self.refreshing.lock().await;
        let kept = self.fixed.over(self.store.kept_alerts().await?);
        let current = self.current();
        if *current == kept {
            return Ok(current);
        }
        let kept = Arc::new(kept);
        self.naming.send_replace(kept.naming());
        self.current.send_replace(Arc::clone(&kept));
        Ok(kept)
    }
}

/// Categories as they are kept: in the order of their keys, and each once, in its first spelling.
fn each_once(mut categories: Vec<Category>) -> Vec<Category> {
    categories.sort_by_cached_key(Category::key);
    categories.dedup_by_key(|category| category.key());
    categories
}

/// What is another now: the values to keep, and each with what it was and is. Categories are kept in a table of their own.
fn differences(
    before: &AlertSettings,
    after: &AlertSettings,
) -> (BTreeMap<&'static str, Value>, Map<String, Value>) {
    let (mut values, mut details) = (BTreeMap::new(), Map::new());
    for ((name, was), (_, is)) in before.values().into_iter().zip(after.values()) {
        if was != is {
            details.insert(name.to_owned(), json!([was, is]));
            if name != NEVER {
                values.insert(name, is);
            }
        }
    }
    (values, details)
}

impl From<AlertError> for ServiceError {
    fn from(error: AlertError) -> Self {
        match error {
            AlertError::Denied(denied) => Self::Denied(denied),
            AlertError::Store(error) => Self::Store(error),
        }
    }
}
