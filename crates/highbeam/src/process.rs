//! A running process: opens the engines, starts projections and server, and ends them in the right
//! order. Which adapter stands behind which port is `wiring`'s to say.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use api::health::Readiness;
use delivery::services::{OrderCommands, OrderQueries};
use eventsourcing::{Clock, clock};
use projector::{Options, Projector};
use server::{Drain, Drained};
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::commands::Error;
use crate::control::Control;
use crate::observability::Observability;
use crate::probes;
use crate::ready::{ConsoleAddresses, Ready, base_url};
use crate::roles::{Part, Role};
use crate::settings::Settings;
use crate::wiring::{self, Ports};
use crate::{divergence, lock, secret};

/// Bytes of a request's body at most.
const BODY_LIMIT: usize = 2 * 1024 * 1024;
/// How often expired idempotency keys are removed.
const PURGE_EVERY: Duration = Duration::from_secs(600);
/// How often readiness is asked for while starting.
const READY_EVERY: Duration = Duration::from_millis(5);

/// A process that serves.
pub(crate) struct Running {
    address: SocketAddr,
    base_path: String,
    state: Arc<api::State>,
    stop: watch::Receiver<bool>,
    server: JoinHandle<Drained>,
    /// Ends the projections, once the server has.
    stop_projections: watch::Sender<bool>,
    projections: Vec<JoinHandle<()>>,
    background: Vec<JoinHandle<()>>,
    _locks: Vec<lock::Lock>,
}

/// Starts a role. Whatever prevents it is told with what to do about it.
pub(crate) async fn start(
    settings: Settings,
    role: Role,
    observability: &Observability,
    stop: watch::Receiver<bool>,
) -> Result<Running, Error> {
    let clock: Arc<dyn Clock> = Arc::new(clock::System);
    let locks = lock_projections(&settings, role)?;
    let ports =
        wiring::open(&settings, role, &clock, observability).map_err(|error| Error::Failed(error.to_string()))?;
    let (stop_projections, projections_stopped) = watch::channel(false);
    let (projectors, projections) =
        start_projections(&settings, role, &ports, &clock, observability, &projections_stopped);
    let listener = listen(&settings).await?;
    let address = listener.local_addr()?;
    let state = Arc::new(api_state(&settings, role, &ports, clock, observability, &projectors)?);
    let mut background = start_background(&settings, &state, &ports);
    if role.projects_search() {
        let sides = divergence::Sides::of(&ports);
        background.push(tokio::spawn(divergence::watch(sides, Arc::clone(&observability.metrics))));
    }
    let stopped = stop.clone();
    let server = tokio::spawn(server::serve(
        listener,
        api::router(Arc::clone(&state)),
        state.drain.clone(),
        async move {
            let mut stopped = stopped;
            // Without anybody left to ask, the process is ending as well.
            let _ = stopped.wait_for(|stop| *stop).await;
        },
        settings.shutdown_grace,
    ));
    tracing::info!(url = base_url(address), role = ?role, version = env!("CARGO_PKG_VERSION"), "listening");
    Ok(Running {
        address,
        base_path: settings.base_path,
        state,
        stop,
        server,
        stop_projections,
        projections,
        background,
        _locks: locks,
    })
}

impl Running {
    /// Where this machine reaches it.
    #[must_use]
    pub(crate) fn url(&self) -> String {
        base_url(self.address)
    }

    /// Waits for readiness and writes the ready file, if there is to be one.
    pub(crate) async fn tell_ready(&self, path: Option<&Path>, console: Option<ConsoleAddresses>) -> Result<(), Error> {
        let mut stop = self.stop.clone();
        while !self.state.readiness.is_ready().await {
            tokio::select! {
                () = tokio::time::sleep(READY_EVERY) => {}
                _ = stop.wait_for(|stop| *stop) => return Ok(()),
            }
        }
        tracing::info!("ready");
        if let Some(path) = path {
            let written = Ready::new(Some(self.address), console).write(path);
            written
                .map_err(|error| Error::Failed(format!("cannot write the ready file {}: {error}", path.display())))?;
        }
        Ok(())
    }

    /// Sends demo traffic to itself until it stops.
    pub(crate) fn send_demo_traffic(
        &mut self,
        customers_per_second: f64,
        tracing: Arc<dyn load::Tracing>,
        mut stop: watch::Receiver<bool>,
    ) -> Result<(), Error> {
        let target = format!("{}{}", self.url(), self.base_path);
        let target = target.parse().map_err(|error| Error::Failed(format!("demo traffic cannot start: {error}")))?;
        let options = load::DemoOptions {
            customers_per_second,
            tracing: Some(tracing),
            ..load::DemoOptions::new(target, wall_clock())
        };
        self.background.push(tokio::spawn(async move {
            let until = async move {
                let _ = stop.wait_for(|stop| *stop).await;
            };
            let summary = load::demo_traffic(&options, until).await;
            tracing::info!(summary = ?summary, "demo traffic ended");
        }));
        Ok(())
    }

