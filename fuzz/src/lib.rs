//! What the targets share: how an input is taken apart, and what stands in for a secret.
//!
//! What is proved about an input is in its target, under `fuzz_targets/`.

#[cfg(feature = "console")]
pub mod otlp;
#[cfg(feature = "service")]
pub mod service;
#[cfg(feature = "console")]
pub mod store;

/// Text that nothing of ours says by itself: where it turns up, a value has been repeated.
pub const MARK: &str = "q7ZxLeak";

/// Takes an input apart into its first `N - 1` lines and the rest; what is missing is empty. Lines, so
/// that seeds can be written and findings read.
pub fn lines<const N: usize>(input: &[u8]) -> [&[u8]; N] {
    let mut lines = input.splitn(N, |byte| *byte == b'\n');
    std::array::from_fn(|_| lines.next().unwrap_or_default())
}

/// As [`lines`], as text: what is not UTF-8 becomes U+FFFD.
pub fn text<const N: usize>(input: &[u8]) -> [String; N] {
    lines(input).map(|line| String::from_utf8_lossy(line).into_owned())
}
