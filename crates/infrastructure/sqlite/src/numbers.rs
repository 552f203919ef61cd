//! SQLite's integers are signed; ours are not.

use std::num::TryFromIntError;

use eventsourcing::Position;

/// As SQLite keeps it, if it can.
pub(crate) fn signed(number: u64) -> Result<i64, TryFromIntError> {
    number.try_into()
}

/// As SQLite keeps it, or the largest it can keep: for bounds, and for numbers that engines never
/// take so far.
pub(crate) fn saturating(number: u64) -> i64 {
    signed(number).unwrap_or(i64::MAX)
}

/// As it was before it was kept.
pub(crate) fn unsigned(number: i64) -> u64 {
    number.try_into().unwrap_or_default()
}

/// A position as it was before it was kept.
pub(crate) fn position(number: i64) -> Position {
    Position(unsigned(number))
}
