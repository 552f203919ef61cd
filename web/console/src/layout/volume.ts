// How many lines there were, by level and over time, as bars on each other. Pure.
import { LEVELS, type Level, levelFrom } from "../model/logs.ts";
import type { Series } from "../model/samples.ts";

export interface Volume {
  /** When each bar begins, in seconds since the epoch; a bar is a step wide. */
  starts: number[];
  step: number;
  /** For each level that is there, lines in each bar. */
  levels: { level: Level; counts: number[]; total: number }[];
  total: number;
}

/** A count at a moment is of the step before it. */
export function volumeOf(series: readonly Series[], start: number, end: number, step: number): Volume {
  const count = Math.max(1, Math.ceil((end - start) / step));
  const sums = new Map<Level, number[]>();
  for (const { labels, times, values } of series) {
    const level = levelFrom(labels["detected_level"] || labels["level"] || "");
    const row = sums.get(level) ?? new Array<number>(count).fill(0);
    sums.set(level, row);
    for (const [index, at] of times.entries()) {
      const place = Math.min(count - 1, Math.max(0, Math.ceil((at - start) / step - 1e-6) - 1));
      const value = values[index] ?? 0;
      row[place] = (row[place] ?? 0) + (Number.isFinite(value) ? value : 0);
    }
  }
  const levels = LEVELS.flatMap((level) => {
    const counts = sums.get(level);
    const total = counts?.reduce((sum, value) => sum + value, 0) ?? 0;
    return counts === undefined || total === 0 ? [] : [{ level, counts, total }];
  });
  return {
    starts: Array.from({ length: count }, (_, at) => start + at * step),
    step,
    levels,
    total: levels.reduce((sum, { total }) => sum + total, 0),
  };
}

export interface VolumeBar {
  level: Level;
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Bars from the bottom up, the least urgent level lowest: what is red is seen on top. */
export function volumeBars({ starts, levels }: Volume, width: number, height: number): VolumeBar[] {
  const tops = starts.map((_, at) => levels.reduce((sum, { counts }) => sum + (counts[at] ?? 0), 0));
  const most = Math.max(1, ...tops);
  const across = width / Math.max(1, starts.length);
  const gap = Math.min(2, across * 0.2);
  const bars: VolumeBar[] = [];
  for (const at of starts.keys()) {
    let below = 0;
    for (const { level, counts } of levels.toReversed()) {
      const value = counts[at] ?? 0;
      if (value > 0) {
        const high = Math.max(1, (value / most) * height);
        bars.push({
          level,
          x: at * across,
          y: height - below - high,
          width: Math.max(1, across - gap),
          height: high,
        });
        below += high;
      }
    }
  }
  return bars;
}
