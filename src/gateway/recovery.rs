//! Connection state recovery of Socket.IO: which sessions may go on where they were, and how they are put back into their
//! rooms and on their page. What they were in is kept by [`Recovery`](crate::realtime::Recovery).

use std::{
    fmt,
    sync::Arc,
    time::{Duration, Instant},
};

use super::{
    chat,
    client::Client,
    resume::Start,
    thread::{Gateway, RECOVERY},
};
use crate::{
    bus::BusState,
    clock,
    domain::Epoch,
    domain::Nickname,
    realtime::{
        Announcement, Person, Place,
        hub::Evict,
        nodes::away,
        recovery::{Known, NOTICE, Recovery, nowhere::Answer},
    },
    service::ServiceError,
};

/// How long the end of a connection may take that was told to end.
const END: Duration = Duration::from_secs(1);
/// How long another node may take to answer.
const ANSWER: Duration = Duration::from_millis(200);
/// Between two looks at it.
const LOOK: Duration = Duration::from_millis(5);

/// The private id of a Socket.IO session: the epoch of the log, whose offsets mean nothing in another, the number of the
/// session, and a hash of whose it is. It is no secret and opens nothing: who comes back has to be who left.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pid {
    epoch: Epoch,
    id: u64,
    owner: u32,
}

impl Pid {
    /// Of a session of this log.
    #[must_use]
    pub fn new(epoch: Epoch, id: u64, person: Person) -> Self {
        // Guests without a cookie are strangers at every handshake. What a guest was in it gets back only with one.
        let owner = match person {
            Person::Member(user) => user.0.to_le_bytes(),
            Person::Listener(key) => key.to_le_bytes(),
            Person::Guest(_) => [0; 8],
        };
        Self { epoch, id, owner: fnv(&[owner, id.to_le_bytes()].concat()) }
    }

    /// Reads one; `None` for what is none of ours.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.split_once('.')?;
        let number = u128::from_str_radix(number, 16).ok()?;
        let (id, owner) = (u64::try_from(number >> 32).ok()?, (number & 0xFFFF_FFFF) as u32);
        let pid = Self { epoch: Epoch::parse(epoch)?, id, owner };
        (pid.to_string() == text).then_some(pid)
    }

    /// The number of the session, if that was of this log and of this person.
    #[must_use]
    pub fn session_of(self, epoch: Epoch, person: Person) -> Option<u64> {
        (self == Self::new(epoch, self.id, person)).then_some(self.id)
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{:016x}{:08x}", self.epoch, self.id, self.owner)
    }
}

/// FNV-1a in 32 bits: the same in every version of this program, which hashers of the standard library are not.
fn fnv(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811C_9DC5, |hash, byte| (hash ^ u32::from(*byte)).wrapping_mul(0x0100_0193))
}

/// Whether a session may go on; nothing is to be awaited between this and [`put_back`]. One that is connected still, as
/// far as is known here or at another node, is closed: its client has lost that connection.
///
/// # Errors
/// The store failed.
pub(super) async fn recover(gateway: &Gateway, id: u64, person: Person) -> Result<bool, ServiceError> {
    let (begin, bus) = (Instant::now(), &*gateway.app.bus);
    let mut evicted = false;
    loop {
        match known(gateway, id, person) {
            Known::Nowhere => {
                away::tell_back(bus, id);
                return Ok(true);
            }
            Known::Away => {
                away::tell_back(bus, id);
                return Ok(gateway.recovery.come_back(id));
            }
            Known::Forgotten => return Ok(false),
            Known::Unknown => match ask(gateway, id, person).await? {
                Some(Answer::Nowhere) => {
                    away::tell_back(bus, id);
                    return Ok(true);
                }
                Some(Answer::Connected) => {}
                Some(Answer::Lost) | None => return Ok(false),
            },
            Known::Connected => {}
        }
        if begin.elapsed() > END {
            return Ok(false);
        }
        if !evicted && begin.elapsed() > NOTICE {
            evicted = true;
            let (ping_interval, recovery) =
                (gateway.app.settings.ping_interval, Arc::clone(&gateway.recovery));
            gateway.hubs.send(Evict { id, person, ping_interval, recovery }).await;
        }
        tokio::time::sleep(LOOK).await;
    }
}

fn known(gateway: &Gateway, id: u64, person: Person) -> Known {
    gateway.recovery.known(id, person, gateway.app.bus.state() == BusState::Up)
}