    /// Serves until told to stop; then drains: server first, so that nothing new comes, then
    /// projections, each after the step at hand.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let drained = self.server.await.map_err(|error| Error::Failed(format!("the server failed: {error}")))?;
        self.background.iter().for_each(JoinHandle::abort);
        self.stop_projections.send_replace(true);
        for projection in self.projections {
            // A projection supervises itself; its task ends in order or with the process.
            let _ = projection.await;
        }
        tracing::info!(connections.aborted = drained.aborted, "stopped");
        Ok(())
    }
}

/// The wall clock, as text.
pub(crate) fn wall_clock() -> load::WallClock {
    Arc::new(|| clock::System.now().to_string())
}

async fn listen(settings: &Settings) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(settings.bind_address, settings.port);
    TcpListener::bind(address).await.map_err(|error| {
        Error::Failed(format!(
            "cannot listen on {address} ({error}): stop what listens there, or set PORT or BIND_ADDRESS"
        ))
    })
}

/// Two processes that run the same projection would do everything twice and get in each other's way.
fn lock_projections(settings: &Settings, role: Role) -> Result<Vec<lock::Lock>, Error> {
    let wanted = [
        (role.projects_orders(), wiring::orders_file(settings), "orders"),
        (role.projects_search(), wiring::search_file(settings), "search"),
    ];
    let files = wanted.into_iter().filter(|(runs, _, _)| *runs).filter_map(|(_, file, name)| Some((file?, name)));
    files.map(|(file, name)| lock::Lock::take(&file, name)).collect()
}

fn start_projections(
    settings: &Settings,
    role: Role,
    ports: &Ports,
    clock: &Arc<dyn Clock>,
    observability: &Observability,
    stopped: &watch::Receiver<bool>,
) -> (Vec<Projector>, Vec<JoinHandle<()>>) {
    let subscriptions = &settings.subscriptions;
    let wanted = [
        (role.projects_orders(), "orders", Part::Orders, &ports.orders_target),
        (role.projects_search(), "search", Part::Search, &ports.search_target),
    ];
    let start = |(_, name, part, target)| {
        let options = Options::new(name, &*subscriptions.prefix, subscriptions.partitions);
        let ports = projector::Ports {
            store: Arc::clone(&ports.events),
            target: Arc::clone(target),
            clock: Arc::clone(clock),
            metrics: Arc::clone(&observability.metrics),
            tracer: observability.tracer(part),
        };
        Projector::start(options, ports, stopped.clone())
    };
    wanted.into_iter().filter(|(runs, ..)| *runs).map(start).unzip()
}

fn api_state(
    settings: &Settings,
    role: Role,
    ports: &Ports,
    clock: Arc<dyn Clock>,
    observability: &Observability,
    projectors: &[Projector],
) -> Result<api::State, Error> {
    let orders = role.serves_orders().then(|| api::Orders {
        commands: OrderCommands::new(Arc::clone(&ports.events)),
        queries: OrderQueries::new(Arc::clone(&ports.events), Arc::clone(&ports.orders), Arc::clone(&ports.search)),
        idempotency: Arc::clone(&ports.idempotency),
        recent: api::Recent::default(),
        hub: api::watch::Hub::default(),
    });
    let limit = |limit: crate::settings::RateLimit| api::RateLimit { per_second: limit.per_second, burst: limit.burst };
    Ok(api::State {
        config: api::Config {
            base_path: settings.base_path.clone(),
            request_timeout: settings.request_timeout,
            body_limit: BODY_LIMIT,
            rate_limit: settings.rate_limit.map(limit),
            admin_token: settings.admin_token.clone(),
            cursor_key: secret::cursor_key(settings.cursor_secret.as_ref(), &settings.data_dir)?,
        },
        orders,
        clock,
        readiness: Readiness::new(probes::all(role, ports, projectors)),
        projections: Arc::new(Control::new(projectors.to_vec())),
        metrics: Arc::clone(&observability.metrics),
        tracer: observability.tracer(Part::Api),
        telemetry: observability.control.clone(),
        drain: Drain::default(),
    })
}

/// What a process that serves orders does on the side.
fn start_background(settings: &Settings, state: &Arc<api::State>, ports: &Ports) -> Vec<JoinHandle<()>> {
    let Some(orders) = &state.orders else { return Vec::new() };
    let hub = orders.hub.clone().follow(Arc::clone(&ports.events), settings.subscriptions.prefix.clone());
    let idempotency = Arc::clone(&ports.idempotency);
    let purge = async move {
        loop {
            match idempotency.purge().await {
                Ok(0) => {}
                Ok(keys) => tracing::debug!(keys, "idempotency keys expired"),
                Err(error) => tracing::warn!(error.cause = %error, "idempotency keys could not be removed"),
            }
            tokio::time::sleep(PURGE_EVERY).await;
        }
    };
    vec![tokio::spawn(hub), tokio::spawn(purge)]
}
