// Lines of logs, their levels and their fields. Nothing of the wire or drawing.
import { type Labels, spanIdOf, traceIdOf } from "./samples.ts";
import type { Moment } from "./time.ts";

export const LEVELS = ["fatal", "error", "warn", "info", "debug", "trace", "unknown"] as const;
export type Level = (typeof LEVELS)[number];

export interface LogLine {
  /** What it is known by in an address. */
  id: string;
  at: Moment;
  text: string;
  level: Level;
  /** What selects its stream. */
  labels: Labels;
  /** What its sender said beside the text. */
  metadata: Labels;
  /** What stages of the query found in the text. */
  parsed: Labels;
}

export interface LogStats {
  bytes: number;
  lines: number;
  seconds: number;
}

export interface LogAnswer {
  lines: LogLine[];
  stats: LogStats;
}

const WORDS: Record<string, Level> = {
  fatal: "fatal",
  critical: "fatal",
  crit: "fatal",
  emerg: "fatal",
  emergency: "fatal",
  alert: "fatal",
  panic: "fatal",
  error: "error",
  err: "error",
  eror: "error",
  severe: "error",
  warn: "warn",
  warning: "warn",
  info: "info",
  information: "info",
  informational: "info",
  notice: "info",
  debug: "debug",
  dbug: "debug",
  trace: "trace",
  verbose: "trace",
};

const LEVEL_KEYS = ["detected_level", "level", "severity_text", "severity", "lvl"];

export function levelFrom(word: string): Level {
  // OTLP's severities have a number: `WARN2`.
  return (
    WORDS[
      word
        .trim()
        .toLowerCase()
        .replace(/[2-4]$/, "")
    ] ?? "unknown"
  );
}

/** The level that a line's fields tell. */
export function levelOf(...fields: readonly Labels[]): Level {
  for (const key of LEVEL_KEYS) {
    for (const labels of fields) {
      const level = levelFrom(labels[key] ?? "");
      if (level !== "unknown") {
        return level;
      }
    }
  }
  return "unknown";
}

export function traceOfLine({ metadata, parsed, labels }: LogLine): { traceId: string; spanId: string } {
  const all = { ...labels, ...parsed, ...metadata };
  const traceId = traceIdOf(all);
  const isOne = /^[0-9a-f]{32}$/.test(traceId) && !/^0+$/.test(traceId);
  return { traceId: isOne ? traceId : "", spanId: isOne ? spanIdOf(all) : "" };
}

export function serviceOf({ labels, metadata }: LogLine): string {
  return labels["service_name"] ?? metadata["service_name"] ?? labels["job"] ?? "";
}

/** FNV-1a of a line's text, so that lines of the same moment are told apart. */
function hash(text: string): string {
  let value = 0x811c9dc5;
  for (let at = 0; at < text.length; at += 1) {
    value = Math.imul(value ^ text.charCodeAt(at), 0x01000193);
  }
  return (value >>> 0).toString(36);
}

export function lineId(at: Moment, text: string): string {
  return `${at}-${hash(text)}`;
}

export type FieldKind = "label" | "metadata" | "parsed" | "json";

export interface Field {
  key: string;
  value: string;
  kind: FieldKind;
}

const JSON_MAX = 64 * 1024;
const FIELDS_MAX = 200;
const DEPTH_MAX = 6;

/** As LogQL's `json` names them: levels joined by `_`, and nothing but letters, digits and `_`. */
export function fieldName(path: string): string {
  return path.replaceAll(/[^A-Za-z0-9_]/g, "_").replace(/^(?=\d)/, "_");
}

function flatten(value: unknown, path: string, depth: number, into: Field[]): void {
  if (into.length >= FIELDS_MAX) {
    return;
  }
  if (value !== null && typeof value === "object" && !Array.isArray(value) && depth < DEPTH_MAX) {
    for (const [key, inner] of Object.entries(value)) {
      flatten(inner, path === "" ? fieldName(key) : `${path}_${fieldName(key)}`, depth + 1, into);
    }
  } else if (path !== "") {
    const text = typeof value === "string" ? value : JSON.stringify(value);
    into.push({ key: path, value: text, kind: "json" });
  }
}

