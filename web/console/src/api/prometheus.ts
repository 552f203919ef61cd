// Prometheus' HTTP API under /prometheus/api/v1: its requests, and what its answers mean.
// https://prometheus.io/docs/prometheus/latest/querying/api/
import type { Description } from "../model/metric.ts";
import {
  type Answer,
  type Bucket,
  type Exemplar,
  type HistogramValue,
  type Labels,
  type Result,
  type Sample,
  type Series,
  spanIdOf,
  traceIdOf,
} from "../model/samples.ts";
import type { Request } from "./calls.ts";
import { ApiError, ask, type Params } from "./client.ts";

const BASE = "/prometheus/api/v1";
/** More series than a reader can tell apart, and than a page should hold. */
export const SERIES_MAX = 1000;

/** Seconds since the epoch. */
export interface Stretch {
  start: number;
  end: number;
}

interface Envelope<T> {
  status: string;
  data: T;
  error?: string;
  warnings?: string[];
  infos?: string[];
}

type WirePoint = [number, string];
type WireBucket = [number, string, string, string];
type WireHistogram = { count: string; sum: string; buckets?: WireBucket[] };
export interface WireSeries {
  metric: Labels;
  value?: WirePoint;
  values?: WirePoint[];
  histogram?: [number, WireHistogram];
  histograms?: [number, WireHistogram][];
}
export type WireResult =
  | { resultType: "matrix" | "vector"; result: WireSeries[] }
  | { resultType: "scalar" | "string"; result: WirePoint };

/** A number as Go writes it. */
export function numberOf(text: string): number {
  if (text === "+Inf" || text === "Inf") {
    return Number.POSITIVE_INFINITY;
  }
  return text === "-Inf" ? Number.NEGATIVE_INFINITY : text === "NaN" ? Number.NaN : Number(text);
}

function histogramOf(wire: WireHistogram): HistogramValue {
  // The first number tells which bounds belong to the bucket: 0 the upper, 1 the lower, 2 none, 3 both.
  const buckets = (wire.buckets ?? []).map(
    ([bounds, low, high, count]): Bucket => ({
      low: numberOf(low),
      high: numberOf(high),
      count: numberOf(count),
      includesLow: bounds === 1 || bounds === 3,
      includesHigh: bounds === 0 || bounds === 3,
    }),
  );
  return { count: numberOf(wire.count), sum: numberOf(wire.sum), buckets };
}

function seriesOf(wire: WireSeries): Series {
  const values = wire.values ?? [];
  return {
    labels: wire.metric,
    times: values.map(([at]) => at),
    values: values.map(([, value]) => numberOf(value)),
    histograms: (wire.histograms ?? []).map(([at, value]) => ({ at, value: histogramOf(value) })),
  };
}

function sampleOf(wire: WireSeries): Sample {
  const [at = 0] = wire.value ?? wire.histogram ?? [];
  return {
    labels: wire.metric,
    at,
    value: wire.value === undefined ? Number.NaN : numberOf(wire.value[1]),
    histogram: wire.histogram === undefined ? undefined : histogramOf(wire.histogram[1]),
  };
}

export function resultFrom(wire: WireResult): { result: Result; omitted: number } {
  switch (wire.resultType) {
    case "matrix":
      return {
        result: { kind: "matrix", series: wire.result.slice(0, SERIES_MAX).map(seriesOf) },
        omitted: Math.max(0, wire.result.length - SERIES_MAX),
      };
    case "vector":
      return {
        result: { kind: "vector", samples: wire.result.slice(0, SERIES_MAX).map(sampleOf) },
        omitted: Math.max(0, wire.result.length - SERIES_MAX),
      };
    case "scalar":
      return {
        result: { kind: "scalar", at: wire.result[0], value: numberOf(wire.result[1]) },
        omitted: 0,
      };
    case "string":
      return { result: { kind: "string", text: wire.result[1] }, omitted: 0 };
    default:
      throw new ApiError("unreadable", "The answer is of a kind that this page does not know.");
  }
}

async function answered(request: Request, cancelled: AbortSignal): Promise<Answer> {
  const begun = performance.now();
  const envelope = await ask<Envelope<WireResult>>(request.path, request.params, cancelled);
  return {
    ...resultFrom(envelope.data),
    warnings: envelope.warnings ?? [],
    infos: envelope.infos ?? [],
    elapsedMs: performance.now() - begun,
  };
}

const seconds = (value: number) => String(Number(value.toFixed(3)));

export function rangeRequest(query: string, { start, end }: Stretch, step: number): Request {
  const params = { query, start: seconds(start), end: seconds(end), step: seconds(step) };
  return { path: `${BASE}/query_range`, params };
}

export function instantRequest(query: string, at: number): Request {
  return { path: `${BASE}/query`, params: { query, time: seconds(at) } };
}

export function getRange(
  query: string,
  stretch: Stretch,
  step: number,
  cancelled: AbortSignal,
): Promise<Answer> {
  return answered(rangeRequest(query, stretch, step), cancelled);
}

export function getInstant(query: string, at: number, cancelled: AbortSignal): Promise<Answer> {
  return answered(instantRequest(query, at), cancelled);
}

async function list(path: string, params: Params, cancelled: AbortSignal): Promise<string[]> {
  return (await ask<Envelope<string[]>>(`${BASE}/${path}`, params, cancelled)).data ?? [];
}

const within = ({ start, end }: Stretch, selector: string): Params => ({
  start: seconds(start),
  end: seconds(end),
  "match[]": selector,
});

export function getMetricNames(
  stretch: Stretch,
  selector: string,
  cancelled: AbortSignal,
): Promise<string[]> {
  return list("label/__name__/values", within(stretch, selector), cancelled);
}

export function getLabelNames(stretch: Stretch, selector: string, cancelled: AbortSignal): Promise<string[]> {
  return list("labels", within(stretch, selector), cancelled);
}

export function getLabelValues(
  label: string,
  stretch: Stretch,
  selector: string,
  cancelled: AbortSignal,
): Promise<string[]> {
  return list(`label/${encodeURIComponent(label)}/values`, within(stretch, selector), cancelled);
}

export async function getMetadata(cancelled: AbortSignal): Promise<Map<string, Description>> {
  type Wire = Record<string, Description[]>;
  const { data } = await ask<Envelope<Wire>>(`${BASE}/metadata`, { limit_per_metric: 1 }, cancelled);
  const known = new Map<string, Description>();
  for (const [name, [first]] of Object.entries(data ?? {})) {
    if (first !== undefined) {
      known.set(name, first);
    }
  }
  return known;
}

interface WireExemplars {
  seriesLabels: Labels;
  exemplars: { labels: Labels; value: string; timestamp: number }[];
}

export async function getExemplars(
  query: string,
  stretch: Stretch,
  cancelled: AbortSignal,
): Promise<Exemplar[]> {
  const params = { query, start: seconds(stretch.start), end: seconds(stretch.end) };
  const { data } = await ask<Envelope<WireExemplars[] | null>>(`${BASE}/query_exemplars`, params, cancelled);
  return (data ?? []).flatMap(({ seriesLabels, exemplars }) =>
    exemplars.map((exemplar) => ({
      series: seriesLabels,
      labels: exemplar.labels,
      at: exemplar.timestamp,
      value: numberOf(exemplar.value),
      traceId: traceIdOf(exemplar.labels),
      spanId: spanIdOf(exemplar.labels),
    })),
  );
}
