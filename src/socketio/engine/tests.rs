//! Time and threads that are late, without sockets.

use tokio::sync::oneshot;

use super::*;
use crate::protocol::engineio::ErrorCode;

struct Silent;

impl Service for Silent {
    type Request = ();
    type State = ();

    fn open(&self, _: &Limits) {}

    fn text(&self, _: &Rc<Session<Self>>, _: &str) -> Result<(), Broken> {
        Ok(())
    }

    fn binary(&self, _: &Rc<Session<Self>>, _: Bytes) -> Result<(), Broken> {
        Ok(())
    }

    fn close(&self, _: &Rc<Session<Self>>) {}
}

fn engine() -> Rc<Engine<Silent>> {
    let limits = Limits {
        ping_interval: Duration::from_secs(3),
        ping_timeout: Duration::from_secs(2),
        max_payload: 1000,
        body_timeout: Duration::from_secs(1),
        outbox: 1000,
        connect_timeout: None,
        stall_timeout: None,
    };
    Engine::new(Silent, limits, 0)
}

/// Rounds as they come on an idle thread, up to this moment.
fn rounds(engine: &Engine<Silent>, until: Instant) {
    while engine.swept.get() < until {
        engine.sweep((engine.swept.get() + engine.sweep_every()).min(until));
    }
}

#[test]
fn whoever_polls_has_the_time_to_answer_from_when_the_ping_leaves() {
    let engine = engine();
    let start = engine.swept.get();
    let after = |millis| start + Duration::from_millis(millis);
    let (session, _) = engine.open_polling(());
    let (answer, mut ping) = oneshot::channel();
    assert_eq!(engine.poll(&session.sid, answer), Ok(()));
    // The thread is held up: it asks only now.
    engine.sweep(after(6000));
    rounds(&engine, after(6100));
    assert_eq!(ping.try_recv().unwrap(), "2");
    rounds(&engine, after(7900));
    assert!(!session.is_over());
    rounds(&engine, after(8300));
    assert!(session.is_over());
}

#[test]
fn an_answer_that_lay_unread_while_the_thread_was_held_up_counts() {
    let engine = engine();
    let start = engine.swept.get();
    let after = |millis| start + Duration::from_millis(millis);
    let (answering, _) = engine.open_polling(());
    let (mute, _) = engine.open_polling(());
    rounds(&engine, after(3100));
    engine.sweep(after(5200));
    assert_eq!(engine.post(&answering.sid, b"3"), Ok(()));
    assert!(!answering.is_over() && !mute.is_over());
    engine.sweep(after(5200) + engine.sweep_every());
    assert!(mute.is_over());
}

#[test]
fn a_poll_that_overtakes_the_word_that_one_was_given_up_finds_no_session() {
    let engine = engine();
    let (session, _) = engine.open_polling(());
    let (answer, given_up) = oneshot::channel();
    assert_eq!(engine.poll(&session.sid, answer), Ok(()));
    drop(given_up);
    let (answer, _waits) = oneshot::channel();
    assert_eq!(engine.poll(&session.sid, answer), Err(ErrorCode::UnknownSession));
    engine.poll_aborted(&session.sid);
    assert!(session.is_over() && engine.is_empty());
}

#[test]
fn an_upgrade_that_is_given_up_leaves_a_later_one_alone() {
    let engine = engine();
    let (session, _) = engine.open_polling(());
    let probe = || Outbox::to_polls(1000);
    let (first, second) = (probe(), probe());
    assert!(engine.begin_upgrade(&session.sid, Rc::clone(&first)).is_some());
    assert!(engine.begin_upgrade(&session.sid, probe()).is_none(), "one at a time");
    session.probe.take();
    assert!(engine.begin_upgrade(&session.sid, Rc::clone(&second)).is_some());
    engine.give_up_upgrade(&session, &first);
    assert!(session.is_upgrading());
    engine.give_up_upgrade(&session, &second);
    assert!(!session.is_upgrading());
}
