//! What the tree of any spans keeps to, and what it looks like for the traces that people have.

use std::sync::Arc;
use std::time::{Duration, Instant};

use console_model::{Link, Span, SpanBatch, SpanGroup, SpanId, SpanKind, TraceId};
use proptest::prelude::*;

use super::{Stretch, Tree};

fn id(number: u64) -> SpanId {
    SpanId::new(number).unwrap()
}

fn span(number: u64, parent: Option<u64>, start_ns: u64, end_ns: u64) -> Span {
    let mut span = Span::new(TraceId::new(7).unwrap(), id(number));
    span.parent_span_id = parent.map(id);
    span.name = number.to_string().into();
    (span.start_ns, span.end_ns) = (start_ns, end_ns);
    span
}

fn linked(mut span: Span, to: u64) -> Span {
    let link = Link {
        trace_id: span.trace_id,
        span_id: id(to),
        trace_state: "".into(),
        attributes: Default::default(),
        dropped_attributes_count: 0,
        flags: 0,
    };
    span.links.push(link);
    span
}

fn batch(spans: Vec<Span>) -> SpanBatch {
    SpanBatch { groups: vec![SpanGroup { resource: Arc::default(), scope: Arc::default(), spans }] }
}

/// The names in order, each indented by its depth, with `!` for a missing parent and `~` for what is
/// asynchronous.
fn drawn(tree: &Tree<'_>) -> String {
    let lines = tree.nodes.iter().map(|node| {
        let missing = if node.is_missing_parent { "!" } else { "" };
        let is_async = if node.is_async { "~" } else { "" };
        format!("{}{}{missing}{is_async}", " ".repeat(node.depth as usize), node.span.name)
    });
    lines.collect::<Vec<_>>().join("\n")
}

/// The critical path as `name from-to`, in order of time.
fn path(tree: &Tree<'_>) -> String {
    let mut stretches: Vec<(Stretch, &str)> = tree
        .nodes
        .iter()
        .flat_map(|node| node.critical_path.iter().map(|stretch| (*stretch, node.span.name.as_str())))
        .collect();
    stretches.sort_by_key(|(stretch, _)| stretch.from_ns);
    let words = stretches.iter().map(|(stretch, name)| format!("{name} {}-{}", stretch.from_ns, stretch.to_ns));
    words.collect::<Vec<_>>().join(", ")
}

#[test]
fn siblings_come_by_start_and_children_below_their_parent() {
    let batch = batch(vec![
        span(4, Some(2), 12, 18),
        span(3, Some(1), 20, 30),
        span(2, Some(1), 10, 20),
        span(1, None, 0, 100),
        span(5, Some(9), 50, 60),
    ]);
    let tree = Tree::new(&batch);
    assert_eq!(drawn(&tree), "1\n 2\n  4\n 3\n5!");
    assert_eq!(tree.missing_spans, 1);
    assert_eq!(tree.nodes.iter().map(|node| node.children).collect::<Vec<_>>(), [2, 1, 0, 0, 0]);
}

#[test]
fn a_span_that_is_its_own_parent_is_a_root() {
    let batch = batch(vec![span(1, Some(1), 0, 10), span(2, Some(1), 1, 2)]);
    assert_eq!(drawn(&Tree::new(&batch)), "1!\n 2");
}

#[test]
fn all_of_a_circle_are_roots_and_what_is_below_them_stays_there() {
    let batch =
        batch(vec![span(1, Some(3), 0, 10), span(2, Some(1), 1, 9), span(3, Some(2), 2, 8), span(4, Some(2), 3, 4)]);
    let tree = Tree::new(&batch);
    assert_eq!(drawn(&tree), "1!\n2!\n 4\n3!");
    assert_eq!(tree.missing_spans, 0);
}

#[test]
fn two_spans_of_one_id_are_both_there_and_the_earlier_has_the_children() {
    let batch =
        batch(vec![span(1, None, 0, 10), span(2, Some(1), 2, 8), span(2, Some(1), 1, 9), span(3, Some(2), 3, 4)]);
    assert_eq!(drawn(&Tree::new(&batch)), "1\n 2\n  3\n 2");
}

