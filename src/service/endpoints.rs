//! Endpoints: who else is told news. What is sent to them is `webhooks`' business.

use std::{sync::Arc, time::Duration};

use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{Page, ServiceError};
use crate::{
    domain::{
        Actor, Attempt, Delivery, DeliveryId, DeliveryStatus, Endpoint, EndpointId, EndpointPatch,
        EndpointSecret, EndpointUrl, FieldError, Fields, Invalid, NewEndpoint, Place, Timestamp, Topics,
        fields::flag,
    },
    store::{EndpointError, Store},
};

/// How long the secret before signs, too, after a rotation.
pub const OLD_SECRET_HOLDS: Duration = Duration::from_hours(24);

/// The use cases of endpoints. `by` is the administrator; `None` is the command line.
pub struct Endpoints {
    store: Arc<dyn Store>,
}

impl Endpoints {
    /// Over a store.
    #[must_use]
    pub fn new(store: Arc<dyn Store>) -> Self {
        Self { store }
    }

    /// Lists all, the oldest first.
    ///
    /// # Errors
    /// The store failed.
    pub async fn list(&self) -> Result<Vec<Endpoint>, ServiceError> {
        Ok(self.store.endpoints().await?)
    }

    /// Finds one.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn get(&self, id: EndpointId) -> Result<Endpoint, ServiceError> {
        self.store.endpoint(id).await?.ok_or(ServiceError::NotFound)
    }

    /// Makes one that is told what happens from now on, with a secret of its own.
    ///
    /// # Errors
    /// There are as many as there may be, someone who is no administrator any more, the store failed.
    pub async fn create(
        &self,
        by: Option<Actor>,
        url: EndpointUrl,
        topics: Topics,
        now: Timestamp,
    ) -> Result<Endpoint, ServiceError> {
        let endpoint = NewEndpoint { url, topics, secret: fresh_secret() };
        Ok(self.store.create_endpoint(endpoint, by, now).await?)
    }

    /// Changes one: where it is, what it is told, whether it is told anything.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`], someone who is no administrator any more, the store failed.
    pub async fn change(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        patch: EndpointPatch,
        now: Timestamp,
    ) -> Result<Endpoint, ServiceError> {
        Ok(self.store.change_endpoint(id, patch, by, now).await?)
    }

    /// Gives one another secret; the one before signs, too, for [`OLD_SECRET_HOLDS`].
    ///
    /// # Errors
    /// As [`Endpoints::change`].
    pub async fn rotate(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        now: Timestamp,
    ) -> Result<Endpoint, ServiceError> {
        let until = now.plus(OLD_SECRET_HOLDS);
        Ok(self.store.rotate_endpoint(id, fresh_secret(), until, by, now).await?)
    }

    /// Removes one, with its deliveries.
    ///
    /// # Errors
    /// As [`Endpoints::change`].
    pub async fn remove(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        now: Timestamp,
    ) -> Result<(), ServiceError> {
        Ok(self.store.remove_endpoint(id, by, now).await?)
    }

    /// Tells one everything again that happened at or after a moment, as far as the log reaches.
    ///
    /// # Errors
    /// As [`Endpoints::change`].
    pub async fn replay(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        since: Timestamp,
        now: Timestamp,
    ) -> Result<Place, ServiceError> {
        Ok(self.store.replay(id, since, by, now).await?)
    }

    /// Sends a test as soon as may be, once.
    ///
    /// # Errors
    /// As [`Endpoints::change`], and [`ServiceError::EndpointDisabled`].
    pub async fn test(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        now: Timestamp,
    ) -> Result<Delivery, ServiceError> {
        let message = format!("test_{:032x}", rand::random::<u128>());
        Ok(self.store.test_endpoint(id, message, by, now).await?)
    }

    /// Lists deliveries below an id, newest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn deliveries(
        &self,
        id: EndpointId,
        status: Option<DeliveryStatus>,
        before: Option<DeliveryId>,
        limit: u32,
    ) -> Result<Page<Delivery, DeliveryId>, ServiceError> {
        self.get(id).await?;
        let found = self.store.deliveries(id, status, before, limit.saturating_add(1)).await?;
        Ok(Page::cut(found, limit, |delivery| delivery.delivery_id))
    }

    /// Finds a delivery and its attempts, oldest first.
    ///
    /// # Errors
    /// [`ServiceError::NotFound`]; the store failed.
    pub async fn delivery(
        &self,
        id: EndpointId,
        delivery: DeliveryId,
    ) -> Result<(Delivery, Vec<Attempt>), ServiceError> {
        self.store.delivery(id, delivery).await?.ok_or(ServiceError::NotFound)
    }

    /// Sends a delivery again as soon as may be, whatever became of it; it is retried as if it were new.
    ///
    /// # Errors
    /// As [`Endpoints::change`], [`ServiceError::EndpointDisabled`], [`ServiceError::Pruned`].
    pub async fn resend(
        &self,
        by: Option<Actor>,
        id: EndpointId,
        delivery: DeliveryId,
        now: Timestamp,
    ) -> Result<Delivery, ServiceError> {
        Ok(self.store.resend(id, delivery, by, now).await?)
    }
}