/** Fields of a line that is a JSON object; none otherwise. */
export function jsonFields(text: string): Field[] {
  const trimmed = text.trimStart();
  if (!trimmed.startsWith("{") || text.length > JSON_MAX) {
    return [];
  }
  try {
    const into: Field[] = [];
    flatten(JSON.parse(trimmed), "", 0, into);
    return into;
  } catch {
    return [];
  }
}

/** All fields of a line, each once: what it came with before what was found in it. */
export function fieldsOf(line: LogLine): Field[] {
  const seen = new Set<string>();
  const fields: Field[] = [];
  const add = (field: Field) => {
    if (!seen.has(field.key) && !field.key.startsWith("__")) {
      seen.add(field.key);
      fields.push(field);
    }
  };
  const from = (labels: Labels, kind: FieldKind) => {
    for (const [key, value] of Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1))) {
      add({ key, value, kind });
    }
  };
  from(line.parsed, "parsed");
  from(line.metadata, "metadata");
  from(line.labels, "label");
  for (const field of jsonFields(line.text)) {
    add(field);
  }
  return fields;
}

const SUMMARY_MAX = 8;
const SAID_ELSEWHERE = new Set([
  "trace_id",
  "span_id",
  "trace_flags",
  "flags",
  "detected_level",
  "level",
  "severity_text",
  "severity_number",
  "observed_timestamp",
  "scope_name",
  "scope_version",
  "target",
]);

/** What was sent with a line, in short: the fields that its row does not show otherwise. */
export function summaryOf({ metadata, parsed }: LogLine): [key: string, value: string][] {
  return [...Object.entries(parsed), ...Object.entries(metadata)]
    .filter(([key, value]) => !SAID_ELSEWHERE.has(key) && !key.startsWith("__") && value !== "")
    .slice(0, SUMMARY_MAX);
}

export interface Facet {
  key: string;
  kind: FieldKind;
  /** Values with how many of the lines have them, the most frequent first. */
  values: { value: string; count: number }[];
  /** How many different ones there are. */
  distinct: number;
}

const FACET_VALUES_MAX = 12;
const FACETS_MAX = 60;
/** Different in nearly every line: no help to choose by. */
const TELLS_ONE = new Set(["trace_id", "span_id", "observed_timestamp"]);

/** What the lines that are shown have in common and what tells them apart. */
export function facetsOf(lines: readonly LogLine[]): Facet[] {
  const counts = new Map<string, { kind: FieldKind; values: Map<string, number> }>();
  for (const line of lines) {
    for (const { key, value, kind } of fieldsOf(line)) {
      const facet = counts.get(key) ?? { kind, values: new Map<string, number>() };
      counts.set(key, facet);
      facet.values.set(value, (facet.values.get(value) ?? 0) + 1);
    }
  }
  const facets = [...counts]
    .filter(([key]) => !TELLS_ONE.has(key))
    .map(([key, { kind, values }]) => ({
      key,
      kind,
      distinct: values.size,
      values: [...values]
        .map(([value, count]) => ({ value, count }))
        .sort((a, b) => b.count - a.count || (a.value < b.value ? -1 : 1))
        .slice(0, FACET_VALUES_MAX),
    }));
  // Those with few values help most; a value for each line helps nobody.
  const rank = ({ key, kind, distinct }: Facet) =>
    (LEVEL_KEYS.includes(key) ? 0 : kind === "label" ? 1 : distinct <= FACET_VALUES_MAX ? 2 : 3) * 1000 +
    (distinct === 1 ? 2500 : 0);
  return facets.sort((a, b) => rank(a) - rank(b) || (a.key < b.key ? -1 : 1)).slice(0, FACETS_MAX);
}

/** Lines in one order, each once, at most so many: the newest are kept. */
export function mergedLines(known: readonly LogLine[], more: readonly LogLine[], most: number): LogLine[] {
  const byId = new Map<string, LogLine>();
  for (const line of [...known, ...more]) {
    byId.set(`${line.id} ${JSON.stringify(line.labels)}`, line);
  }
  return [...byId.values()].sort(newestFirst).slice(0, most);
}

export function newestFirst(a: LogLine, b: LogLine): number {
  return a.at < b.at ? 1 : a.at > b.at ? -1 : 0;
}
