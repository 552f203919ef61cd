// Series of samples as a query gives them, and how they are named and written. Nothing of the wire or drawing.
import { formatBytes } from "./count.ts";
import { formatDate, formatLength, fromMilliseconds, SECOND } from "./time.ts";

export type Labels = Readonly<Record<string, string>>;

/** One bucket of a native histogram. */
export interface Bucket {
  low: number;
  high: number;
  count: number;
  /** Whether the bounds belong to the bucket. */
  includesLow: boolean;
  includesHigh: boolean;
}

export interface HistogramValue {
  count: number;
  sum: number;
  buckets: Bucket[];
}

/** A series over time: moments in seconds since the epoch, ascending, and a value for each. */
export interface Series {
  labels: Labels;
  times: number[];
  values: number[];
  histograms: { at: number; value: HistogramValue }[];
}

/** One series at one moment. */
export interface Sample {
  labels: Labels;
  at: number;
  /** NaN where the sample is a histogram. */
  value: number;
  histogram: HistogramValue | undefined;
}

export type Result =
  | { kind: "matrix"; series: Series[] }
  | { kind: "vector"; samples: Sample[] }
  | { kind: "scalar"; at: number; value: number }
  | { kind: "string"; text: string };

export interface Answer {
  result: Result;
  warnings: string[];
  infos: string[];
  /** Series that were left out, for there were more than can be shown. */
  omitted: number;
  elapsedMs: number;
}

/** A trace that a sample was taken from. */
export interface Exemplar {
  series: Labels;
  labels: Labels;
  /** Seconds since the epoch. */
  at: number;
  value: number;
  traceId: string;
  spanId: string;
}

const NAME = "__name__";
const TRACE_KEYS = ["trace_id", "traceID", "traceId", "TraceID"];
const SPAN_KEYS = ["span_id", "spanID", "spanId", "SpanID"];

/** The first of these labels that is there. */
function firstOf(labels: Labels, keys: readonly string[]): string {
  for (const key of keys) {
    const value = labels[key];
    if (value !== undefined && value !== "") {
      return value;
    }
  }
  return "";
}

export function traceIdOf(labels: Labels): string {
  return firstOf(labels, TRACE_KEYS).toLowerCase();
}

export function spanIdOf(labels: Labels): string {
  return firstOf(labels, SPAN_KEYS).toLowerCase();
}

/** A value as it stands between quotes in either language. */
export function quoted(value: string): string {
  return `"${value.replaceAll("\\", "\\\\").replaceAll('"', '\\"').replaceAll("\n", "\\n")}"`;
}

/** `name{a="b", c="d"}`, labels in order of their names; `{}` when there is none. */
export function writeLabels(labels: Labels): string {
  const { [NAME]: name = "", ...others } = labels;
  const pairs = Object.entries(others)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([key, value]) => `${key}=${quoted(value)}`);
  return pairs.length === 0 && name !== "" ? name : `${name}{${pairs.join(", ")}}`;
}

/** The same labels, the same text: what a series is known by. */
export function keyOf(labels: Labels): string {
  return writeLabels(labels);
}

/** So many labels can be told by their values alone; more need their names beside them. */
const BARE_MAX = 4;

/**
 * What tells series apart, in words: the labels that are not alike in all of them; where there are a few, only
 * their values, the most telling first. All labels where there is but one series, or nothing differs.
 */
export function legendNames(all: readonly Labels[]): string[] {
  const keys = [...new Set(all.flatMap((labels) => Object.keys(labels)))];
  const differing = keys
    .map((key) => ({ key, values: new Set(all.map((labels) => labels[key] ?? "")).size }))
    .filter(({ values }) => values > 1)
    .sort((a, b) => b.values - a.values || (a.key < b.key ? -1 : 1))
    .map(({ key }) => key);
  const isBare =
    differing.length > 1 &&
    differing.length <= BARE_MAX &&
    all.every((labels) => differing.every((key) => (labels[key] ?? "") !== ""));
  return all.map((labels) => {
    if (isBare) {
      return differing.map((key) => labels[key]).join("  ");
    }
    const kept = Object.fromEntries(differing.flatMap((key) => (labels[key] ? [[key, labels[key]]] : [])));
    return writeLabels(all.length > 1 && Object.keys(kept).length > 0 ? kept : labels);
  });
}

