//! Gentle, endless traffic for `highbeam up`, so that there is always something to look at.
//!
//! Measures nothing; tolerates a service that is not up yet, restarts, or is broken on purpose.

use std::{f64::consts::TAU, fmt, future::Future, pin::pin, sync::Arc, time::Duration};

use rand::{RngExt, SeedableRng, rngs::Xoshiro256PlusPlus};
use tokio::{
    task::JoinSet,
    time::{Instant, sleep_until},
};

use crate::{
    fault::Kind,
    journey::{End, WallClock, World, walk},
    planner::Planner,
    record::Counts,
    run::CONNECT_TIMEOUT,
    scenario::Mix,
    target::Target,
    trace::{Tracing, Untraced},
    transport::{Http, Transport},
};

/// Customers under way at most; while there are more, nobody comes.
const IN_FLIGHT_MAX: usize = 32;

/// How long a customer waits for an answer. Shorter than the service's deadline: people are.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long a customer thinks between two steps, at most.
const THINK_MAX: Duration = Duration::from_millis(400);

/// After the first refusal, doubled with each that follows.
const PAUSE_FIRST: Duration = Duration::from_millis(250);

/// A service that has come back is noticed within this time.
const PAUSE_MAX: Duration = Duration::from_secs(5);

/// Traffic swells and ebbs by this share of its rate, once in [`TIDE`], as if days went by quickly.
const TIDE_SHARE: f64 = 0.4;
const TIDE: Duration = Duration::from_secs(300);

/// What demo traffic is like.
#[derive(Clone)]
pub struct DemoOptions {
    /// Where the service is.
    pub target: Target,
    /// Customers a second, on average; each sends about four requests.
    pub customers_per_second: f64,
    /// Which customers come.
    pub mix: Mix,
    /// The same seed brings the same customers.
    pub seed: u64,
    /// The wall clock, for payment timestamps.
    pub clock: WallClock,
    /// What traces the customers; `None` gives their requests ids and nothing else.
    pub tracing: Option<Arc<dyn Tracing>>,
}

impl DemoOptions {
    /// A few orders a second.
    #[must_use]
    pub fn new(target: Target, clock: WallClock) -> Self {
        Self { target, customers_per_second: 3.0, mix: Mix::default(), seed: 1, clock, tracing: None }
    }
}

impl fmt::Debug for DemoOptions {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("DemoOptions")
            .field("target", &self.target)
            .field("customers_per_second", &self.customers_per_second)
            .field("mix", &self.mix)
            .field("seed", &self.seed)
            .finish_non_exhaustive()
    }
}

/// What demo traffic did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct DemoSummary {
    /// Customers who came.
    pub customers: u64,
    /// Requests sent.
    pub requests: u64,
    /// Of these, failed.
    pub failed: u64,
}

/// Sends gentle traffic until `cancel` completes; customers under way are then left alone at once.
///
/// While the service refuses, nobody but a single customer now and then comes to see, at growing
/// intervals of at most five seconds. Must be called within a tokio runtime that has time and I/O
/// enabled.
pub async fn demo_traffic(options: &DemoOptions, cancel: impl Future<Output = ()> + Send) -> DemoSummary {
    demo_over(Http::new(IN_FLIGHT_MAX, CONNECT_TIMEOUT), options, cancel).await
}

/// [`demo_traffic`] over any transport.
pub(crate) async fn demo_over<T: Transport>(
    transport: T,
    options: &DemoOptions,
    cancel: impl Future<Output = ()> + Send,
) -> DemoSummary {
    let world = Arc::new(World {
        transport,
        base: options.target.base().to_owned(),
        clock: options.clock.clone(),
        patience: PATIENCE,
        tracing: options.tracing.clone().unwrap_or_else(|| Arc::new(Untraced)),
    });
    let counts = Arc::new(Counts::default());
    let mut planner = Planner::new(options.seed, options.mix.clone(), THINK_MAX);
    let mut gaps = Gaps::new(options);
    let mut mood = Mood::default();
    let mut under_way: JoinSet<End> = JoinSet::new();
    let mut cancel = pin!(cancel);
    let mut next = Instant::now();
    loop {
        tokio::select! {
            biased;
            () = &mut cancel => break,
            Some(ended) = under_way.join_next() => {
                if let Ok(end) = ended && let Some(pause) = mood.after(end, under_way.is_empty()) {
                    next = Instant::now() + pause;
                }
            }
            () = sleep_until(next) => {
                let now = Instant::now();
                next = now + gaps.next(now).max(mood.pause);
                // One who comes to see is enough as long as the service refuses.
                if under_way.len() < mood.in_flight_max() {
                    let (world, counts, journey) = (Arc::clone(&world), Arc::clone(&counts), planner.next());
                    under_way.spawn(async move { walk(&world, &*counts, journey, now).await });
                }
            }
        }
    }
    under_way.shutdown().await;
    DemoSummary { customers: counts.customers(), requests: counts.sent(), failed: counts.failed() }
}

/// How long until the next customer: random as people are (exponential gaps), around a rate that
/// slowly swells and ebbs.
struct Gaps {
    random: Xoshiro256PlusPlus,
    rate_per_second: f64,
    began: Instant,
}

impl Gaps {
    fn new(options: &DemoOptions) -> Self {
        // Below one in a hundred seconds nothing would ever be seen; above a hundred it is no demo.
        let asked = options.customers_per_second;
        Self {
            random: Xoshiro256PlusPlus::seed_from_u64(!options.seed),
            rate_per_second: if asked.is_finite() { asked.clamp(0.01, 100.0) } else { 3.0 },
            began: Instant::now(),
        }
    }

    fn next(&mut self, now: Instant) -> Duration {
        let phase = TAU * (now - self.began).as_secs_f64() / TIDE.as_secs_f64();
        let rate = self.rate_per_second * (1.0 + TIDE_SHARE * phase.sin());
        let uniform: f64 = self.random.random();
        let mean_gaps = -(1.0 - uniform).ln();
        // Cut off at five mean gaps: a demo that seems to have stopped convinces nobody.
        Duration::try_from_secs_f64(mean_gaps.min(5.0) / rate).unwrap_or(PAUSE_MAX)
    }
}

/// Whether the service seems to be there, and how patient to be.
#[derive(Debug, Default)]
struct Mood {
    pause: Duration,
}

impl Mood {
    fn in_flight_max(&self) -> usize {
        if self.pause.is_zero() { IN_FLIGHT_MAX } else { 1 }
    }

    /// Takes note of how a customer fared, and whether he was the last one under way; tells how long
    /// to wait from now, if that has changed.
    fn after(&mut self, end: End, last: bool) -> Option<Duration> {
        let refused = matches!(end, End::BrokenOff(kind) if Kind::calls_for_patience(kind));
        match (refused, self.pause.is_zero()) {
            // When it goes down, all who were under way tell the same once.
            (true, false) if !last => None,
            (true, _) => {
                self.pause = (self.pause * 2).clamp(PAUSE_FIRST, PAUSE_MAX);
                Some(self.pause)
            }
            (false, true) => None,
            (false, false) => {
                self.pause = Duration::ZERO;
                Some(Duration::ZERO)
            }
        }
    }
}

#[cfg(test)]
mod tests;
