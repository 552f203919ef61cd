//! Requests of OTLP that are encoded once and sent many times, each time with other ids and the time of
//! sending: filling them in costs the generator 20 ns a span, encoding them would cost many times that.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// What is filled in, and where.
#[derive(Clone, Copy)]
struct Slot {
    at: usize,
    what: What,
}

/// What a sending makes anew.
#[derive(Clone, Copy)]
pub enum What {
    /// The 16 bytes of the id of the request's trace with this number.
    Trace(u32),
    /// The 8 bytes of the id of a trace's span.
    Span(u32, u32),
    /// Nanoseconds before the time of sending, as 8 bytes.
    Before(u64),
    /// 16 hexadecimal digits that go with the trace.
    Digits(u32),
}

/// Notes what is to be filled in while a request is written. The places are found afterwards, by marks that
/// are written there: nested messages move when they are closed.
#[derive(Default)]
pub struct Marks(Vec<What>);

impl Marks {
    fn mark(&mut self, what: What) -> u64 {
        self.0.push(what);
        mark(self.0.len() - 1)
    }

    pub fn trace(&mut self, trace: u32) -> [u8; 16] {
        let mark = self.mark(What::Trace(trace)).to_le_bytes();
        let mut bytes = [0x55; 16];
        bytes[..8].copy_from_slice(&mark);
        bytes
    }

    pub fn span(&mut self, trace: u32, span: u32) -> [u8; 8] {
        self.mark(What::Span(trace, span)).to_le_bytes()
    }

    pub fn before(&mut self, nanoseconds: u64) -> u64 {
        self.mark(What::Before(nanoseconds))
    }

    pub fn digits(&mut self, trace: u32) -> String {
        format!("{:016x}", self.mark(What::Digits(trace)))
    }

    fn find(self, body: &[u8], begin: usize) -> Vec<Slot> {
        let mut at = 0;
        let place = |(number, what): (usize, What)| {
            let mark = match what {
                What::Digits(_) => format!("{:016x}", mark(number)).into_bytes(),
                _ => mark(number).to_le_bytes().to_vec(),
            };
            at += body[at..].windows(mark.len()).position(|window| window == mark).expect("marks are in order");
            Slot { at: begin + at, what }
        };
        self.0.into_iter().enumerate().map(place).collect()
    }
}

fn mark(number: usize) -> u64 {
    mix(0x6d61_726b_0000_0000 + number as u64)
}

/// Numbers that look like chance, and are the same each time (SplitMix64).
pub const fn mix(number: u64) -> u64 {
    let mut mixed = number.wrapping_add(0x9e37_79b9_7f4a_7c15);
    mixed = (mixed ^ mixed >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    mixed ^ mixed >> 31
}

/// Each sending has a number that no other has.
static SENDINGS: AtomicU64 = AtomicU64::new(1);

/// A request of a thousand items, head and body.
#[derive(Clone)]
pub struct Template {
    bytes: Vec<u8>,
    body: usize,
    slots: Vec<Slot>,
}

impl Template {
    /// `head` makes what comes before a body of a given length.
    pub fn new(body: &[u8], marks: Marks, head: impl Fn(usize) -> Vec<u8>) -> Self {
        let mut bytes = head(body.len());
        let begin = bytes.len();
        let slots = marks.find(body, begin);
        bytes.extend_from_slice(body);
        Self { bytes, body: begin, slots }
    }

    /// Makes it another request, whose number it gives; [`trace_id`] tells which traces are in it.
    pub fn fill(&mut self) -> u64 {
        let sending = SENDINGS.fetch_add(1, Ordering::Relaxed);
        let now = now_ns();
        for slot in &self.slots {
            let to = &mut self.bytes[slot.at..];
            match slot.what {
                What::Trace(trace) => to[..16].copy_from_slice(&trace_id(sending, trace).to_be_bytes()),
                What::Span(trace, span) => {
                    let id = mix(seed(sending, trace).wrapping_add(1 + u64::from(span)));
                    to[..8].copy_from_slice(&id.to_be_bytes());
                }
                What::Before(nanoseconds) => to[..8].copy_from_slice(&(now - nanoseconds).to_le_bytes()),
                What::Digits(trace) => {
                    let number = mix(!seed(sending, trace));
                    for (index, digit) in to[..16].iter_mut().enumerate() {
                        *digit = b"0123456789abcdef"[(number >> (4 * index) & 0xf) as usize];
                    }
                }
            }
        }
        sending
    }

    /// The whole request.
    pub fn request(&self) -> &[u8] {
        &self.bytes
    }

    /// Its body.
    pub fn body(&self) -> &[u8] {
        &self.bytes[self.body..]
    }
}

fn seed(sending: u64, trace: u32) -> u64 {
    mix(sending << 20 | u64::from(trace))
}

/// The id of a trace of a request that was sent.
pub fn trace_id(sending: u64, trace: u32) -> u128 {
    let seed = seed(sending, trace);
    u128::from(mix(seed)) << 64 | u128::from(mix(seed ^ 0xff))
}

#[expect(clippy::disallowed_methods, reason = "a generator sends what is from now")]
pub fn now_ns() -> u64 {
    u64::try_from(SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_nanos()).unwrap()
}
