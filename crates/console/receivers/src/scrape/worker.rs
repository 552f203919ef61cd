//! Scrapes one target, again and again, until told to stop. Which targets there are is not known here.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use console_model::SampleBatch;
use eventsourcing::Clock;
use tokio::sync::watch;
use tokio::time::Instant;

use super::fetch::{Answer, Client, fetch};
use super::series::{Cache, Report};
use super::target::{Place, Target};
use super::{Health, Limits, TargetStatus};
use crate::exposition::Format;
use crate::{Refused, Sink};

/// What all workers share.
pub(super) struct Shared {
    pub(super) sink: Arc<dyn Sink>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) limits: Limits,
    pub(super) client: Client,
}

pub(super) struct Worker {
    target: Arc<Target>,
    shared: Arc<Shared>,
    status: Arc<Mutex<TargetStatus>>,
    cache: Cache,
}

/// The status of a target that was not scraped yet.
pub(super) fn fresh_status(target: &Target) -> TargetStatus {
    TargetStatus {
        job: target.job.clone(),
        url: target.url.clone(),
        labels: target.labels.clone(),
        discovered_labels: target.discovered.clone(),
        interval: target.interval,
        timeout: target.timeout,
        health: Health::Unknown,
        last_error: String::new(),
        last_scrape_ms: None,
        last_duration: Duration::ZERO,
        last_samples: 0,
    }
}

impl Worker {
    pub(super) fn new(target: Arc<Target>, shared: Arc<Shared>, status: Arc<Mutex<TargetStatus>>) -> Self {
        let cache = Cache::new(&target.labels);
        Self { target, shared, status, cache }
    }

    /// Scrapes until told to stop, then marks all series as ended.
    pub(super) async fn run(mut self, mut stop: watch::Receiver<bool>) {
        let mut next = Instant::now() + self.first_wait();
        loop {
            tokio::select! {
                () = tokio::time::sleep_until(next) => {}
                // An error means that whoever could tell is gone.
                _ = stop.wait_for(|stop| *stop) => break,
            }
            let answered = tokio::select! {
                answer = self.answer() => Some(answer),
                _ = stop.wait_for(|stop| *stop) => None,
            };
            let Some((time_ms, answer, duration)) = answered else { break };
            self.take(time_ms, answer, duration).await;
            // A scrape that took longer than the interval is followed by the next one that is due.
            let now = Instant::now();
            while next <= now {
                next += self.target.interval;
            }
        }
        let time_ms = self.shared.clock.now().as_millisecond();
        if self.has_scraped() {
            let batch = self.cache.end(time_ms);
            // Nobody is left to be told; the store counts what it refuses.
            let _ = self.hand_in(batch).await;
        }
    }

    fn has_scraped(&self) -> bool {
        self.status.lock().unwrap_or_else(PoisonError::into_inner).last_scrape_ms.is_some()
    }

    fn first_wait(&self) -> Duration {
        let interval = self.target.interval.as_nanos().max(1);
        let now = self.shared.clock.now().as_nanosecond().rem_euclid(i128::try_from(interval).unwrap_or(i128::MAX));
        let wait = (u128::from(self.target.phase_ns()) + interval - now.unsigned_abs()) % interval;
        Duration::from_nanos(u64::try_from(wait).unwrap_or(0))
    }

    /// When it was asked, what it answered, and how long that took.
    async fn answer(&self) -> (i64, Result<Answer, String>, Duration) {
        let time_ms = self.shared.clock.now().as_millisecond();
        let start = Instant::now();
        let (target, limits) = (&self.target, &self.shared.limits);
        let answer = match &target.place {
            Place::Http(uri) => {
                let fetched = fetch(&self.shared.client, uri, target.timeout, limits.body_bytes_max);
                let timed = tokio::time::timeout(target.timeout, fetched).await;
                timed.unwrap_or_else(|_| Err(format!("no answer within {:?}", target.timeout)))
            }
            Place::InProcess(place) => {
                let (expose, content_type) = (Arc::clone(&place.expose), place.content_type.clone());
                let exposed = tokio::task::spawn_blocking(move || expose()).await;
                match exposed {
                    Ok(text) if text.len() > limits.body_bytes_max => {
                        Err(format!("body size limit exceeded: more than {} bytes", limits.body_bytes_max))
                    }
                    Ok(text) => Ok(Answer { content_type: Some(content_type), text }),
                    Err(_) => Err("the target failed to expose its metrics".to_owned()),
                }
            }
        };
        (time_ms, answer, start.elapsed())
    }

    /// Reads and hands in what was answered, on a thread that may block.
    async fn take(&mut self, time_ms: i64, answer: Result<Answer, String>, duration: Duration) {
        let mut cache = std::mem::replace(&mut self.cache, Cache::new(&self.target.labels));
        let shared = Arc::clone(&self.shared);
        let taken = tokio::task::spawn_blocking(move || {
            let outcome = take(&mut cache, answer, time_ms, duration, &shared);
            (cache, outcome)
        });
        let outcome = match taken.await {
            Ok((cache, outcome)) => {
                self.cache = cache;
                outcome
            }
            // The runtime ends, or a sink panicked: what was known of the series is lost with it.
            Err(error) => Err(format!("the scrape could not be taken: {error}")),
        };
        let mut status = self.status.lock().unwrap_or_else(PoisonError::into_inner);
        status.last_scrape_ms = Some(time_ms);
        status.last_duration = duration;
        status.health = if outcome.is_ok() { Health::Up } else { Health::Down };
        status.last_samples = *outcome.as_ref().unwrap_or(&0);
        status.last_error = outcome.err().unwrap_or_default();
    }

    async fn hand_in(&self, batch: SampleBatch) -> Result<(), Refused> {
        let sink = Arc::clone(&self.shared.sink);
        let handed = tokio::task::spawn_blocking(move || sink.samples(batch)).await;
        handed.unwrap_or_else(|error| Err(Refused::new(error.to_string())))
    }
}

/// Gives how many samples were taken, or why none was.
fn take(
    cache: &mut Cache,
    answer: Result<Answer, String>,
    time_ms: i64,
    duration: Duration,
    shared: &Shared,
) -> Result<u64, String> {
    let duration_seconds = duration.as_secs_f64();
    let taken = answer.and_then(|answer| {
        let format = Format::from_content_type(answer.content_type.as_deref()).map_err(|error| error.to_string())?;
        cache.take(&answer.text, format, time_ms, &shared.limits).map_err(|fault| fault.to_string())
    });
    let error = match taken {
        Ok(mut taken) => {
            let (samples, series_added) = (taken.samples, taken.series_added);
            let report = Report { is_up: true, duration_seconds, samples, series_added };
            cache.report(report, time_ms, &mut taken.batch);
            match shared.sink.samples(taken.batch) {
                Ok(()) => return Ok(samples),
                Err(refused) => format!("the samples were refused: {refused}"),
            }
        }
        Err(error) => error,
    };
    let mut batch = cache.fail(time_ms);
    cache.report(Report { duration_seconds, ..Report::default() }, time_ms, &mut batch);
    // If this is refused as well, the status still tells why.
    let _ = shared.sink.samples(batch);
    Err(error)
}
