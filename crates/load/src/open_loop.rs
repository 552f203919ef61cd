//! The open loop: customers come when the schedule says, whatever became of those before.
//!
//! One task owns the clock, the customers under way and those waiting. Where the bound on customers
//! under way is reached, the next ones wait, visibly: their latency counts from when they were meant
//! to start, they are counted as late, and after too long a wait as dropped.

use std::{collections::VecDeque, future::Future, pin::pin, sync::Arc, time::Duration};

use tokio::{
    task::{JoinError, JoinSet},
    time::{Instant, sleep_until, timeout_at},
};

use crate::{
    pacer::Pacer,
    schedule::{Arrival, Schedule},
    traffic::{CANCEL_GRACE, Observer, PROGRESS_EVERY, Tally, Traffic},
    transport::Transport,
};

/// From when on a start counts as late: above the timer's resolution and a busy machine's jitter.
const LATE_AFTER: Duration = Duration::from_millis(10);

/// Customers waiting at most, whatever their patience: bounds the memory.
const WAITING_MAX: usize = 20_000;

/// A customer who comes in the last moment takes a while to finish. Only a longer tail than this
/// tells of a service that is slower than the rate, and lowers the achieved rate.
const FINISHING_GRACE: Duration = Duration::from_secs(1);

/// The bounds of the loop.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Bounds {
    pub(crate) in_flight_max: usize,
    pub(crate) lateness_max: Duration,
}

/// Runs the schedule to its end, or until `cancel`.
pub(crate) async fn run<T: Transport>(
    traffic: &Arc<Traffic<T>>,
    mut schedule: Schedule,
    bounds: Bounds,
    mut pacer: impl Pacer,
    observer: &mut impl Observer,
    cancel: impl Future<Output = ()>,
) -> Tally {
    let mut street = Street {
        traffic,
        bounds,
        waiting: VecDeque::new(),
        under_way: JoinSet::new(),
        ended: 0,
        tally: Tally::default(),
    };
    let mut cancel = pin!(cancel);
    let mut next = schedule.next();
    let mut next_progress = traffic.began;
    // Once all have come, the last ones get one patience and a little to finish.
    let give_up = traffic.began + traffic.window.total() + traffic.world.patience + CANCEL_GRACE;
    loop {
        street.admit();
        if next.is_none() && street.is_empty() {
            break;
        }
        let due = next.as_ref().map_or(give_up, |arrival| traffic.began + arrival.at);
        tokio::select! {
            biased;
            () = &mut cancel => {
                street.tally.cancelled = true;
                break;
            }
            () = sleep_until(next_progress) => {
                observer.observe(&traffic.snapshot(street.under_way.len()));
                next_progress = Instant::now() + PROGRESS_EVERY;
            }
            () = pacer.until(due) => match next.take() {
                Some(arrival) => {
                    street.arrive(arrival);
                    next = schedule.next();
                }
                None => break,
            },
            Some(ended) = street.under_way.join_next() => street.bid_farewell(ended),
        }
    }
    let tally = street.close().await;
    observer.observe(&traffic.snapshot(0));
    tally
}

struct Street<'a, T> {
    traffic: &'a Arc<Traffic<T>>,
    bounds: Bounds,
    waiting: VecDeque<Arrival>,
    /// Ends with whether the customer was measured.
    under_way: JoinSet<bool>,
    /// Measured customers who are through.
    ended: u64,
    tally: Tally,
}

impl<T: Transport> Street<'_, T> {
    fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.under_way.is_empty()
    }

    fn arrive(&mut self, arrival: Arrival) {
        if arrival.measured {
            self.tally.intended += 1;
            self.tally.requests_intended += arrival.journey.requests();
        }
        if self.waiting.len() >= WAITING_MAX {
            self.turn_away(&arrival);
        } else {
            self.waiting.push_back(arrival);
        }
    }

    /// Starts who may start, and turns away who has waited too long.
    fn admit(&mut self) {
        // Where arrivals are always due, nobody else would notice who has left.
        while let Some(ended) = self.under_way.try_join_next() {
            self.bid_farewell(ended);
        }
        while let Some(first) = self.waiting.front() {
            let intended = self.traffic.began + first.at;
            let lateness = Instant::now().saturating_duration_since(intended);
            let too_late = lateness > self.bounds.lateness_max.max(LATE_AFTER);
            if !too_late && self.under_way.len() >= self.bounds.in_flight_max {
                break;
            }
            let Some(arrival) = self.waiting.pop_front() else { break };
            if too_late {
                self.turn_away(&arrival);
            } else {
                self.start(arrival, intended, lateness);
            }
        }
    }

    fn start(&mut self, arrival: Arrival, intended: Instant, lateness: Duration) {
        let measured = arrival.measured;
        if measured {
            self.tally.started += 1;
            self.tally.late += u64::from(lateness > LATE_AFTER);
        }
        let traffic = Arc::clone(self.traffic);
        self.under_way.spawn(async move {
            traffic.walk(arrival.journey, intended, measured).await;
            measured
        });
    }

    fn bid_farewell(&mut self, ended: Result<bool, JoinError>) {
        self.ended += u64::from(ended.unwrap_or(false));
    }

    fn turn_away(&mut self, arrival: &Arrival) {
        if arrival.measured {
            self.tally.dropped += 1;
            self.traffic.recorder.dropped(arrival.journey.operations());
        }
    }

    /// Nobody comes any more: turns away who waits, and lets the others finish if they are quick.
    async fn close(mut self) -> Tally {
        while let Some(arrival) = self.waiting.pop_front() {
            self.turn_away(&arrival);
        }
        let measured = self.traffic.measured();
        let duration = self.traffic.window.duration;
        self.tally.elapsed = if self.tally.cancelled {
            measured.min(duration)
        } else {
            duration.max(measured.saturating_sub(FINISHING_GRACE))
        };
        if self.tally.cancelled {
            let deadline = Instant::now() + CANCEL_GRACE;
            while let Ok(Some(ended)) = timeout_at(deadline, self.under_way.join_next()).await {
                self.bid_farewell(ended);
            }
        }
        self.tally.unfinished = self.tally.started.saturating_sub(self.ended);
        self.under_way.shutdown().await;
        self.tally
    }
}

#[cfg(test)]
mod tests;
