// What has arrived, what is kept, and what was lost.
import type { Moment } from "./time.ts";

export const SIGNALS = ["spans", "lines", "samples"] as const;
export type Signal = (typeof SIGNALS)[number];

export interface Flow {
  lastMinute: number;
  total: number;
  /** Oldest first, one a minute. */
  perMinute: number[];
}

export interface ServiceOverview {
  name: string;
  signals: Record<Signal, Flow>;
  errors: { lastMinute: number; perMinute: number[] };
  lastSeen: Moment | null;
  bytes: number;
}

export interface Fact {
  at: Moment;
  kind: string;
  signal: string;
  service: string;
  from: Moment | null;
  to: Moment | null;
  items: number;
  bytes: number;
  detail: string;
}

/** Where senders reach the console, beside the port of its pages. */
export interface Ports {
  otlpGrpc: number;
  otlpHttp: number;
}

/** Until the console has told its own. */
export const USUAL_PORTS: Ports = { otlpGrpc: 4317, otlpHttp: 4318 };

export interface Overview {
  now: Moment;
  version: string;
  ports: Ports;
  minutes: number;
  services: ServiceOverview[];
  servicesTruncated: boolean;
  store: {
    bytes: number;
    bytesMax: number;
    retentionSeconds: number;
    oldest: Record<Signal, Moment | null>;
    trouble: string | null;
  };
  dropped: { what: string; count: number }[];
  facts: Fact[];
}

/** Minute by minute, the sum over all services. */
export function summed(rows: readonly (readonly number[])[]): number[] {
  const longest = Math.max(0, ...rows.map((row) => row.length));
  const sums = new Array<number>(longest).fill(0);
  for (const row of rows) {
    // Rows end at the same minute; a shorter one began later.
    const late = longest - row.length;
    for (const [at, value] of row.entries()) {
      sums[late + at] = (sums[late + at] ?? 0) + value;
    }
  }
  return sums;
}

export function hasAnything(overview: Overview): boolean {
  return overview.services.length > 0;
}