/// Reads the body of a new endpoint: `url, events`.
///
/// # Errors
/// Fields that are not valid or not known.
pub fn read_new(fields: Fields) -> Result<(EndpointUrl, Topics), ServiceError> {
    let known = fields.only(&["url", "events"]);
    let url = fields.required("url", EndpointUrl::parse);
    let topics = topics(&fields).and_then(|topics| {
        topics.ok_or_else(|| Invalid::new("required", "this field is required").in_field("events"))
    });
    let (url, topics, ()) = fields.finish((url, topics, known))?;
    Ok((url, topics))
}

/// Reads what changes about an endpoint: `url?, events?, enabled?`.
///
/// # Errors
/// Fields that are not valid or not known.
pub fn read_patch(fields: Fields) -> Result<EndpointPatch, ServiceError> {
    let known = fields.only(&["url", "events", "enabled"]);
    let (url, topics, enabled) =
        (fields.optional("url", EndpointUrl::parse), topics(&fields), fields.optional("enabled", flag));
    let (url, topics, enabled, ()) = fields.finish((url, topics, enabled, known))?;
    Ok(EndpointPatch { url, topics, enabled })
}

/// Reads since when is replayed: `since`.
///
/// # Errors
/// It is no time.
pub fn read_since(fields: Fields) -> Result<Timestamp, ServiceError> {
    let known = fields.only(&["since"]);
    let since = fields.required("since", Timestamp::parse);
    let (since, ()) = fields.finish((since, known))?;
    Ok(since)
}

/// `events`: a list of names, or one text with commas.
fn topics(fields: &Fields) -> Result<Option<Topics>, FieldError> {
    let Some(names) = fields.raw("events").and_then(|events| events.as_array()) else {
        return fields.optional("events", Topics::parse);
    };
    // What is no text is no topic's name.
    let names: Vec<_> = names.iter().map(|name| name.as_str().unwrap_or("")).collect();
    Topics::parse(&names.join(",")).map(Some).map_err(|invalid| invalid.in_field("events"))
}

fn fresh_secret() -> EndpointSecret {
    EndpointSecret::trusted(format!("whsec_{}", STANDARD.encode(rand::random::<[u8; 32]>())))
}

impl From<EndpointError> for ServiceError {
    fn from(error: EndpointError) -> Self {
        match error {
            EndpointError::NotFound => Self::NotFound,
            EndpointError::TooMany => Self::TooManyEndpoints,
            EndpointError::Disabled => Self::EndpointDisabled,
            EndpointError::Pruned => Self::Pruned,
            EndpointError::Denied(denied) => Self::Denied(denied),
            EndpointError::Store(error) => Self::Store(error),
        }
    }
}