#[test]
fn a_span_without_parent_is_shown_below_what_it_links_to() {
    let batch = batch(vec![span(1, None, 0, 10), linked(span(2, None, 20, 30), 1)]);
    assert_eq!(drawn(&Tree::new(&batch)), "1\n 2~");
}

#[test]
fn links_that_close_a_circle_are_not_followed() {
    let batch = batch(vec![linked(span(1, None, 0, 10), 2), span(2, Some(1), 1, 5)]);
    assert_eq!(drawn(&Tree::new(&batch)), "1\n 2");
}

#[test]
fn the_path_goes_through_the_child_that_ends_last() {
    let batch = batch(vec![
        span(1, None, 0, 100),
        span(2, Some(1), 10, 40),
        span(3, Some(1), 10, 60),
        span(4, Some(3), 20, 50),
        span(5, Some(1), 70, 90),
    ]);
    let tree = Tree::new(&batch);
    assert_eq!(path(&tree), "1 0-10, 3 10-20, 4 20-50, 3 50-60, 1 60-70, 5 70-90, 1 90-100");
}

/// An order: the answer is given at 10, the projections go on until 30.
fn order() -> SpanBatch {
    let mut orders = span(3, Some(2), 12, 18);
    let mut search = span(5, Some(2), 15, 30);
    (orders.kind, search.kind) = (SpanKind::Consumer, SpanKind::Consumer);
    batch(vec![
        span(1, None, 0, 10),
        span(2, Some(1), 2, 8),
        orders,
        span(4, Some(3), 13, 17),
        search,
        span(6, Some(5), 16, 29),
    ])
}

#[test]
fn the_path_follows_what_is_asynchronous_to_the_end_of_the_trace() {
    let batch = order();
    let tree = Tree::new(&batch);
    assert_eq!(drawn(&tree), "1\n 2\n  3~\n   4\n  5~\n   6");
    // From 8 to 15 the event waited to be taken, and the other projection held nobody up.
    assert_eq!(path(&tree), "1 0-2, 2 2-8, 5 15-16, 6 16-29, 5 29-30");
    assert_eq!(tree.duration_ns(), 30);
}

#[test]
fn self_time_is_what_no_child_covers() {
    let batch = batch(vec![
        span(1, None, 0, 100),
        span(2, Some(1), 10, 40),
        span(3, Some(1), 20, 30),
        span(4, Some(1), 35, 50),
        span(5, Some(1), 90, 200),
    ]);
    let tree = Tree::new(&batch);
    assert_eq!(tree.nodes.first().map(|node| node.self_time_ns), Some(100 - 40 - 10));
}

#[test]
fn fifty_thousand_spans_in_one_chain_are_no_trouble() {
    let count = 50_000;
    let chain = |number: u64| span(number, (number > 1).then(|| number - 1), number, 2 * count - number + 1);
    let shapes: [Vec<Span>; 4] = [
        (1..=count).map(chain).collect(),
        (1..=count).map(|number| span(number, Some(number % count + 1), number, number)).collect(),
        (1..=count).map(|number| span(1, Some(2), number, number + 5)).collect(),
        (1..=count).map(|number| linked(span(number, None, number, number), (number % count) + 1)).collect(),
    ];
    for (shape, spans) in shapes.into_iter().enumerate() {
        let batch = batch(spans);
        let began = Instant::now();
        let tree = Tree::new(&batch);
        assert!(began.elapsed() < Duration::from_secs(5), "shape {shape} took {:?}", began.elapsed());
        assert_eq!(tree.nodes.len(), count as usize);
    }
}

fn any_spans() -> impl Strategy<Value = SpanBatch> {
    let numbers = (1_u64..30, proptest::option::of(1_u64..35), proptest::option::weighted(0.2, 1_u64..30));
    let one = (numbers, 0_u64..100, 0_u64..120, 0_i32..6).prop_map(|((number, parent, link), start, end, kind)| {
        let mut span = span(number, parent, start, end);
        span.kind = SpanKind::from_number(kind);
        match link {
            Some(to) => linked(span, to),
            None => span,
        }
    });
    proptest::collection::vec(one, 0..40).prop_map(batch)
}

