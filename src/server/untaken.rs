//! Requests that offer an upgrade which nobody takes: HTTP goes on with their connections.

use std::{net::SocketAddr, rc::Rc};

use actix_http::error::DispatchError;
use actix_service::{Service as _, ServiceFactory, fn_factory, fn_service};

use crate::transport::connection::Connection;

/// The address at the other end, if the system knows it.
type Peer = Option<SocketAddr>;

/// Serves a connection again and again, as long as a request on it was given back to HTTP.
pub(super) fn untaken_upgrades<F>(
    http: F,
) -> impl ServiceFactory<
    (Connection, Peer),
    Config = (),
    Response = (),
    Error = DispatchError,
    InitError = F::InitError,
>
where
    F: ServiceFactory<(Connection, Peer), Config = (), Response = (), Error = DispatchError>,
    F::Service: 'static,
    F::Future: 'static,
{
    fn_factory(move || {
        let http = http.new_service(());
        async move {
            let http = Rc::new(http.await?);
            Ok(fn_service(move |(connection, peer): (Connection, Peer)| {
                let http = Rc::clone(&http);
                async move {
                    let handle = connection.handle.clone();
                    let mut next = Some(connection);
                    while let Some(connection) = next {
                        http.call((connection, peer)).await?;
                        next = handle.take_returned();
                    }
                    Ok(())
                }
            }))
        }
    })
}
