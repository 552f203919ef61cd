// Loki's HTTP API under /loki/api/v1: its requests, and what its answers mean.
// https://grafana.com/docs/loki/latest/reference/loki-http-api/
import { type LogAnswer, type LogLine, levelOf, lineId, newestFirst } from "../model/logs.ts";
import type { Answer, Labels } from "../model/samples.ts";
import { type Moment, moment } from "../model/time.ts";
import type { Request } from "./calls.ts";
import { ask, type Params } from "./client.ts";
import { resultFrom, type WireResult } from "./prometheus.ts";

const BASE = "/loki/api/v1";

/** Has labels, structured metadata and what was parsed told apart. */
const CATEGORIZE = { "X-Loki-Response-Encoding-Flags": "categorize-labels" };

export interface Span {
  start: Moment;
  end: Moment;
}

interface Envelope<T> {
  status: string;
  data: T;
}

type WireEntry = [at: string, text: string, more?: { structuredMetadata?: Labels; parsed?: Labels }];
export interface WireStream {
  stream: Labels;
  values: WireEntry[];
}
interface WireStats {
  summary?: { totalBytesProcessed?: number; totalLinesProcessed?: number; execTime?: number };
}
type WireLines = { resultType: string; result: WireStream[]; stats?: WireStats };

/**
 * Lines out of streams. Where labels are not told apart from what was sent beside a line (a tail has no way to
 * ask for it), the names that are known to select streams tell them.
 */
export function linesFrom(streams: readonly WireStream[], selecting?: ReadonlySet<string>): LogLine[] {
  return streams.flatMap(({ stream, values }) => {
    const entries = Object.entries(stream);
    const isLabel = ([key]: [string, string]) => selecting === undefined || selecting.has(key);
    const labels = Object.fromEntries(entries.filter(isLabel));
    const others = Object.fromEntries(entries.filter((entry) => !isLabel(entry)));
    return values.map(([time, text, more]) => {
      const at = moment(time);
      const metadata = { ...others, ...more?.structuredMetadata };
      const parsed = more?.parsed ?? {};
      const level = levelOf(metadata, labels, parsed);
      return { id: lineId(at, text), at, text, level, labels, metadata, parsed };
    });
  });
}

export type Direction = "backward" | "forward";

export function linesRequest(
  query: string,
  { start, end }: Span,
  limit: number,
  direction: Direction,
): Request {
  const params = { query, start: String(start), end: String(end), limit, direction };
  return { path: `${BASE}/query_range`, params };
}

export async function getLines(
  query: string,
  span: Span,
  limit: number,
  direction: Direction,
  cancelled: AbortSignal,
): Promise<LogAnswer> {
  const { path, params } = linesRequest(query, span, limit, direction);
  const begun = performance.now();
  const { data } = await ask<Envelope<WireLines>>(path, params, cancelled, { headers: CATEGORIZE });
  const summary = data.stats?.summary;
  const lines = linesFrom(data.resultType === "streams" ? data.result : []).sort(newestFirst);
  return {
    lines: direction === "forward" ? lines.reverse() : lines,
    stats: {
      bytes: summary?.totalBytesProcessed ?? 0,
      lines: summary?.totalLinesProcessed ?? 0,
      seconds: summary?.execTime ?? (performance.now() - begun) / 1000,
    },
  };
}

export function numbersRequest(query: string, { start, end }: Span, step: number): Request {
  return {
    path: `${BASE}/query_range`,
    params: { query, start: String(start), end: String(end), step: `${step}s` },
  };
}

/** A query that gives numbers: over time, as Prometheus would. */
export async function getNumbers(
  query: string,
  span: Span,
  step: number,
  cancelled: AbortSignal,
): Promise<Answer> {
  const begun = performance.now();
  const { path, params } = numbersRequest(query, span, step);
  const { data } = await ask<Envelope<WireResult>>(path, params, cancelled);
  return { ...resultFrom(data), warnings: [], infos: [], elapsedMs: performance.now() - begun };
}

async function list(path: string, params: Params, cancelled: AbortSignal): Promise<string[]> {
  return (await ask<Envelope<string[] | null>>(`${BASE}/${path}`, params, cancelled)).data ?? [];
}

const within = ({ start, end }: Span): Params => ({ start: String(start), end: String(end) });

export function getLabelNames(span: Span, cancelled: AbortSignal): Promise<string[]> {
  return list("labels", within(span), cancelled);
}

export function getLabelValues(label: string, span: Span, cancelled: AbortSignal): Promise<string[]> {
  return list(`label/${encodeURIComponent(label)}/values`, within(span), cancelled);
}

/** A field that lines of a query have. */
export interface DetectedField {
  label: string;
  type: string;
  cardinality: number;
  /** The stages that find it; none where it comes with the line. */
  parsers: string[];
}

export async function getFields(query: string, span: Span, cancelled: AbortSignal): Promise<DetectedField[]> {
  type Wire = { fields?: (Omit<DetectedField, "parsers"> & { parsers?: string[] | null })[] | null };
  const params = { query, ...within(span) };
  const { fields } = await ask<Wire>(`${BASE}/detected_fields`, params, cancelled);
  return (fields ?? []).map((field) => ({ ...field, parsers: field.parsers ?? [] }));
}

export interface TailMessage {
  streams?: WireStream[] | null;
  dropped_entries?: unknown[] | null;
}

/** Where lines are followed as they come. */
export function tailAddress(
  query: string,
  start: Moment,
  limit: number,
  origin = window.location.origin,
): string {
  const params = new URLSearchParams({ query, start: String(start), limit: String(limit) });
  return `${origin.replace(/^http/, "ws")}${BASE}/tail?${params}`;
}