/// A tree in which every child lies within its parent: number, then for each further span its parent and
/// where in it it lies, in thousandths.
fn synchronous() -> impl Strategy<Value = SpanBatch> {
    proptest::collection::vec((any::<prop::sample::Index>(), 0_u64..=1_000, 0_u64..=1_000), 0..40).prop_map(|parts| {
        let mut spans = vec![span(1, None, 500, 1_000_500)];
        for (number, (parent, a, b)) in (2..).zip(parts) {
            let above = &spans[parent.index(spans.len())];
            let at = |part: u64| above.start_ns + above.duration_ns() * part / 1_000;
            let child = span(number, Some(above.span_id.get()), at(a.min(b)), at(a.max(b)));
            spans.push(child);
        }
        batch(spans)
    })
}

fn stretches(tree: &Tree<'_>) -> Vec<Stretch> {
    let mut all: Vec<Stretch> = tree.nodes.iter().flat_map(|node| node.critical_path.clone()).collect();
    all.sort_by_key(|stretch| stretch.from_ns);
    all
}

proptest! {
    #[test]
    fn every_span_is_there_once_below_what_stands_before_it(batch in any_spans()) {
        let tree = Tree::new(&batch);
        let mut there: Vec<*const Span> = tree.nodes.iter().map(|node| std::ptr::from_ref(node.span)).collect();
        let mut sent: Vec<*const Span> = batch.groups.iter().flat_map(|group| &group.spans).map(std::ptr::from_ref).collect();
        there.sort_unstable();
        sent.sort_unstable();
        prop_assert_eq!(there, sent);
        let mut children = vec![0; tree.nodes.len()];
        for (place, node) in tree.nodes.iter().enumerate() {
            if let Some(parent) = node.parent {
                prop_assert!(parent < place);
                prop_assert_eq!(node.depth, tree.nodes[parent].depth + 1);
                children[parent] += 1;
            } else {
                prop_assert_eq!(node.depth, 0);
            }
            // In pre-order nothing is more than one deeper than what stands before it.
            prop_assert!(place == 0 || node.depth <= tree.nodes[place - 1].depth + 1);
            prop_assert!(node.self_time_ns <= node.span.duration_ns());
        }
        prop_assert_eq!(children, tree.nodes.iter().map(|node| node.children).collect::<Vec<_>>());
    }

    #[test]
    fn the_path_is_within_the_trace_and_each_moment_is_one_spans(batch in any_spans()) {
        let tree = Tree::new(&batch);
        for node in &tree.nodes {
            prop_assert!(node.critical_path.iter().all(|it| it.from_ns < it.to_ns));
            prop_assert!(node.critical_path.iter().all(|it| node.span.start_ns <= it.from_ns && it.to_ns <= node.span.end_ns));
            prop_assert!(node.critical_path.is_sorted_by(|a, b| a.to_ns <= b.from_ns));
        }
        let all = stretches(&tree);
        prop_assert!(all.is_sorted_by(|a, b| a.to_ns <= b.from_ns), "{all:?}");
        prop_assert!(all.iter().all(|it| tree.start_ns <= it.from_ns && it.to_ns <= tree.end_ns));
        // Whatever ends last, its end is on the path, if it took any time at all.
        let lasts = tree.nodes.iter().filter(|node| node.span.end_ns == tree.end_ns && node.span.duration_ns() > 0);
        prop_assert!(lasts.count() == 0 || all.last().is_some_and(|it| it.to_ns == tree.end_ns), "{all:?}");
    }

    #[test]
    fn where_everything_is_waited_for_the_path_has_no_gaps(batch in synchronous()) {
        let tree = Tree::new(&batch);
        let total: u64 = stretches(&tree).into_iter().map(Stretch::length_ns).sum();
        prop_assert_eq!(total, tree.duration_ns());
    }
}
