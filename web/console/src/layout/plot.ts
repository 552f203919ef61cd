// Series on one axis of time: which moments are marked, what is drawn where, what is left out. Pure.
import type { Exemplar, Series } from "../model/samples.ts";

/** Columns as a plot takes them: the moments, and for each series a value or a gap. */
export interface Columns {
  times: number[];
  rows: (number | null)[][];
}

const STEPS = [1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 10_800, 21_600, 43_200, 86_400];

/** Seconds between points: the least round step that gives at most `most` of them. */
export function stepFor(seconds: number, most: number): number {
  const least = seconds / Math.max(1, most);
  return STEPS.find((step) => step >= least) ?? Math.ceil(least / 86_400) * 86_400;
}

/** The range cut to multiples of the step, so that a range that moves along shows the same points. */
export function aligned(start: number, end: number, step: number): { start: number; end: number } {
  const first = Math.floor(start / step) * step;
  return { start: first, end: Math.max(first, Math.floor(end / step) * step) };
}

/**
 * All series at the moments from start to end, a step apart. A moment that a series has no sample for is a gap,
 * and so is a value that is no number.
 */
export function columnsOf(series: readonly Series[], start: number, end: number, step: number): Columns {
  const count = Math.max(1, Math.round((end - start) / step) + 1);
  const times = Array.from({ length: count }, (_, at) => start + at * step);
  const rows = series.map(({ times: found, values }) => {
    const row = new Array<number | null>(count).fill(null);
    for (const [index, at] of found.entries()) {
      const place = Math.round((at - start) / step);
      const value = values[index];
      if (place >= 0 && place < count && value !== undefined && Number.isFinite(value)) {
        row[place] = value;
      }
    }
    return row;
  });
  return { times, rows };
}

/** Rows piled on each other: each with the sum of those before it. A gap counts for nothing, and stays a gap. */
export function stacked(rows: readonly (readonly (number | null)[])[]): (number | null)[][] {
  const sums = new Array<number>(rows[0]?.length ?? 0).fill(0);
  return rows.map((row) =>
    row.map((value, at) => {
      sums[at] = (sums[at] ?? 0) + (value ?? 0);
      return value === null ? null : (sums[at] ?? 0);
    }),
  );
}

/** On a logarithmic scale there is nothing at zero or below it. */
export function positive(rows: readonly (readonly (number | null)[])[]): (number | null)[][] {
  return rows.map((row) => row.map((value) => (value !== null && value > 0 ? value : null)));
}

/** The lowest and the highest value; nothing where there is none. */
export function extent(rows: readonly (readonly (number | null)[])[]): [number, number] | undefined {
  let low = Number.POSITIVE_INFINITY;
  let high = Number.NEGATIVE_INFINITY;
  for (const row of rows) {
    for (const value of row) {
      if (value !== null) {
        low = Math.min(low, value);
        high = Math.max(high, value);
      }
    }
  }
  return low <= high ? [low, high] : undefined;
}

/** A range of values with some air; from zero where the values are all on one side of it and not far off. */
export function valueRange(found: [number, number] | undefined, isLog: boolean): [number, number] {
  if (found === undefined) {
    return isLog ? [1, 10] : [0, 1];
  }
  const [low, high] = found;
  if (isLog) {
    return low === high ? [low / 3, high * 3] : [low / 1.3, high * 1.3];
  }
  if (low === high) {
    return low === 0 ? [0, 1] : low > 0 ? [0, high * 1.25] : [low * 1.25, 0];
  }
  const air = (high - low) * 0.06;
  const isNearZero = low >= 0 && low < high * 0.66;
  return [isNearZero ? 0 : low - air, high <= 0 && high > low * 0.66 ? 0 : high + air];
}

/** At most so many exemplars, none nearer to another than its share: those of the largest value, for they tell most. */
export function thinned(
  exemplars: readonly Exemplar[],
  start: number,
  end: number,
  most: number,
): Exemplar[] {
  const best = new Map<number, Exemplar>();
  const wide = Math.max(1e-9, (end - start) / most);
  for (const exemplar of exemplars) {
    if (exemplar.at >= start && exemplar.at <= end && exemplar.traceId !== "") {
      const place = Math.floor((exemplar.at - start) / wide);
      const found = best.get(place);
      if (found === undefined || exemplar.value > found.value) {
        best.set(place, exemplar);
      }
    }
  }
  // Neighbours of two stretches may still be near to each other.
  const kept: Exemplar[] = [];
  for (const exemplar of [...best.values()].sort((a, b) => a.at - b.at)) {
    const before = kept.at(-1);
    if (before === undefined || exemplar.at - before.at >= wide) {
      kept.push(exemplar);
    } else if (exemplar.value > before.value) {
      kept[kept.length - 1] = exemplar;
    }
  }
  return kept;
}

/** The series drawn: the most with the largest last values, in the order they came. */
export function foremost(series: readonly Series[], most: number): number[] {
  const order = series.map((one, at) => ({ at, value: one.values.at(-1) ?? Number.NEGATIVE_INFINITY }));
  return order
    .sort((a, b) => (Number.isNaN(b.value) ? -1 : Number.isNaN(a.value) ? 1 : b.value - a.value))
    .slice(0, most)
    .map(({ at }) => at)
    .sort((a, b) => a - b);
}

/** Which of the rows are nearest to a value at a moment, the nearest first. */
export function nearestRows(
  rows: readonly (readonly (number | null)[])[],
  index: number,
  value: number,
  most: number,
): number[] {
  return rows
    .map((row, at) => ({ at, found: row[index] ?? null }))
    .filter((entry): entry is { at: number; found: number } => entry.found !== null)
    .sort((a, b) => Math.abs(a.found - value) - Math.abs(b.found - value))
    .slice(0, most)
    .map(({ at }) => at);
}

const two = (value: number) => String(value).padStart(2, "0");

/** Marks of the axis of time, in the reader's zone: the day where a new one begins, seconds where they matter. */
export function clockMarks(splits: readonly number[], by: number): string[] {
  let day = "";
  return splits.map((seconds, at) => {
    const date = new Date(seconds * 1000);
    const here = `${two(date.getMonth() + 1)}-${two(date.getDate())}`;
    const isNew = at > 0 && here !== day;
    day = here;
    const clock = `${two(date.getHours())}:${two(date.getMinutes())}`;
    return by >= 86_400 || isNew ? here : by < 60 ? `${clock}:${two(date.getSeconds())}` : clock;
  });
}
