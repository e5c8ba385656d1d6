//! What a client remembers so that it can come back where it was, and whether it has got what it missed.

use std::time::Instant;

use memchr::{memmem, memrchr};

/// Connection state recovery of Socket.IO, from the client's side: the private id of the session, and the offset of the
/// last event that brought one.
#[derive(Clone, Debug, Default)]
pub struct Recovery {
    pid: Vec<u8>,
    offset: Vec<u8>,
}

impl Recovery {
    /// Looks at an Engine.IO message. As the official client does it: any trailing string argument of an event is an
    /// offset. Neither ids nor offsets hold a quote.
    pub(super) fn take(&mut self, text: &[u8]) {
        if let Some(event) = text.strip_prefix(b"42").and_then(|text| text.strip_suffix(b"\"]")) {
            self.offset.clear();
            self.offset.extend_from_slice(&event[memrchr(b'"', event).map_or(0, |at| at + 1)..]);
        } else if text.starts_with(b"40{")
            && let Some(at) = memmem::find(text, br#""pid":""#)
        {
            let rest = &text[at + 7..];
            self.pid = rest[..memchr::memchr(b'"', rest).unwrap_or(rest.len())].to_vec();
        }
    }

    /// Whether this session is the one that was to be recovered.
    pub(super) fn is_of(&self, wanted: &Self) -> bool {
        !wanted.pid.is_empty() && self.pid == wanted.pid
    }

    /// The members of CONNECT that ask for it; nothing for a client that was never let in.
    pub(super) fn members(&self) -> Option<String> {
        if self.pid.is_empty() {
            return None;
        }
        let mut members = format!(r#""pid":"{}""#, String::from_utf8_lossy(&self.pid));
        if !self.offset.is_empty() {
            members += &format!(r#","offset":"{}""#, String::from_utf8_lossy(&self.offset));
        }
        Some(members)
    }
}

/// Alerts that were missed: those from one id to another, which are to come in their order.
#[derive(Debug)]
pub(super) struct CatchUp {
    next: u64,
    until: u64,
    since: Instant,
}

impl CatchUp {
    /// From the alert after `seen` up to and with `until`, asked for at a moment. `None` if nothing was missed.
    pub(super) fn new(seen: u64, until: u64, since: Instant) -> Option<Self> {
        (seen < until).then_some(Self { next: seen + 1, until, since })
    }

    /// Takes an alert. Answers the moment that it was asked for with the last one that was missed. One that jumps ahead
    /// brings nothing nearer: what lies before it is lost, or late.
    pub(super) fn take(&mut self, id: u64) -> Option<Instant> {
        if id == self.next {
            self.next += 1;
        }
        (self.next > self.until).then_some(self.since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_recovers_where_the_last_event_was() {
        let mut recovery = Recovery::default();
        recovery.take(br#"42["BUY_GOODS",{"id":1},"before"]"#);
        assert_eq!(recovery.members(), None, "nobody is recovered who was never let in");
        recovery.take(br#"40{"sid":"s","pid":"p1"}"#);
        // As the reference server writes it, and as shopbell does.
        for (event, offset) in
            [(&br#"42["BUY_GOODS",{"nickname":"kim"},"off1"]"#[..], "off1"), (br#"42["offset","41"]"#, "41")]
        {
            recovery.take(event);
            let members = format!(r#""pid":"p1","offset":"{offset}""#);
            assert_eq!(recovery.members(), Some(members));
        }
        recovery.take(br#"42["BUY_GOODS",{"nickname":"kim"}]"#);
        recovery.take(b"2");
        assert_eq!(recovery.members().unwrap(), r#""pid":"p1","offset":"41""#);
    }

    #[test]
    fn a_session_with_another_id_was_not_recovered() {
        let (mut first, mut second) = (Recovery::default(), Recovery::default());
        assert!(!second.is_of(&first), "there was none to be recovered");
        first.take(br#"40{"sid":"s","pid":"p1"}"#);
        second.take(br#"40{"sid":"s","pid":"p1"}"#);
        assert!(second.is_of(&first));
        second.take(br#"40{"sid":"t","pid":"p2"}"#);
        assert!(!second.is_of(&first));
    }

    #[test]
    fn what_was_missed_is_there_when_the_last_of_it_has_come_in_order() {
        let now = Instant::now();
        assert!(CatchUp::new(5, 5, now).is_none());
        let mut missed = CatchUp::new(5, 7, now).unwrap();
        assert_eq!(missed.take(6), None);
        assert_eq!(missed.take(7), Some(now));
        // Without a replay: the live ones alone do not make it whole.
        let mut missed = CatchUp::new(5, 7, now).unwrap();
        for id in [8, 9, 7, 10] {
            assert_eq!(missed.take(id), None, "{id}");
        }
    }
}
