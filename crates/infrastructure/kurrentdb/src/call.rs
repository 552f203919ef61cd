//! How a call is made: on the right node, within its deadline, again where that is safe and may help.
//!
//! Every call of this crate may be repeated. Reads change nothing; an append carries ids and an expected
//! revision, by which the server knows it again.

use std::time::Duration;

use tokio::time::{Instant, timeout, timeout_at};

use crate::failure::{Failure, Kind};
use crate::nodes::{Nodes, Role};
use crate::rpc::Caller;

/// Long enough to outlast a dropped connection or a leader that hands over, and no more: whoever waits
/// for a server that is down is better told so.
const ATTEMPTS_MAX: u32 = 6;
const BACKOFF_FIRST: Duration = Duration::from_millis(25);
const BACKOFF_LONGEST: Duration = Duration::from_secs(1);

/// A call to be made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Call {
    pub(crate) role: Role,
    /// For all attempts together.
    pub(crate) deadline: Duration,
}

/// Makes a call until it succeeds, cannot succeed, or is out of time or attempts.
pub(crate) async fn make<T, F>(nodes: &Nodes, call: Call, attempt: impl Fn(Caller) -> F) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let Call { role, deadline } = call;
    let end = Instant::now() + deadline;
    let mut has_timed_out = false;
    let mut attempts = 0;
    loop {
        attempts += 1;
        // A node that does not answer may be dead without knowing: half of the time is for another. The
        // second time it is the engine that is slow, and gets all that is left.
        let left = end.saturating_duration_since(Instant::now());
        let share = if has_timed_out { left } else { left / 2 };
        let failure = match once(nodes, role, end, share, &attempt).await {
            Ok(answer) => return Ok(answer),
            Err(failure) => failure,
        };
        has_timed_out |= failure.kind == Kind::TimedOut;
        let wait = backoff(attempts, &failure);
        if !failure.may_pass() || attempts >= ATTEMPTS_MAX || Instant::now() + wait >= end {
            return Err(failure);
        }
        tokio::time::sleep(wait).await;
    }
}

async fn once<T, F>(
    nodes: &Nodes,
    role: Role,
    end: Instant,
    share: Duration,
    attempt: &impl Fn(Caller) -> F,
) -> Result<T, Failure>
where
    F: Future<Output = Result<T, Failure>>,
{
    let node = timeout_at(end, nodes.find(role)).await.unwrap_or_else(|_| {
        Err(Failure::new(Kind::TimedOut, "no node of the cluster could be found within the deadline"))
    })?;
    let answer = timeout(share, attempt(nodes.caller(&node, role, share))).await;
    let failure = match answer {
        Ok(Ok(answer)) => return Ok(answer),
        Ok(Err(failure)) => failure,
        Err(_) => Failure::new(Kind::TimedOut, format!("no answer within {share:?}")),
    };
    if failure.is_of_connection() || (failure.may_pass() && nodes.settings().is_cluster()) {
        let leader = match &failure.kind {
            Kind::NotLeader(leader) => leader.clone(),
            _ => None,
        };
        nodes.discard(role, &node, leader);
    }
    Err(failure)
}

/// Doubling, with jitter: callers that failed together do not come back together. To a leader that was
/// just named they go at once.
pub(crate) fn backoff(failures: u32, failure: &Failure) -> Duration {
    if failures == 1 && matches!(failure.kind, Kind::NotLeader(Some(_))) {
        return Duration::ZERO;
    }
    let doubled = BACKOFF_FIRST.saturating_mul(2_u32.saturating_pow(failures.saturating_sub(1)));
    doubled.min(BACKOFF_LONGEST).mul_f64(0.5 + rand::random::<f64>() / 2.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Address;

    #[test]
    fn waits_double_up_to_a_bound_but_a_named_leader_is_asked_at_once() {
        let busy = Failure::new(Kind::Busy, "");
        for (failures, most) in [(1, 25), (2, 50), (3, 100), (20, 1_000), (u32::MAX, 1_000)] {
            let (wait, most) = (backoff(failures, &busy), Duration::from_millis(most));
            assert!(wait >= most / 2 && wait <= most, "{failures}: {wait:?}");
        }
        let moved = Failure::new(Kind::NotLeader(Some(Address::new("b", 1))), "");
        assert_eq!(backoff(1, &moved), Duration::ZERO);
        assert!(backoff(2, &moved) > Duration::ZERO);
    }
}
