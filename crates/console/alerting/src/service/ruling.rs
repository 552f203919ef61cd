//! Evaluates groups in step with the clock, each on its own, and looks at their files now and then.

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use tokio::sync::{Semaphore, watch};
use tokio::task::JoinSet;

use super::Service;
use crate::rules::Group;

/// How often files are looked at.
const RELOAD_INTERVAL: Duration = Duration::from_secs(5);
/// Groups that are evaluated at the same time.
const AT_ONCE_MAX: usize = 4;

/// A group that is being evaluated again and again.
struct Running {
    group: Arc<Group>,
    /// Gone when the group is to end.
    _stop: watch::Sender<()>,
}

impl Service {
    pub(super) async fn rule(self: Arc<Self>, mut stopped: watch::Receiver<bool>) {
        let turns = Arc::new(Semaphore::new(AT_ONCE_MAX));
        let mut tasks = JoinSet::new();
        let mut running: Vec<Running> = Vec::new();
        loop {
            let groups = self.rules.groups();
            let is_there = |group: &Arc<Group>, groups: &[Arc<Group>]| groups.iter().any(|one| Arc::ptr_eq(one, group));
            running.retain(|one| is_there(&one.group, &groups));
            for group in groups {
                if running.iter().any(|one| Arc::ptr_eq(&one.group, &group)) {
                    continue;
                }
                let (stop, ended) = watch::channel(());
                tasks.spawn(Arc::clone(&self).repeat(Arc::clone(&group), Arc::clone(&turns), ended));
                running.push(Running { group, _stop: stop });
            }
            tokio::select! {
                () = tokio::time::sleep(RELOAD_INTERVAL) => {}
                _ = stopped.wait_for(|stop| *stop) => break,
            }
            while tasks.try_join_next().is_some() {}
            let service = Arc::clone(&self);
            // What went wrong has been told by itself.
            let _ = tokio::task::spawn_blocking(move || service.reload()).await;
        }
        running.clear();
        while tasks.join_next().await.is_some() {}
    }

    /// Evaluates one group until it is to end.
    async fn repeat(self: Arc<Self>, group: Arc<Group>, turns: Arc<Semaphore>, mut ended: watch::Receiver<()>) {
        let interval_ms = group.spec().interval.ms().max(1);
        let mut last_ms = self.now_ms();
        loop {
            let at_ms = group.next_ms(last_ms);
            let wait_ms = at_ms.saturating_sub(self.now_ms());
            if wait_ms > interval_ms {
                // The clock was set back.
                last_ms = self.now_ms();
                continue;
            }
            let wait = Duration::from_millis(u64::try_from(wait_ms).unwrap_or(0));
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                _ = ended.changed() => return,
            }
            let turn = tokio::select! {
                turn = turns.acquire() => turn,
                _ = ended.changed() => return,
            };
            let (service, evaluated) = (Arc::clone(&self), Arc::clone(&group));
            let evaluate = move || service.rules.evaluate(&evaluated, at_ms, &|notices| service.noticed(notices));
            // A query that panics costs this evaluation.
            let _ = tokio::task::spawn_blocking(evaluate).await;
            drop(turn);
            let missed = self.now_ms().saturating_sub(at_ms) / interval_ms;
            last_ms = at_ms;
            if missed > 0 {
                self.rules.counts().missed.fetch_add(missed.unsigned_abs(), Ordering::Relaxed);
                last_ms = at_ms.saturating_add(missed.saturating_mul(interval_ms));
            }
        }
    }
}
