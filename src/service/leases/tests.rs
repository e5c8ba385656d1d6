//! Leases of two nodes in a table of memory, some of which cannot reach it.

use std::sync::{Mutex, MutexGuard};

use async_trait::async_trait;

use super::*;

/// Holder and end, by name.
type Rows = HashMap<String, (String, Instant)>;

/// What PostgreSQL does, and a cable that is pulled out.
#[derive(Default)]
pub(crate) struct Table {
    rows: Mutex<Rows>,
    cut_off: Mutex<Option<String>>,
}

impl Table {
    fn rows(&self, holder: &str) -> Result<MutexGuard<'_, Rows>, StoreError> {
        match self.cut_off.lock().unwrap().as_deref() == Some(holder) {
            true => Err(StoreError::Busy("no route to host".to_owned())),
            false => Ok(self.rows.lock().unwrap()),
        }
    }

    /// From now on a node gets no answer.
    pub(crate) fn cut_off(&self, holder: &str) {
        *self.cut_off.lock().unwrap() = Some(holder.to_owned());
    }

    /// Who has a lease.
    pub(crate) fn holder(&self, name: &str) -> Option<String> {
        let rows = self.rows.lock().unwrap();
        rows.get(name).filter(|(_, until)| Instant::now() < *until).map(|(holder, _)| holder.clone())
    }
}

#[async_trait]
impl LeaseStore for Table {
    async fn take_leases(
        &self,
        names: &[String],
        holder: &str,
        ttl: Duration,
    ) -> Result<Vec<String>, StoreError> {
        let (mut rows, now) = (self.rows(holder)?, Instant::now());
        let free = |name: &&String| rows.get(*name).is_none_or(|(of, until)| of == holder || *until <= now);
        let taken: Vec<_> = names.iter().filter(free).cloned().collect();
        rows.extend(taken.iter().map(|name| (name.clone(), (holder.to_owned(), now + ttl))));
        Ok(taken)
    }

    async fn release_leases(&self, names: &[String], holder: &str) -> Result<(), StoreError> {
        self.rows(holder)?.retain(|name, (of, _)| of != holder || !names.contains(name));
        Ok(())
    }
}

const TERMS: Terms = Terms { ttl: Duration::from_secs(2), every: Duration::from_millis(20) };

fn nodes() -> (Arc<Table>, Leases, Leases) {
    let table = Arc::new(Table::default());
    let node = |name: &str| Leases::new(table.clone(), name.to_owned(), "endpoint", TERMS);
    let (one, other) = (node("one"), node("other"));
    (table, one, other)
}

async fn keep(leases: &mut Leases, ids: &[&str]) -> bool {
    leases.keep(ids.iter().map(|id| (*id).to_owned())).await.unwrap()
}

async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}

#[tokio::test]
async fn one_node_works_for_a_name_and_others_when_it_is_released() {
    let (_, mut one, mut other) = nodes();
    assert!(keep(&mut one, &["1", "2"]).await);
    assert!(!keep(&mut other, &["1", "2"]).await);
    assert!(one.of("1").is_some() && one.of("3").is_none() && other.of("1").is_none());
    pass(TERMS.every).await;
    assert!(!keep(&mut one, &["1"]).await, "what is gone is released, and nothing is new");
    assert!(keep(&mut other, &["1", "2"]).await);
    assert!(other.of("1").is_none() && other.of("2").is_some());
    one.release().await;
    assert!(!keep(&mut other, &["1", "2"]).await, "it asks again when it is time to");
    pass(TERMS.every).await;
    assert!(keep(&mut other, &["1", "2"]).await);
    assert!(other.of("1").is_some());
}

#[tokio::test]
async fn a_new_name_is_asked_for_at_once() {
    let (_, mut one, _) = nodes();
    assert!(keep(&mut one, &["1"]).await);
    assert!(keep(&mut one, &["1", "2"]).await);
    assert!(!keep(&mut one, &["1"]).await);
    assert!(keep(&mut one, &["1", "2"]).await, "also one that was there before");
}

#[tokio::test]
async fn who_cannot_renew_stops_before_another_begins() {
    let (table, mut one, mut other) = nodes();
    assert!(keep(&mut one, &["1"]).await);
    let mut lease = one.of("1").unwrap();
    for _ in 0..5 {
        pass(TERMS.every).await;
        keep(&mut one, &["1"]).await;
        assert!(lease.holds(), "it is renewed");
    }
    table.cut_off("one");
    let began = Instant::now();
    let over = tokio::spawn(async move { lease.over().await });
    while !keep(&mut other, &["1"]).await {
        assert!(began.elapsed() <= TERMS.ttl * 5, "it is taken over in time");
        pass(TERMS.every).await;
        // The store is not there: leases end all the same.
        drop(one.keep(["1".to_owned()]).await);
        tokio::task::yield_now().await;
    }
    assert!(over.is_finished() && one.of("1").is_none());
    assert_eq!(table.holder("endpoint:1").as_deref(), Some("other"));
}

#[tokio::test]
async fn what_another_node_has_taken_is_over_at_the_next_renewal() {
    let (table, mut one, _) = nodes();
    assert!(keep(&mut one, &["1"]).await);
    let mut lease = one.of("1").unwrap();
    let far = Instant::now() + TERMS.ttl * 9;
    // As if the database's clock had jumped.
    table.rows.lock().unwrap().insert("endpoint:1".to_owned(), ("other".to_owned(), far));
    pass(TERMS.every).await;
    assert!(lease.holds() && !keep(&mut one, &["1"]).await);
    assert!(!lease.holds() && one.of("1").is_none());
    lease.over().await;
}
