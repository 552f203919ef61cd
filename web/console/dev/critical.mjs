// Critical path and self time of made-up traces, so that they look as the server's do. The server's own are
// computed in Rust; this is only as good as development needs.

/** Sets `criticalPath` and `selfTime` of spans that know their `parent`. */
export function criticalPath(spans, duration) {
  const below = new Map(spans.map((span) => [span, []]));
  for (const span of spans) {
    below.get(span.parent)?.push(span);
  }
  const endOf = (span) => span.start + span.duration;
  for (const span of spans) {
    span.selfTime = span.duration - covered(below.get(span), span.start, endOf(span));
  }
  const ends = lastEnds(spans, endOf);
  // From the end of the trace backwards: whoever ended last before that moment was waited for.
  const open = [
    {
      span: spans.reduce(
        (last, span) => (endOf(span) >= endOf(last) && !span.parent ? span : last),
        spans[0],
      ),
      until: duration,
    },
  ];
  while (open.length > 0) {
    const { span, until } = open.pop();
    let at = until;
    const children = [...below.get(span)].sort((a, b) => ends.get(b) - ends.get(a));
    for (const child of children) {
      const end = ends.get(child);
      if (end > at || child.start >= at) {
        continue;
      }
      mark(span, end, Math.min(at, endOf(span)));
      open.push({ span: child, until: end });
      at = child.start;
    }
    mark(span, span.start, Math.min(at, endOf(span)));
  }
  for (const span of spans) {
    span.criticalPath.sort((a, b) => a.start - b.start);
  }
}

/** When the last of a span and all below it ended; spans stand before what is below them. */
function lastEnds(spans, endOf) {
  const ends = new Map(spans.map((span) => [span, endOf(span)]));
  for (const span of [...spans].reverse()) {
    if (span.parent) {
      ends.set(span.parent, Math.max(ends.get(span.parent), ends.get(span)));
    }
  }
  return ends;
}

function mark(span, start, end) {
  if (end > start) {
    span.criticalPath.push({ start, duration: end - start });
  }
}

function covered(children, from, to) {
  let sum = 0;
  let at = from;
  for (const child of [...children].sort((a, b) => a.start - b.start)) {
    const start = Math.max(at, child.start);
    const end = Math.min(to, child.start + child.duration);
    if (end > start) {
      sum += end - start;
      at = end;
    }
  }
  return sum;
}
