// Where traces lie in a field of time across and duration, in powers of ten, upwards.
import type { TraceSummary } from "../model/search.ts";
import { toMilliseconds } from "../model/time.ts";

export interface Field {
  width: number;
  height: number;
  /** Milliseconds since the epoch. */
  from: number;
  to: number;
  /** Nanoseconds. */
  low: number;
  high: number;
}

export interface Point {
  x: number;
  y: number;
  index: number;
}

/** Limits that hold every trace, with some air; whole powers of ten where they are wide. */
export function fieldOf(
  traces: readonly TraceSummary[],
  width: number,
  height: number,
  range: { from: number; to: number },
): Field {
  const durations = traces.map((trace) => Math.max(1, trace.duration));
  const low = durations.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  const high = durations.reduce((a, b) => Math.max(a, b), 1);
  const starts = traces.map((trace) => toMilliseconds(trace.start));
  const from = starts.reduce((a, b) => Math.min(a, b), range.from);
  const to = starts.reduce((a, b) => Math.max(a, b), range.to);
  return {
    width,
    height,
    from,
    to: Math.max(to, from + 1),
    low: Number.isFinite(low) ? low / 1.6 : 1e6,
    high: Number.isFinite(low) ? Math.max(high * 1.6, low * 10) : 1e9,
  };
}

export function xOf(field: Field, ms: number): number {
  return ((ms - field.from) / (field.to - field.from)) * field.width;
}

export function yOf(field: Field, ns: number): number {
  const share = Math.log(Math.max(1, ns) / field.low) / Math.log(field.high / field.low);
  return field.height * (1 - share);
}

export function timeAt(field: Field, x: number): number {
  return field.from + (x / field.width) * (field.to - field.from);
}

export function lengthAt(field: Field, y: number): number {
  return field.low * (field.high / field.low) ** (1 - y / field.height);
}

export function pointsOf(traces: readonly TraceSummary[], field: Field): Point[] {
  return traces.map((trace, index) => ({
    x: xOf(field, toMilliseconds(trace.start)),
    y: yOf(field, trace.duration),
    index,
  }));
}

/** The point nearest to a place, if one is within reach. */
export function nearest(points: readonly Point[], x: number, y: number, reach: number): Point | undefined {
  let best: Point | undefined;
  let least = reach * reach;
  for (const point of points) {
    const distance = (point.x - x) ** 2 + (point.y - y) ** 2;
    if (distance <= least) {
      least = distance;
      best = point;
    }
  }
  return best;
}
