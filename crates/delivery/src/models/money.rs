//! Money in integer minor units. Decimal text becomes money exactly or not at all; binary floating
//! point has no part in it.

use serde::{Deserialize, Deserializer, Serialize, Serializer};
use serde_json::value::RawValue;

/// An amount in minor units (cents). The currency is the shop's: the contract has only one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(i64);

/// Why a decimal is not an amount.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// Not a JSON number.
    #[error("must be a number such as 12.5")]
    NotANumber,
    /// More than two decimals.
    #[error("must have at most two decimals, such as 12.34")]
    TooPrecise,
    /// Beyond [`Money::MAX`] either way.
    #[error("must be at most 9999999999999.99")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(0);
    /// The largest amount: 15 significant digits, what every JSON reader keeps exactly.
    pub const MAX: Self = Self(999_999_999_999_999);

    /// An amount in minor units; `None` beyond [`Money::MAX`].
    #[must_use]
    pub const fn from_minor(minor: i64) -> Option<Self> {
        if minor.unsigned_abs() <= Self::MAX.0.unsigned_abs() { Some(Self(minor)) } else { None }
    }

    /// The amount in minor units.
    #[must_use]
    pub const fn minor(self) -> i64 {
        self.0
    }

    /// `self × quantity`, `None` beyond [`Money::MAX`].
    #[must_use]
    pub fn times(self, quantity: u32) -> Option<Self> {
        self.0.checked_mul(quantity.into()).and_then(Self::from_minor)
    }

    /// `self + other`, `None` beyond [`Money::MAX`].
    #[must_use]
    pub fn plus(self, other: Self) -> Option<Self> {
        self.0.checked_add(other.0).and_then(Self::from_minor)
    }

    /// Reads a JSON number (RFC 8259, section 6) that has at most two decimals.
    pub fn parse(number: &str) -> Result<Self, Fault> {
        match Self::parse_rounding(number)? {
            (money, false) => Ok(money),
            (_, true) => Err(Fault::TooPrecise),
        }
    }

    /// Reads a JSON number, rounding half to even on the decimal text; true when it had to round.
    pub fn parse_rounding(number: &str) -> Result<(Self, bool), Fault> {
        let decimal = Decimal::parse(number).ok_or(Fault::NotANumber)?;
        let (minor, rounded) = decimal.to_minor()?;
        Self::from_minor(minor).map(|money| (money, rounded)).ok_or(Fault::TooLarge)
    }
}

/// A JSON number taken apart: the value is `±digits × 10^exponent`.
struct Decimal {
    negative: bool,
    digits: Vec<u8>,
    exponent: i64,
}

impl Decimal {
    fn parse(text: &str) -> Option<Self> {
        let (negative, text) = text.strip_prefix('-').map_or((false, text), |rest| (true, rest));
        let (mantissa, exponent) = match text.find(['e', 'E']) {
            Some(at) => (&text[..at], Self::exponent(&text[at + 1..])?),
            None => (text, 0),
        };
        let (whole, fraction) = match mantissa.split_once('.') {
            Some((_, "")) => return None,
            Some(parts) => parts,
            None => (mantissa, ""),
        };
        let all_digits = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || !all_digits(whole)
            || !all_digits(fraction)
            || (whole.len() > 1 && whole.starts_with('0'))
        {
            return None;
        }
        let digits: Vec<u8> = whole.bytes().chain(fraction.bytes()).map(|byte| byte - b'0').collect();
        let leading_zeros = digits.iter().take_while(|digit| **digit == 0).count();
        let fraction_digits = i64::try_from(fraction.len()).ok()?;
        Some(Self {
            negative,
            digits: digits[leading_zeros..].to_vec(),
            exponent: exponent.saturating_sub(fraction_digits),
        })
    }

    /// An exponent too long for an `i64` is as good as the largest one.
    fn exponent(text: &str) -> Option<i64> {
        let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
        if digits.is_empty() || !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        let magnitude = digits.parse().unwrap_or(i64::MAX);
        Some(if text.starts_with('-') { -magnitude } else { magnitude })
    }

