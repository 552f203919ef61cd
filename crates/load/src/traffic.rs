//! What the open and the closed loop share: the recorders, the progress, the tally.
//!
//! The loops themselves are [`crate::open_loop`] and [`crate::closed_loop`].

use std::{sync::Arc, time::Duration};

use hdrhistogram::CreationError;
use tokio::time::Instant;

use crate::{
    journey::{End, World, walk},
    planner::Journey,
    record::Counts,
    recorder::Recorder,
    schedule::Window,
    transport::Transport,
};

/// How often progress is told.
pub(crate) const PROGRESS_EVERY: Duration = Duration::from_millis(250);

/// Once cancelled, how long customers may still finish.
pub(crate) const CANCEL_GRACE: Duration = Duration::from_secs(1);

/// How a run is coming along.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Snapshot {
    /// Whether it is still warming up.
    pub warming_up: bool,
    /// Since the beginning, warm-up included.
    pub elapsed: Duration,
    /// How long it is planned to take, warm-up included.
    pub planned: Duration,
    /// Requests measured so far: sent.
    pub sent: u64,
    /// Requests measured so far: answered, right or wrong.
    pub answered: u64,
    /// Requests measured so far: failed.
    pub failed: u64,
    /// Requests measured so far: never sent, since too many customers were under way.
    pub dropped: u64,
    /// Customers under way.
    pub in_flight: usize,
    /// Half of the answers came faster, in milliseconds; 0 as long as there is none.
    pub p50_ms: f64,
    /// 99 % of the answers came faster, in milliseconds; 0 as long as there is none.
    pub p99_ms: f64,
}

/// Is told how a run is coming along, a few times a second.
pub trait Observer: Send {
    /// Takes note. MUST NOT block for long: arrivals wait for it.
    fn observe(&mut self, snapshot: &Snapshot);
}

impl<F: FnMut(&Snapshot) + Send> Observer for F {
    fn observe(&mut self, snapshot: &Snapshot) {
        self(snapshot);
    }
}

/// How the measured customers fared with the generator itself.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub(crate) struct Tally {
    /// Customers who were to come.
    pub(crate) intended: u64,
    /// Their requests.
    pub(crate) requests_intended: u64,
    pub(crate) started: u64,
    /// Started noticeably later than intended.
    pub(crate) late: u64,
    /// Never started.
    pub(crate) dropped: u64,
    /// Still under way when patience ended.
    pub(crate) unfinished: u64,
    pub(crate) cancelled: bool,
    /// What rates are over.
    pub(crate) elapsed: Duration,
}

/// What a run needs while it runs.
pub(crate) struct Traffic<T> {
    pub(crate) world: World<T>,
    pub(crate) recorder: Recorder,
    pub(crate) warm_up: Counts,
    pub(crate) window: Window,
    pub(crate) began: Instant,
}

impl<T: Transport> Traffic<T> {
    pub(crate) fn begin(world: World<T>, window: Window) -> Result<Arc<Self>, CreationError> {
        Ok(Arc::new(Self {
            world,
            recorder: Recorder::new()?,
            warm_up: Counts::default(),
            window,
            began: Instant::now(),
        }))
    }

    /// Walks a journey for the recorder that it belongs to.
    pub(crate) async fn walk(&self, journey: Journey, intended: Instant, measured: bool) -> End {
        if measured {
            walk(&self.world, &self.recorder, journey, intended).await
        } else {
            walk(&self.world, &self.warm_up, journey, intended).await
        }
    }

    /// How long was measured by now.
    pub(crate) fn measured(&self) -> Duration {
        self.began.elapsed().saturating_sub(self.window.warm_up)
    }

    pub(crate) fn snapshot(&self, in_flight: usize) -> Snapshot {
        let elapsed = self.began.elapsed();
        self.recorder.peek(|recording| {
            let all = &recording.all;
            let quantile_ms = |quantile| all.latency_us.value_at_quantile(quantile) as f64 / 1_000.0;
            Snapshot {
                warming_up: elapsed < self.window.warm_up,
                elapsed,
                planned: self.window.total(),
                sent: all.sent,
                answered: all.answered,
                failed: all.failed,
                dropped: all.dropped,
                in_flight,
                p50_ms: quantile_ms(0.5),
                p99_ms: quantile_ms(0.99),
            }
        })
    }
}
