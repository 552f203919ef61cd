//! Carries what the dispatcher hands out, and keeps what has to outlive the process.

use std::sync::Arc;
use std::time::Duration;

use bytes::Bytes;
use tokio::sync::watch;
use tokio::task::JoinSet;

use super::{Event, Service};
use crate::notify::delivery::Client;
use crate::notify::{self, Delivery, Outcome};

/// Requests at the same time, to all receivers together.
const AT_ONCE_MAX: usize = 8;
/// How long the dispatcher is left alone at most: clocks are set, and what is remembered has to be written.
const PAUSE_MAX: Duration = Duration::from_secs(1);

impl Service {
    pub(super) async fn notify(self: &Arc<Self>, client: Client, stopped: watch::Receiver<bool>) {
        let mut tasks = JoinSet::new();
        for position in 0..self.forwarders.len() {
            tasks.spawn(Arc::clone(self).forward(position, client.clone(), stopped.clone()));
        }
        self.dispatch(client, stopped).await;
        self.keep().await;
        while tasks.join_next().await.is_some() {}
    }

    async fn dispatch(self: &Arc<Self>, client: Client, mut stopped: watch::Receiver<bool>) {
        let mut carried: JoinSet<(u64, Outcome)> = JoinSet::new();
        let mut waiting: std::collections::VecDeque<Delivery> = std::collections::VecDeque::new();
        let mut looks = tokio::time::interval(PAUSE_MAX);
        looks.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
        loop {
            let due = {
                let mut dispatcher = self.dispatcher();
                waiting.extend(dispatcher.flush(self.now_ms()));
                dispatcher.due_ms()
            };
            while carried.len() < AT_ONCE_MAX {
                let Some(delivery) = waiting.pop_front() else { break };
                carried.spawn(Arc::clone(self).carry(delivery, client.clone()));
            }
            let until_due =
                due.map(|due| due.saturating_sub(self.now_ms()).max(0)).and_then(|ms| u64::try_from(ms).ok());
            let pause = until_due.map_or(PAUSE_MAX, Duration::from_millis);
            let is_time_to_keep = tokio::select! {
                Some(done) = carried.join_next(), if !carried.is_empty() => {
                    // A delivery that panicked is never given back, and its receiver is left alone in this group.
                    if let Ok((id, outcome)) = done {
                        self.dispatcher().done(id, outcome, self.now_ms());
                    }
                    false
                }
                () = self.wake.notified() => false,
                () = tokio::time::sleep(pause) => false,
                _ = looks.tick() => true,
                _ = stopped.wait_for(|stop| *stop) => return,
            };
            if is_time_to_keep {
                self.keep().await;
            }
        }
    }

    async fn carry(self: Arc<Self>, delivery: Delivery, client: Client) -> (u64, Outcome) {
        let Delivery { id, receiver, body } = delivery;
        let (outcome, told) = client.post(&receiver.url, Bytes::from_owner(body)).await;
        if let Some(reason) = told {
            (self.tell)(Event::NotDelivered { receiver: receiver.name, reason });
        }
        (id, outcome)
    }

    async fn forward(self: Arc<Self>, position: usize, client: Client, mut stopped: watch::Receiver<bool>) {
        let Some(forwarder) = self.forwarders.get(position) else { return };
        loop {
            tokio::select! {
                () = forwarder.ready() => {}
                _ = stopped.wait_for(|stop| *stop) => return,
            }
            if let Some(reason) = forwarder.send(&client).await {
                (self.tell)(Event::NotDelivered { receiver: forwarder.url().to_owned(), reason });
            }
        }
    }

    /// Writes what has to outlive the process, if it has changed.
    async fn keep(self: &Arc<Self>) {
        let Some(path) = self.kept.clone() else { return };
        let Some(content) = self.dispatcher().unsaved() else { return };
        let written = tokio::task::spawn_blocking(move || notify::keep(&path, &content)).await;
        let failed = match written {
            Ok(Ok(())) => return,
            Ok(Err(error)) => error.to_string(),
            Err(error) => error.to_string(),
        };
        self.dispatcher().not_saved();
        (self.tell)(Event::NotKept(failed));
    }

    /// Reads what outlived another process.
    pub(super) fn restore(&self) {
        let Some(path) = &self.kept else { return };
        let restored = match notify::kept(path) {
            Ok(None) => return,
            Ok(Some(content)) => self.dispatcher().restore(&content).map_err(|error| error.to_string()),
            Err(error) => Err(error.to_string()),
        };
        if let Err(reason) = restored {
            (self.tell)(Event::NotRestored(format!("{}: {reason}", path.display())));
        }
    }
}