export type Unit = "none" | "seconds" | "bytes" | "bytes/s" | "ratio" | "per second";

const QUANTILE = /\bhistogram_(quantile|avg|fraction|stddev)\b/;
const SPEED = /\b(rate|irate|deriv)\s*\(/;
const NUMBERING =
  /\b(count|count_values|count_over_time|changes|resets|group|timestamp|histogram_count)\s*(\(|by\b|without\b)/;

/** What a query's values are most likely measured in, by the names in it; `none` when in doubt. */
export function unitOf(query: string, names: readonly string[]): Unit {
  const [first] = names;
  const isOne = first !== undefined && names.every((name) => name === first);
  if (!isOne || NUMBERING.test(query) || /[/]/.test(query.replaceAll(/"[^"]*"/g, ""))) {
    return "none";
  }
  const isSpeed = SPEED.test(query);
  if (QUANTILE.test(query) || !isSpeed) {
    const base = first.replace(/_(bucket|total)$/, "");
    if (/_seconds(_sum)?$/.test(base)) {
      return "seconds";
    }
    if (/_bytes(_sum)?$/.test(base)) {
      return "bytes";
    }
    return /_ratio$/.test(base) && !isSpeed ? "ratio" : "none";
  }
  if (/_bytes(_total|_sum)?$/.test(first)) {
    return "bytes/s";
  }
  return /_seconds(_total|_sum)?$/.test(first) ? "none" : "per second";
}

const STEPS: readonly [number, string][] = [
  [1e15, "P"],
  [1e12, "T"],
  [1e9, "G"],
  [1e6, "M"],
  [1e4, "k"],
];

/** `0`, `0.0123`, `12.3`, `9,999`, `12.3k`, `1.2e-7`, `NaN`, `+Inf`. */
export function formatNumber(value: number): string {
  if (!Number.isFinite(value)) {
    return Number.isNaN(value) ? "NaN" : value > 0 ? "+Inf" : "−Inf";
  }
  const size = Math.abs(value);
  const sign = value < 0 ? "−" : "";
  if (size === 0) {
    return "0";
  }
  if (size < 1e-4) {
    return value.toExponential(2).replace("-", sign === "" ? "-" : "−");
  }
  const found = STEPS.find(([least]) => size >= least * (1 - 1e-12));
  if (found !== undefined) {
    const scale = found[1] === "k" ? 1e3 : found[0];
    return `${sign}${Number((size / scale).toPrecision(4))}${found[1]}`;
  }
  return `${sign}${Number(size.toPrecision(4)).toLocaleString("en-US", { maximumFractionDigits: 8 })}`;
}

const MOMENT_FROM = 1e9;

export function formatValue(value: number, unit: Unit = "none"): string {
  if (!Number.isFinite(value)) {
    return formatNumber(value);
  }
  switch (unit) {
    case "seconds":
      // More than thirty years are not a length but a moment, as `process_start_time_seconds` is.
      if (value >= MOMENT_FROM) {
        return formatDate(fromMilliseconds(value * 1000), false);
      }
      return value === 0 ? "0 s" : formatLength(value * SECOND);
    case "bytes":
      return value < 0 ? `−${formatBytes(-value)}` : formatBytes(value);
    case "bytes/s":
      return `${value < 0 ? `−${formatBytes(-value)}` : formatBytes(value)}/s`;
    case "ratio":
      return `${formatNumber(value * 100)} %`;
    case "per second":
      return `${formatNumber(value)}/s`;
    default:
      return formatNumber(value);
  }
}

/** The middle of a bucket's range in words: `(0.5, 1]`. */
export function writeBucket({ low, high, includesLow, includesHigh }: Bucket): string {
  return `${includesLow ? "[" : "("}${formatNumber(low)}, ${formatNumber(high)}${includesHigh ? "]" : ")"}`;
}
