//! Counts spans by service and calls between services, over span heads that come in any order. Pure: no
//! store, no HTTP, no clock.
//!
//! A call is a span whose parent, or whose linked span, belongs to a service. Finding parents takes a table
//! of spans; when it is full, it goes on with every second trace, then every fourth: whole traces, so that
//! what is counted stays right in proportion.

use std::hash::BuildHasher;

use console_model::{SpanId, SpanKind, StatusCode, Text, TraceId};
use console_storage::SpanHead;
use hashbrown::{HashMap, HashTable};

use super::histogram::Histogram;

/// Services that are told apart.
pub const SERVICES_MAX: usize = 1_000;
/// Pairs of services that are told apart, those within one service included.
pub const EDGES_MAX: usize = 5_000;
/// Spans in the table, which takes some 60 bytes for each: enough for an estimate of calls within a percent, and few
/// enough that the table stays near the processor, which is most of what a graph of many spans takes.
pub const SPANS_MAX: usize = 500_000;
/// The bits of a key that belong to the trace alone: so often can the table be halved.
const TRACE_BITS: u32 = 16;

/// Counts and durations of one kind of thing.
#[derive(Debug, Clone, Default)]
pub struct Measure {
    /// How many; an estimate if the tally is truncated and this is of calls.
    pub count: u64,
    /// How many of them failed, in the same way.
    pub errors: u64,
    /// How long they took.
    pub durations: Histogram,
}

impl Measure {
    fn add(&mut self, duration_ns: u64, is_error: bool, weight: u64) {
        self.count = self.count.saturating_add(weight);
        self.errors = self.errors.saturating_add(if is_error { weight } else { 0 });
        self.durations.add(duration_ns);
    }

    /// The share that failed, 0 to 1.
    pub fn error_rate(&self) -> f64 {
        if self.count == 0 { 0.0 } else { self.errors as f64 / self.count as f64 }
    }
}

/// A service and its spans.
#[derive(Debug, Clone)]
pub struct Node {
    /// The service.
    pub service: Text,
    /// Its spans.
    pub spans: Measure,
}

/// Calls from a service to a service, which may be the same one. The durations are those of the called span.
#[derive(Debug, Clone)]
pub struct Edge {
    /// Who calls.
    pub from: Text,
    /// Who is called.
    pub to: Text,
    /// Whether the caller goes on without waiting.
    pub is_async: bool,
    /// The calls.
    pub calls: Measure,
}

/// What a tally comes to.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The services, sorted.
    pub nodes: Vec<Node>,
    /// The calls, sorted by who calls whom.
    pub edges: Vec<Edge>,
    /// Whether a bound was reached: calls are an estimate then, and services or calls may be missing.
    pub is_truncated: bool,
}

/// A span, as far as it is needed.
struct Row {
    key: u64,
    /// 0 for none.
    parent: u64,
    start_ns: u64,
    duration_ns: u64,
    service: u16,
    kind: SpanKind,
    is_error: bool,
    is_counted: bool,
}

/// A reference between spans that are not parent and child.
struct Link {
    linked: u64,
    linking: u64,
    is_same_trace: bool,
}

/// See the module.
pub struct Tally {
    from_ns: u64,
    to_ns: u64,
    spans_max: usize,
    services: Vec<Node>,
    numbers: HashMap<Text, u16>,
    rows: Vec<Row>,
    /// The numbers of rows by their key, the first of each key.
    index: HashTable<u32>,
    links: Vec<Link>,
    /// One of `1 << halvings` traces is in the table.
    halvings: u32,
    is_truncated: bool,
    /// Unknown to senders, so that ids cannot be made to collide.
    seed: u64,
}

impl Tally {
    /// Counts the spans that start in `from_ns..=to_ns`, nanoseconds since the Unix epoch. Spans outside may
    /// be added too: they are known as parents.
    pub fn new(from_ns: u64, to_ns: u64) -> Self {
        Self::with_bound(from_ns, to_ns, SPANS_MAX)
    }

    fn with_bound(from_ns: u64, to_ns: u64, spans_max: usize) -> Self {
        Self {
            from_ns,
            to_ns,
            spans_max,
            services: Vec::new(),
            numbers: HashMap::new(),
            rows: Vec::new(),
            index: HashTable::new(),
            links: Vec::new(),
            halvings: 0,
            is_truncated: false,
            seed: std::hash::RandomState::new().hash_one(0_u8),
        }
    }

    /// Takes a span. One that was sent twice counts once.
    pub fn add(&mut self, head: &SpanHead<'_>) {
        let Some(service) = self.number(head.service) else {
            self.is_truncated = true;
            return;
        };
        let key = self.key(head.trace_id, head.span_id);
        let is_counted = (self.from_ns..=self.to_ns).contains(&head.start_ns);
        let is_error = head.status == StatusCode::Error;
        if self.is_kept(key) {
            let known = find(&self.index, &self.rows, key);
            if known.is_some_and(|known| known.service == service && known.start_ns == head.start_ns) {
                return;
            }
            if known.is_none() {
                let rows = &self.rows;
                let key_of = |row: &u32| rows.get(*row as usize).map_or(0, |row| row.key);
                self.index.insert_unique(key, self.rows.len() as u32, key_of);
            }
            let parent = head.parent_span_id.map_or(0, |parent| self.key(head.trace_id, parent));
            let (start_ns, duration_ns, kind) = (head.start_ns, head.duration_ns, head.kind);
            self.rows.push(Row { key, parent, start_ns, duration_ns, service, kind, is_error, is_counted });
            if is_counted {
                self.add_links(head, key, parent);
            }
            if self.rows.len() > self.spans_max || self.links.len() > self.spans_max {
                self.halve();
            }
        }
        if is_counted && let Some(node) = self.services.get_mut(usize::from(service)) {
            node.spans.add(head.duration_ns, is_error, 1);
        }
    }

