//! The console in this process: opens its store and its ports, feeds it with what is at hand, and ends it
//! after everything that tells it something. It runs on threads of its own, which give way to others, so
//! that looking never slows what is looked at.

use std::collections::BTreeMap;
use std::net::{SocketAddr, TcpListener};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, OnceLock};
use std::time::Duration;

use console_alerting::service::Service;
use console_http::arrivals::Arrivals;
use console_http::console::{Console, Listeners, OwnMetrics, Parts};
use console_http::export::{self, Imported};
use console_http::intake::Intake;
use console_http::prometheus::Targets;
use console_http::queries::Queries;
use console_receivers::Sink;
use console_receivers::scrape::{self, Scraper};
use console_receivers::tail::{self, Tailer};
use console_storage::{OpenError, Options, Store};
use eventsourcing::{Clock, clock};
use telemetry::metrics::ConsoleCounts;
use telemetry::scope;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::alerting;
use crate::commands::Error;
use crate::observability::{Counts, Observability};
use crate::ready::ConsoleAddresses;
use crate::roles::Part;
use crate::settings::{self, Settings};

/// Threads that serve the console.
const THREADS: usize = 2;
/// Threads for what takes longer: as many as may decode and read the store at the same time, so that who has its
/// turn waits for no thread. There are only those that are needed.
const BLOCKING_THREADS_MAX: usize = 32;
/// By how much its threads give way where the console shares a process with what it looks at.
const NICENESS: i32 = 5;
/// How long its threads may take to end.
const PATIENCE: Duration = Duration::from_secs(5);

/// A console that is open but does not serve yet.
pub(crate) struct Opened {
    listeners: [TcpListener; 3],
    addresses: ConsoleAddresses,
    store: Arc<Store>,
    arrivals: Arc<Arrivals>,
    intake: Arc<Intake>,
    queries: Arc<Queries>,
    alerting: Arc<OnceLock<Arc<Service>>>,
}

/// A console that serves.
pub(crate) struct Running {
    addresses: ConsoleAddresses,
    store: Arc<Store>,
    console: Console,
    intake: Arc<Intake>,
    targets: Targets,
    metrics: OwnMetrics,
    scraper: Option<Scraper>,
    tail: Option<(watch::Sender<bool>, JoinHandle<()>)>,
    alerting: (watch::Sender<bool>, JoinHandle<()>),
    runtime: Threads,
}

/// The console's threads. Where a start fails half-way they are left to end by themselves, for nobody may wait
/// for them on a thread that serves others.
struct Threads(Option<tokio::runtime::Runtime>);

impl Threads {
    fn enter(&self) -> Option<tokio::runtime::EnterGuard<'_>> {
        self.0.as_ref().map(tokio::runtime::Runtime::enter)
    }

    /// Waits for them. Blocks.
    fn end(mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_timeout(PATIENCE);
        }
    }
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.0.take() {
            runtime.shutdown_background();
        }
    }
}

/// Where the process's own metrics are scraped.
pub(crate) enum Own {
    /// At a port of another part of it.
    Url(String),
    /// Here, for no other part has a port.
    Here,
    /// Nowhere, for there are none.
    Nowhere,
}

/// Takes the console's ports and opens its store.
///
/// `shares` says whether something else in this process comes first.
pub(crate) fn open(settings: &Settings, shares: bool) -> Result<Opened, Error> {
    let ports = &settings.console;
    let listeners = [
        listen(settings, ports.port, "CONSOLE_PORT")?,
        listen(settings, ports.otlp_grpc_port, "OTLP_GRPC_PORT")?,
        listen(settings, ports.otlp_http_port, "OTLP_HTTP_PORT")?,
    ];
    let [console, otlp_grpc, otlp_http] = [0, 1, 2].map(|index| listeners[index].local_addr());
    let addresses = ConsoleAddresses { console: console?, otlp_grpc: otlp_grpc?, otlp_http: otlp_http? };
    let clock: Arc<dyn Clock> = Arc::new(clock::System);
    let store = Arc::new(open_behind(settings, shares)?);
    let arrivals = Arc::new(Arrivals::default());
    let intake = Arc::new(Intake::new(Arc::clone(&store), Arc::clone(&arrivals), clock));
    Ok(Opened { listeners, addresses, store, arrivals, intake, queries: Arc::default(), alerting: Arc::default() })
}

