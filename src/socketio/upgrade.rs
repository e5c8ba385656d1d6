//! The upgrade from polling to WebSocket. Heartbeats pause while it is under way.

use std::{
    rc::Rc,
    time::{Duration, Instant},
};

use super::{
    connection::{Connection, Service, Violation},
    engine::Engine,
    polls::release_poll,
};
use crate::{
    outbox::{Close, Outbox},
    protocol::engineio::{self, Packet},
};

/// How long an upgrade may take, as in the reference server.
pub(super) const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);

impl<S: Service> Engine<S> {
    /// Whether there is such a connection.
    #[must_use]
    pub fn knows(&self, sid: &str) -> bool {
        self.get_alive(sid).is_some_and(|connection| !connection.is_over())
    }

    /// A WebSocket wants to take over from polls; `probe` is its outbox until then. `None` when the connection has a
    /// WebSocket already, or tries one.
    pub fn begin_upgrade(&self, sid: &str, probe: Rc<Outbox>) -> Option<Rc<Connection<S>>> {
        let connection = self.get_alive(sid)?;
        let polls = connection.outbox.wire().is_polling() && connection.outbox.is_open();
        if !polls || connection.is_over() || connection.is_upgrading() {
            return None;
        }
        connection.outbox.heartbeat.pause();
        probe.heartbeat.pause();
        let weak = Rc::downgrade(&probe);
        connection.set_probe(Some(probe));
        actix_rt::spawn(async move {
            tokio::time::sleep(UPGRADE_TIMEOUT).await;
            // It is gone when the upgrade has completed.
            if let Some(probe) = weak.upgrade() {
                probe.close(Close::Lost);
            }
        });
        Some(connection)
    }

    /// The client tests the WebSocket: "2probe".
    pub fn probed(&self, connection: &Connection<S>) {
        if let Some(probe) = connection.probe() {
            connection.probed.set(true);
            probe.send(&probe.wire().packets(&[Packet::Pong(engineio::PROBE)]));
        }
        release_poll(connection);
    }

    /// The client goes on over the WebSocket: "5".
    ///
    /// # Errors
    /// The connection has ended meanwhile.
    pub fn finish_upgrade(&self, connection: &Connection<S>) -> Result<(), Violation> {
        let probe = connection.set_probe(None).filter(|_| !connection.is_over()).ok_or(Violation)?;
        let socket = probe.take_socket().ok_or(Violation)?;
        connection.outbox.heartbeat.hear(Instant::now());
        connection.outbox.upgrade(socket);
        self.service.upgraded(connection);
        Ok(())
    }

    /// The WebSocket is gone before it took over; the connection goes on polling.
    pub fn give_up_upgrade(&self, connection: &Connection<S>, probe: &Rc<Outbox>) {
        // Another may be tried by now.
        if connection.probe().is_some_and(|current| Rc::ptr_eq(&current, probe)) {
            connection.set_probe(None);
            connection.outbox.heartbeat.hear(Instant::now());
        }
    }
}
