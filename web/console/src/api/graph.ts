// Wire types of /api/graph, which the OpenAPI document does not describe yet.
import type { components } from "./types.ts";

type Nanoseconds = components["schemas"]["Nanoseconds"];

export interface GraphView {
  nodes: {
    service: string;
    spans: number;
    perSecond: number;
    errorRate: number;
    p50: Nanoseconds;
    p95: Nanoseconds;
    isExternal: boolean;
  }[];
  edges: {
    from: string;
    to: string;
    kind: "sync" | "async";
    calls: number;
    perSecond: number;
    errorRate: number;
    p95: Nanoseconds;
  }[];
  truncated: boolean;
  elapsedMs: number;
}
