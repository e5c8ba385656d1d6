//! The whole program, assembled: open the store, start relay and hubs, serve, drain in order. The listener and the
//! moment to end are the caller's, so that a test owns both.

mod untaken;

use std::{
    future::ready,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    rc::Rc,
    sync::Arc,
    time::{Duration, Instant},
};

use actix_http::{HttpService, KeepAlive, error::DispatchError};
use actix_server::{Server, ServerBuilder, ServerHandle};
use actix_service::{ServiceFactoryExt, fn_service, map_config};
use actix_web::{dev::AppConfig, middleware::from_fn, web::Data};
use rustix::net;
use tokio::{net::TcpStream, sync::oneshot};

use self::untaken::untaken_upgrades;
use crate::{
    api::{self, CatalogCache, Documents, assets::Assets},
    bus::BusState,
    clock,
    config::Settings,
    contract,
    domain::Offset,
    gateway::{Endpoints, Gateway, RECOVERY, SocketIoDirectory, upgrade::upgrade},
    outbox::{OutboxLimits, Sweeper, Wire},
    poll::Polls,
    realtime::{
        Company, Follower, Hub, Hubs, Log, Nodes, Ours, Recovery, Registry, Relay, hub::Drain, nodes::away,
    },
    service::{
        ServiceError,
        catalog::{self, CurrencyError},
        housekeeping,
        leases::{Leases, Terms},
    },
    state::{AppState, guesses},
    store::{self, OpenError, Store, StoreError},
    telemetry,
    transport::{connection::Connection, requests::track_requests},
    webhooks::{Client, Dispatcher, Pace},
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
    /// The settings don't fit the database.
    #[error(transparent)]
    Currency(#[from] CurrencyError),
    /// The use cases cannot begin.
    #[error(transparent)]
    Service(#[from] ServiceError),
}

/// A server that is ready to run.
pub struct Application {
    state: AppState,
    store: Arc<dyn Store>,
    latest: Offset,
}

impl Application {
    /// Opens and migrates the store.
    ///
    /// # Errors
    /// The database cannot be used, or the settings don't fit it.
    pub async fn build(settings: Settings) -> Result<Self, StartError> {
        telemetry::start_metrics(Wire::ALL.map(Wire::label));
        let store = store::open(&settings.database_url, settings.currency).await?;
        catalog::check_currency(&*store, settings.currency).await?;
        store.watch_stock(settings.low_stock);
        let latest = store.reach().await?.latest;
        let state = AppState::open(settings, Arc::clone(&store)).await?;
        Ok(Self { state, store, latest })
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

    /// Serves what `listener` accepts until `shutdown` completes, then drains: no new work, orders under way are
    /// answered, sessions are told to come back, the log is closed. Returns when the drain is done or its time is over.
    /// Must be called inside an `actix_rt::System`.
    ///
    /// # Errors
    /// The server's threads cannot be started.
    pub async fn run(self, listener: TcpListener, shutdown: impl Future) -> io::Result<()> {
        // From the end of the log at start: nobody is connected who could have missed more.
        let hubs = Hubs::new(self.latest);
        let log = Log::following(self.store.clone(), self.state.alerts.naming());
        let kept = match self.store.setting(RECOVERY, "").await {
            Ok(kept) => kept,
            Err(error) => return Err(io::Error::other(error)),
        };
        let (feed, bus) = (Arc::clone(self.store.feed()), Arc::clone(&self.state.bus));
        let recovery = Recovery::resume(&kept, Instant::now(), clock::now());
        let company = Company::new(recovery, bus.state() != BusState::None);
        let ours = Ours {
            feed,
            hubs: hubs.clone(),
            company: company.clone(),
            permits: Arc::clone(&self.state.permits),
            ping_interval: self.state.settings.ping_interval,
        };
        let nodes = Nodes::join(bus, ours).await;
        let (socketio, carried) =
            SocketIoDirectory::join(&self.state.bus, self.state.settings.tunnels()).await;
        let carried = actix_rt::spawn(carried);
        let server = self.serve(listener, &hubs, (&company, &socketio), &log)?;
        let handle = server.handle();
        let webhooks = self.start_webhooks()?;
        let (end_polls, polls_end) = oneshot::channel::<()>();
        let polls = Polls::of(&self.state).run(self.leases("source"), polls_end);
        let mut polls = actix_rt::spawn(polls);
        let board = actix_rt::spawn(Arc::clone(&self.state.board).run(hubs.clone()));
        let figures = Arc::clone(&self.state.board).exchange(Arc::clone(&self.state.bus));
        let figures = actix_rt::spawn(figures);
        let widget = actix_rt::spawn(Arc::clone(&self.state.widget).run());
        let nodes = actix_rt::spawn(nodes.run());
        let guesses = guesses::share(Arc::clone(&self.state.accounts), Arc::clone(&self.state.bus));
        let guesses = actix_rt::spawn(guesses);
        let relay = Relay::new(log, hubs.clone(), Arc::clone(&company.viewers));
        let relay = actix_rt::spawn(relay.run());
        let housekeeping = housekeeping::run(Arc::clone(&self.store), Arc::clone(&self.state.settings));
        let housekeeping = actix_rt::spawn(housekeeping);
        let sources = actix_rt::spawn(Arc::clone(&self.state.sources).follow());
        let listen_keys = actix_rt::spawn(Arc::clone(&self.state.listen_keys).follow());
        let moderation = actix_rt::spawn(Arc::clone(&self.state.moderation).follow());
        let alerts = actix_rt::spawn(Arc::clone(&self.state.alerts).follow());
        let drain = async {
            shutdown.await;
            socketio.drain();
            away::tell_nowhere(&*self.state.bus, &company.recovery);
            // All at the same time: deliveries under way end while sessions are told to come back.
            let within = self.state.settings.drain_timeout;
            drop(end_polls);
            let drained = tokio::time::timeout(within, drain(&self.state, &hubs, &handle));
            let polled = tokio::time::timeout(within, &mut polls);
            let (drained, delivered, _) = tokio::join!(drained, webhooks.stop(within), polled);
            if !delivered {
                tracing::warn!("not all deliveries ended in time; they are made again");
            }
            drained.is_ok()
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
        socketio.say_all().await;
        for task in [
            nodes,
            guesses,
            relay,
            housekeeping,
            sources,
            polls,
            listen_keys,
            moderation,
            alerts,
            board,
            figures,
            carried,
        ] {
            task.abort();
        }
        // First, because it waits for a write under way, and that is not to be broken off.
        if let Err(error) = self.state.widget.write(clock::now()).await {
            tracing::warn!(%error, "what the widget counted last is lost");
        }
        widget.abort();
        if let Some(kept) = company.keep(self.state.bus.state(), clock::now())
            && let Err(error) = self.store.change_setting(RECOVERY, &kept).await
        {
            tracing::warn!(%error, "sessions of Socket.IO that were in rooms or on pages are not recovered");
        }
        self.store.close().await;
        self.state.bus.close().await;
        self.state.traces.close().await;
        served
    }

    fn start_webhooks(&self) -> io::Result<Dispatcher> {
        let client = Client::new(self.state.settings.allow_private_endpoints);
        Dispatcher::start(Arc::clone(&self.store), client, Pace::default(), self.leases("endpoint"))
    }

    /// What of a kind this node works for.
    fn leases(&self, kind: &'static str) -> Leases {
        Leases::new(self.store.clone(), self.state.bus.node().to_string(), kind, Terms::default())
    }

    /// Listens at `--metrics-addr`, too.
    fn serve_metrics(&self, builder: ServerBuilder) -> io::Result<ServerBuilder> {
        let Some(addr) = self.state.settings.metrics_addr else { return Ok(builder) };
        let listener = listen(addr).map_err(|error| {
            io::Error::new(error.kind(), format!("--metrics-addr {addr} cannot be listened on: {error}"))
        })?;
        tracing::info!(addr = %listener.local_addr()?, "metrics are at an address of their own");
        let (state, timeout) = (self.state.clone(), self.state.settings.header_timeout);
        builder.listen("metrics", listener, move || {
            HttpService::build()
                .client_request_timeout(timeout)
                .h1(map_config(api::app(state.clone(), api::metrics), |()| AppConfig::default()))
                .tcp()
        })
    }

    fn serve(
        &self,
        listener: TcpListener,
        hubs: &Hubs,
        (company, socketio): (&Company, &SocketIoDirectory),
        log: &Log,
    ) -> io::Result<Server> {
        let (state, hubs, company, log) = (self.state.clone(), hubs.clone(), company.clone(), log.clone());
        let socketio = socketio.clone();
        let workers = state.settings.workers;
        let drain_timeout = state.settings.drain_timeout.as_secs().max(1);
        let catalog = CatalogCache::new(Arc::clone(self.store.feed()));
        let documents = Documents::new(contract::openapi, contract::asyncapi);
        // What is made of them once, and packed, is for all threads.
        let assets = Data::new(Assets::of(&self.state.settings));
        let builder = Server::build();
        let draining = builder.graceful_shutdown_signal();
        // Called once on each worker thread.
        let worker = move || {
            let tally = Arc::clone(state.board.tally());
            let registry = Registry::new(Arc::clone(&company.viewers), Arc::clone(&company.rooms), tally);
            let follower = Follower::new(log.clone(), Rc::clone(&registry));
            let sweeper = Sweeper::new(outbox_limits(&state.settings));
            actix_rt::spawn(Rc::clone(&sweeper).run());
            hubs.add(Hub::new(Rc::clone(&registry), Rc::clone(&follower)));
            let (hubs, Company { recovery, talk, .. }) = (hubs.clone(), company.clone());
            let gateway = Gateway { app: state.clone(), registry, follower, hubs, sweeper, recovery, talk };
            let endpoints = Endpoints::open(gateway, &socketio);
            let routes = endpoints.clone();
            let draining = draining.clone();
            let (permits, header_timeout) = (Arc::clone(&state.permits), state.settings.header_timeout);
            let write_timeout = state.settings.stall_timeout;
            let connect = fn_service(move |socket: TcpStream| {
                let peer = socket.peer_addr().ok();
                let address = peer.map_or(IpAddr::V4(Ipv4Addr::UNSPECIFIED), |peer| peer.ip());
                let permit = permits.acquire_connection(address, Instant::now());
                let permit = permit.ok_or_else(|| io::ErrorKind::QuotaExceeded.into());
                let connection = permit.and_then(|permit| {
                    socket.set_nodelay(true)?;
                    Ok((Connection::new(socket).limited(permit, header_timeout, write_timeout), peer))
                });
                ready(connection.map_err(DispatchError::Io))
            });
            let http = HttpService::build()
                // An idle connection that a browser keeps is no reason to stay.
                .graceful_shutdown_signal(move || {
                    let draining = draining.clone();
                    async move { draining.notified().await }
                })
                .on_connect_ext(|connection: &Connection, extensions| {
                    extensions.insert(connection.handle.clone());
                    extensions.insert(connection.standing());
                })
                .keep_alive(KeepAlive::Timeout(state.settings.keep_alive))
                .client_request_timeout(header_timeout)
                .client_disconnect_timeout(Duration::from_secs(1))
                .upgrade(fn_service(move |request| {
                    let Endpoints { gateway, socketio } = endpoints.clone();
                    upgrade(gateway, socketio, request)
                }))
                .h1(map_config(
                    api::app(
                        state.clone(),
                        api::shop(assets.clone(), catalog.clone(), documents.clone(), move |config| {
                            routes.configure(config);
                        }),
                    )
                    .wrap(from_fn(track_requests)),
                    |()| AppConfig::default(),
                ));
            connect.and_then(untaken_upgrades(http))
        };
        let builder = self.serve_metrics(builder)?;
        let server = builder
            .workers(workers)
            .disable_signals()
            .shutdown_timeout(drain_timeout)
            .max_concurrent_connections(self.state.permits.http_connections().div_ceil(workers) + SLACK)
            .listen("shopbell", listener, worker)?;
        Ok(server.run())
    }
}

fn outbox_limits(settings: &Settings) -> OutboxLimits {
    OutboxLimits {
        bytes: settings.outbox_limit,
        ping_interval: settings.ping_interval,
        ping_timeout: settings.ping_timeout,
        stall_timeout: settings.stall_timeout,
    }
}

/// Time for good-byes after the time for answers.
const GOOD_BYE: Duration = Duration::from_millis(500);
/// Between two batches of good-byes.
const DRAIN_TICK: Duration = Duration::from_millis(20);
/// Good-byes of a thread in one batch, unless there would be no time for all.
const DRAIN_BATCH: usize = 256;

async fn drain(state: &AppState, hubs: &Hubs, handle: &ServerHandle) {
    state.readiness.drain();
    let answer_time = state.settings.drain_timeout / 2;
    let begin = Instant::now();
    let sessions = hubs.drain(Drain { most: 0, spread: Duration::ZERO, at_once: false }).await;
    tracing::info!(sessions, "draining");
    // Half of the time for answers is for telling everyone.
    let ticks = (answer_time.as_millis() / 2 / DRAIN_TICK.as_millis()).max(1);
    let batch = sessions.div_ceil(usize::try_from(ticks).unwrap_or(usize::MAX)).max(DRAIN_BATCH);
    let spread = return_spread(sessions);
    loop {
        // Those who do not answer a good-bye are dropped soon after it.
        let at_once = begin.elapsed() >= answer_time;
        let most = if at_once { usize::MAX } else { batch };
        if hubs.drain(Drain { most, spread, at_once }).await == 0 || begin.elapsed() >= answer_time + GOOD_BYE
        {
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

/// Binds an address for [`Application::run`], with a backlog for a crowd that comes at once, and so that a restart need
/// not wait for old connections. Connections wait in the backlog until the server runs.
///
/// # Errors
/// The address cannot be listened on.
pub fn listen(addr: SocketAddr) -> io::Result<TcpListener> {
    let family = if addr.is_ipv4() { net::AddressFamily::INET } else { net::AddressFamily::INET6 };
    let socket = net::socket_with(family, net::SocketType::STREAM, net::SocketFlags::CLOEXEC, None)?;
    net::sockopt::set_socket_reuseaddr(&socket, true)?;
    net::bind(&socket, &addr)?;
    net::listen(&socket, BACKLOG)?;
    Ok(socket.into())
}

const BACKLOG: i32 = 4096;

/// Connections beyond the most that a thread is given to be dropped: with more, a crowd would be accepted faster than
/// it is sent away, until no descriptor is left and nothing is accepted for a while.
const SLACK: usize = 4;
