//! Password hashes: Argon2id, memory-hard on purpose, so never on a thread that serves connections and never more
//! at once than there are cores.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use base64::{Engine as _, engine::general_purpose::STANDARD_NO_PAD};
use tokio::sync::Semaphore;

use super::ServiceError;
use crate::{
    domain::{Password, PasswordAttempt, PasswordHash},
    telemetry::{self, Queue},
};

/// How many hashes may wait for a core. Past that a request is refused with `unavailable` rather than kept for
/// longer than its client waits: at some 20 ms each, the last waits for a second on one core.
const MAX_WAITING: usize = 64;

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
    cores: Arc<Semaphore>,
    waiting: AtomicUsize,
    /// Verified when there is no account, so that the answer takes as long as for a wrong password.
    dummy: PasswordHash,
}

impl Default for Passwords {
    /// As many hashes at once as there are cores.
    fn default() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, usize::from);
        Self { cores: Arc::new(Semaphore::new(cores)), waiting: AtomicUsize::new(0), dummy: random_hash() }
    }
}

impl Passwords {
    /// Hashes a new password with the default parameters of Argon2id and a salt of its own.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when too many wait.
    pub async fn hash(&self, password: Password) -> Result<PasswordHash, ServiceError> {
        self.run(move || hash(password.reveal())).await?
    }

    /// Whether an attempt is the password of `stored`. Takes as long, and is never right, when there is none: how many
    /// hashes it takes depends on what was typed alone.
    ///
    /// # Errors
    /// [`ServiceError::Busy`] when too many wait; a stored hash that is none.
    pub async fn verify(
        &self,
        attempt: PasswordAttempt,
        stored: Option<PasswordHash>,
    ) -> Result<Verdict, ServiceError> {
        let known = stored.is_some();
        let stored = stored.unwrap_or_else(|| self.dummy.clone());
        let verdict = self.run(move || judge(&attempt, &stored)).await??;
        Ok(if known { verdict } else { Verdict::Wrong })
    }

    async fn run<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, ServiceError> {
        let slot = QueueSlot::take(&self.waiting)?;
        let permit = Arc::clone(&self.cores)
            .acquire_owned()
            .await
            .map_err(|error| ServiceError::internal("the semaphore of the hashes is closed", error))?;
        drop(slot);
        // The permit goes along: when the caller leaves, the hash still occupies its core until it is done.
        tokio::task::spawn_blocking(move || {
            let done = work();
            drop(permit);
            done
        })
        .await
        .map_err(|error| ServiceError::internal("a hash was not finished", error))
    }
}

/// A slot in the queue, given up when it is dropped.
struct QueueSlot<'a>(&'a AtomicUsize);

impl<'a> QueueSlot<'a> {
    fn take(waiting: &'a AtomicUsize) -> Result<Self, ServiceError> {
        let before = waiting.fetch_add(1, Ordering::Relaxed);
        let slot = Self(waiting);
        telemetry::queue_grew(Queue::Passwords);
        if before < MAX_WAITING { Ok(slot) } else { Err(ServiceError::Busy("password hashes")) }
    }
}

impl Drop for QueueSlot<'_> {
    fn drop(&mut self) {
        self.0.fetch_sub(1, Ordering::Relaxed);
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

    #[tokio::test]
    async fn only_the_right_password_of_an_account_verifies() {
        let passwords = Passwords::default();
        let stored = passwords.hash(Password::parse("correct horse").unwrap()).await.unwrap();
        assert!(stored.0.starts_with("$argon2id$v=19$"));
        // What is verified where there is no account costs the same.
        let costs = |hash: &PasswordHash| hash.0.split('$').take(4).map(str::to_owned).collect::<Vec<_>>();
        assert_eq!(costs(&passwords.dummy), costs(&stored));
        assert_eq!(passwords.dummy.0.len(), stored.0.len());
        assert!(matches!(
            passwords.verify(PasswordAttempt::new("correct horse"), Some(stored.clone())).await.unwrap(),
            Verdict::Right { rehashed: None }
        ));
        for (attempt, stored) in [("wrong horse", Some(stored)), ("correct horse", None)] {
            let verdict = passwords.verify(PasswordAttempt::new(attempt), stored).await.unwrap();
            assert!(matches!(verdict, Verdict::Wrong), "{attempt}");
        }
    }

    #[tokio::test]
    async fn a_password_that_was_hashed_as_it_was_typed_gets_a_new_hash() {
        let passwords = Passwords::default();
        let old = hash("pa\u{308}sswo\u{308}rd".as_bytes()).unwrap();
        let verdict =
            passwords.verify(PasswordAttempt::new("pa\u{308}sswo\u{308}rd"), Some(old.clone())).await;
        let Ok(Verdict::Right { rehashed: Some(new) }) = verdict else { panic!("{verdict:?}") };
        for typed in ["pässwörd", "pa\u{308}sswo\u{308}rd"] {
            let verdict = passwords.verify(PasswordAttempt::new(typed), Some(new.clone())).await.unwrap();
            assert!(matches!(verdict, Verdict::Right { rehashed: None }), "{typed}");
        }
        let verdict = passwords.verify(PasswordAttempt::new("passw\u{a0}rd"), Some(old)).await.unwrap();
        assert!(matches!(verdict, Verdict::Wrong));
    }

    #[test]
    fn the_line_is_bounded_and_a_place_is_given_back() {
        let waiting = AtomicUsize::new(0);
        let slots: Vec<_> = (0..MAX_WAITING).map(|_| QueueSlot::take(&waiting).unwrap()).collect();
        assert!(matches!(QueueSlot::take(&waiting), Err(ServiceError::Busy(_))));
        drop(slots);
        assert!(QueueSlot::take(&waiting).is_ok());
    }
}
