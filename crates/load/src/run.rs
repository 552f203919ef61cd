//! Runs what [`Options`] ask for, and reports.

use std::{future::Future, sync::Arc, time::Duration};

use hyper::Method;

use crate::{
    closed_loop,
    fault::{Fault, Kind},
    journey::World,
    judge::Expectation,
    open_loop,
    operation::Operation,
    options::{Mode, Options},
    pacer::Metronome,
    planner::Planner,
    prepare::{AttemptIds, Prepared},
    report::Report,
    schedule::{Schedule, Window},
    trace::{Tracing, Untraced},
    traffic::{Observer, Traffic},
    transport::{Http, Transport},
};

/// A service that does not accept within this long is taken for unreachable.
pub(crate) const CONNECT_TIMEOUT: Duration = Duration::from_secs(5);

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The options make no sense; every fault is told.
    #[error("{}", .0.join("\n"))]
    Options(Vec<String>),
    /// Nobody answers there.
    #[error("{target} cannot be reached ({detail}); is the service running? `highbeam up` starts one")]
    Unreachable {
        /// Where.
        target: String,
        /// What the network said.
        detail: String,
    },
    /// Somebody else answers there.
    #[error("{target} answers, but has no /orders/search; is the base path right? It is /api by default")]
    NotTheService {
        /// Where.
        target: String,
    },
    /// The histograms cannot be built, which is a defect of this program.
    #[error("the histograms cannot be built")]
    Histogram(#[from] hdrhistogram::CreationError),
    /// The machine has no thread left for the schedule.
    #[error("no thread can be started to keep the schedule")]
    Thread(#[from] std::io::Error),
}

/// Checks the options, knocks once, runs, reports.
///
/// Ends when the planned time is over and the last customers are through (or have outlasted the
/// request timeout), or about a second after `cancel` completes. Must be called within a tokio
/// runtime that has time and I/O enabled.
pub async fn run(
    options: &Options,
    progress: impl Observer,
    cancel: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    let connections_max = match options.mode {
        // An impatient customer has two requests in flight.
        Mode::Open { in_flight_max, .. } => in_flight_max.saturating_mul(2),
        Mode::Closed { concurrency } => concurrency.saturating_mul(2),
    };
    let transport = Http::new(connections_max, CONNECT_TIMEOUT.min(options.request_timeout));
    run_over(transport, options, progress, cancel).await
}

/// [`run`] over any transport.
pub(crate) async fn run_over<T: Transport>(
    transport: T,
    options: &Options,
    mut progress: impl Observer,
    cancel: impl Future<Output = ()> + Send,
) -> Result<Report, Error> {
    let faults = options.faults();
    if !faults.is_empty() {
        return Err(Error::Options(faults));
    }
    let world = World {
        transport,
        base: options.target.base().to_owned(),
        clock: options.clock.clone(),
        patience: options.request_timeout,
        tracing: Arc::new(Untraced),
    };
    knock(&world).await?;
    let started_at = (options.clock)();
    let window = Window { warm_up: options.warm_up, duration: options.duration };
    let traffic = Traffic::begin(world, window)?;
    let tally = match options.mode {
        Mode::Open { rate_per_second, in_flight_max, lateness_max } => {
            let planner = Planner::new(options.seed, options.mix.clone(), Duration::ZERO);
            let schedule = Schedule::new(planner, rate_per_second, window);
            let bounds = open_loop::Bounds { in_flight_max, lateness_max };
            open_loop::run(&traffic, schedule, bounds, Metronome::start()?, &mut progress, cancel).await
        }
        Mode::Closed { concurrency } => closed_loop::run(&traffic, options, concurrency, &mut progress, cancel).await,
    };
    Ok(traffic.recorder.peek(|recording| Report::new(options, started_at, &tally, recording, &traffic.warm_up)))
}

/// Asks for a page of a search. Any answer will do, even a failure, since a drill loads a broken
/// service on purpose; but where that route is unknown, all else would be as well.
async fn knock<T: Transport>(world: &World<T>) -> Result<(), Error> {
    let unreachable = |detail: String| Error::Unreachable { target: world.base.clone(), detail };
    let prepared = Prepared {
        operation: Operation::Search,
        method: Method::GET,
        path: "/orders/search?search=&page=1&size=1".to_owned(),
        body: None,
        content_type: "",
        key: None,
        if_match: None,
        if_none_match: None,
        expectation: Expectation::Json,
    };
    let ids = AttemptIds::new(Untraced.journey("probe").traceparent());
    let request = prepared.request(&world.base, &ids).map_err(|error| unreachable(error.to_string()))?;
    match tokio::time::timeout(CONNECT_TIMEOUT.min(world.patience), world.transport.exchange(request)).await {
        Ok(Ok(answer)) if answer.status == 404 => Err(Error::NotTheService { target: world.base.clone() }),
        Ok(Err(Fault { kind: Kind::Connect, detail })) => Err(unreachable(detail)),
        // A service that accepts and then stalls or breaks is one to measure.
        _ => Ok(()),
    }
}
