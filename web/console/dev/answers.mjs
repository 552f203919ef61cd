// Made-up answers other than traces.
import { dice } from "./traces.mjs";

const NAMES = ["delivery-api", "orders-projector", "search-projector", "load", "node-exporter"];
const BASE = {
  "delivery-api": 4200,
  "orders-projector": 1900,
  "search-projector": 2100,
  load: 700,
  "node-exporter": 0,
};

const now = () => BigInt(Date.now()) * 1_000_000n;

function flow(roll, base, minutes) {
  const perMinute = Array.from({ length: minutes }, (_, at) =>
    Math.round(base * (0.75 + 0.2 * Math.sin(at / 2.3) + 0.25 * roll()) * (at === minutes - 1 ? 0.4 : 1)),
  );
  return { lastMinute: Math.round(base * (0.9 + 0.2 * roll())), total: base * 4321, perMinute };
}

export function overview(minutes, mode) {
  const isEmpty = mode === "empty";
  const at = now();
  const roll = dice(Math.floor(Date.now() / 2000));
  const still = dice(Math.floor(Date.now() / 60_000));
  const services = NAMES.map((name) => {
    const isFailing = name === "search-projector";
    const errors = Array.from({ length: minutes }, (_, minute) =>
      isFailing && minute > minutes * 0.6 ? Math.round(still() * 70) : 0,
    );
    return {
      name,
      signals: {
        spans: flow(still, BASE[name], minutes),
        lines: flow(still, BASE[name] / 3, minutes),
        samples: flow(still, name === "node-exporter" ? 18_400 : 2400, minutes),
      },
      errors: { lastMinute: isFailing ? 31 + Math.floor(roll() * 9) : 0, perMinute: errors },
      lastSeen: String(at - (name === "load" ? 340_000_000_000n : 900_000_000n)),
      bytes: 30_000_000 + BASE[name] * 51_000,
    };
  });
  const ago = (seconds) => String(at - BigInt(seconds) * 1_000_000_000n);
  const facts = [
    {
      kind: "evictedForSize",
      signal: "traces",
      service: "load",
      from: ago(9000),
      to: ago(8100),
      items: 184_220,
      bytes: 31_457_280,
      detail: "",
      at: ago(312),
    },
    {
      kind: "evictedForSize",
      signal: "logs",
      service: "delivery-api",
      from: ago(9900),
      to: ago(8900),
      items: 41_004,
      bytes: 8_388_608,
      detail: "",
      at: ago(1800),
    },
    {
      kind: "repaired",
      signal: "metrics",
      service: "",
      from: null,
      to: null,
      items: 12,
      bytes: 4096,
      detail: "the last block was cut off in the middle; 12 samples were written again",
      at: ago(5400),
    },
    {
      kind: "evictedForAge",
      signal: "metrics",
      service: "node-exporter",
      from: ago(700_000),
      to: ago(610_000),
      items: 2_400_000,
      bytes: 5_242_880,
      detail: "",
      at: ago(8000),
    },
  ];
  return {
    now: String(at),
    version: "0.1.0",
    ports: { otlpGrpc: 4317, otlpHttp: 4318 },
    minutes,
    services: isEmpty ? [] : services,
    servicesTruncated: false,
    store: {
      bytes: isEmpty ? 4096 : 712_000_000,
      bytesMax: 1_073_741_824,
      retentionSeconds: 604_800,
      oldest: isEmpty
        ? { spans: null, lines: null, samples: null }
        : { spans: ago(8100), lines: ago(8900), samples: ago(604_000) },
      trouble: null,
    },
    dropped: isEmpty
      ? []
      : [
          { what: "samples older than the newest of their series", count: 1204 },
          { what: "spans in requests that were refused because the queue was full", count: 512 },
        ],
    facts: isEmpty ? [] : facts,
  };
}

export function services() {
  return NAMES.slice(0, 3).map((name) => ({ name, operations: 8 }));
}

export function operations(traces, service) {
  const found = new Map();
  for (const trace of traces.slice(0, 100)) {
    for (const span of trace.spans.slice(0, 60)) {
      if (trace.services[span.service].name === service) {
        found.set(`${span.name} ${span.kind}`, { name: span.name, kind: span.kind });
      }
    }
  }
  return [...found.values()].sort((a, b) => a.name.localeCompare(b.name));
}

const MS = 1e6;
const node = (service, perSecond, errorRate, p50, p95) => ({
  service,
  spans: Math.round(perSecond * 900),
  perSecond,
  errorRate,
  p50: String(Math.round(p50 * MS)),
  p95: String(Math.round(p95 * MS)),
});
const edge = (from, to, kind, perSecond, errorRate, p95) => ({
  from,
  to,
  kind,
  calls: Math.round(perSecond * 900),
  perSecond,
  errorRate,
  p95: String(Math.round(p95 * MS)),
});

export function graph() {
  return {
    nodes: [
      node("load", 11.8, 0, 6.1, 14),
      node("delivery-api", 68.2, 0.004, 4.4, 12.6),
      node("orders-projector", 31.5, 0, 2.1, 5.2),
      node("search-projector", 34.4, 0.081, 2.6, 9.7),
      node("sqlite", 58, 0.021, 1.4, 6.8),
      node("payments.example.com", 2.2, 0.013, 80, 240),
    ],
    edges: [
      edge("load", "delivery-api", "sync", 11.8, 0.004, 13.1),
      edge("delivery-api", "sqlite", "sync", 23.1, 0.002, 6.9),
      edge("delivery-api", "orders-projector", "async", 8.4, 0, 4.9),
      edge("delivery-api", "search-projector", "async", 8.4, 0.081, 9.5),
      edge("orders-projector", "sqlite", "sync", 16.8, 0, 3.3),
      edge("search-projector", "sqlite", "sync", 18.1, 0.041, 7.7),
      edge("delivery-api", "payments.example.com", "sync", 2.2, 0.013, 240),
    ],
    since: "0",
    truncated: false,
    elapsedMs: 18.2,
  };
}
