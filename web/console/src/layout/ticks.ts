// Round values for the marks of an axis.
import { DAY, HOUR, MINUTE, type Nanoseconds, SECOND } from "../model/time.ts";

const BEYOND_SECONDS = [
  ...[1, 2, 5, 10, 15, 30].map((n) => n * SECOND),
  ...[1, 2, 5, 10, 15, 30].map((n) => n * MINUTE),
  ...[1, 2, 3, 6, 12].map((n) => n * HOUR),
  ...[1, 2, 7, 14].map((n) => n * DAY),
];

/** The smallest round step that makes at most `most` of them. */
export function step(span: Nanoseconds, most: number): Nanoseconds {
  const least = span / Math.max(1, most);
  if (least > SECOND / 2) {
    return BEYOND_SECONDS.find((candidate) => candidate >= least) ?? Math.ceil(least / (7 * DAY)) * 7 * DAY;
  }
  const power = 10 ** Math.floor(Math.log10(Math.max(least, 1)));
  return [1, 2, 5, 10].map((n) => n * power).find((candidate) => candidate >= least) ?? least;
}

/** Marks from `from` up to `to`, both within, at multiples of a round step. */
export function ticks(from: Nanoseconds, to: Nanoseconds, most: number): Nanoseconds[] {
  if (!(to > from)) {
    return [from];
  }
  const by = step(to - from, most);
  const marks: Nanoseconds[] = [];
  for (let at = Math.ceil(from / by) * by; at <= to; at += by) {
    marks.push(at);
  }
  return marks;
}

/** Powers of ten within a range, for a logarithmic axis. */
export function decades(low: number, high: number): number[] {
  const marks: number[] = [];
  for (let power = Math.ceil(Math.log10(low) - 1e-9); 10 ** power <= high * (1 + 1e-9); power += 1) {
    marks.push(10 ** power);
  }
  return marks;
}
