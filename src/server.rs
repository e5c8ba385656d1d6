//! The whole program, assembled: open the store, start relay and hubs, bind, serve, drain in order.

use std::{
    future::ready,
    io,
    net::{SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_http::{HttpService, KeepAlive, error::DispatchError};
use actix_server::{Server, ServerHandle};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::{dev::AppConfig, middleware::from_fn};
use rustix::net;
use tokio::{net::TcpStream, sync::Notify};

use crate::{
    api,
    config::Settings,
    domain::Offset,
    gateway::{Gateway, SocketIoDirectory, upgrade::upgrade},
    realtime::{Hub, Hubs, Log, Registry, Relay, Rooms, Viewers, hub::Drain, registry::Patience},
    service::{
        ServiceError,
        catalog::{self, CurrencyError},
        housekeeping,
    },
    state::AppState,
    store::{
        Store, StoreError,
        sqlite::{OpenError, SqliteStore},
    },
    telemetry,
    transport::connection::{Watched, mark},
    web::edge::OneTooMany,
};

/// Why the program cannot start. Its text is one sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The database cannot be used.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// The database fails.
    #[error(transparent)]
    Store(#[from] StoreError),
    /// The address cannot be listened on.
    #[error("cannot listen on {addr}: {error}")]
    Bind {
        /// The address.
        addr: SocketAddr,
        /// Why.
        error: io::Error,
    },
    /// The settings don't fit the database.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The use cases cannot begin.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A server that is bound and ready to run.
pub struct Application {
    state: AppState,
    store: Arc<dyn Store>,
    listener: TcpListener,
    addr: SocketAddr,
    latest: Offset,
    stopper: Stopper,
}

/// Stops a server from elsewhere.
#[derive(Clone, Default)]
pub struct Stopper(Arc<Notify>);

impl Stopper {
    /// Begins the drain; [`Application::run`] returns when it is done.
    pub fn stop(&self) {
        self.0.notify_one();
    }
}

impl Application {
    /// Opens and migrates the store and binds the address. Requests wait in the listener's backlog until
    /// [`Application::run`].
    ///
    /// # Errors
    /// The database or the address cannot be used.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        telemetry::start_metrics();
        let store: Arc<dyn Store> =
            Arc::new(SqliteStore::open(&settings.database_url, settings.currency).await?);
        catalog::check_currency(&*store, settings.currency).await?;
        let latest = store.reach().await?.latest;
        let requested = settings.addr;
        let state = AppState::open(settings, Arc::clone(&store)).await?;
        let (listener, addr) =
            bind(requested).map_err(|error| StartError::Bind { addr: requested, error })?;
        Ok(Self { state, store, listener, addr, latest, stopper: Stopper::default() })
    }

    /// Where it listens, `http://127.0.0.1:3000`.
    #[must_use]
    pub fn url(&self) -> String {
        format!("http://{}", self.addr)
    }

    /// The use cases and settings.
    #[must_use]
    pub fn state(&self) -> &AppState {
        &self.state
    }

    /// The store.
    #[must_use]
    pub fn store(&self) -> Arc<dyn Store> {
        Arc::clone(&self.store)
    }

    /// What stops it.
    #[must_use]
    pub fn stopper(&self) -> Stopper {
        self.stopper.clone()
    }

    /// Serves until stopped, then drains: no new work, orders under way are answered, sessions are told to come
    /// back, the log is closed. Must be called inside an `actix_rt::System`.
    ///
    /// # Errors
    /// The server's threads cannot be started.
    pub async fn run(self) -> io::Result<()> {
        // From the end of the log at start: nobody is connected who could have missed more.
        let hubs = Hubs::new(self.latest);
        let viewers = Arc::new(Viewers::default());
        let log = Log::new(self.store.clone(), self.state.settings.nickname_display);
        let server = self.serve(&hubs, &viewers, &log)?;
        let handle = server.handle();
        let relay = Relay::new(log, hubs.clone(), viewers);
        let relay = actix_rt::spawn(relay.run());
        let housekeeping = housekeeping::run(Arc::clone(&self.store), Arc::clone(&self.state.settings));
        let housekeeping = actix_rt::spawn(housekeeping);
        let drain = async {
            self.stopper.0.notified().await;
            let drained = drain(&self.state, &hubs, &handle);
            tokio::time::timeout(self.state.settings.drain_timeout, drained).await.is_ok()
        };
        tokio::pin!(server);
        let served = tokio::select! {
            served = &mut server => served,
            in_time = drain => {
                if in_time {
                    server.await
                } else {
                    tracing::warn!("not all connections ended in time");
                    Ok(())
                }
            }
        };
        relay.abort();
        housekeeping.abort();
        self.store.close().await;
        served
    }

    fn serve(&self, hubs: &Hubs, viewers: &Arc<Viewers>, log: &Log) -> io::Result<Server> {
        let (state, hubs, viewers, log) =
            (self.state.clone(), hubs.clone(), Arc::clone(viewers), log.clone());
        let (rooms, socketio) = (Arc::new(Rooms::default()), SocketIoDirectory::default());
        let workers = state.settings.workers;
        let drain_timeout = state.settings.drain_timeout.as_secs().max(1);
        let listener = self.listener.try_clone()?;
        let builder = Server::build();
        let draining = builder.graceful_shutdown_signal();
        // Called once on each worker thread.
        let worker = move || {
            let patience = Patience {
                ping_interval: state.settings.ping_interval,
                ping_timeout: state.settings.ping_timeout,
                stall_timeout: state.settings.stall_timeout,
            };
            let registry = Registry::new(Arc::clone(&viewers), Arc::clone(&rooms), log.clone(), patience);
            hubs.add(Hub::new(Rc::clone(&registry), sweep_every(patience)));
            let gateway = Gateway::open(state.clone(), registry, hubs.clone(), &socketio);
            let routes = Rc::clone(&gateway);
            let draining = draining.clone();
            let (admissions, header_timeout) = (Arc::clone(&state.admissions), state.settings.header_timeout);
            let watch = fn_service(move |socket: TcpStream| {
                let peer = socket.peer_addr().ok();
                let watched = admissions.connect().ok_or_else(|| io::ErrorKind::QuotaExceeded.into());
                let watched = watched.and_then(|connected| {
                    socket.set_nodelay(true)?;
                    Ok((Watched::new(socket).limited(connected, header_timeout), peer))
                });
                ready(watched.map_err(DispatchError::Io))
            });
            let http = HttpService::build()
                // An idle connection that a browser keeps is no reason to stay.
                .graceful_shutdown_signal(move || {
                    let draining = draining.clone();
                    async move { draining.notified().await }
                })
                .on_connect_ext(|socket: &Watched, extensions| {
                    extensions.insert(socket.ended.clone());
                    if socket.is_extra() {
                        extensions.insert(OneTooMany);
                    }
                })
                .keep_alive(KeepAlive::Timeout(state.settings.keep_alive))
                .client_request_timeout(header_timeout)
                .client_disconnect_timeout(Duration::from_secs(1))
                .upgrade(fn_service(move |request| upgrade(Rc::clone(&gateway), request)))
                .h1(map_config(
                    api::app(state.clone(), move |config| routes.configure(config)).wrap(from_fn(mark)),
                    |()| AppConfig::default(),
                ));
            watch.and_then(http)
        };
        let server = builder
            .workers(workers)
            .disable_signals()
            .shutdown_timeout(drain_timeout)
            .max_concurrent_connections(self.state.admissions.in_http().div_ceil(workers) + SLACK)
            .listen("shopbell", listener, worker)?;
        Ok(server.run())
    }
}

/// How finely heartbeats are kept: a fraction of them, so that none is late by much. Log-ins that end and good-byes
/// without an answer are seen as finely, and "within a second" (CONTRACT, DESIGN D9) has to hold for them.
fn sweep_every(patience: Patience) -> Duration {
    let finest = patience.ping_interval.min(patience.ping_timeout) / 8;
    finest.clamp(Duration::from_millis(10), Duration::from_millis(250))
}

/// Time for good-byes after the time for answers.
const GOOD_BYE: Duration = Duration::from_millis(500);
/// Between two batches of good-byes.
const DRAIN_TICK: Duration = Duration::from_millis(20);
/// Good-byes of a thread in one batch, unless there would be no time for all.
const DRAIN_BATCH: usize = 256;

async fn drain(state: &AppState, hubs: &Hubs, handle: &ServerHandle) {
    state.readiness.drain();
    let patience = state.settings.drain_timeout / 2;
    let begin = Instant::now();
    let sessions = hubs.drain(Drain { most: 0, spread: Duration::ZERO, at_once: false }).await;
    tracing::info!(sessions, "draining");
    // Half of the time for answers is for telling everyone.
    let ticks = (patience.as_millis() / 2 / DRAIN_TICK.as_millis()).max(1);
    let batch = sessions.div_ceil(usize::try_from(ticks).unwrap_or(usize::MAX)).max(DRAIN_BATCH);
    let spread = return_spread(sessions);
    loop {
        // Those who do not answer a good-bye are dropped soon after it.
        let at_once = begin.elapsed() >= patience;
        let most = if at_once { usize::MAX } else { batch };
        if hubs.drain(Drain { most, spread, at_once }).await == 0 || begin.elapsed() >= patience + GOOD_BYE {
            break;
        }
        tokio::time::sleep(DRAIN_TICK).await;
    }
    handle.stop(true).await;
}

/// Over how long so many sessions come back: two thousand a second is what one core takes with ease while each of them
/// catches up, and whoever is alone need not wait for a crowd.
fn return_spread(sessions: usize) -> Duration {
    let millis = u64::try_from(sessions / 2).unwrap_or(u64::MAX);
    Duration::from_millis(millis.clamp(250, 10_000))
}

/// Binds with a backlog for a crowd that comes at once, and so that a restart need not wait for old connections.
fn bind(addr: SocketAddr) -> io::Result<(TcpListener, SocketAddr)> {
    let family = if addr.is_ipv4() { net::AddressFamily::INET } else { net::AddressFamily::INET6 };
    let socket = net::socket_with(family, net::SocketType::STREAM, net::SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &addr)?;
    net::listen(&socket, BACKLOG)?;
    let listener = TcpListener::from(socket);
    let addr = listener.local_addr()?;
    Ok((listener, addr))
}

const BACKLOG: i32 = 4096;

/// Connections beyond the most that a thread is given to be dropped: with more, a crowd would be accepted faster than
/// it is sent away, until no descriptor is left and nothing is accepted for a while.
const SLACK: usize = 4;
