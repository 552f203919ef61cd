// One trace: its spans in pre-order of their tree, and questions about that tree. Nothing of drawing, nothing
// of the wire.
import type { Moment, Nanoseconds } from "./time.ts";

export type ValueType = "string" | "int" | "double" | "bool" | "bytes" | "array" | "map" | "empty";

export interface Attribute {
  key: string;
  type: ValueType;
  value: string;
}

export interface SpanEvent {
  /** From the start of the trace. */
  at: Nanoseconds;
  name: string;
  attributes: Attribute[];
}

export interface SpanLink {
  traceId: string;
  spanId: string;
  attributes: Attribute[];
  isHere: boolean;
}

/** A stretch of time within the trace. */
export interface Stretch {
  start: Nanoseconds;
  duration: Nanoseconds;
}

export type Status = "unset" | "ok" | "error";

export interface Span {
  /** Its place in the pre-order. */
  index: number;
  spanId: string;
  parentId: string | null;
  depth: number;
  service: number;
  resource: number;
  scope: number;
  name: string;
  kind: string;
  /** From the start of the trace. */
  start: Nanoseconds;
  duration: Nanoseconds;
  status: Status;
  statusMessage: string;
  isAsync: boolean;
  isMissingParent: boolean;
  /** How many spans are directly below. */
  children: number;
  criticalPath: Stretch[];
  selfTime: Nanoseconds;
  attributes: Attribute[];
  droppedAttributes: number;
  events: SpanEvent[];
  links: SpanLink[];
  traceState: string;
}

export interface Trace {
  traceId: string;
  start: Moment;
  duration: Nanoseconds;
  isTruncated: boolean;
  missingSpans: number;
  evicted: { at: Moment; service: string }[];
  errors: number;
  services: { name: string; spans: number }[];
  resources: { service: number; attributes: Attribute[] }[];
  scopes: { name: string; version: string; attributes: Attribute[] }[];
  spans: Span[];
  tree: Tree;
}

/** Where each span's subtree ends and who its parent is, by place in the pre-order. */
export interface Tree {
  /** The place of the parent, -1 for a root. */
  parents: Int32Array;
  /** The place after the last span of the subtree. */
  ends: Int32Array;
}

/** Reads the tree off the depths of a pre-order. */
export function treeOf(spans: readonly { depth: number }[]): Tree {
  const parents = new Int32Array(spans.length).fill(-1);
  const ends = new Int32Array(spans.length).fill(spans.length);
  const open: number[] = [];
  for (const [index, span] of spans.entries()) {
    while (open.length > 0 && (spans[open.at(-1) ?? 0]?.depth ?? 0) >= span.depth) {
      ends[open.pop() ?? 0] = index;
    }
    parents[index] = open.at(-1) ?? -1;
    open.push(index);
  }
  return { parents, ends };
}

/** Places of the spans above, the nearest first. */
export function ancestors(tree: Tree, index: number): number[] {
  const found: number[] = [];
  for (let at = tree.parents[index] ?? -1; at >= 0; at = tree.parents[at] ?? -1) {
    found.push(at);
  }
  return found;
}

export function isError(span: Pick<Span, "status">): boolean {
  return span.status === "error";
}

/** How much of the critical path each service has, in the order of the trace's services. */
export function criticalByService(trace: Pick<Trace, "services" | "spans">): Nanoseconds[] {
  const sums = trace.services.map(() => 0);
  for (const span of trace.spans) {
    for (const stretch of span.criticalPath) {
      sums[span.service] = (sums[span.service] ?? 0) + stretch.duration;
    }
  }
  return sums;
}

/** All that a search looks at, in lower case. `key=value` finds an attribute. */
export function haystack(span: Span, service: string): string {
  const parts = [span.name, service, span.spanId, span.kind, span.statusMessage];
  if (span.status === "error") {
    parts.push("error");
  }
  for (const { key, value } of span.attributes) {
    parts.push(`${key}=${value}`);
  }
  for (const event of span.events) {
    parts.push(event.name, ...event.attributes.map(({ key, value }) => `${key}=${value}`));
  }
  return parts.join("\n").toLowerCase();
}

/** Places of the spans that hold every word of the text. */
export function matches(haystacks: readonly string[], text: string): number[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  if (words.length === 0) {
    return [];
  }
  const found: number[] = [];
  for (const [index, hay] of haystacks.entries()) {
    if (words.every((word) => hay.includes(word))) {
      found.push(index);
    }
  }
  return found;
}

/** The match after (or before) a place, around the end. */
export function nextMatch(found: readonly number[], from: number, step: 1 | -1): number | undefined {
  if (step === 1) {
    return found.find((index) => index > from) ?? found[0];
  }
  return found.findLast((index) => index < from) ?? found.at(-1);
}
