//! One end of a channel: what waits to leave, what came and was not taken yet, and how it ends.

use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::Notify;

use super::message::{Key, Message};

/// Bytes of one direction that the other end has not taken: with so many, the sender waits.
pub const WINDOW: usize = 64 * 1024;
/// The most bytes of one message.
pub const PIECE: usize = 16 * 1024;

/// Why a channel came to no good end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Gone {
    /// The other end gave it up, its node is gone, or something was lost on the way.
    #[error("the channel to the other node is gone")]
    Lost,
    /// There are too many already, here or there.
    #[error("there are too many channels to other nodes")]
    Full,
}

/// How far something is that is told to the other end once.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Tell {
    #[default]
    No,
    Wanted,
    Told,
}

/// An end, shared by who uses it and by the tasks that carry its messages.
#[derive(Debug, Default)]
pub(super) struct Slot {
    state: Mutex<State>,
    readable: Notify,
    writable: Notify,
}

#[derive(Debug, Default)]
struct State {
    /// The first message, until it has left.
    opening: Option<Bytes>,
    outgoing: VecDeque<Bytes>,
    /// Bytes that were given and that the other end has not taken.
    unacknowledged: usize,
    end: Tell,
    reset: Tell,
    /// Bytes that were taken since the other end was last told so.
    taken: usize,
    incoming: VecDeque<Bytes>,
    held: usize,
    /// The other end says no more.
    ended: bool,
    gone: Option<Gone>,
    /// Nobody uses it any more.
    dropped: bool,
    /// It stands in the line of those that have something to send.
    listed: bool,
}

/// Whether the end is to be put in the line of those that have something to send.
pub(super) type List = bool;

impl State {
    fn list(&mut self) -> List {
        !std::mem::replace(&mut self.listed, true)
    }
}

impl Slot {
    /// One that begins with this.
    pub(super) fn opening(first: Bytes) -> Self {
        let state = State { opening: Some(first), listed: true, ..State::default() };
        Self { state: state.into(), ..Self::default() }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Gives bytes to be sent, as soon as there is room for them.
    pub(super) async fn give(&self, bytes: Bytes) -> Result<List, Gone> {
        loop {
            let room = self.writable.notified();
            {
                let mut state = self.state();
                if let Some(gone) = state.gone {
                    return Err(gone);
                }
                if state.unacknowledged < WINDOW {
                    state.unacknowledged += bytes.len();
                    state.outgoing.push_back(bytes);
                    return Ok(state.list());
                }
            }
            room.await;
        }
    }

    /// Nothing more will be given.
    pub(super) fn finish(&self) -> List {
        let mut state = self.state();
        if state.end != Tell::No {
            return false;
        }
        state.end = Tell::Wanted;
        state.list()
    }

    /// Takes what came next; `None` when the other end says no more.
    pub(super) async fn take(&self) -> Result<(Option<Bytes>, List), Gone> {
        loop {
            let more = self.readable.notified();
            {
                let mut state = self.state();
                if let Some(bytes) = state.incoming.pop_front() {
                    state.held -= bytes.len();
                    state.taken += bytes.len();
                    let list = state.taken >= WINDOW / 2 && state.gone.is_none() && state.list();
                    return Ok((Some(bytes), list));
                }
                if state.ended {
                    return Ok((None, false));
                }
                if let Some(gone) = state.gone {
                    return Err(gone);
                }
            }
            more.await;
        }
    }

    /// Nobody uses it any more: what was finished still leaves, anything else is given up.
    pub(super) fn leave(&self) -> List {
        let mut state = self.state();
        state.dropped = true;
        state.incoming.clear();
        if state.gone.is_some() {
            return false;
        }
        if state.end == Tell::No {
            state.outgoing.clear();
            if state.ended {
                state.end = Tell::Wanted
            } else {
                state.reset = Tell::Wanted
            }
            return state.list();
        }
        false
    }

    /// Bytes came. `Err` when they must not: nobody is there to take them, or there are more than were allowed.
    pub(super) fn came(&self, bytes: Bytes) -> Result<(), ()> {
        let mut state = self.state();
        if state.dropped || state.ended || state.held >= WINDOW + PIECE {
            return Err(());
        }
        state.held += bytes.len();
        state.incoming.push_back(bytes);
        self.readable.notify_one();
        Ok(())
    }

    /// The other end took so many bytes.
    pub(super) fn credit(&self, bytes: usize) {
        let mut state = self.state();
        state.unacknowledged = state.unacknowledged.saturating_sub(bytes);
        self.writable.notify_one();
    }

    /// The other end says no more.
    pub(super) fn ended(&self) {
        self.state().ended = true;
        self.readable.notify_one();
    }

    /// It is no more. What came before can still be taken.
    pub(super) fn fail(&self, why: Gone) {
        let mut state = self.state();
        state.gone.get_or_insert(why);
        state.outgoing.clear();
        self.readable.notify_one();
        self.writable.notify_one();
    }

    /// As [`Slot::fail`], and the other end is to be told.
    pub(super) fn reset(&self) -> List {
        self.fail(Gone::Lost);
        let mut state = self.state();
        state.reset = Tell::Wanted;
        state.list()
    }

    /// Whether both ends have said all.
    pub(super) fn is_over(&self) -> bool {
        let state = self.state();
        state.reset == Tell::Told || state.end == Tell::Told && state.ended
    }

    /// What is to be sent now.
    pub(super) fn messages(&self, key: Key) -> Vec<Message> {
        let mut state = self.state();
        state.listed = false;
        let mut messages = Vec::new();
        let opening = state.opening.take();
        if state.reset == Tell::Wanted {
            state.reset = Tell::Told;
            // Who was never told of it need not be told of its end.
            if opening.is_none() {
                messages.push(Message::Reset(key, false));
            }
            return messages;
        }
        messages.extend(opening.map(|first| Message::Open(key, first)));
        if state.taken >= WINDOW / 2 && !state.ended {
            let taken = u32::try_from(std::mem::take(&mut state.taken)).unwrap_or(u32::MAX);
            messages.push(Message::Credit(key, taken));
        }
        messages.extend(state.outgoing.drain(..).map(|bytes| Message::Data(key, bytes)));
        if state.end == Tell::Wanted {
            state.end = Tell::Told;
            messages.push(Message::End(key));
        }
        messages
    }
}
