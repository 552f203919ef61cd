//! Waiting for a point in time, as exactly as the schedule deserves.
//!
//! The runtime's timer counts milliseconds and rounds up twice, which makes starts about two
//! milliseconds late: more than a fast service takes in all, and all of it would count as latency.

use std::{
    future::Future,
    io,
    sync::{
        Arc,
        mpsc::{Receiver, RecvTimeoutError, Sender, channel},
    },
    thread,
    time::Instant as StdInstant,
};

use tokio::{
    sync::Notify,
    time::{Instant, sleep_until},
};

/// Waits until a point in time.
///
/// An implementation MUST never be early and MUST be cancel safe: a dropped wait can be begun again.
pub(crate) trait Pacer: Send {
    /// Ends at once where `due` is past.
    fn until(&mut self, due: Instant) -> impl Future<Output = ()> + Send;
}

/// The runtime's own timer: obeys paused time, and is late by up to two milliseconds.
#[cfg(test)]
#[derive(Debug, Clone, Copy)]
pub(crate) struct Timer;

#[cfg(test)]
impl Pacer for Timer {
    async fn until(&mut self, due: Instant) {
        sleep_until(due).await;
    }
}

/// A thread that sleeps on the kernel's high-resolution timer: late by some tens of microseconds.
#[derive(Debug)]
pub(crate) struct Metronome {
    orders: Sender<StdInstant>,
    beat: Arc<Notify>,
    ordered: Option<Instant>,
}

impl Metronome {
    /// Starts the thread, which ends with this value.
    pub(crate) fn start() -> io::Result<Self> {
        let (orders, ordered) = channel();
        let beat = Arc::new(Notify::new());
        let beats = Arc::clone(&beat);
        thread::Builder::new().name("load-metronome".to_owned()).spawn(move || keep_time(&ordered, &beats))?;
        Ok(Self { orders, beat, ordered: None })
    }
}

impl Pacer for Metronome {
    async fn until(&mut self, due: Instant) {
        // Who catches up with a schedule that is behind never waits; others must get their turn.
        tokio::task::coop::consume_budget().await;
        while Instant::now() < due {
            if self.ordered != Some(due) {
                if self.orders.send(due.into_std()).is_err() {
                    // The thread cannot be gone before this value is; the timer would do for it.
                    return sleep_until(due).await;
                }
                self.ordered = Some(due);
            }
            // A beat may be left over from a wait that was given up: hence the loop.
            self.beat.notified().await;
        }
    }
}

/// Beats at each point in time ordered, the latest order replacing the one before.
fn keep_time(orders: &Receiver<StdInstant>, beat: &Notify) {
    while let Ok(mut due) = orders.recv() {
        loop {
            let left = due.saturating_duration_since(StdInstant::now());
            match orders.recv_timeout(left) {
                Ok(other) => due = other,
                Err(RecvTimeoutError::Disconnected) => return,
                Err(RecvTimeoutError::Timeout) if StdInstant::now() < due => {}
                Err(RecvTimeoutError::Timeout) => break,
            }
        }
        beat.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    #[tokio::test]
    async fn a_metronome_is_never_early_and_survives_waits_given_up() {
        let mut metronome = Metronome::start().unwrap();
        let began = Instant::now();
        for ms in [5, 10, 10, 3, 20] {
            let due = began + Duration::from_millis(ms);
            // Given up once, and begun again.
            let _ = tokio::time::timeout(Duration::from_millis(1), metronome.until(due)).await;
            metronome.until(due).await;
            assert!(Instant::now() >= due);
        }
        let far = metronome.until(began + Duration::from_secs(3_600));
        assert!(tokio::time::timeout(Duration::from_millis(5), far).await.is_err());
        // A nearer order replaces the far one.
        metronome.until(Instant::now() + Duration::from_millis(5)).await;
    }

    #[test]
    fn the_thread_ends_with_the_metronome() {
        let (orders, ordered) = channel();
        let thread = thread::spawn(move || keep_time(&ordered, &Notify::new()));
        orders.send(StdInstant::now() + Duration::from_secs(3_600)).unwrap();
        drop(orders);
        thread.join().unwrap();
    }
}
