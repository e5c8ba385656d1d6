//! What a session is told of the log: what it has not seen of a batch, as far as it has room, or a digest of it.

use std::borrow::Cow;

use super::{
    super::{
        announcement::{Announcement, Batch},
        portion::Portion,
    },
    Delivery, Feeding, Session,
};
use crate::{
    domain::{Offset, UserId},
    telemetry,
};

impl Session {
    /// It is up to date and gets publications as they are broadcast.
    pub fn go_live(&self) {
        if self.feeding.replace(Feeding::live(self.digest)) == Feeding::Behind {
            telemetry::session_lags(false);
        }
    }

    fn fall_behind(&self) -> Delivery {
        self.feeding.set(Feeding::Behind);
        telemetry::session_lags(true);
        Delivery::FellBehind
    }

    /// Sends what it has not seen of a batch that is broadcast. A session without room is followed from now on
    /// (docs/design/0007-slow-consumers.md: a cursor, not a buffer).
    pub fn deliver(&self, batch: &Batch) -> Delivery {
        let position = self.position.get();
        if self.feeding.get() != Feeding::Live || position >= batch.last() || !self.outbox.is_open() {
            return if self.feeding.get() == Feeding::Digested {
                self.deliver_few(batch)
            } else {
                Delivery::Sent(0)
            };
        }
        if position.0 + 1 < batch.first().0 {
            // What comes before the batch was pruned before it was broadcast. The log knows, and tells the gap.
            return self.fall_behind();
        }
        if !self.push(batch) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        Delivery::Sent(usize::try_from(batch.last().0 - position.0).unwrap_or_default())
    }

    /// Sends as many of a batch that is broadcast as may be told each by itself this second.
    fn deliver_few(&self, batch: &Batch) -> Delivery {
        let position = self.position.get();
        if position >= batch.last() || !self.outbox.is_open() {
            return Delivery::Sent(0);
        }
        let each_to = self.digest.map_or(batch.last(), |most| batch.each_to(most.get()));
        if position.0 + 1 < batch.first().0 || each_to <= position {
            return Delivery::Held(0);
        }
        if !self.push_portion(batch, Portion { after: position, each_to, to: each_to }) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        let sent = usize::try_from(each_to.0 - position.0).unwrap_or_default();
        if each_to < batch.last() { Delivery::Held(sent) } else { Delivery::Sent(sent) }
    }

    /// Sends a digest of what was held back of a second that is over.
    pub(in crate::realtime) fn deliver_digest(&self, second: &Batch) -> Delivery {
        let position = self.position.get();
        if self.feeding.get() != Feeding::Digested || position >= second.last() || !self.outbox.is_open() {
            return Delivery::Sent(0);
        }
        if position.0 + 1 < second.first().0 {
            // The log knows what comes before.
            return self.fall_behind();
        }
        if !self.push_portion(second, Portion { after: position, each_to: position, to: second.last() }) {
            telemetry::session_lagged();
            return self.fall_behind();
        }
        Delivery::Sent(usize::try_from(second.last().0 - position.0).unwrap_or_default())
    }

    /// Whether something that was broadcast is held back from it.
    pub(in crate::realtime) fn is_held_back(&self, latest: Offset) -> bool {
        self.feeding.get() == Feeding::Digested && self.position.get() < latest
    }

    /// Sends what was read from the log, if there is room: as it is, or up to `each` publications, of which it takes off
    /// what it sends, and a digest of the rest.
    pub(in crate::realtime) fn push_read(&self, batch: &Batch, each: &mut i64) -> bool {
        if self.digest.is_none() {
            return self.push(batch);
        }
        let after = self.position.get();
        let each_to = Offset(after.0.saturating_add(*each)).min(batch.last());
        let is_sent = self.push_portion(batch, Portion { after, each_to, to: batch.last() });
        if is_sent {
            *each -= each_to.0 - after.0;
        }
        is_sent
    }

    /// How many publications that are read from the log may be told each by itself.
    pub(in crate::realtime) fn each_at_most(&self) -> i64 {
        self.digest.map_or(i64::MAX, |most| most.get().into())
    }

    fn push_portion(&self, batch: &Batch, portion: Portion) -> bool {
        let wire = self.outbox.wire();
        let bytes = if portion.each_to == batch.last() {
            // What everyone gets.
            batch.encoded_after(portion.after, wire, self.is_masked)
        } else {
            Cow::Owned(batch.encoded_portion(portion, wire, self.is_masked))
        };
        let has_room = self.outbox.has_room(bytes.len());
        if has_room {
            self.outbox.send(&bytes);
            self.position.set(portion.to);
        }
        has_room
    }

    /// A batch is about to be broadcast that has orders of its account. It is told of them in the same write, or now if
    /// it will not get the batch.
    pub(in crate::realtime) fn expect_own(&self, account: UserId, batch: &Batch) {
        if self.feeding.get() == Feeding::Live && self.position.get() < batch.first() {
            self.owns.set(true);
        } else {
            for told in batch.own_of(account) {
                self.announce(told);
            }
        }
    }

    /// Sends what it has not seen of a batch, if there is room.
    pub(in crate::realtime) fn push(&self, batch: &Batch) -> bool {
        let (position, wire) = (self.position.get(), self.outbox.wire());
        let account = if self.owns.take() { self.login().map(|login| login.user_id) } else { None };
        let bytes = match account {
            Some(account) => Cow::Owned(batch.encoded_with_own(account, position, wire)),
            None => batch.encoded_after(position, wire, self.is_masked),
        };
        let has_room = self.outbox.has_room(bytes.len());
        if has_room {
            self.outbox.send(&bytes);
            self.position.set(batch.last());
        }
        has_room
    }

    /// Tells the client that what came after an offset and before `oldest` can no longer be told, and goes on from there.
    pub fn tell_gap(&self, after: Offset, oldest: Offset) {
        telemetry::gap();
        self.send(Announcement::gap(after, oldest).encoded(self.outbox.wire()));
        self.position.set(Offset(oldest.0 - 1));
    }
}