fn counts(store: &Store, intake: &Intake, queries: &Queries, alerting: Option<&Service>) -> ConsoleCounts {
    let counts = store.counts();
    let requests = intake.requests();
    let asked = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
    ConsoleCounts {
        ingested: vec![("traces", counts.spans), ("logs", counts.log_records), ("metrics", counts.samples)],
        dropped: vec![
            ("spans_too_old", counts.spans_too_old),
            ("log_lines_too_old", counts.log_records_too_old),
            ("spans_too_large", counts.spans_too_large),
            ("log_lines_too_large", counts.log_records_too_large),
            ("samples_too_old", counts.samples_too_old),
            ("samples_out_of_order", counts.samples_out_of_order),
            ("samples_duplicate", counts.samples_duplicate),
            ("samples_over_series_limit", counts.samples_over_series_limit),
            ("samples_invalid", counts.samples_invalid),
            ("malformed", asked(&requests.items_rejected)),
        ],
        requests: vec![
            ("taken", asked(&requests.taken)),
            ("malformed", asked(&requests.malformed)),
            ("turned_away", asked(&requests.turned_away)),
        ],
        queries: queries.counts(),
        rule_evaluations: alerting::evaluations(alerting),
        notifications: alerting::notifications(alerting),
        alerts: alerting::alerts(alerting),
        rule_files_faulty: alerting::faulty_files(alerting),
        evicted_bytes: counts.bytes_evicted,
        store_bytes: store.bytes(),
        series: store.series_count() as u64,
        is_in_trouble: store.trouble().is_some(),
    }
}

/// Opens the store where its threads get the priority of the console's: a thread has that of the one that made it.
fn open_behind(settings: &Settings, shares: bool) -> Result<Store, Error> {
    let opened = std::thread::scope(|scope| {
        let opening = scope.spawn(|| {
            if shares {
                give_way();
            }
            open_store(settings)
        });
        opening.join()
    });
    let opened = opened.map_err(|_| Error::Failed("the console store could not be opened".to_owned()))?;
    opened.map_err(|error| Error::Failed(told(&error)))
}

/// Lets others go first. Where it is not allowed the console competes like everybody else.
fn give_way() {
    #[cfg(target_os = "linux")]
    let _ = rustix::process::nice(NICENESS);
}

/// Opens what the console keeps.
fn open_store(settings: &Settings) -> Result<Store, OpenError> {
    let console = &settings.console;
    let options =
        Options { limit_bytes: console.retention_bytes, retention_age: console.retention_age, ..Options::default() };
    Store::open(folder(settings), options, Arc::new(clock::System))
}

/// What stands in the way of opening it, and what to do.
pub(crate) fn told(error: &OpenError) -> String {
    let cause = std::error::Error::source(error).map(|cause| format!(" ({cause})")).unwrap_or_default();
    format!("{error}{cause}: it is the folder console in DATA_DIR")
}

/// Where the console keeps everything.
pub(crate) fn folder(settings: &Settings) -> PathBuf {
    settings.data_dir.join("console")
}

fn listen(settings: &Settings, port: u16, setting: &str) -> Result<TcpListener, Error> {
    let address = SocketAddr::new(settings.bind_address, port);
    let listener = TcpListener::bind(address).and_then(|listener| {
        listener.set_nonblocking(true)?;
        Ok(listener)
    });
    listener.map_err(|error| {
        Error::Failed(format!(
            "the console cannot listen on {address} ({error}): stop what listens there, set {setting} to another \
             port (0 takes a free one), or leave the console out with --no-console"
        ))
    })
}

impl Opened {
    /// Where it will be reached.
    pub(crate) const fn addresses(&self) -> ConsoleAddresses {
        self.addresses
    }

    /// What it counts, for `/metrics`.
    pub(crate) fn counts(&self) -> Counts {
        let (store, intake, queries) = (Arc::clone(&self.store), Arc::clone(&self.intake), Arc::clone(&self.queries));
        let alerting = Arc::clone(&self.alerting);
        Box::new(move || counts(&store, &intake, &queries, alerting.get().map(Arc::as_ref)))
    }

    /// Takes in a file of OTLP JSON.
    pub(crate) fn import(&self, path: &std::path::Path) -> Result<Imported, Error> {
        let failed = |reason: String| Error::Failed(format!("cannot import {}: {reason}", path.display()));
        let file = std::fs::File::open(path).map_err(|error| failed(error.to_string()))?;
        export::take(&self.intake, std::io::BufReader::new(file)).map_err(|failure| failed(failure.to_string()))
    }

