// The rows of a waterfall: which spans are to be seen, and where their bars lie. Pure; nothing of the DOM.
import type { Nanoseconds } from "../model/time.ts";
import type { Span, Stretch, Tree } from "../model/trace.ts";

/** The stretch of the trace that is drawn. */
export interface Viewport {
  from: Nanoseconds;
  to: Nanoseconds;
}

/** A piece of a row, in shares of its width. */
export interface Piece {
  left: number;
  width: number;
}

/** Places of the spans that no closed span above hides, in order. */
export function visibleRows(tree: Tree, isClosed: (index: number) => boolean): Int32Array {
  const rows = new Int32Array(tree.ends.length);
  let count = 0;
  for (let index = 0; index < tree.ends.length; ) {
    rows[count] = index;
    count += 1;
    index = isClosed(index) ? (tree.ends[index] ?? index + 1) : index + 1;
  }
  return rows.subarray(0, count);
}

/** Rows that match, and the rows above them that say where they are. */
export function onlyMatching(tree: Tree, found: readonly number[]): Int32Array {
  const kept = new Uint8Array(tree.parents.length);
  for (const match of found) {
    for (let at = match; at >= 0 && kept[at] === 0; at = tree.parents[at] ?? -1) {
      kept[at] = 1;
    }
  }
  const rows = new Int32Array(kept.reduce((sum, bit) => sum + bit, 0));
  let count = 0;
  for (const [index, bit] of kept.entries()) {
    if (bit === 1) {
      rows[count] = index;
      count += 1;
    }
  }
  return rows;
}

/** The place of a span among sorted rows, or -1. */
export function rowOf(rows: Int32Array, index: number): number {
  let low = 0;
  let high = rows.length - 1;
  while (low <= high) {
    const middle = (low + high) >> 1;
    const found = rows[middle] ?? 0;
    if (found === index) {
      return middle;
    }
    if (found < index) {
      low = middle + 1;
    } else {
      high = middle - 1;
    }
  }
  return -1;
}

/** Where a stretch lies within the viewport; nothing when it is outside. */
export function pieceOf(start: Nanoseconds, duration: Nanoseconds, view: Viewport): Piece | undefined {
  const span = view.to - view.from;
  const end = start + duration;
  if (span <= 0 || end < view.from || start > view.to) {
    return undefined;
  }
  const left = Math.max(0, (start - view.from) / span);
  const right = Math.min(1, (end - view.from) / span);
  return { left, width: Math.max(0, right - left) };
}

/** A span's stretches of the critical path as pieces, joined where they touch. */
export function criticalPieces(stretches: readonly Stretch[], view: Viewport): Piece[] {
  const pieces: Piece[] = [];
  for (const { start, duration } of stretches) {
    const piece = pieceOf(start, duration, view);
    const last = pieces.at(-1);
    if (piece === undefined) {
      continue;
    }
    if (last !== undefined && piece.left <= last.left + last.width + 1e-6) {
      last.width = Math.max(last.width, piece.left + piece.width - last.left);
    } else {
      pieces.push({ ...piece });
    }
  }
  return pieces;
}

/**
 * The dashed line to a span that began after (or beside) its parent: from the parent's end, or from the
 * parent's start where the parent still ran, to the span's start.
 */
export function hopOf(span: Span, parent: Span | undefined, view: Viewport): Piece | undefined {
  if (!span.isAsync || parent === undefined) {
    return undefined;
  }
  const parentEnd = parent.start + parent.duration;
  const from = span.start >= parentEnd ? parentEnd : parent.start;
  return span.start > from ? pieceOf(from, span.start - from, view) : undefined;
}

/** A viewport that lies within the trace and is not narrower than what can be told apart. */
export function clampView(view: Viewport, duration: Nanoseconds): Viewport {
  const whole = Math.max(duration, 1);
  const narrowest = Math.min(whole, Math.max(100, whole / 1e6));
  const wide = Math.min(whole, Math.max(narrowest, view.to - view.from));
  const from = Math.min(Math.max(0, view.from), whole - wide);
  return { from, to: from + wide };
}

/** The viewport made narrower or wider around a point, which stays where it is. */
export function zoomed(view: Viewport, around: Nanoseconds, factor: number, duration: Nanoseconds): Viewport {
  const share = (around - view.from) / Math.max(1, view.to - view.from);
  const wide = Math.min(duration, (view.to - view.from) * factor);
  const from = around - share * wide;
  return clampView({ from, to: from + wide }, duration);
}

const INDENT = 14;
const DEEP_FROM = 12;
const DEEP_INDENT = 2;
const DEEP_UNTIL = 40;

/** Pixels that a row is moved in by: even steps at first, then small ones, then none. */
export function indentOf(depth: number): number {
  const deep = Math.min(Math.max(0, depth - DEEP_FROM), DEEP_UNTIL - DEEP_FROM);
  return Math.min(depth, DEEP_FROM) * INDENT + deep * DEEP_INDENT;
}

/** Whether a span is closed: by its depth, unless it was turned by hand. */
export function isClosed(
  span: Pick<Span, "children" | "depth" | "spanId">,
  depth: number | undefined,
  toggled: ReadonlySet<string>,
): boolean {
  const byDepth = depth !== undefined && span.depth >= depth;
  return span.children > 0 && byDepth !== toggled.has(span.spanId);
}
