//! The worker of one signal: takes batches, has them encoded and sent, tries again, gives up, and
//! counts. How a batch looks and travels is the business of `encode` and `transport`.

use std::ops::ControlFlow;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep_until};

use super::Retry;
use super::encode::{Encoder, Full, Record, Request};
use super::health::Health;
use super::queue::{Queue, reason};
use super::transport::{Answer, Failure, Transport};

/// For how long a collector may ask to be left alone: a slip of the pen must not silence telemetry for
/// good.
const WAIT_MAX: Duration = Duration::from_secs(300);
/// Looking for records more often is of no use.
const DELAY_MIN: Duration = Duration::from_millis(1);

/// Everything that a worker needs but the queue.
pub(super) struct Outlet {
    pub(super) transport: Transport,
    pub(super) encoder: Encoder,
    pub(super) delay: Duration,
    pub(super) timeout: Duration,
    pub(super) retry: Retry,
    pub(super) closing: watch::Receiver<Option<Instant>>,
}

pub(super) struct Worker<R> {
    queue: Arc<Queue<R>>,
    outlet: Outlet,
    backoff: Backoff,
    health: Health,
    /// When records that do not fill a batch are sent.
    flush_at: Instant,
}

/// `Break`: the process ends, and what is left is given up.
type Flow = ControlFlow<()>;

impl<R: Record> Worker<R> {
    pub(super) fn new(queue: Arc<Queue<R>>, outlet: Outlet) -> Self {
        let health = Health::new(queue.flow.signal());
        let backoff = Backoff { retry: outlet.retry, failures: 0, own: None, wished: None, is_last_call: false };
        let flush_at = Instant::now() + outlet.delay;
        Self { queue, outlet, backoff, health, flush_at }
    }

    /// Works until the exporter is closed and everything is sent, or its time is up.
    pub(super) async fn run(mut self) {
        // Even if something panics, records are not lost without being counted.
        let _rest = Abandon(Arc::clone(&self.queue));
        while let Some(batch) = self.next().await {
            if self.deliver(batch).await.is_break() {
                break;
            }
        }
    }

    /// The next batch: a full one at once, another when its time has come; `None` at the end.
    async fn next(&mut self) -> Option<Vec<R>> {
        loop {
            // Records wait in the queue, where the bound holds, until something can be sent.
            if self.rest().await.is_break() {
                return None;
            }
            if let Some(batch) = self.queue.take(false) {
                return Some(batch);
            }
            if self.outlet.closing.borrow_and_update().is_some() {
                return self.queue.take(true);
            }
            tokio::select! {
                () = self.queue.wake.notified() => {}
                () = sleep_until(self.flush_at) => {
                    self.flush_at = Instant::now() + self.outlet.delay.max(DELAY_MIN);
                    if let Some(batch) = self.queue.take(true) {
                        return Some(batch);
                    }
                }
                changed = self.outlet.closing.changed() => changed.ok()?,
            }
        }
    }

    /// Sends a batch, in as many requests as its bytes need.
    async fn deliver(&mut self, mut batch: Vec<R>) -> Flow {
        for record in batch.drain(..) {
            let mut pushed = self.outlet.encoder.push(&record);
            if pushed == Err(Full::Next) {
                self.send().await?;
                pushed = self.outlet.encoder.push(&record);
            }
            if pushed.is_err() {
                self.queue.dropped(reason::OVERSIZED, 1);
            }
        }
        self.send().await?;
        self.queue.recycle(batch);
        Flow::Continue(())
    }

    /// Sends what the encoder has gathered, until it has arrived or is given up.
    async fn send(&mut self) -> Flow {
        let Some(request) = self.outlet.encoder.finish() else { return Flow::Continue(()) };
        let mut give_up_at = None;
        loop {
            self.rest().await?;
            let give_up_at = *give_up_at.get_or_insert_with(|| Instant::now() + self.backoff.retry.give_up);
            let answer = self.attempt(&request).await?;
            if self.settle(answer, request.records, give_up_at).is_break() {
                return Flow::Continue(());
            }
        }
    }

    async fn attempt(&mut self, request: &Request) -> ControlFlow<(), Answer> {
        let mut closing = self.outlet.closing.clone();
        let time_is_up = async {
            let deadline = closing.wait_for(Option::is_some).await.ok().and_then(|deadline| *deadline);
            if let Some(deadline) = deadline {
                sleep_until(deadline).await;
            }
        };
        tokio::select! {
            answer = self.outlet.transport.send(request.body.clone(), self.outlet.timeout) => ControlFlow::Continue(answer),
            () = time_is_up => ControlFlow::Break(()),
        }
    }

