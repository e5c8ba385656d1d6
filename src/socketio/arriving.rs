//! WebSockets that arrive here, for connections of other nodes.

use std::time::Duration;

use super::{
    call::{Answer, Call, What},
    connection::{Owners, Service},
    tunnel::{self, Tunnel},
    workers::Directory,
};
use crate::{
    bus::{NodeId, peers::Gone},
    limits::Purse,
    protocol::engineio::ErrorCode,
    telemetry,
    transport::handshake::Upgraded,
};

/// Over how long WebSockets end when their node does.
const AWAY: Duration = Duration::from_millis(500);

impl<S: Service> Directory<S> {
    /// Asks whether a WebSocket may try to take over.
    pub(super) async fn carry_upgrade(
        &self,
        node: NodeId,
        (sid, owners): (&str, Owners),
        purse: Purse,
    ) -> Result<Tunnel, ErrorCode> {
        let call = Call { what: What::Upgrade, sid: sid.to_owned(), owners };
        let answer = async {
            let channel = call.send(self.peers(), node).await?;
            Ok((Answer::hear(&channel).await?, channel))
        };
        match answer.await {
            Ok((Answer::Yes, channel)) => Ok(Tunnel { channel, purse }),
            Ok((Answer::No(code), _)) => Err(code),
            Ok((Answer::Limit(_), _)) | Err(Gone::Lost) => Err(ErrorCode::UnknownSession),
            Err(Gone::Full) => {
                telemetry::refused("carried_full");
                // The client goes on polling.
                Err(ErrorCode::BadRequest)
            }
        }
    }

    /// Carries a WebSocket after its 101.
    pub(super) fn carry_socket(&self, tunnel: Tunnel, upgraded: Upgraded, stall_timeout: Duration) {
        let (directory, patience) = (self.clone(), 2 * stall_timeout);
        actix_rt::spawn(async move {
            let Tunnel { channel, purse } = tunnel;
            let Upgraded { socket, permit, already_read } = upgraded;
            // That there may be nothing is no matter: the connection begins to listen with it.
            if channel.send(already_read.freeze()).await.is_err() {
                return;
            }
            let mut held = purse.charge();
            let carried = tokio::select! {
                carried = tunnel::carry(&socket, &channel, patience, &mut held) => carried,
                () = sent_away(&directory) => Ok(()),
            };
            if let Err(error) = carried {
                tracing::debug!(%error, "a WebSocket to another node ended");
            }
            drop(permit);
        });
    }
}

/// Waits until a client is to go on at another node: not all at the same moment.
async fn sent_away<S: Service>(directory: &Directory<S>) {
    directory.drained().await;
    tokio::time::sleep(AWAY.mul_f32(rand::random())).await;
}
