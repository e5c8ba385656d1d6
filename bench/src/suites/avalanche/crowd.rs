//! Clients in processes of their own: one process has not the descriptors for all of them. Each is told its part in a
//! line of JSON, says when its clients are there and back, and what each of them has seen in the end.

use std::{
    io::{BufRead, Write},
    net::SocketAddr,
    process::{Command, Stdio},
    sync::{
        Arc,
        mpsc::{Receiver, TryRecvError, channel},
    },
    time::{Duration, Instant, SystemTime},
};

use serde::{Deserialize, Serialize};

use crate::{
    Result,
    client::{Clients, Pause, Target, Wire},
    process::Process,
    stop::Stop,
    suites::recovery::Tally,
};

/// How long a client's epoll waits at most.
const TURN: Duration = Duration::from_millis(5);
/// Between two looks at all clients.
const LOOK: Duration = Duration::from_millis(20);
/// From the first session that ends: who is not back by then does not come back.
const PATIENCE: Duration = Duration::from_secs(120);
/// When nobody has got anything for so long, nothing will come.
const SILENCE: Duration = Duration::from_secs(3);
/// How long the opening of all clients of a process may take, and what it does on a line.
const OPENING: Duration = Duration::from_secs(120);

/// The part of one process.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(super) struct Part {
    address: SocketAddr,
    wire: Wire,
    token: Option<String>,
    /// The number of its first client among all.
    first: usize,
    count: usize,
}

/// What came out of it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Outcome {
    /// When each client that came back was let in, ms since 1970.
    pub(super) back: Vec<u64>,
    /// When the last of all had everything, ms since 1970; nothing if one never had.
    pub(super) complete: Option<u64>,
    /// Sessions of Socket.IO that were recovered.
    pub(super) recovered: usize,
    pub(super) tally: Tally,
}

impl Outcome {
    /// Of all processes together.
    pub(super) fn merged(parts: Vec<Self>) -> Self {
        let complete = parts.iter().map(|part| part.complete).collect::<Option<Vec<u64>>>();
        let mut whole =
            Self { complete: complete.and_then(|times| times.into_iter().max()), ..Self::default() };
        for part in parts {
            whole.back.extend(part.back);
            whole.recovered += part.recovered;
            whole.tally += part.tally;
        }
        whole
    }
}

/// All processes of clients.
pub(super) struct Crowd(Vec<Process>);

impl Crowd {
    /// Starts so many, with so many clients each, and waits until all are let in.
    pub(super) fn open(target: &Target, processes: usize, count: usize) -> Result<Self> {
        let start = |number: usize| -> Result<Process> {
            let mut process =
                Process::beside(Command::new(std::env::current_exe()?).arg("crowd").stdin(Stdio::piped()))?;
            let Target { address, wire, ref token, .. } = *target;
            let part = Part { address, wire, token: token.clone(), first: number * count, count };
            process.say(&serde_json::to_string(&part)?)?;
            Ok(process)
        };
        let crowd = Self((0..processes).map(start).collect::<Result<_>>()?);
        for process in &crowd.0 {
            process.line_within("open", OPENING)?;
        }
        Ok(crowd)
    }

    /// Waits until all that come back are back.
    pub(super) fn until_back(&self) -> Result<()> {
        self.0.iter().try_for_each(|process| process.line_within("back", 2 * PATIENCE).map(drop))
    }

    /// Tells them which alert was the last, and asks what they have seen.
    pub(super) fn end(mut self, last: u64) -> Result<Outcome> {
        for process in &mut self.0 {
            process.say(&last.to_string())?;
        }
        let read = |process: &Process| -> Result<Outcome> {
            Ok(serde_json::from_str(&process.line_within("outcome ", OPENING)?)?)
        };
        Ok(Outcome::merged(self.0.iter().map(read).collect::<Result<_>>()?))
    }
}

/// Milliseconds since 1970: a clock that all processes share.
pub(super) fn now() -> u64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    u64::try_from(since.as_millis()).unwrap_or(u64::MAX)
}

