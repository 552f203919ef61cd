//! The ids of traces and spans, as W3C Trace Context defines them. No generation of ids here.

use std::fmt;
use std::str::FromStr;

/// Says why text or bytes are no id.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum InvalidId {
    /// All zeros, which W3C Trace Context reserves for "none".
    #[error("an id of zeros only stands for no id")]
    Zero,
    /// Too short or too long.
    #[error("an id of {found} {unit}, but it has {expected}, as in {example}")]
    Length {
        /// How many there were.
        found: usize,
        /// How many there are in an id.
        expected: usize,
        /// Whether bytes or hexadecimal digits were counted.
        unit: &'static str,
        /// An id as it should be.
        example: &'static str,
    },
    /// A character that is no hexadecimal digit.
    #[error("character {position} of the id is no hexadecimal digit")]
    Digit {
        /// Where, counted from 0.
        position: usize,
    },
}

const TRACE_EXAMPLE: &str = "4bf92f3577b34da6a3ce929d0e0e4736";
const SPAN_EXAMPLE: &str = "00f067aa0ba902b7";

/// Identifies a trace: 16 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct TraceId(u128);

/// Identifies a span within its trace: 8 bytes, never all zero.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SpanId(u64);

impl TraceId {
    /// The id with this big-endian value; `None` for zero.
    pub const fn new(id: u128) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The id in these 16 bytes, as OTLP has it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidId> {
        let array: [u8; 16] = bytes.try_into().map_err(|_| length(bytes.len(), 16, "bytes", TRACE_EXAMPLE))?;
        Self::new(u128::from_be_bytes(array)).ok_or(InvalidId::Zero)
    }

    /// The value, big-endian.
    pub const fn get(self) -> u128 {
        self.0
    }

    /// The 16 bytes, as OTLP has them.
    pub const fn to_bytes(self) -> [u8; 16] {
        self.0.to_be_bytes()
    }
}

impl SpanId {
    /// The id with this big-endian value; `None` for zero.
    pub const fn new(id: u64) -> Option<Self> {
        if id == 0 { None } else { Some(Self(id)) }
    }

    /// The id in these 8 bytes, as OTLP has it.
    pub fn from_bytes(bytes: &[u8]) -> Result<Self, InvalidId> {
        let array: [u8; 8] = bytes.try_into().map_err(|_| length(bytes.len(), 8, "bytes", SPAN_EXAMPLE))?;
        Self::new(u64::from_be_bytes(array)).ok_or(InvalidId::Zero)
    }

    /// The value, big-endian.
    pub const fn get(self) -> u64 {
        self.0
    }

    /// The 8 bytes, as OTLP has them.
    pub const fn to_bytes(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

fn length(found: usize, expected: usize, unit: &'static str, example: &'static str) -> InvalidId {
    InvalidId::Length { found, expected, unit, example }
}

fn hexadecimal(text: &str) -> Result<u128, InvalidId> {
    text.bytes().enumerate().try_fold(0_u128, |value, (position, byte)| {
        let digit = char::from(byte).to_digit(16).ok_or(InvalidId::Digit { position })?;
        Ok(value << 4 | u128::from(digit))
    })
}

impl FromStr for TraceId {
    type Err = InvalidId;

    /// Reads 32 hexadecimal digits in either case, or the 16 of an id of 64 bits, as Jaeger does.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 32 && text.len() != 16 {
            return Err(length(text.len(), 32, "digits", TRACE_EXAMPLE));
        }
        Self::new(hexadecimal(text)?).ok_or(InvalidId::Zero)
    }
}

impl FromStr for SpanId {
    type Err = InvalidId;

    /// Reads 16 hexadecimal digits in either case.
    fn from_str(text: &str) -> Result<Self, InvalidId> {
        if text.len() != 16 {
            return Err(length(text.len(), 16, "digits", SPAN_EXAMPLE));
        }
        let value = u64::try_from(hexadecimal(text)?).map_err(|_| InvalidId::Zero)?;
        Self::new(value).ok_or(InvalidId::Zero)
    }
}

impl fmt::Display for TraceId {
    /// 32 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    /// 16 lower-case hexadecimal digits.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl fmt::Debug for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl fmt::Debug for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_come_back_as_they_were() {
        let trace: TraceId = TRACE_EXAMPLE.parse().unwrap();
        assert_eq!(trace.to_string(), TRACE_EXAMPLE);
        assert_eq!(TraceId::from_bytes(&trace.to_bytes()), Ok(trace));
        let span: SpanId = SPAN_EXAMPLE.to_uppercase().parse().unwrap();
        assert_eq!(span.to_string(), SPAN_EXAMPLE);
        assert_eq!(SpanId::from_bytes(&span.to_bytes()), Ok(span));
    }

    #[test]
    fn a_trace_id_of_64_bits_is_padded() {
        let trace: TraceId = SPAN_EXAMPLE.parse().unwrap();
        assert_eq!(trace.to_string(), format!("{:0>32}", SPAN_EXAMPLE));
    }

    #[test]
    fn what_is_no_id_is_told_why() {
        assert_eq!("0".repeat(32).parse::<TraceId>(), Err(InvalidId::Zero));
        assert_eq!(SpanId::from_bytes(&[0; 8]), Err(InvalidId::Zero));
        assert_eq!("xyz4567890123456".parse::<SpanId>(), Err(InvalidId::Digit { position: 0 }));
        let short = TraceId::from_bytes(&[1; 8]).unwrap_err().to_string();
        assert_eq!(short, "an id of 8 bytes, but it has 16, as in 4bf92f3577b34da6a3ce929d0e0e4736");
        assert!("é".repeat(8).parse::<SpanId>().is_err());
    }
}
