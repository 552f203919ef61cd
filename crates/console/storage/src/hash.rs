//! Hashes that are kept on disk, so they may never change.

use xxhash_rust::xxh3;

/// Of any bytes.
pub(crate) fn bytes(bytes: &[u8]) -> u64 {
    xxh3::xxh3_64(bytes)
}

/// Of a trace id. Ids are random mostly, but not of every sender.
pub(crate) fn trace(id: console_model::TraceId) -> u64 {
    let id = id.get();
    mix((id as u64) ^ mix((id >> 64) as u64))
}

/// Of a key with its value.
pub(crate) fn pair(key: &str, value: &str) -> u64 {
    mix(bytes(key.as_bytes()) ^ bytes(value.as_bytes()).rotate_left(23))
}

/// SplitMix64's finaliser (Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, 2014).
pub(crate) const fn mix(value: u64) -> u64 {
    let value = (value ^ (value >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let value = (value ^ (value >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    value ^ (value >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Files depend on these numbers.
    #[test]
    fn hashes_stay_what_they_are() {
        assert_eq!(bytes(b"highbeam"), xxh3::xxh3_64(b"highbeam"));
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
        assert_ne!(pair("a", "bc"), pair("ab", "c"));
    }
}