/// Plays a part, as a process of its own.
///
/// # Errors
/// The server refuses a client, or the bench has ended.
pub fn run() -> Result<()> {
    let lines = lines();
    let part: Part = serde_json::from_str(&lines.recv()?)?;
    let target = Target {
        token: part.token.clone(),
        after: Some(0),
        first: part.first,
        ..Target::new(part.address, part.wire)
    };
    let unknown = Arc::default();
    let mut clients = Clients::open(target, part.count, Pause::BackOff, &unknown, &Stop::default())?;
    say("open")?;
    let is_over = |clients: &mut Clients| -> Result<Option<u64>> {
        clients.turn(TURN)?;
        match lines.try_recv() {
            Ok(line) => Ok(Some(line.parse()?)),
            Err(TryRecvError::Empty) => Ok(None),
            Err(TryRecvError::Disconnected) => Err("the bench has ended".into()),
        }
    };
    let mut gone = None;
    while clients.gone() < part.count || clients.ready() < part.count {
        is_over(&mut clients)?;
        if clients.gone() > 0 && gone.get_or_insert_with(Instant::now).elapsed() > PATIENCE {
            break;
        }
    }
    let back = back(&clients, gone);
    say("back")?;
    let last = loop {
        if let Some(last) = is_over(&mut clients)? {
            break last;
        }
    };
    let complete = settle(&mut clients, last)?;
    let outcome = Outcome {
        back,
        complete,
        recovered: clients.fleet.counters.recovered,
        tally: Tally::of(clients.seen(), &(1..=last)),
    };
    say(&format!("outcome {}", serde_json::to_string(&outcome)?))
}

/// What the bench says, line by line.
fn lines() -> Receiver<String> {
    let (sender, lines) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lock().lines().map_while(std::result::Result::ok) {
            drop(sender.send(line));
        }
    });
    lines
}

fn say(line: &str) -> Result<()> {
    Ok(writeln!(std::io::stdout(), "{line}")?)
}

/// When those who came back were let in.
fn back(clients: &Clients, gone: Option<Instant>) -> Vec<u64> {
    let (now, instant) = (now(), Instant::now());
    let let_in = clients.fleet.sessions().filter_map(|session| session.ready_at);
    // Who was not cut off, is not back.
    let again = let_in.filter(|&at| gone.is_some_and(|gone| at >= gone));
    again.map(|at| now - u64::try_from((instant - at).as_millis()).unwrap_or_default()).collect()
}

/// Until all have everything, or get nothing any more; when that was.
fn settle(clients: &mut Clients, last: u64) -> Result<Option<u64>> {
    let (mut heard, mut alerts) = (Instant::now(), clients.fleet.counters.alerts);
    loop {
        if clients.have_all(last) {
            return Ok(Some(now()));
        }
        let until = Instant::now() + LOOK;
        while Instant::now() < until {
            clients.turn(TURN)?;
        }
        if clients.fleet.counters.alerts > alerts {
            (heard, alerts) = (Instant::now(), clients.fleet.counters.alerts);
        }
        if heard.elapsed() > SILENCE {
            return Ok(None);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_are_complete_when_the_last_process_is() {
        let part = |back: &[u64], complete, lost| Outcome {
            back: back.to_vec(),
            complete,
            recovered: 1,
            tally: Tally { expected: 10, lost, ..Tally::default() },
        };
        let whole = Outcome::merged(vec![part(&[5, 7], Some(8), 0), part(&[6], Some(9), 1)]);
        assert_eq!((whole.back.len(), whole.complete, whole.recovered), (3, Some(9), 2));
        assert_eq!((whole.tally.expected, whole.tally.lost), (20, 1));
        let whole = Outcome::merged(vec![part(&[5], Some(8), 0), part(&[6], None, 1)]);
        assert_eq!(whole.complete, None, "one that never was");
    }
}
