//! A token bucket for each peer, in a bounded table: when it is full, the peers that have been quiet for
//! longest are forgotten, which can only ever be in their favour.
//!
//! A peer of IPv6 is its /64, the least that a provider hands out: within it, addresses are free.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::sync::{Mutex, PoisonError};
use std::time::Instant;

use crate::RateLimit;

/// Peers remembered at most.
const PEERS: usize = 10_000;
/// Peers forgotten at once, so that the search for them is paid for by as many newcomers.
const FORGOTTEN: usize = PEERS / 10;

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
        let peer = network(peer);
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= PEERS && !buckets.contains_key(&peer) {
            forget_the_quietest(&mut buckets);
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

/// What counts as one peer.
fn network(peer: IpAddr) -> IpAddr {
    match peer.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() & !u128::from(u64::MAX)).into(),
        address @ IpAddr::V4(_) => address,
    }
}

fn forget_the_quietest(buckets: &mut HashMap<IpAddr, Bucket>) {
    let mut peers: Vec<_> = buckets.iter().map(|(peer, bucket)| (bucket.filled, *peer)).collect();
    let count = FORGOTTEN.min(peers.len());
    if let Some(last) = count.checked_sub(1) {
        peers.select_nth_unstable(last);
    }
    for (_, peer) in peers.iter().take(count) {
        buckets.remove(peer);
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
        let buckets = limiter.buckets.lock().unwrap();
        assert_eq!(buckets.len(), PEERS - FORGOTTEN + 100);
        assert!(!buckets.contains_key(&IpAddr::from([0, 0, 0, 0])), "the quietest go first");
        assert!(buckets.contains_key(&IpAddr::from(u32::try_from(PEERS).unwrap().to_be_bytes())));
    }

    #[test]
    fn a_network_of_ipv6_is_one_peer() {
        let (limiter, now) = (limiter(1, 1), Instant::now());
        let admit = |peer: &str| limiter.admit(peer.parse().unwrap(), now);
        assert!(admit("2001:db8:0:1::1"));
        assert!(!admit("2001:db8:0:1:ffff::2"));
        assert!(admit("2001:db8:0:2::1"));
        assert!(admit("::ffff:192.0.2.1"));
        assert!(!admit("192.0.2.1"), "the same address, written otherwise");
        assert!(admit("192.0.2.2"));
    }
}
