//! What is sent to many sessions: encoded once per wire, its bytes shared by all who want all of it.

use std::{
    borrow::Cow,
    collections::{HashMap, HashSet, VecDeque},
    ops::Deref,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Instant,
};

use bytes::{Bytes, BytesMut};

use super::{
    portion::{Portion, Portions},
    traced::Traced,
};
use crate::{
    domain::{GoodsEvent, Naming, NicknameDisplay, Offset, OwnOrder, Publication, UserId},
    outbox::{Args, PerWire, Wire},
    protocol::{
        digest, publication,
        shapes::{Gap, GoodsChanged, OrderTold},
    },
};

/// Bytes that are encoded when they are first wanted.
type Encoded = PerWire<OnceLock<Bytes>>;

/// An event that is not in the log, for many sessions.
#[derive(Debug)]
pub struct Announcement {
    event: &'static str,
    /// JSON values joined by commas.
    args: String,
    is_list: bool,
    encoded: Encoded,
}

impl Announcement {
    /// An event with one argument, as JSON.
    #[must_use]
    pub fn new(event: &'static str, payload: String) -> Self {
        Self { event, args: payload, is_list: false, encoded: Encoded::default() }
    }

    /// An event with several arguments, as JSON values joined by commas.
    #[must_use]
    pub fn with_args(event: &'static str, args: String) -> Self {
        Self { event, args, is_list: true, encoded: Encoded::default() }
    }

    /// The event `goods`.
    #[must_use]
    pub fn goods(event: &GoodsEvent) -> Self {
        Self::new("goods", serde_json::to_string(&GoodsChanged::from(event)).expect("goods are always JSON"))
    }

    /// The event `ORDER`: an order of the account's own.
    #[must_use]
    pub fn order(order: &OwnOrder) -> Self {
        Self::new("ORDER", serde_json::to_string(&OrderTold::from(order)).expect("orders are always JSON"))
    }

    /// The event `SAME_PAGE_VIEWER_COUNT`.
    #[must_use]
    pub fn viewers(count: usize) -> Self {
        Self::new("SAME_PAGE_VIEWER_COUNT", count.to_string())
    }

    /// The event `offset`: where in the log a Socket.IO session is.
    #[must_use]
    pub fn offset(offset: Offset) -> Self {
        Self::new("offset", format!("\"{offset}\""))
    }

    /// The event `gap`: what came after an offset and before another can no longer be told.
    #[must_use]
    pub fn gap(after: Offset, oldest: Offset) -> Self {
        let gap = Gap { after, oldest };
        Self::new("gap", serde_json::to_string(&gap).expect("two numbers are always JSON"))
    }

    /// Bytes of its arguments.
    #[must_use]
    pub fn size(&self) -> usize {
        self.args.len()
    }

    /// As it leaves on a wire.
    #[must_use]
    pub fn encoded(&self, wire: Wire) -> &Bytes {
        self.encoded.get(wire).get_or_init(|| wire.event(self.event, self.args()))
    }

    /// Appends it as it leaves on a wire.
    fn put(&self, wire: Wire, out: &mut BytesMut) {
        wire.put_event(out, self.event, self.args());
    }

    fn args(&self) -> Args<'_> {
        if self.is_list { Args::Several(&self.args) } else { Args::One(&self.args) }
    }
}

/// Publications that follow one another in the log and leave together.
#[derive(Debug)]
pub struct Batch {
    publications: Vec<Arc<Publication>>,
    naming: Naming,
    encoded: Encoded,
    /// Orders of these publications whose accounts this process tells, too.
    own: Vec<Arc<Own>>,
    encoded_own: PerWire<Mutex<HashMap<UserId, Bytes>>>,
    /// With names masked that `naming` shows. A shop without listeners that need it never makes one.
    masked: OnceLock<Box<Encoded>>,
    /// For sessions that want bursts as digests.
    portions: Portions,
    /// How many publications of the same second come before it.
    told_before: u32,
    committed: Instant,
    /// Where publications of it are traced.
    traced: Option<Arc<Traced>>,
}

/// An order that its account is told of, in the same write as the alert of it.
#[derive(Debug)]
struct Own {
    account: UserId,
    /// The offset of the alert.
    id: Offset,
    told: Announcement,
}

impl Batch {
    /// Over consecutive publications; `None` when there are none.
    #[must_use]
    pub fn new(publications: Vec<Arc<Publication>>, naming: impl Into<Naming>) -> Option<Self> {
        (!publications.is_empty()).then(|| Self {
            publications,
            naming: naming.into(),
            encoded: Encoded::default(),
            own: Vec::new(),
            encoded_own: PerWire::default(),
            masked: OnceLock::new(),
            portions: Portions::default(),
            told_before: 0,
            committed: Instant::now(),
            traced: None,
        })
    }

