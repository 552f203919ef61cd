//! What a node does wrong, on order.

use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::watch;

/// The faults of one node. Healthy to begin with; a handle, cheap to clone.
#[derive(Debug, Clone, Default)]
pub struct Faults(Arc<Plan>);

#[derive(Debug, Default)]
struct Plan {
    busy: AtomicU64,
    unacknowledged: AtomicU64,
    acknowledge_after: Mutex<Duration>,
    hangs: watch::Sender<bool>,
    /// Counts the drops that were ordered.
    drops: watch::Sender<u64>,
    appends: AtomicU64,
    subscriptions: AtomicU64,
    authorizations: AtomicU64,
}

impl Faults {
    /// The next `calls` calls are refused: the server is too busy.
    pub fn refuse_next(&self, calls: u64) {
        self.0.busy.store(calls, Ordering::SeqCst);
    }

    /// The next `appends` appends are stored, and the connection breaks before that is said.
    pub fn lose_acknowledgements(&self, appends: u64) {
        self.0.unacknowledged.store(appends, Ordering::SeqCst);
    }

    /// Appends are stored at once and acknowledged after a while.
    pub fn acknowledge_after(&self, delay: Duration) {
        *self.0.acknowledge_after.lock().unwrap_or_else(PoisonError::into_inner) = delay;
    }

    /// Calls are taken in and not answered, until [`Faults::heal`].
    pub fn hang(&self) {
        self.0.hangs.send_replace(true);
    }

    /// Ends the subscriptions that run, as the server does with a consumer that is too slow.
    pub fn drop_subscriptions(&self) {
        self.0.drops.send_modify(|drops| *drops += 1);
    }

    /// Ends what goes on until it is ended.
    pub fn heal(&self) {
        self.refuse_next(0);
        self.lose_acknowledgements(0);
        self.acknowledge_after(Duration::ZERO);
        self.0.hangs.send_replace(false);
    }

    /// How many appends came in, repeats included.
    #[must_use]
    pub fn appends_seen(&self) -> u64 {
        self.0.appends.load(Ordering::SeqCst)
    }

    /// How many subscriptions were begun.
    #[must_use]
    pub fn subscriptions_seen(&self) -> u64 {
        self.0.subscriptions.load(Ordering::SeqCst)
    }

    /// How many calls said who made them.
    #[must_use]
    pub fn authorizations_seen(&self) -> u64 {
        self.0.authorizations.load(Ordering::SeqCst)
    }

    /// Waits while calls hang; then whether this one is to be refused.
    pub(crate) async fn is_refused(&self) -> bool {
        let mut hangs = self.0.hangs.subscribe();
        // The sender lives in what is held here.
        let _ = hangs.wait_for(|hangs| !hangs).await;
        count_down(&self.0.busy)
    }

    pub(crate) fn saw_append(&self) {
        self.0.appends.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn saw_subscription(&self) {
        self.0.subscriptions.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn saw_authorization(&self) {
        self.0.authorizations.fetch_add(1, Ordering::SeqCst);
    }

    pub(crate) fn loses_acknowledgement(&self) -> bool {
        count_down(&self.0.unacknowledged)
    }

    pub(crate) fn acknowledgement_delay(&self) -> Duration {
        *self.0.acknowledge_after.lock().unwrap_or_else(PoisonError::into_inner)
    }

    pub(crate) fn drops(&self) -> watch::Receiver<u64> {
        self.0.drops.subscribe()
    }
}

fn count_down(counter: &AtomicU64) -> bool {
    counter.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |count| count.checked_sub(1)).is_ok()
}