    fn add_links(&mut self, head: &SpanHead<'_>, linking: u64, parent: u64) {
        for (trace_id, span_id) in &head.links {
            let linked = self.key(*trace_id, *span_id);
            // A parent that is linked as well is one call, not two.
            if linked != parent && linked != linking && self.is_kept(linked) {
                self.links.push(Link { linked, linking, is_same_trace: *trace_id == head.trace_id });
            }
        }
    }

    /// The graph of everything that was added.
    pub fn finish(self) -> Graph {
        let mut edges = Edges::default();
        let by_key = |key: u64| find(&self.index, &self.rows, key);
        let weight = 1_u64 << self.halvings;
        for row in self.rows.iter().filter(|row| row.is_counted && row.parent != 0 && row.parent != row.key) {
            if let Some(parent) = by_key(row.parent) {
                let is_async = row.kind == SpanKind::Consumer
                    || parent.kind == SpanKind::Producer
                    || row.start_ns > parent.start_ns.saturating_add(parent.duration_ns);
                edges.add(parent.service, row, is_async, weight);
            }
        }
        for link in &self.links {
            let (Some(linked), Some(linking)) = (by_key(link.linked), by_key(link.linking)) else { continue };
            if linked.service != linking.service {
                // Both traces had to be among those that are kept.
                edges.add(linked.service, linking, true, if link.is_same_trace { weight } else { weight * weight });
            }
        }
        let name = |number: u16| self.services.get(usize::from(number)).map(|node| node.service.clone());
        let edge = |((from, to, is_async), calls): (EdgeKey, Measure)| {
            Some(Edge { from: name(from)?, to: name(to)?, is_async, calls })
        };
        let is_truncated = self.is_truncated || edges.is_truncated;
        let mut edges: Vec<Edge> = edges.by_key.into_iter().filter_map(edge).collect();
        edges.sort_unstable_by(|a, b| (&a.from, &a.to, a.is_async).cmp(&(&b.from, &b.to, b.is_async)));
        let mut nodes: Vec<Node> = self.services.into_iter().filter(|node| node.spans.count > 0).collect();
        nodes.sort_unstable_by(|a, b| a.service.cmp(&b.service));
        Graph { nodes, edges, is_truncated }
    }

    fn number(&mut self, service: &str) -> Option<u16> {
        if let Some(number) = self.numbers.get(service) {
            return Some(*number);
        }
        let number = u16::try_from(self.services.len()).ok().filter(|_| self.services.len() < SERVICES_MAX)?;
        self.services.push(Node { service: service.into(), spans: Measure::default() });
        self.numbers.insert(service.into(), number);
        Some(number)
    }

    /// A span's key, never 0: the low bits are the trace's, the others are mixed of both ids.
    fn key(&self, trace_id: TraceId, span_id: SpanId) -> u64 {
        let id = trace_id.get();
        let trace = mix(id as u64 ^ mix((id >> 64) as u64 ^ self.seed));
        let low = (1 << TRACE_BITS) - 1;
        ((mix(trace ^ span_id.get().rotate_left(32)) & !low) | (trace & low)).max(1)
    }

    fn is_kept(&self, key: u64) -> bool {
        key & ((1 << self.halvings) - 1) == 0
    }

    /// Makes room by leaving out every second trace.
    fn halve(&mut self) {
        self.is_truncated = true;
        let full = |tally: &Self| tally.rows.len().max(tally.links.len()) > tally.spans_max / 4 * 3;
        while full(self) && self.halvings < TRACE_BITS {
            self.halvings += 1;
            let mask = (1 << self.halvings) - 1;
            self.rows.retain(|row| row.key & mask == 0);
            self.links.retain(|link| (link.linked | link.linking) & mask == 0);
        }
        if full(self) {
            // One trace has more spans than the table.
            self.rows.clear();
            self.links.clear();
        }
        self.index.clear();
        let rows = &self.rows;
        let key_of = |row: &u32| rows.get(*row as usize).map_or(0, |row| row.key);
        for (number, row) in rows.iter().enumerate() {
            self.index.entry(row.key, |known| key_of(known) == row.key, key_of).or_insert(number as u32);
        }
    }
}

type EdgeKey = (u16, u16, bool);

#[derive(Default)]
struct Edges {
    by_key: HashMap<EdgeKey, Measure>,
    is_truncated: bool,
}

impl Edges {
    fn add(&mut self, from: u16, called: &Row, is_async: bool, weight: u64) {
        let key = (from, called.service, is_async);
        if self.by_key.len() >= EDGES_MAX && !self.by_key.contains_key(&key) {
            self.is_truncated = true;
            return;
        }
        self.by_key.entry(key).or_default().add(called.duration_ns, called.is_error, weight);
    }
}

fn find<'a>(index: &HashTable<u32>, rows: &'a [Row], key: u64) -> Option<&'a Row> {
    let is_it = |row: &u32| rows.get(*row as usize).is_some_and(|row| row.key == key);
    index.find(key, is_it).and_then(|row| rows.get(*row as usize))
}

/// Spreads the bits of a number over all bits (the finalizer of `SplitMix64`; Steele, Lea, Flood 2014).
const fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ bits >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ bits >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ bits >> 31
}

#[cfg(test)]
mod tests;