    /// Counts what came of an attempt; `Break` when there will be no other for these records.
    fn settle(&mut self, answer: Answer, records: u64, give_up_at: Instant) -> Flow {
        let flow = &self.queue.flow;
        match answer {
            Answer::Taken { rejected, words } => {
                self.backoff.succeeded();
                self.queue.exported(records, rejected);
                self.health.delivered(flow.lost_total());
                if rejected > 0 || !words.is_empty() {
                    self.health.remark(rejected, &words);
                }
            }
            Answer::Refused(cause) => {
                // It answers, so there is no reason to wait.
                self.backoff.succeeded();
                flow.failed(reason::REJECTED);
                self.health.failed(reason::REJECTED, &cause, true, flow.lost_total());
                self.queue.dropped(reason::REJECTED, records);
            }
            Answer::Failed(Failure { reason: why, cause, wait }) => {
                flow.failed(why);
                let is_over = self.backoff.failed(wait) > give_up_at;
                self.health.failed(why, &cause, is_over, flow.lost_total());
                if !is_over {
                    return Flow::Continue(());
                }
                self.queue.dropped(reason::UNDELIVERABLE, records);
            }
        }
        Flow::Break(())
    }

    /// Waits until it is time for an attempt; `Break` when that will not come before the end.
    async fn rest(&mut self) -> Flow {
        loop {
            let deadline = *self.outlet.closing.borrow_and_update();
            if deadline.is_some() {
                self.backoff.last_call();
            }
            let now = Instant::now();
            let due = self.backoff.due().filter(|due| *due > now);
            if deadline.is_some_and(|deadline| deadline <= due.unwrap_or(now)) {
                return Flow::Break(());
            }
            let Some(due) = due else { return Flow::Continue(()) };
            tokio::select! {
                () = sleep_until(due) => return Flow::Continue(()),
                changed = self.outlet.closing.changed() => if changed.is_err() {
                    return Flow::Break(());
                },
            }
        }
    }
}

/// When the next attempt may begin.
struct Backoff {
    retry: Retry,
    failures: u32,
    /// By the program's own patience.
    own: Option<Instant>,
    /// By the collector's wish.
    wished: Option<Instant>,
    is_last_call: bool,
}

impl Backoff {
    fn due(&self) -> Option<Instant> {
        self.own.max(self.wished)
    }

    fn succeeded(&mut self) {
        (self.failures, self.own, self.wished) = (0, None, None);
    }

    /// Tells when the next attempt may begin.
    fn failed(&mut self, wait: Option<Duration>) -> Instant {
        let now = Instant::now();
        let doubled = self.retry.first.saturating_mul(2_u32.saturating_pow(self.failures.min(30)));
        // Processes that failed together do not come back together.
        let own = now + doubled.min(self.retry.max).mul_f64(0.75 + rand::random::<f64>() / 2.0);
        self.failures = self.failures.saturating_add(1);
        self.own = Some(own);
        self.wished = wait.map(|wait| now + wait.min(WAIT_MAX));
        self.wished.map_or(own, |wished| wished.max(own))
    }

    /// The end is near: what is tried again is tried at once, as though it had never failed. Happens
    /// once.
    fn last_call(&mut self) {
        if !std::mem::replace(&mut self.is_last_call, true) {
            (self.failures, self.own) = (0, None);
        }
    }
}

struct Abandon<R>(Arc<Queue<R>>);

impl<R> Drop for Abandon<R> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    fn backoff() -> Backoff {
        let retry = Retry { first: SECOND, max: 10 * SECOND, give_up: 60 * SECOND };
        Backoff { retry, failures: 0, own: None, wished: None, is_last_call: false }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_double_and_differ_and_have_an_end() {
        for _ in 0..50 {
            let mut backoff = backoff();
            for expected in [1, 2, 4, 8, 10, 10] {
                let wait = backoff.failed(None) - Instant::now();
                let around = SECOND * expected;
                assert!((around * 3 / 4..=around * 5 / 4).contains(&wait), "{wait:?} for {around:?}");
            }
        }
        let waits = [(); 20].map(|()| backoff().failed(None) - Instant::now());
        assert!(waits.iter().any(|wait| *wait != waits[0]), "no two processes come back together");
    }

    #[tokio::test(start_paused = true)]
    async fn a_collectors_wish_is_heeded_within_reason() {
        let now = Instant::now();
        let mut backoff = backoff();
        assert_eq!(backoff.failed(Some(7 * SECOND)), now + 7 * SECOND);
        assert_eq!(backoff.failed(Some(Duration::MAX)), now + WAIT_MAX);
        assert_eq!(backoff.due(), Some(now + WAIT_MAX));
        backoff.succeeded();
        assert_eq!(backoff.due(), None);
        // Its wish is no reason to come sooner than otherwise.
        assert!(backoff.failed(Some(Duration::ZERO)) > now);
    }

    #[tokio::test(start_paused = true)]
    async fn at_the_end_only_a_collectors_wish_is_waited_for() {
        let now = Instant::now();
        let mut backoff = backoff();
        backoff.failed(None);
        backoff.last_call();
        assert_eq!(backoff.due(), None);
        backoff.failed(Some(5 * SECOND));
        backoff.last_call();
        assert_eq!(backoff.due(), Some(now + 5 * SECOND));
    }
}
