//! Turns to be decoded: how many requests at a time, and how much memory they may need together. What decoding is,
//! is not known here.

use std::sync::Arc;

use tokio::sync::{OwnedSemaphorePermit, Semaphore};
use tokio::time::timeout;

use super::body::{Error, PATIENCE, SMALL_BYTES_MAX};

/// Small bodies that are decoded at the same time. They wait for nothing but each other.
const SMALL_AT_ONCE: usize = 4;
/// What large bodies that are decoded at the same time may become together, MiB: one of the largest and one of
/// eight, or several that are smaller.
const LARGE_MIB: u32 = 328;
/// What each of them counts for at least, MiB, so that there are no more than five.
const LARGE_MIB_MIN: u32 = 64;

/// See the module.
#[derive(Debug)]
pub(super) struct Turns {
    small: Arc<Semaphore>,
    large: Arc<Semaphore>,
}

impl Default for Turns {
    fn default() -> Self {
        Self { small: Arc::new(Semaphore::new(SMALL_AT_ONCE)), large: Arc::new(Semaphore::new(LARGE_MIB as usize)) }
    }
}

impl Turns {
    /// The turn of a body of so many bytes once its compression is undone. It ends when it is dropped.
    pub(super) async fn turn(&self, bytes: usize) -> Result<OwnedSemaphorePermit, Error> {
        let turn = async {
            if bytes <= SMALL_BYTES_MAX {
                return Arc::clone(&self.small).acquire_owned().await;
            }
            let mib = u32::try_from(console_otlp::memory_max(bytes).div_ceil(1 << 20)).unwrap_or(u32::MAX);
            Arc::clone(&self.large).acquire_many_owned(mib.clamp(LARGE_MIB_MIN, LARGE_MIB)).await
        };
        timeout(PATIENCE, turn).await.map_err(|_| Error::Busy)?.map_err(|_| Error::Busy)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn large_bodies_keep_no_small_one_waiting() {
        let turns = Turns::default();
        let mut large = Vec::new();
        while let Ok(turn) = turns.turn(8 << 20).await {
            large.push(turn);
        }
        assert_eq!(large.len(), 2, "of 129 MiB each");
        let mut small = Vec::new();
        for _ in 0..SMALL_AT_ONCE {
            small.push(turns.turn(SMALL_BYTES_MAX).await.unwrap());
        }
        assert!(matches!(turns.turn(1).await, Err(Error::Busy)), "small ones wait for each other");
    }

    #[tokio::test(start_paused = true)]
    async fn the_largest_body_has_its_turn_and_none_waits_for_ever() {
        let turns = Turns::default();
        let first = turns.turn(usize::MAX).await.unwrap();
        assert!(matches!(turns.turn(32 << 20).await, Err(Error::Busy)));
        drop(first);
        assert!(turns.turn(32 << 20).await.is_ok());
        let mut middling = Vec::new();
        while let Ok(turn) = turns.turn(SMALL_BYTES_MAX + 1).await {
            middling.push(turn);
        }
        assert_eq!(middling.len(), 5);
    }
}
