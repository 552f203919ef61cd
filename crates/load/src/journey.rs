//! Walks one customer through his journey, one step after the other, and tells a [`Record`].
//!
//! When a customer comes is decided by [`crate::open_loop`], [`crate::closed_loop`] and
//! [`crate::demo`].

use std::{sync::Arc, time::Duration};

use tokio::time::{Instant, sleep_until, timeout};

use crate::{
    fault::{Clause, Fault, Kind},
    judge::judge,
    operation::Operation,
    planner::{Action, Journey},
    prepare::{AttemptIds, Manner, Prepared, prepare},
    record::{Exchange, Record, Took},
    session::{Learned, Session},
    trace::{Traced, Tracing},
    transport::Transport,
};

/// Tells the wall-clock time as RFC 3339; injected, since this crate has no clock of its own.
pub type WallClock = Arc<dyn Fn() -> String + Send + Sync>;

/// What all customers of a run share.
pub(crate) struct World<T> {
    pub(crate) transport: T,
    /// `http://authority/base/path`, without a slash at its end.
    pub(crate) base: String,
    pub(crate) clock: WallClock,
    /// How long a customer waits for one answer.
    pub(crate) patience: Duration,
    pub(crate) tracing: Arc<dyn Tracing>,
}

/// How a journey ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    Completed,
    /// Broken off at a fault of this kind: the later steps make no sense without the failed one.
    BrokenOff(Kind),
}

/// Walks the journey. `intended` is when its first request was meant to be sent; each later one is
/// meant to be sent when the answer before it is there and the customer has thought.
pub(crate) async fn walk<T: Transport, R: Record>(
    world: &World<T>,
    record: &R,
    journey: Journey,
    intended: Instant,
) -> End {
    record.started(journey.scenario);
    let mut customer = Customer {
        world,
        record,
        session: Session::default(),
        trace: world.tracing.journey(journey.scenario.name()),
        keyed: journey.keyed,
        guarded: journey.guarded,
    };
    let mut due = intended;
    for (index, step) in journey.steps.iter().enumerate() {
        if index > 0 {
            due = Instant::now() + step.think;
            if !step.think.is_zero() {
                sleep_until(due).await;
            }
        }
        if let Err(fault) = customer.act(&step.action, due).await {
            customer.trace.end(Some(fault.kind.to_string()));
            record.finished(journey.scenario, true);
            return End::BrokenOff(fault.kind);
        }
    }
    customer.trace.end(None);
    record.finished(journey.scenario, false);
    End::Completed
}

struct Customer<'a, T, R> {
    world: &'a World<T>,
    record: &'a R,
    session: Session,
    trace: Box<dyn Traced>,
    keyed: bool,
    guarded: bool,
}

impl<T: Transport, R: Record> Customer<'_, T, R> {
    async fn act(&mut self, action: &Action, due: Instant) -> Result<(), Fault> {
        let prepared = {
            let now = || (self.world.clock)();
            let manner = Manner { keyed: self.keyed, guarded: self.guarded, now: &now };
            prepare(action, &self.session, &manner)
                .map_err(|error| Fault::new(Kind::MalformedBody, error.to_string()))?
        };
        let learned = if matches!(action, Action::CreateTwice(_)) {
            self.send_twice(&prepared, due).await?
        } else {
            self.send(&prepared, due).await?
        };
        self.session.learn(action, learned);
        if matches!(action, Action::Create(_) | Action::CreateTwice(_)) {
            self.session.create_key.clone_from(&prepared.key);
        }
        if prepared.key.is_some() && !matches!(action, Action::Repeat) {
            self.session.last_command = Some(prepared);
        }
        Ok(())
    }

    async fn send(&self, prepared: &Prepared, due: Instant) -> Result<Learned, Fault> {
        let attempt = self.attempt(prepared, due).await;
        self.conclude(attempt)
    }

    /// Sends the same command twice at once: one must succeed, and both must mean the same order.
    async fn send_twice(&self, prepared: &Prepared, due: Instant) -> Result<Learned, Fault> {
        let beside = Prepared { operation: Operation::Retry, ..prepared.clone() };
        let (first, mut second) = tokio::join!(self.attempt(prepared, due), self.attempt(&beside, due));
        if let (Ok(one), Ok(other)) = (&first.judged, &second.judged) {
            let broken = match (&one.order_id, &other.order_id) {
                (Some(one), Some(other)) if one != other => Some(format!("one key made two orders: {one} and {other}")),
                (None, None) => Some("each of two creates with one key was told that the other is running".to_owned()),
                _ => None,
            };
            if let Some(detail) = broken {
                second.judged = Err(Fault::contract(Clause::Idempotency, detail));
            }
        }
        let (first, second) = (self.conclude(first), self.conclude(second));
        let (first, second) = (first?, second?);
        Ok(if first.order_id.is_some() { first } else { second })
    }

    /// Sends once and judges; tells nobody yet but that it was sent.
    async fn attempt(&self, prepared: &Prepared, due: Instant) -> Attempt {
        let span = self.trace.request(prepared.operation.name());
        let attempt = self.exchange(prepared, due, AttemptIds::new(span.traceparent())).await;
        span.end(attempt.judged.as_ref().err().map(|fault| fault.kind.to_string()));
        attempt
    }

    async fn exchange(&self, prepared: &Prepared, due: Instant, ids: AttemptIds) -> Attempt {
        let operation = prepared.operation;
        self.record.sent(operation);
        let request = match prepared.request(&self.world.base, &ids) {
            Ok(request) => request,
            Err(error) => {
                let fault = Fault::new(Kind::MalformedBody, format!("an answer cannot be followed: {error}"));
                return Attempt::unanswered(operation, ids, None, fault);
            }
        };
        let sent = Instant::now();
        let answer = timeout(self.world.patience, self.world.transport.exchange(request)).await;
        let ended = Instant::now();
        let took =
            Took { latency: ended.saturating_duration_since(due), service_time: ended.saturating_duration_since(sent) };
        match answer {
            Ok(Ok(answer)) => Attempt {
                operation,
                ids,
                took: Some(took),
                answered: true,
                judged: judge(&prepared.expectation, &answer),
            },
            Ok(Err(fault)) => Attempt::unanswered(operation, ids, None, fault),
            // A wait given up counts with the time waited: leaving it out would flatter the percentiles.
            Err(_) => {
                let fault = Fault::new(Kind::Timeout, format!("no answer within {:?}", self.world.patience));
                Attempt::unanswered(operation, ids, Some(took), fault)
            }
        }
    }

    fn conclude(&self, attempt: Attempt) -> Result<Learned, Fault> {
        self.record.ended(&Exchange {
            operation: attempt.operation,
            took: attempt.took,
            answered: attempt.answered,
            fault: attempt.judged.as_ref().err(),
            ids: &attempt.ids,
        });
        attempt.judged
    }
}

/// One request that has ended.
struct Attempt {
    operation: Operation,
    ids: AttemptIds,
    took: Option<Took>,
    answered: bool,
    judged: Result<Learned, Fault>,
}

impl Attempt {
    fn unanswered(operation: Operation, ids: AttemptIds, took: Option<Took>, fault: Fault) -> Self {
        Self { operation, ids, took, answered: false, judged: Err(fault) }
    }
}

#[cfg(test)]
mod tests;
