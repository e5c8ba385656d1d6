//! Password hashes: Argon2id, memory-hard on purpose, so never on a thread that serves connections and never more
//! at once than there are cores.

use std::{
    net::IpAddr,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::oneshot;

use super::ServiceError;
use crate::{
    domain::{Password, PasswordAttempt, PasswordHash},
    limits::{FairQueue, network},
    telemetry::{self, Queue},
};

/// How many log-ins may wait for a core. Past that a request is refused with `unavailable` rather than kept for
/// longer than its client waits: at some 20 ms each, the last waits for a second on one core.
const LOG_INS: usize = 64;
/// Of these from one network.
const LOG_INS_OF_A_NETWORK: usize = 48;
/// How many registrations may wait beside them; they come after log-ins.
const REGISTRATIONS: usize = 32;
/// Of these from one network.
const REGISTRATIONS_OF_A_NETWORK: usize = 8;

/// What an attempt is.
#[derive(Debug)]
pub enum Verdict {
    /// It is not the password.
    Wrong,
    /// It is the password.
    Right {
        /// Its hash in the form of this version, where the stored one is of an older form.
        rehashed: Option<PasswordHash>,
    },
}

/// Makes and checks password hashes, a bounded number at a time.
#[derive(Debug)]
pub struct Passwords {
    line: Arc<Line>,
    /// Verified when there is no account, so that the answer takes as long as for a wrong password.
    dummy: PasswordHash,
}

impl Default for Passwords {
    /// As many hashes at once as there are cores.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { line: Line::new(cores), dummy: random_hash() }
    }
}

impl Passwords {
    /// Hashes a new password with the default parameters of Argon2id and a salt of its own.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when too many wait.
    pub async fn hash(&self, turn: Turn, password: Password) -> Result<PasswordHash, ServiceError> {
        self.run(turn, move || hash(password.reveal())).await?
    }

    /// Whether an attempt is the password of `stored`. Takes as long, and is never right, when there is none: how many
    /// hashes it takes depends on what was typed alone.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when too many wait; a stored hash that is none.
    pub async fn verify(
        &self,
        turn: Turn,
        attempt: PasswordAttempt,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, ServiceError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.clone());
        let verdict = self.run(turn, move || judge(&attempt, &stored)).await??;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(
        &self,
        turn: Turn,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let core = self.line.core(turn).await?;
        // The core goes along: when the caller leaves, the hash still occupies it until it is done.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(core);
            done
        })
        .await
        .map_err(|error| ServiceError::internal("a hash was not finished", error))
    }
}

/// What a hash is for, and for whom: log-ins come first, and networks take turns.
#[derive(Clone, Copy, Debug)]
pub struct Turn {
    registration: bool,
    network: IpAddr,
}

impl Turn {
    /// Of a log-in, or of a member who changes the password.
    #[must_use]
    pub fn log_in(address: IpAddr) -> Self {
        Self { registration: false, network: network(address) }
    }

    /// Of a registration.
    #[must_use]
    pub fn registration(address: IpAddr) -> Self {
        Self { registration: true, network: network(address) }
    }
}

/// Who waits for a core.
#[derive(Debug)]
struct Line(Mutex<Waiting>);

#[derive(Debug)]
struct Waiting {
    free: usize,
    log_ins: FairQueue<IpAddr, oneshot::Sender<Core>>,
    registrations: FairQueue<IpAddr, oneshot::Sender<Core>>,
}

/// A core to hash on; the next in line gets it when it is dropped.
#[derive(Debug)]
struct Core(Option<Arc<Line>>);

