//! W3C trace context (<https://www.w3.org/TR/trace-context/>): who asked, and under which trace what
//! follows is found. Exporting spans is not done here.

use std::fmt;

/// The place of one span in a trace.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TraceContext {
    trace_id: u128,
    span_id: u64,
    parent_id: Option<u64>,
    sampled: bool,
}

/// A trace id: 32 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct TraceId(pub u128);

/// A span id: 16 lower-case hexadecimal digits.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SpanId(pub u64);

impl fmt::Display for TraceId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:032x}", self.0)
    }
}

impl fmt::Display for SpanId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl TraceContext {
    /// The first span of a new trace.
    #[must_use]
    pub fn root(sampled: bool) -> Self {
        Self { trace_id: non_zero(rand::random), span_id: non_zero(rand::random), parent_id: None, sampled }
    }

    /// The same span in a trace that is kept, or not.
    #[must_use]
    pub const fn sampled(self, sampled: bool) -> Self {
        Self { sampled, ..self }
    }

    /// A span below this one.
    #[must_use]
    pub fn child(&self) -> Self {
        Self { span_id: non_zero(rand::random), parent_id: Some(self.span_id), ..*self }
    }

    /// Reads a `traceparent` header: the span of the caller. `None` for what the standard tells to
    /// ignore. Versions after 00 are read by their first four fields, as the standard demands.
    #[must_use]
    pub fn from_traceparent(header: &str) -> Option<Self> {
        let header = header.trim_matches([' ', '\t']);
        let mut fields = header.split('-');
        let (version, trace, span, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let version = hex(version, 2)?;
        if version == 0xff || (version == 0 && fields.next().is_some()) {
            return None;
        }
        let (trace_id, span_id) = (hex(trace, 32)?, u64::try_from(hex(span, 16)?).ok()?);
        let sampled = hex(flags, 2)? & 1 == 1;
        (trace_id != 0 && span_id != 0).then_some(Self { trace_id, span_id, parent_id: None, sampled })
    }

    /// Reads Jaeger's `uber-trace-id`, which older programs wrote: `trace:span:parent:flags`.
    #[must_use]
    pub fn from_uber_trace_id(header: &str) -> Option<Self> {
        let mut fields = header.split(':');
        let (trace, span, _parent, flags) = (fields.next()?, fields.next()?, fields.next()?, fields.next()?);
        let short = |text: &str, max: usize| {
            let good = !text.is_empty() && text.len() <= max && text.bytes().all(|byte| byte.is_ascii_hexdigit());
            good.then(|| u128::from_str_radix(text, 16).ok()).flatten()
        };
        let (trace_id, span_id) = (short(trace, 32)?, u64::try_from(short(span, 16)?).ok()?);
        let sampled = short(flags, 2)? & 1 == 1;
        (fields.next().is_none() && trace_id != 0 && span_id != 0).then_some(Self {
            trace_id,
            span_id,
            parent_id: None,
            sampled,
        })
    }

    /// Reads whichever header there is; the standard's comes first.
    #[must_use]
    pub fn from_headers(traceparent: Option<&str>, uber_trace_id: Option<&str>) -> Option<Self> {
        traceparent.and_then(Self::from_traceparent).or_else(|| uber_trace_id.and_then(Self::from_uber_trace_id))
    }

    /// The `traceparent` header that makes this span the parent; also the form of `traceresponse`.
    #[must_use]
    pub fn to_traceparent(&self) -> String {
        let mut text = String::with_capacity(55);
        text.push_str("00-");
        push_hex(&mut text, &self.trace_id.to_be_bytes());
        text.push('-');
        push_hex(&mut text, &self.span_id.to_be_bytes());
        text.push_str(if self.sampled { "-01" } else { "-00" });
        text
    }

    /// The id of the whole trace.
    #[must_use]
    pub const fn trace_id(&self) -> TraceId {
        TraceId(self.trace_id)
    }

    /// The id of this span.
    #[must_use]
    pub const fn span_id(&self) -> SpanId {
        SpanId(self.span_id)
    }

    /// The span above this one, when it is known here.
    #[must_use]
    pub fn parent_id(&self) -> Option<SpanId> {
        self.parent_id.map(SpanId)
    }

    /// Whether the trace is kept.
    #[must_use]
    pub const fn is_sampled(&self) -> bool {
        self.sampled
    }
}

/// Without the machinery of formatting, since every request does this several times.
fn push_hex(text: &mut String, bytes: &[u8]) {
    let digit = |nibble: u8| char::from(if nibble < 10 { b'0' + nibble } else { b'a' + nibble - 10 });
    for byte in bytes {
        text.push(digit(byte >> 4));
        text.push(digit(byte & 0xf));
    }
}

/// The standard forbids ids of zero.
fn non_zero<T: Default + PartialEq>(mut random: impl FnMut() -> T) -> T {
    loop {
        let id = random();
        if id != T::default() {
            return id;
        }
    }
}

/// Exactly `length` lower-case hexadecimal digits.
fn hex(text: &str, length: usize) -> Option<u128> {
    let lower = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
    (text.len() == length && text.bytes().all(lower)).then(|| u128::from_str_radix(text, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const HEADER: &str = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01";

    #[test]
    fn a_child_stays_in_the_trace_and_names_its_parent() {
        let caller = TraceContext::from_traceparent(HEADER).unwrap();
        let child = caller.child();
        assert_eq!(child.trace_id().to_string(), "0af7651916cd43dd8448eb211c80319c");
        assert_eq!(child.parent_id(), Some(caller.span_id()));
        assert_ne!(child.span_id(), caller.span_id());
        assert!(child.is_sampled());
    }

    #[test]
    fn what_the_standard_calls_invalid_is_ignored() {
        for header in [
            "",
            "00",
            "ff-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-00000000000000000000000000000000-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-0000000000000000-01",
            "00-0AF7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01-extra",
            "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331",
            "00-+af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01",
        ] {
            assert_eq!(TraceContext::from_traceparent(header), None, "{header}");
        }
    }

    #[test]
    fn a_later_version_is_read_by_its_first_fields() {
        let later = "cc-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-00-what-the-future-will-be-like";
        let context = TraceContext::from_traceparent(later).unwrap();
        assert!(!context.is_sampled());
    }

    #[test]
    fn jaegers_header_is_read() {
        let context = TraceContext::from_uber_trace_id("6f5c2a:b7ad6b7169203331:0:1").unwrap();
        assert_eq!(context.trace_id().to_string(), "000000000000000000000000006f5c2a");
        assert!(context.is_sampled());
        for bad in ["", "1:2:3", "0:1:0:1", "g:1:0:1", "1:1:0:1:1"] {
            assert_eq!(TraceContext::from_uber_trace_id(bad), None, "{bad}");
        }
    }

    proptest! {
        #[test]
        fn what_is_written_is_read(sampled: bool) {
            let context = TraceContext::root(sampled);
            prop_assert_eq!(TraceContext::from_traceparent(&context.to_traceparent()), Some(context));
        }

        #[test]
        fn any_text_is_answered(text in "\\PC*") {
            let _ = (TraceContext::from_traceparent(&text), TraceContext::from_uber_trace_id(&text));
        }
    }
}
