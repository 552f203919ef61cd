//! What determined how long the trace took. The rule is told at [`super::Tree::new`].

use super::links::Links;
use super::{Node, Stretch, end_ns};

/// A span that the walk is in. The outermost is the trace itself, which has the roots for children and no
/// time of its own.
struct Visit<'a> {
    node: Option<usize>,
    from_ns: u64,
    to_ns: u64,
    /// Children that have not been looked at, the last to end first.
    rest: &'a [usize],
}

/// Marks each node with its part of the path.
pub(super) fn mark(nodes: &mut [Node<'_>]) {
    let lasts = last_ends(nodes);
    let parents: Vec<Option<usize>> = nodes.iter().map(|node| node.parent).collect();
    let known = |place: usize| lasts.get(place).copied().flatten();
    let last = |place: usize| known(place).unwrap_or(0);
    let mut order: Vec<usize> = (0..nodes.len()).collect();
    order.sort_by_key(|place| {
        let start = nodes.get(*place).map_or(0, |node| node.span.start_ns);
        std::cmp::Reverse((known(*place), start))
    });
    let below = Links::new(&parents, order.iter().copied());
    // The point that has been reached. It only ever moves back, so stretches cannot overlap.
    let mut cursor = u64::MAX;
    let mut open = vec![Visit { node: None, from_ns: 0, to_ns: u64::MAX, rest: below.roots() }];
    while let Some(visit) = open.last_mut() {
        // Nothing that ends later than the cursor held the span up.
        let skipped = visit.rest.iter().take_while(|child| last(**child) > cursor).count();
        let (child, rest) = match visit.rest.get(skipped..) {
            // Those that took no time come last of all.
            Some([child, rest @ ..]) if known(*child).is_some() => (Some(*child), rest),
            _ => (None, [].as_slice()),
        };
        visit.rest = rest;
        let own_from = child.map_or(visit.from_ns, last).max(visit.from_ns);
        let own_to = cursor.min(visit.to_ns);
        if let Some(node) = visit.node.and_then(|node| nodes.get_mut(node))
            && own_to > own_from
        {
            node.critical_path.push(Stretch { from_ns: own_from, to_ns: own_to });
        }
        match child.and_then(|child| nodes.get(child).map(|node| (child, node.span))) {
            Some((child, span)) => {
                cursor = cursor.min(last(child));
                let (from_ns, to_ns) = (span.start_ns, end_ns(span));
                open.push(Visit { node: Some(child), from_ns, to_ns, rest: below.of(child) });
            }
            None => {
                cursor = cursor.min(visit.from_ns);
                open.pop();
                // What waits for nothing ran while its parent no longer did: the parent goes on at its end.
                cursor = open.last().map_or(cursor, |up| cursor.min(up.to_ns));
            }
        }
    }
    nodes.iter_mut().for_each(|node| node.critical_path.reverse());
}

/// For each node the end of whatever ends last among it and all below it. A span that took no time held nobody
/// up, whenever it claims to have been; `None` where there are only such.
fn last_ends(nodes: &[Node<'_>]) -> Vec<Option<u64>> {
    let took_time = |node: &Node<'_>| (node.span.duration_ns() > 0).then(|| end_ns(node.span));
    let mut lasts: Vec<Option<u64>> = nodes.iter().map(took_time).collect();
    // A parent stands before its children, so backwards each is complete when it is added to its parent.
    for (place, node) in nodes.iter().enumerate().rev() {
        let own = lasts.get(place).copied().flatten();
        if let Some(above) = node.parent.and_then(|parent| lasts.get_mut(parent)) {
            *above = own.max(*above);
        }
    }
    lasts
}
