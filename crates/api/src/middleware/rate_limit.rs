//! A token bucket for each peer, in a bounded table: when it is full, the peers that have been quiet for
//! longest are forgotten, which can only ever be in their favour.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::RateLimit;

/// Peers remembered at most.
const PEERS: usize = 10_000;

pub(super) struct Limiter {
    limit: RateLimit,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

struct Bucket {
    tokens: f64,
    filled: Instant,
}

impl Limiter {
    pub(super) fn new(limit: RateLimit) -> Self {
        Self { limit, buckets: Mutex::default() }
    }

    /// Whether one more request of the peer may pass.
    pub(super) fn admit(&self, peer: IpAddr, now: Instant) -> bool {
        let (rate, burst) = (f64::from(self.limit.per_second.get()), f64::from(self.limit.burst.get()));
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= PEERS && !buckets.contains_key(&peer) {
            // A bucket that is full again stands for no debt.
            buckets.retain(|_, bucket| bucket.tokens + now.duration_since(bucket.filled).as_secs_f64() * rate < burst);
            if buckets.len() >= PEERS
                && let Some(quietest) = buckets.iter().min_by_key(|(_, bucket)| bucket.filled).map(|(peer, _)| *peer)
            {
                buckets.remove(&quietest);
            }
        }
        let bucket = buckets.entry(peer).or_insert(Bucket { tokens: burst, filled: now });
        bucket.tokens = (bucket.tokens + now.duration_since(bucket.filled).as_secs_f64() * rate).min(burst);
        bucket.filled = now;
        if bucket.tokens < 1.0 {
            return false;
        }
        bucket.tokens -= 1.0;
        true
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU32;
    use std::time::Duration;

    use super::*;

    fn limiter(per_second: u32, burst: u32) -> Limiter {
        let number = |n| NonZeroU32::new(n).unwrap();
        Limiter::new(RateLimit { per_second: number(per_second), burst: number(burst) })
    }

    #[test]
    fn a_burst_passes_then_the_rate() {
        let (limiter, now) = (limiter(10, 3), Instant::now());
        let peer = IpAddr::from([127, 0, 0, 1]);
        assert_eq!((0..5).filter(|_| limiter.admit(peer, now)).count(), 3);
        assert!(!limiter.admit(peer, now + Duration::from_millis(50)));
        assert!(limiter.admit(peer, now + Duration::from_millis(150)));
        assert!(limiter.admit(IpAddr::from([127, 0, 0, 2]), now), "another peer has its own");
    }

    #[test]
    fn the_table_is_bounded() {
        let (limiter, now) = (limiter(1, 1), Instant::now());
        for peer in 0..u32::try_from(PEERS).unwrap() + 100 {
            limiter.admit(IpAddr::from(peer.to_be_bytes()), now + Duration::from_micros(peer.into()));
        }
        assert_eq!(limiter.buckets.lock().unwrap().len(), PEERS);
    }
}