    /// With the orders of these publications whose accounts are told; returns those whose alerts it does not hold.
    #[must_use]
    pub fn with_own(self, orders: VecDeque<OwnOrder>) -> (Self, VecDeque<OwnOrder>) {
        let holds =
            |order: &OwnOrder| order.announced_as.filter(|id| (self.first()..=self.last()).contains(id));
        let (mut own, mut apart) = (Vec::new(), VecDeque::new());
        for order in orders {
            match holds(&order) {
                Some(id) => {
                    let told = Announcement::order(&order);
                    own.push(Arc::new(Own { account: order.user_id, id, told }));
                }
                None => apart.push_back(order),
            }
        }
        (Self { own, ..self }, apart)
    }

    /// The accounts that are told of orders of their own.
    #[must_use]
    pub fn owners(&self) -> HashSet<UserId> {
        self.own.iter().map(|own| own.account).collect()
    }

    /// What an account is told of its own orders in this batch, for a session that does not get the batch.
    pub fn own_of(&self, account: UserId) -> impl Iterator<Item = &Announcement> {
        self.own.iter().filter(move |own| own.account == account).map(|own| &own.told)
    }

    /// This batch and the one right after it, as one.
    #[must_use]
    pub fn followed_by(&self, later: &Self) -> Self {
        Self {
            publications: self.publications.iter().chain(&later.publications).cloned().collect(),
            naming: self.naming.clone(),
            encoded: Encoded::default(),
            own: self.own.iter().chain(&later.own).cloned().collect(),
            encoded_own: PerWire::default(),
            masked: OnceLock::new(),
            portions: Portions::default(),
            told_before: self.told_before,
            committed: self.committed,
            // What is traced goes its way with the batches that this is made of.
            traced: None,
        }
    }

    /// Batches that follow one another, as one; from the last hole between them on, if there is one.
    #[must_use]
    pub(super) fn joined<B: Deref<Target = Self>>(batches: &[B]) -> Option<Self> {
        let naming = batches.last()?.naming.clone();
        let all: Vec<_> = batches.iter().flat_map(|batch| &batch.publications).cloned().collect();
        let whole = all.chunk_by(|one, next| one.id.0 + 1 == next.id.0).last()?;
        Self::new(whole.to_vec(), naming)
    }

    /// Sets how many publications of the same second come before it.
    #[must_use]
    pub fn preceded_by(self, told_before: u32) -> Self {
        Self { told_before, ..self }
    }

    /// With the traces of those publications that have one.
    #[must_use]
    pub(super) fn traced_by(self, traced: Option<Arc<Traced>>) -> Self {
        Self { traced, ..self }
    }

    /// The traces of its publications, if any has one.
    #[must_use]
    pub(super) fn traced(&self) -> Option<&Traced> {
        self.traced.as_deref()
    }

    /// Number of publications.
    #[must_use]
    pub(super) fn len(&self) -> usize {
        self.publications.len()
    }

    /// Up to where a session that wants at most so many alerts a second is told each by itself; before the first when
    /// those of this second were told already.
    #[must_use]
    pub(super) fn each_to(&self, most: u8) -> Offset {
        let left = i64::from(u32::from(most).saturating_sub(self.told_before));
        Offset(self.first().0 - 1 + left).min(self.last())
    }

    /// Sets when the first of it was committed.
    #[must_use]
    pub fn committed_at(self, committed: Option<Instant>) -> Self {
        Self { committed: committed.unwrap_or(self.committed), ..self }
    }

    /// When the first of it was committed; when it was read, if that is not known.
    #[must_use]
    pub fn committed(&self) -> Instant {
        self.committed
    }

    /// The offset of the first.
    #[must_use]
    pub fn first(&self) -> Offset {
        self.publications.first().map(|publication| publication.id).unwrap_or_default()
    }

    /// The offset of the last.
    #[must_use]
    pub fn last(&self) -> Offset {
        self.publications.last().map(|publication| publication.id).unwrap_or_default()
    }

