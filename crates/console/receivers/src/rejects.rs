//! What was not taken of a request: how many, and the first reasons. What is a reason is the decoders'
//! business.

use std::fmt;

/// Reasons that are told; a sender that sends a thousand bad series does not need a thousand lines.
const REASONS_MAX: usize = 10;
/// Bytes of a reason, which may repeat what was sent.
const REASON_BYTES_MAX: usize = 512;

/// What was not taken of a request, and why.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rejects {
    count: u64,
    reasons: Vec<String>,
    reasons_left_out: u64,
}

impl Rejects {
    /// Notes that `count` items were not taken. The reason is not asked for once there are enough.
    pub(crate) fn add(&mut self, count: u64, reason: impl FnOnce() -> String) {
        self.count += count;
        if self.reasons.len() >= REASONS_MAX {
            self.reasons_left_out += 1;
            return;
        }
        let mut reason = reason();
        if reason.len() > REASON_BYTES_MAX {
            reason.truncate(reason.floor_char_boundary(REASON_BYTES_MAX));
            reason.push('…');
        }
        if self.reasons.last() != Some(&reason) {
            self.reasons.push(reason);
        }
    }

    /// How many items were not taken.
    pub const fn count(&self) -> u64 {
        self.count
    }

    /// The first reasons, each at most 512 bytes.
    pub fn reasons(&self) -> &[String] {
        &self.reasons
    }

    /// Whether everything was taken.
    pub const fn is_empty(&self) -> bool {
        self.count == 0 && self.reasons.is_empty()
    }
}

impl fmt::Display for Rejects {
    /// A reason a line, and how many more there were.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.reasons.join("\n"))?;
        if self.reasons_left_out > 0 {
            write!(f, "\nand {} more", self.reasons_left_out)?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_thousand_faults_are_counted_and_ten_are_told() {
        let mut rejects = Rejects::default();
        for number in 0..1_000 {
            rejects.add(2, || format!("{number}: {}", "é".repeat(600)));
        }
        assert_eq!((rejects.count(), rejects.reasons().len()), (2_000, 10));
        assert!(rejects.reasons().iter().all(|reason| reason.len() < 520));
        assert!(rejects.to_string().ends_with("\nand 990 more"));
    }
}
