// What a search for traces finds.
import type { Moment, Nanoseconds } from "./time.ts";

export interface TraceSummary {
  traceId: string;
  rootService: string;
  rootName: string;
  start: Moment;
  duration: Nanoseconds;
  spans: number;
  errors: number;
  services: { name: string; spans: number; errors: number }[];
  /** Some of it was evicted or never came. */
  isPartial: boolean;
  /** Its first span is not here: another stands in for it. */
  missingRoot: boolean;
}

export interface SearchResult {
  traces: TraceSummary[];
  truncated: boolean;
  elapsedMs: number;
}

export type Order = "newest" | "longest" | "errors";

/** The traces in the order asked for; those equal in it, newest first. */
export function sorted(traces: readonly TraceSummary[], order: Order): TraceSummary[] {
  const newest = (a: TraceSummary, b: TraceSummary) => (a.start < b.start ? 1 : a.start > b.start ? -1 : 0);
  const by: Record<Order, (a: TraceSummary, b: TraceSummary) => number> = {
    newest,
    longest: (a, b) => b.duration - a.duration || newest(a, b),
    errors: (a, b) => b.errors - a.errors || newest(a, b),
  };
  return [...traces].sort(by[order]);
}

/**
 * The duration that fills a bar: the longest, unless it is an outlier that would leave nothing to see of the
 * others. Then it is what nineteen of twenty do not exceed.
 */
export function barScale(traces: readonly Pick<TraceSummary, "duration">[]): Nanoseconds {
  const durations = traces.map(({ duration }) => duration).sort((a, b) => a - b);
  const usual = durations[Math.floor((durations.length - 1) * 0.95)] ?? 1;
  const longest = durations.at(-1) ?? 1;
  return Math.max(1, longest > 3 * usual ? usual : longest);
}