    /// What a session on this wire has not seen that has seen everything up to `after`, to leave in one write; names
    /// masked for it, or as the shop shows them. Encoded at most once for each wire and each of both.
    #[must_use]
    pub fn encoded_after(&self, after: Offset, wire: Wire, is_masked: bool) -> Cow<'_, Bytes> {
        // Where names are masked for all, there is nothing more to mask.
        let is_masked = is_masked && self.naming.display != NicknameDisplay::Masked;
        let encode = || {
            let masked = is_masked.then(|| self.naming.masked());
            self.encode(after, wire, masked.as_ref().unwrap_or(&self.naming), BytesMut::new())
        };
        if after < self.first() {
            let encoded = if is_masked { self.masked.get_or_init(Box::default) } else { &self.encoded };
            Cow::Borrowed(encoded.get(wire).get_or_init(encode))
        } else {
            Cow::Owned(encode())
        }
    }

    /// A portion for a session that wants bursts as digests, encoded at most once for each wire and display.
    #[must_use]
    pub(super) fn encoded_portion(&self, portion: Portion, wire: Wire, is_masked: bool) -> Bytes {
        let is_masked = is_masked && self.naming.display != NicknameDisplay::Masked;
        self.portions.get(portion, wire, is_masked, || {
            let masked = is_masked.then(|| self.naming.masked());
            self.encode_portion(portion, wire, masked.as_ref().unwrap_or(&self.naming))
        })
    }

    fn encode_portion(&self, Portion { after, each_to, to }: Portion, wire: Wire, naming: &Naming) -> Bytes {
        let mut out = BytesMut::new();
        let within = |from: Offset, to: Offset| {
            self.publications.iter().map(|told| &**told).filter(move |told| from < told.id && told.id <= to)
        };
        for each in within(after, each_to) {
            wire.put_publication(
                &mut out,
                publication::event(each),
                &publication::payload(each, naming),
                each.id.0,
            );
        }
        let burst: Vec<_> = within(each_to, to).collect();
        digest::tell(&burst, naming, |event, payload, offset| {
            wire.put_publication(&mut out, event, payload, offset.0);
        });
        out.freeze()
    }

    /// As [`Self::encoded_after`], for a session of an account that has orders among them: it is told of these first, so
    /// that it knows their alerts as its own.
    #[must_use]
    pub fn encoded_with_own(&self, account: UserId, after: Offset, wire: Wire) -> Bytes {
        let encode = || {
            let mut out = BytesMut::new();
            for own in self.own.iter().filter(|own| own.account == account && own.id > after) {
                own.told.put(wire, &mut out);
            }
            self.encode(after, wire, &self.naming, out)
        };
        if after >= self.first() {
            return encode();
        }
        // What is put in is whole, so that a panic elsewhere poisons nothing.
        let mut known = self.encoded_own.get(wire).lock().unwrap_or_else(PoisonError::into_inner);
        known.entry(account).or_insert_with(encode).clone()
    }

    fn encode(&self, after: Offset, wire: Wire, naming: &Naming, mut out: BytesMut) -> Bytes {
        for unseen in self.publications.iter().filter(|publication| publication.id > after) {
            let payload = publication::payload(unseen, naming);
            wire.put_publication(&mut out, publication::event(unseen), &payload, unseen.id.0);
        }
        out.freeze()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{GoodsId, Notification, Timestamp};

    fn batch(display: NicknameDisplay) -> Batch {
        let publication = |id| Publication {
            id: Offset(id),
            date: Timestamp::from_millis(0),
            notification: Notification::Purchase {
                nickname: Some("kim".into()),
                goods_id: GoodsId(4),
                first_goods_name: "Tea".into(),
                other_goods: 0,
                quantity: 1,
                elsewhere: None,
            },
        };
        Batch::new(vec![Arc::new(publication(1)), Arc::new(publication(2))], display).unwrap()
    }

    #[test]
    fn a_batch_is_encoded_once_for_each_wire_and_display() {
        for wire in Wire::ALL {
            let batch = batch(NicknameDisplay::Full);
            let bytes = |is_masked| batch.encoded_after(Offset(0), wire, is_masked).into_owned();
            let (full, masked) = (bytes(false), bytes(true));
            let says = |bytes: &Bytes, name: &str| String::from_utf8_lossy(bytes).contains(name);
            assert!(says(&full, "kim") && !says(&full, "k**"), "{wire:?}");
            assert!(says(&masked, "k**") && !says(&masked, "kim"), "{wire:?}");
            assert_eq!((full.as_ptr(), masked.as_ptr()), (bytes(false).as_ptr(), bytes(true).as_ptr()));
            // Who has seen some of it gets the rest, masked too.
            let rest = batch.encoded_after(Offset(1), wire, true);
            assert!(says(&rest, "k**") && !says(&rest, "kim") && !says(&rest, r#""id":1"#), "{wire:?}");
        }
    }

    #[test]
    fn where_all_see_masked_names_there_is_one_form() {
        let batch = batch(NicknameDisplay::Masked);
        let bytes = |is_masked| batch.encoded_after(Offset(0), Wire::Native, is_masked).as_ptr();
        assert_eq!(bytes(true), bytes(false));
    }
}
