//! The upgrade from polling to WebSocket.

use std::{rc::Rc, time::Instant};

use super::{Broken, Engine, Probe, Service, Session, polls::release_poll};
use crate::{
    outbox::{Outbox, Wire},
    protocol::{
        engineio::{self, Packet},
        engineio_frame,
    },
};

impl<S: Service> Engine<S> {
    /// Whether there is such a session.
    #[must_use]
    pub fn knows(&self, sid: &str) -> bool {
        self.find(sid).is_some()
    }

    /// A WebSocket wants to take over from polls; `probe` is its way out until then. `None` when the session has a
    /// WebSocket already, or tries one.
    pub fn begin_upgrade(&self, sid: &str, probe: Rc<Outbox>) -> Option<Rc<Session<S>>> {
        let session = self.find(sid)?;
        if session.outbox.wire() != Wire::Polling || session.is_upgrading() || session.outbox.is_closing() {
            return None;
        }
        session.probe.set(Some(Rc::new(Probe { outbox: probe, since: Instant::now() })));
        Some(session)
    }

    /// The client tests the WebSocket: "2probe".
    pub fn probed(&self, session: &Session<S>) {
        if let Some(probe) = session.probe() {
            probe.outbox.send(&engineio_frame(&Packet::Pong(engineio::PROBE)));
        }
        release_poll(session);
    }

    /// The client goes on over the WebSocket: "5".
    ///
    /// # Errors
    /// The session has ended meanwhile.
    pub fn finish_upgrade(&self, session: &Session<S>) -> Result<(), Broken> {
        let probe = session.probe.take().filter(|_| !session.ended.get()).ok_or(Broken)?;
        let socket = probe.outbox.take_socket().ok_or(Broken)?;
        session.outbox.pulse.hear(Instant::now());
        session.outbox.upgrade(socket);
        Ok(())
    }

    /// The WebSocket is gone before it took over; the session goes on polling.
    pub fn give_up_upgrade(&self, session: &Session<S>, probe: &Rc<Outbox>) {
        // Another may be tried by now.
        if session.probe().is_some_and(|current| Rc::ptr_eq(&current.outbox, probe)) {
            session.probe.take();
            session.outbox.pulse.hear(Instant::now());
        }
    }
}
