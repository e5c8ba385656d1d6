//! Waiting, always with a deadline.

use std::time::Duration;

/// After this a test has waited long enough, also on a busy machine.
pub const DEADLINE: Duration = Duration::from_secs(10);
/// What happens within a second may take this long on a machine that does much else.
pub const SOON: Duration = Duration::from_secs(5);
/// Between two looks at something that nobody reports.
const BETWEEN_LOOKS: Duration = Duration::from_millis(2);

/// Waits for a future.
pub async fn within<T>(what: &str, future: impl Future<Output = T>) -> T {
    tokio::time::timeout(DEADLINE, future).await.unwrap_or_else(|_| panic!("nothing came in time: {what}"))
}

/// Looks again and again until something is there.
pub async fn until<T, F: Future<Output = Option<T>>>(what: &str, mut look: impl FnMut() -> F) -> T {
    within(what, async {
        loop {
            if let Some(found) = look().await {
                return found;
            }
            tokio::time::sleep(BETWEEN_LOOKS).await;
        }
    })
    .await
}

/// Looks again and again until it holds.
pub async fn eventually<F: Future<Output = bool>>(what: &str, mut holds: impl FnMut() -> F) {
    until(what, || {
        let holds = holds();
        async { holds.await.then_some(()) }
    })
    .await;
}

/// Lets time pass: for tests of time itself, and for clients that pause before they come back. What a test waits for is
/// waited for with the functions above.
pub async fn pass(time: Duration) {
    tokio::time::sleep(time).await;
}