    /// The value times 100, rounded half to even, and whether rounding changed it.
    fn to_minor(&self) -> Result<(i64, bool), Fault> {
        let count = i64::try_from(self.digits.len()).map_err(|_| Fault::TooLarge)?;
        // How many of the digits stand before the decimal point of the value in minor units.
        let kept = count.saturating_add(self.exponent).saturating_add(2);
        if self.digits.is_empty() {
            return Ok((0, false));
        }
        if kept > 18 {
            return Err(Fault::TooLarge);
        }
        let kept = usize::try_from(kept).unwrap_or(0);
        let mut minor = 0_i64;
        for index in 0..kept {
            minor = minor * 10 + i64::from(self.digits.get(index).copied().unwrap_or(0));
        }
        // Below a tenth of a minor unit every further digit stands behind zeros: nothing to round up.
        let rest = if count.saturating_add(self.exponent).saturating_add(2) < 0 {
            &[0, 1][..]
        } else {
            self.digits.get(kept..).unwrap_or(&[])
        };
        let rounded = rest.iter().any(|digit| *digit != 0);
        let up = match rest.split_first() {
            Some((5, tail)) => tail.iter().any(|digit| *digit != 0) || minor % 2 == 1,
            Some((first, _)) => *first > 5,
            None => false,
        };
        let minor = minor + i64::from(up);
        Ok((if self.negative { -minor } else { minor }, rounded))
    }
}

impl Serialize for Money {
    /// A JSON number with at most two decimals. The division below is exact in print: up to 15
    /// significant digits, the shortest text of the nearest double is the decimal itself.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        if self.0 % 100 == 0 {
            return serializer.serialize_i64(self.0 / 100);
        }
        #[expect(clippy::cast_precision_loss, reason = "at most 15 digits, see Money::MAX")]
        serializer.serialize_f64(self.0 as f64 / 100.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    /// Reads the number's own text, so only from JSON and only from a slice or a string.
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = <&RawValue>::deserialize(deserializer)?;
        Self::parse(number.get()).map_err(serde::de::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn decimals_become_minor_units() {
        for (text, minor) in [
            ("0", 0),
            ("-0", 0),
            ("0.00", 0),
            ("12", 1200),
            ("12.5", 1250),
            ("12.34", 1234),
            ("12.340", 1234),
            ("-3.01", -301),
            ("1e2", 10_000),
            ("1.5E+1", 1500),
            ("1234e-2", 1234),
            ("0.01", 1),
            ("1E-2", 1),
            ("0e99999999999999999999", 0),
            ("9999999999999.99", 999_999_999_999_999),
        ] {
            assert_eq!(Money::parse(text), Ok(Money(minor)), "{text}");
        }
    }

    #[test]
    fn what_is_not_an_amount_says_why() {
        for text in
            ["", "-", ".5", "5.", "01", "1,5", "0x1", "NaN", "1e", "1e+", "\"1\"", "null", " 1", "1 ", "--1", "+1"]
        {
            assert_eq!(Money::parse(text), Err(Fault::NotANumber), "{text:?}");
        }
        for text in ["1.005", "0.001", "1e-3", "1e-99999999999999999999"] {
            assert_eq!(Money::parse(text), Err(Fault::TooPrecise), "{text}");
        }
        for text in ["10000000000000", "1e13", "1e400", "1e99999999999999999999", "-1e13"] {
            assert_eq!(Money::parse(text), Err(Fault::TooLarge), "{text}");
        }
    }

    #[test]
    fn rounding_is_half_to_even_and_says_that_it_happened() {
        for (text, minor, rounded) in [
            ("1.005", 100, true),
            ("1.015", 102, true),
            ("1.0051", 101, true),
            ("1.004", 100, true),
            ("0.995", 100, true),
            ("19.989999999999998", 1999, true),
            ("-1.015", -102, true),
            ("0.004", 0, true),
            ("0.005", 0, true),
            ("0.0051", 1, true),
            ("0.0005", 0, true),
            ("0.0009", 0, true),
            ("9e-9", 0, true),
            ("1.10", 110, false),
        ] {
            assert_eq!(Money::parse_rounding(text), Ok((Money(minor), rounded)), "{text}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(minor in -Money::MAX.0..=Money::MAX.0) {
            let text = serde_json::to_string(&Money(minor)).unwrap();
            prop_assert!(text.split_once('.').is_none_or(|(_, decimals)| decimals.len() <= 2), "{}", text);
            prop_assert_eq!(serde_json::from_str::<Money>(&text).unwrap(), Money(minor));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = Money::parse_rounding(&text);
        }

        #[test]
        fn any_json_number_is_answered_in_bounds(number in "-?(0|[1-9][0-9]{0,25})(\\.[0-9]{1,25})?([eE][+-]?[0-9]{1,22})?") {
            match Money::parse_rounding(&number) {
                Ok((money, _)) => prop_assert!(money.0.abs() <= Money::MAX.0),
                Err(fault) => prop_assert_eq!(fault, Fault::TooLarge),
            }
        }
    }
}
