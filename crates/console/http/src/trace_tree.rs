//! The spans of one trace as a tree: what is below what, what waited for nothing, what determined how long
//! it all took. Pure; how a trace is read or shown does not belong here.
//!
//! Input may be anything: spans whose parents are missing, that are their own parents, that form circles,
//! that share an id, that end before they begin. Nothing here recurses, and all of it takes `n log n` steps
//! at most, for a hostile sender may nest fifty thousand spans.
//!
//! # What is below what
//! A span is below the one it names as its parent. Of spans that share an id, the earliest has the children.
//! A span that names no parent and has a link to another span of the trace is below that one: that is how a
//! message that was taken refers to the one that was sent. A span whose parent is not there is a root, as is
//! one that names itself and each one of a circle. Of a circle that is closed by links alone only the links
//! are not followed.

mod critical_path;
mod links;
#[cfg(test)]
mod tests;

use console_model::{Span, SpanBatch, SpanId, SpanKind};
use hashbrown::{HashMap, HashSet};

use links::Links;

/// A stretch of time, from its beginning to its end, nanoseconds since the Unix epoch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stretch {
    /// Where it begins.
    pub from_ns: u64,
    /// Where it ends; later than it begins.
    pub to_ns: u64,
}

impl Stretch {
    /// How long it is, nanoseconds.
    pub const fn length_ns(self) -> u64 {
        self.to_ns.saturating_sub(self.from_ns)
    }
}

/// A span in its place.
#[derive(Debug, Clone)]
pub struct Node<'a> {
    /// The span.
    pub span: &'a Span,
    /// The group of the batch that it came in.
    pub group: usize,
    /// The node above it; it stands before this one. `None` for a root.
    pub parent: Option<usize>,
    /// How many nodes are above it.
    pub depth: u32,
    /// How many nodes are directly below it.
    pub children: u32,
    /// Whether nothing above waits for it: it starts after its parent ended, takes a message from it, or is
    /// below it because of a link.
    pub is_async: bool,
    /// Whether it names a parent that is not above it: one that is not there, itself, or one below it.
    pub is_missing_parent: bool,
    /// How long it took without what happened directly below it, nanoseconds.
    pub self_time_ns: u64,
    /// When it determined how long the whole trace took, in order. See [`Tree::new`].
    pub critical_path: Vec<Stretch>,
}

/// The spans of a trace, each before those below it, siblings by start, then by id.
#[derive(Debug, Clone)]
pub struct Tree<'a> {
    /// The nodes in order.
    pub nodes: Vec<Node<'a>>,
    /// When the earliest span began, nanoseconds since the Unix epoch; 0 without spans.
    pub start_ns: u64,
    /// When the last one ended, the same.
    pub end_ns: u64,
    /// How many spans are named as parents and are not there.
    pub missing_spans: usize,
}

impl<'a> Tree<'a> {
    /// The tree of the spans of a batch, which should be of one trace.
    ///
    /// The critical path is found backwards from the end of what ended last. At a span, the walk goes on to
    /// the child that ended last before the point that was reached, a child's end being that of the last
    /// span below it; from the child's start it goes on in the parent. What lies between is the span's own.
    /// So far this is what is usual. An asynchronous child that outlives its parent is followed as well, so
    /// the path leads to the end of the whole trace and not only to that of the first answer: once it has
    /// led to the start of such a child, it goes on at the parent's end or at the child's start, whichever is
    /// earlier. Time between the two, such as that which a message waited, is nobody's. Other
    /// asynchronous children that ran meanwhile held nobody up and are not on the path.
    pub fn new(batch: &'a SpanBatch) -> Self {
        let mut spans: Vec<(&Span, usize)> = batch
            .groups
            .iter()
            .enumerate()
            .flat_map(|(group, spans)| spans.spans.iter().map(move |span| (span, group)))
            .collect();
        spans.sort_by_key(|(span, _)| (span.start_ns, span.span_id));
        let above = Above::find(&spans);
        let below = Links::new(&above.parents, 0..spans.len());
        let nodes = in_order(&spans, &above, &below);
        let mut tree = Self {
            start_ns: spans.first().map_or(0, |(span, _)| span.start_ns),
            end_ns: spans.iter().map(|(span, _)| end_ns(span)).max().unwrap_or(0),
            nodes,
            missing_spans: above.missing_spans,
        };
        tree.measure_self_times();
        critical_path::mark(&mut tree.nodes);
        tree
    }

    /// From the start of the earliest span to the end of what ended last, nanoseconds.
    pub const fn duration_ns(&self) -> u64 {
        self.end_ns.saturating_sub(self.start_ns)
    }

    /// A span's own time is what none of its children covers.
    fn measure_self_times(&mut self) {
        // Children come by start, so what is covered grows at its end only.
        let mut covered: Vec<(u64, u64)> = self.nodes.iter().map(|node| (node.span.start_ns, 0)).collect();
        for node in &self.nodes {
            let Some(parent) = node.parent else { continue };
            let (Some(above), Some((until, total))) = (self.nodes.get(parent), covered.get_mut(parent)) else {
                continue;
            };
            let from = node.span.start_ns.max(*until);
            let to = end_ns(node.span).min(end_ns(above.span));
            if to > from {
                *total += to - from;
                *until = to;
            }
        }
        for (node, (_, covered)) in self.nodes.iter_mut().zip(covered) {
            node.self_time_ns = node.span.duration_ns().saturating_sub(covered);
        }
    }
}

