//! The closed loop: a fixed number of customers, each followed by the next as soon as he is through.
//!
//! Finds the highest throughput. Its latencies are no answer to "how fast is it at this rate": a slow
//! service slows the customers down, and what they would have seen is never measured.

use std::{
    future::Future,
    pin::pin,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
    time::Duration,
};

use tokio::{
    task::JoinSet,
    time::{Instant, sleep, sleep_until, timeout_at},
};

use crate::{
    journey::End,
    options::Options,
    planner::Planner,
    traffic::{CANCEL_GRACE, Observer, PROGRESS_EVERY, Tally, Traffic},
    transport::Transport,
};

/// After a refused connection or the like: else a service that is down would be asked in a busy loop,
/// on the very cores that it needs to come up.
const PAUSE_AFTER_REFUSAL: Duration = Duration::from_millis(20);

/// What the workers share. Counted as it happens, so that an aborted worker's part is not lost.
#[derive(Debug, Default)]
struct Ledger {
    stop: AtomicBool,
    started: AtomicU64,
    ended: AtomicU64,
    requests: AtomicU64,
}

/// Runs to the end of the window, or until `cancel`.
pub(crate) async fn run<T: Transport>(
    traffic: &Arc<Traffic<T>>,
    options: &Options,
    concurrency: usize,
    observer: &mut impl Observer,
    cancel: impl Future<Output = ()>,
) -> Tally {
    let end = traffic.began + traffic.window.total();
    let ledger = Arc::new(Ledger::default());
    let mut workers = JoinSet::new();
    for worker in 0..concurrency as u64 {
        // Each has customers of his own, the same with the same seed.
        let seed = options.seed.wrapping_add(worker.wrapping_mul(0x9E37_79B9_7F4A_7C15));
        let planner = Planner::new(seed, options.mix.clone(), Duration::ZERO);
        workers.spawn(work(Arc::clone(traffic), Arc::clone(&ledger), planner, end));
    }
    let mut cancel = pin!(cancel);
    let mut next_progress = traffic.began;
    let mut cancelled = false;
    let give_up = end + traffic.world.patience + CANCEL_GRACE;
    while !workers.is_empty() {
        tokio::select! {
            biased;
            () = &mut cancel => {
                cancelled = true;
                break;
            }
            () = sleep_until(next_progress) => {
                observer.observe(&traffic.snapshot(workers.len()));
                next_progress = Instant::now() + PROGRESS_EVERY;
            }
            () = sleep_until(give_up) => break,
            Some(_) = workers.join_next() => {}
        }
    }
    ledger.stop.store(true, Ordering::Relaxed);
    if cancelled {
        let deadline = Instant::now() + CANCEL_GRACE;
        while let Ok(Some(_)) = timeout_at(deadline, workers.join_next()).await {}
    }
    // Rates are over the time until the last answer that counts.
    let elapsed = traffic.measured();
    workers.shutdown().await;
    observer.observe(&traffic.snapshot(0));
    ledger.tally(cancelled, elapsed)
}

async fn work<T: Transport>(traffic: Arc<Traffic<T>>, ledger: Arc<Ledger>, mut planner: Planner, end: Instant) {
    while Instant::now() < end && !ledger.stop.load(Ordering::Relaxed) {
        let measured = traffic.window.measures(traffic.began.elapsed());
        let journey = planner.next();
        if measured {
            ledger.started.fetch_add(1, Ordering::Relaxed);
            ledger.requests.fetch_add(journey.requests(), Ordering::Relaxed);
        }
        let end = traffic.walk(journey, Instant::now(), measured).await;
        ledger.ended.fetch_add(u64::from(measured), Ordering::Relaxed);
        if matches!(end, End::BrokenOff(kind) if kind.calls_for_patience()) {
            sleep(PAUSE_AFTER_REFUSAL).await;
        }
    }
}

impl Ledger {
    fn tally(&self, cancelled: bool, elapsed: Duration) -> Tally {
        let started = self.started.load(Ordering::Relaxed);
        Tally {
            intended: started,
            requests_intended: self.requests.load(Ordering::Relaxed),
            started,
            unfinished: started.saturating_sub(self.ended.load(Ordering::Relaxed)),
            cancelled,
            elapsed,
            ..Tally::default()
        }
    }
}

#[cfg(test)]
mod tests;