    /// Starts serving. `shares` says whether something else in this process comes first.
    pub(crate) fn start(
        self,
        settings: &settings::Console,
        observability: &Observability,
        shares: bool,
    ) -> Result<Running, Error> {
        let mut builder = tokio::runtime::Builder::new_multi_thread();
        builder.worker_threads(THREADS).max_blocking_threads(BLOCKING_THREADS_MAX).thread_name("console").enable_all();
        if shares {
            builder.on_thread_start(give_way);
        }
        let runtime = Threads(Some(builder.build()?));
        let own = Arc::clone(&observability.metrics);
        let metrics: OwnMetrics = Arc::new(move || own.encode().unwrap_or_default());
        let targets = Targets::default();
        let scope = observability.scope(Part::Console);
        let alerting = alerting::service(settings, &self.store, self.addresses, scope);
        let alerting = Arc::clone(self.alerting.get_or_init(|| alerting));
        let parts = Parts {
            store: Arc::clone(&self.store),
            intake: Arc::clone(&self.intake),
            arrivals: self.arrivals,
            clock: Arc::new(clock::System),
            version: env!("CARGO_PKG_VERSION"),
            metrics: Arc::clone(&metrics),
            alerting: Arc::clone(&alerting),
            targets: targets.clone(),
            queries: self.queries,
        };
        let [console, otlp_grpc, otlp_http] = self.listeners;
        let console = {
            let _entered = runtime.enter();
            let listener = tokio::net::TcpListener::from_std;
            let listeners = Listeners {
                console: listener(console)?,
                otlp_grpc: listener(otlp_grpc)?,
                otlp_http: listener(otlp_http)?,
            };
            scope::run(Some(observability.scope(Part::Console)), || Console::start(listeners, parts))?
        };
        let (stop, stopped) = watch::channel(false);
        let evaluating = {
            let _entered = runtime.enter();
            tokio::spawn(alerting.run(stopped))
        };
        let Self { addresses, store, intake, .. } = self;
        let (alerting, scraper, tail) = ((stop, evaluating), None, None);
        Ok(Running { addresses, store, intake, metrics, console, targets, scraper, tail, alerting, runtime })
    }
}

impl Running {
    /// Where it is reached.
    pub(crate) const fn addresses(&self) -> ConsoleAddresses {
        self.addresses
    }

    /// Starts scraping this process, under the name of `part`, and what the settings name.
    pub(crate) fn scrape(&mut self, part: Part, own: Own, settings: &settings::Console) -> Result<(), Error> {
        let interval = settings.scrape_interval;
        let job = |name: &str, source| scrape::Job { interval, timeout: interval, ..scrape::Job::new(name, source) };
        let at =
            |url: &str| scrape::Source::Static(vec![scrape::Endpoint { url: url.to_owned(), labels: BTreeMap::new() }]);
        let own = match own {
            Own::Nowhere => None,
            Own::Url(url) => Some(at(&url)),
            Own::Here => Some(scrape::Source::InProcess(scrape::InProcess {
                instance: self.addresses.console.to_string(),
                labels: BTreeMap::new(),
                content_type: telemetry::Metrics::CONTENT_TYPE.to_owned(),
                expose: Arc::clone(&self.metrics),
            })),
        };
        // Of other targets nothing is known but where they are, and what a file says of them.
        let name = |url: &str| url.trim_start_matches("http://").split('/').next().unwrap_or_default().to_owned();
        let others = settings.scrape_targets.iter().map(|target| match target.strip_prefix("file:") {
            Some(path) => job("file", scrape::Source::File(PathBuf::from(path))),
            None => job(&name(target), at(target)),
        });
        let own = own.map(|source| job(part.service_name(), source));
        let jobs = own.into_iter().chain(others).collect();
        let configuration = scrape::Configuration { jobs, limits: scrape::Limits::default() };
        let _entered = self.runtime.enter();
        let sink = Arc::clone(&self.intake) as Arc<dyn Sink>;
        let started = Scraper::start(configuration, sink, Arc::new(clock::System));
        let scraper = started.map_err(|invalid| Error::Failed(format!("the console cannot scrape:\n{invalid}")))?;
        self.targets.read_from(scraper.status_reader());
        self.scraper = Some(scraper);
        Ok(())
    }

    /// Follows log files from now on, and goes on where an earlier process with this store ended.
    pub(crate) fn tail(&mut self, paths: Vec<String>) {
        if paths.is_empty() {
            return;
        }
        let positions = Some(self.store.path().with_extension("tail.json"));
        let options = tail::Options { positions, ..tail::Options::new(paths) };
        let mut tailer = Tailer::new(options, Arc::clone(&self.intake) as _, Arc::new(clock::System));
        // Where files end now is known before anybody is told that the console is ready.
        tailer.poll();
        let (stop, stopped) = watch::channel(false);
        let _entered = self.runtime.enter();
        self.tail = Some((stop, tokio::spawn(tail::run(tailer, stopped))));
    }

    /// Ends it: what is on its way in is taken, and everything is on disk afterwards.
    pub(crate) async fn finish(self) -> Result<(), Error> {
        let Self { runtime, store, console, scraper, tail, alerting: (stop, evaluating), .. } = self;
        stop.send_replace(true);
        // One that panicked is at its end as well.
        let _ = evaluating.await;
        if let Some((stop, following)) = tail {
            stop.send_replace(true);
            // One that panicked is at its end as well.
            let _ = following.await;
        }
        if let Some(scraper) = scraper {
            scraper.shutdown().await;
        }
        console.finish().await;
        let closed = tokio::task::spawn_blocking(move || {
            runtime.end();
            store.flush()
        });
        let flushed = closed.await.map_err(|error| Error::Failed(format!("the console did not end: {error}")))?;
        flushed.map_err(|error| Error::Failed(format!("the console could not write what it had taken: {error}")))
    }
}