/// What other nodes say of a session that this one does not know; `None` when nobody knows it, because its node is dead or cut
/// off.
async fn ask(gateway: &Gateway, id: u64, person: Person) -> Result<Option<Answer>, ServiceError> {
    let (recovery, bus) = (&gateway.recovery, &*gateway.app.bus);
    if !recovery.is_marked() {
        if gateway.app.store.setting(RECOVERY, "").await?.is_empty() {
            // No session of this shop was ever somewhere.
            return Ok(Some(Answer::Nowhere));
        }
        recovery.note_mark();
    }
    let begin = Instant::now();
    let mut asked = None;
    loop {
        // The bus may be about to come: this node has perhaps just started.
        if asked.is_none() && bus.state() == BusState::Up {
            asked = Some(Asked::begin(recovery, id));
            away::ask(bus, id, person);
        }
        let patience = match asked.as_ref().and_then(Asked::answer) {
            // What has become of it is known here by now.
            _ if known(gateway, id, person) != Known::Unknown => return Ok(Some(Answer::Connected)),
            Some(Answer::Connected) => END,
            Some(answer) => return Ok(Some(answer)),
            None => ANSWER,
        };
        if begin.elapsed() > patience {
            return Ok(None);
        }
        tokio::time::sleep(LOOK).await;
    }
}

/// Other nodes are asked for a session, until this is dropped.
struct Asked<'g> {
    recovery: &'g Recovery,
    id: u64,
}

impl<'g> Asked<'g> {
    fn begin(recovery: &'g Recovery, id: u64) -> Self {
        recovery.ask(id);
        Self { recovery, id }
    }

    fn answer(&self) -> Option<Answer> {
        self.recovery.answer(self.id)
    }
}

impl Drop for Asked<'_> {
    fn drop(&mut self) {
        self.recovery.asked(self.id);
    }
}

/// Puts a session that comes back into its rooms and on its page, sends what it missed there, and lets the alerts follow.
pub(super) fn put_back(client: &Client) {
    client.gateway.note_arrival(&client.session);
    let Some(back) = client.gateway.recovery.take(client.session.id) else {
        return client.start(Start::Live);
    };
    if let Some(name) = back.place.guest_name.and_then(|name| Nickname::parse(&name).ok()) {
        client.session.name_guest(name);
    }
    let mut missed = back.missed.into_iter();
    // Before the rooms: who enters them is told of what is said from then on.
    let rest = send_some(client, &mut missed);
    for room in &back.place.rooms {
        client.gateway.note_place(&client.session);
        chat::reenter_room(client, room);
    }
    if let Some(page) = back.place.page {
        client.gateway.note_place(&client.session);
        client.gateway.registry.look_at(&client.session, page);
    }
    let Some(first) = rest else { return client.start(Start::Live) };
    let client = client.clone();
    actix_rt::spawn(async move {
        let mut next = Some(first);
        while let Some(announcement) = next {
            client.session.outbox.drained().await;
            if !client.session.outbox.is_open() {
                return;
            }
            client.session.announce(&announcement);
            next = send_some(&client, &mut missed);
        }
        client.start(Start::Live);
    });
}

/// Sends as much as there is room for; returns the first for which there is none.
fn send_some(
    client: &Client,
    missed: &mut impl Iterator<Item = Arc<Announcement>>,
) -> Option<Arc<Announcement>> {
    missed.find(|announcement| !client.session.announce(announcement))
}

/// Keeps what a session was in whose connection is lost. One whose client has left on purpose is not recovered.
pub(super) fn note_leaving(client: &Client) {
    let (gateway, session) = (&client.gateway, &client.session);
    if !session.was_placed() {
        return gateway.recovery.leave_nowhere(session.id);
    }
    let place = (!session.outbox.is_open()).then(|| Place {
        person: session.person,
        rooms: session.rooms(),
        page: session.page(),
        guest_name: session.guest_name().map(|name| name.as_str().into()),
    });
    let heard_until = session.outbox.arrived_until(gateway.app.settings.ping_interval, Instant::now());
    let by_drain = gateway.app.readiness.is_draining();
    let told = place.clone().filter(|_| gateway.app.bus.state() != BusState::None);
    let (now, clock) = (Instant::now(), clock::now());
    let heard_until = gateway.recovery.leave(session.id, place, heard_until, clock, by_drain);
    if let Some((place, heard_until)) = told.zip(heard_until) {
        away::tell_away(&*gateway.app.bus, session.id, &place, heard_until, (now, clock));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::UserId;

    #[test]
    fn a_private_id_is_read_as_it_was_given_and_is_its_owners() {
        let (epoch, kim, guest) = (Epoch::from_random([7; 8]), Person::Member(UserId(1)), Person::Guest(1));
        let pid = Pid::new(epoch, 0xABC, kim);
        assert_eq!(Pid::parse(&pid.to_string()), Some(pid));
        assert_eq!(pid.session_of(epoch, kim), Some(0xABC));
        assert_eq!(pid.session_of(epoch, Person::Member(UserId(2))), None);
        assert_eq!(pid.session_of(epoch, guest), None);
        assert_eq!(pid.session_of(Epoch::from_random([8; 8]), kim), None);
        for other in ["", "abc", ".", "0707070707070707.ABC", "0707070707070707.+000000000000abc00000000"] {
            assert_eq!(Pid::parse(other), None, "{other:?}");
        }
    }
}