/// Where a span ends: never before it begins.
fn end_ns(span: &Span) -> u64 {
    span.end_ns.max(span.start_ns)
}

/// What is above each span, by places in the list of spans.
struct Above {
    parents: Vec<Option<usize>>,
    by_link: Vec<bool>,
    is_missing_parent: Vec<bool>,
    missing_spans: usize,
}

impl Above {
    fn find(spans: &[(&Span, usize)]) -> Self {
        let mut places: HashMap<SpanId, usize> = HashMap::with_capacity(spans.len());
        for (place, (span, _)) in spans.iter().enumerate() {
            places.entry(span.span_id).or_insert(place);
        }
        let count = spans.len();
        let mut above = Self {
            parents: vec![None; count],
            by_link: vec![false; count],
            is_missing_parent: vec![false; count],
            missing_spans: 0,
        };
        let mut missing: HashSet<SpanId> = HashSet::new();
        let columns = above.parents.iter_mut().zip(&mut above.by_link).zip(&mut above.is_missing_parent);
        for ((span, _), ((parent, by_link), is_missing_parent)) in spans.iter().zip(columns) {
            match span.parent_span_id {
                Some(id) if id == span.span_id => *is_missing_parent = true,
                Some(id) => {
                    *parent = places.get(&id).copied();
                    if parent.is_none() {
                        *is_missing_parent = true;
                        missing.insert(id);
                    }
                }
                None => {
                    *parent = linked(span).find_map(|id| places.get(&id).copied());
                    *by_link = parent.is_some();
                }
            }
        }
        above.missing_spans = missing.len();
        above.break_circles();
        above
    }

    /// Makes roots of what is in a circle. Each span has one parent at most, so one walk up from each, as
    /// far as no walk has been, finds all circles.
    fn break_circles(&mut self) {
        const NEVER: usize = usize::MAX;
        let mut walked_from = vec![NEVER; self.parents.len()];
        for start in 0..self.parents.len() {
            let mut next = Some(start);
            while let Some(place) = next {
                let Some(walk) = walked_from.get_mut(place) else { break };
                if *walk == start {
                    self.break_circle(place);
                    break;
                }
                if *walk != NEVER {
                    break;
                }
                *walk = start;
                next = self.parents.get(place).copied().flatten();
            }
        }
    }

    fn break_circle(&mut self, at: usize) {
        let mut circle = vec![at];
        let above = |place: usize| self.parents.get(place).copied().flatten();
        let mut next = above(at);
        while let Some(place) = next.filter(|place| *place != at) {
            circle.push(place);
            next = above(place);
        }
        let has_link = circle.iter().any(|place| self.by_link.get(*place) == Some(&true));
        for place in circle {
            let (Some(parent), Some(by_link), Some(is_missing_parent)) =
                (self.parents.get_mut(place), self.by_link.get_mut(place), self.is_missing_parent.get_mut(place))
            else {
                continue;
            };
            if *by_link {
                (*parent, *by_link) = (None, false);
            } else if !has_link {
                (*parent, *is_missing_parent) = (None, true);
            }
        }
    }
}

/// The other spans of the same trace that a span refers to.
fn linked(span: &Span) -> impl Iterator<Item = SpanId> + '_ {
    let here = span.links.iter().filter(|link| link.trace_id == span.trace_id && link.span_id != span.span_id);
    here.map(|link| link.span_id)
}

/// The nodes, each before those below it.
fn in_order<'a>(spans: &[(&'a Span, usize)], above: &Above, below: &Links) -> Vec<Node<'a>> {
    let mut nodes: Vec<Node<'a>> = Vec::with_capacity(spans.len());
    let mut open: Vec<(usize, Option<usize>)> = below.roots().iter().rev().map(|place| (*place, None)).collect();
    while let Some((place, parent)) = open.pop() {
        let Some((span, group)) = spans.get(place) else { continue };
        let up = parent.and_then(|parent| nodes.get(parent));
        let is_consumer = span.kind == SpanKind::Consumer && span.parent_span_id.is_some();
        let by_link = above.by_link.get(place) == Some(&true);
        let children = below.of(place);
        let number = nodes.len();
        open.extend(children.iter().rev().map(|child| (*child, Some(number))));
        nodes.push(Node {
            span,
            group: *group,
            parent,
            depth: up.map_or(0, |up| up.depth + 1),
            children: u32::try_from(children.len()).unwrap_or(u32::MAX),
            is_async: is_consumer || by_link || up.is_some_and(|up| span.start_ns > end_ns(up.span)),
            is_missing_parent: above.is_missing_parent.get(place) == Some(&true),
            self_time_ns: 0,
            critical_path: Vec::new(),
        });
    }
    nodes
}