impl Line {
    fn new(cores: usize) -> Arc<Self> {
        let (log_ins, registrations) = (FairQueue::new(LOG_INS), FairQueue::new(REGISTRATIONS));
        Arc::new(Self(Mutex::new(Waiting { free: cores, log_ins, registrations })))
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    async fn core(self: &Arc<Self>, turn: Turn) -> Result<Core, ServiceError> {
        let given = {
            let mut waiting = self.waiting();
            if waiting.free > 0 {
                waiting.free -= 1;
                return Ok(Core(Some(Arc::clone(self))));
            }
            waiting.queue(turn)?
        };
        let _counted = Counted::new();
        given.await.map_err(|error| ServiceError::internal("the line for hashes has ended", error))
    }
}

impl Waiting {
    fn queue(&mut self, turn: Turn) -> Result<oneshot::Receiver<Core>, ServiceError> {
        let (give, given) = oneshot::channel();
        let queued = if turn.registration {
            self.registrations.push(turn.network, REGISTRATIONS_OF_A_NETWORK, give)
        } else {
            self.log_ins.push(turn.network, LOG_INS_OF_A_NETWORK, give)
        };
        queued.map_err(|_| ServiceError::Busy("password hashes"))?;
        Ok(given)
    }
}

impl Drop for Core {
    fn drop(&mut self) {
        let Some(line) = self.0.take() else { return };
        loop {
            let next = {
                let mut waiting = line.waiting();
                let next = waiting.log_ins.pop().or_else(|| waiting.registrations.pop());
                if next.is_none() {
                    waiting.free += 1;
                }
                next
            };
            let Some(next) = next else { return };
            match next.send(Self(Some(Arc::clone(&line)))) {
                Ok(()) => return,
                // Whoever waited has left: the next one.
                Err(mut core) => core.0 = None,
            }
        }
    }
}

/// Counts among those that wait while it is kept.
struct Counted;

impl Counted {
    fn new() -> Self {
        telemetry::queue_grew(Queue::Passwords);
        Self
    }
}

impl Drop for Counted {
    fn drop(&mut self) {
        telemetry::queue_shrank(Queue::Passwords, 1);
    }
}

/// A hash of no password that anyone knows. It is random, not computed: that would cost every start the time and the
/// memory of a hash.
fn random_hash() -> PasswordHash {
    let (params, version) = (Params::DEFAULT, Version::default() as u32);
    let random: [u8; 16 + Params::DEFAULT_OUTPUT_LEN] = rand::random();
    let (salt, output) = random.split_at(16);
    PasswordHash(format!(
        "${}$v={version}$m={},t={},p={}${}${}",
        Algorithm::default(),
        params.m_cost(),
        params.t_cost(),
        params.p_cost(),
        STANDARD_NO_PAD.encode(salt),
        STANDARD_NO_PAD.encode(output),
    ))
}

fn hash(password: &[u8]) -> Result<PasswordHash, ServiceError> {
    let hash: phc::PasswordHash = Argon2::default()
        .hash_password(password)
        .map_err(|error| ServiceError::internal("a password could not be hashed", error.to_string()))?;
    Ok(PasswordHash(hash.to_string()))
}

fn verify(attempt: &[u8], stored: &PasswordHash) -> Result<bool, ServiceError> {
    let broken = |text: String| ServiceError::internal("a stored password hash cannot be read", text);
    let stored = phc::PasswordHash::new(&stored.0).map_err(|error| broken(error.to_string()))?;
    match Argon2::default().verify_password(attempt, &stored) {
        Ok(()) => Ok(true),
        Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
        Err(error) => Err(broken(error.to_string())),
    }
}

/// A password that was hashed before passwords were normalized is right as it was typed then, and gets a hash that is
/// right however it is typed.
fn judge(attempt: &PasswordAttempt, stored: &PasswordHash) -> Result<Verdict, ServiceError> {
    let normalized = attempt.normalized();
    if verify(normalized.reveal(), stored)? {
        return Ok(Verdict::Right { rehashed: None });
    }
    match attempt.as_typed() {
        Some(typed) if verify(typed, stored)? => {
            Ok(Verdict::Right { rehashed: Some(hash(normalized.reveal())?) })
        }
        _ => Ok(Verdict::Wrong),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HERE: Turn = Turn { registration: false, network: IpAddr::V4(std::net::Ipv4Addr::LOCALHOST) };

    fn from(registration: bool, last: u8) -> Turn {
        Turn { registration, network: IpAddr::from([10, 0, 0, last]) }
    }

    #[tokio::test]
    async fn only_the_right_password_of_an_account_verifies() {
        let passwords = Passwords::default();
        let stored = passwords.hash(HERE, Password::parse("correct horse").unwrap()).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$"));
        // What is verified where there is no account costs the same.
        let costs = |hash: &PasswordHash| hash.0.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(costs(&passwords.dummy), costs(&stored));
        assert_eq!(passwords.dummy.0.len(), stored.0.len());
        assert!(matches!(
            passwords
                .verify(HERE, PasswordAttempt::new("correct horse"), Some(stored.clone()))
                .await
                .unwrap(),
            Verdict::Right { rehashed: None }
        ));
        for (attempt, stored) in [("wrong horse", Some(stored)), ("correct horse", None)] {
            let verdict = passwords.verify(HERE, PasswordAttempt::new(attempt), stored).await.unwrap();
            assert!(matches!(verdict, Verdict::Wrong), "{attempt}");
        }
    }

    #[tokio::test]
    async fn a_password_that_was_hashed_as_it_was_typed_gets_a_new_hash() {
        let passwords = Passwords::default();
        let old = hash("pa\u{308}sswo\u{308}rd".as_bytes()).unwrap();
        let verdict =
            passwords.verify(HERE, PasswordAttempt::new("pa\u{308}sswo\u{308}rd"), Some(old.clone())).await;
        let Ok(Verdict::Right { rehashed: Some(new) }) = verdict else { panic!("{verdict:?}") };
        for typed in ["pässwörd", "pa\u{308}sswo\u{308}rd"] {
            let verdict =
                passwords.verify(HERE, PasswordAttempt::new(typed), Some(new.clone())).await.unwrap();
            assert!(matches!(verdict, Verdict::Right { rehashed: None }), "{typed}");
        }
        let verdict = passwords.verify(HERE, PasswordAttempt::new("passw\u{a0}rd"), Some(old)).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[tokio::test]
    async fn nobody_holds_the_whole_line_and_log_ins_come_before_registrations() {
        let line = Line::new(1);
        let core = line.core(HERE).await.unwrap();
        let join = |turn| line.waiting().queue(turn);
        let mut flood: Vec<_> = (0..100).filter_map(|_| join(from(true, 1)).ok()).collect();
        assert_eq!(flood.len(), REGISTRATIONS_OF_A_NETWORK);
        flood.extend((0..100).filter_map(|_| join(from(false, 1)).ok()));
        assert_eq!(flood.len(), REGISTRATIONS_OF_A_NETWORK + LOG_INS_OF_A_NETWORK);
        let (mut other, mut member) = (join(from(true, 2)).unwrap(), join(from(false, 3)).unwrap());
        // Those who leave are passed over, and a core that is given back goes to the next.
        drop(flood);
        drop(core);
        let core = member.try_recv().expect("a log-in is first");
        assert!(other.try_recv().is_err());
        drop(core);
        drop(other.try_recv().expect("then the registration"));
        assert_eq!(line.waiting().free, 1);
    }
}
