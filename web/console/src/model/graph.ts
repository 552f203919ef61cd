// Who calls whom, and how well it goes.
import type { Moment, Nanoseconds } from "./time.ts";

export interface GraphNode {
  service: string;
  spans: number;
  perSecond: number;
  errorRate: number;
  p50: Nanoseconds;
  p95: Nanoseconds;
}

export interface GraphEdge {
  from: string;
  to: string;
  kind: "sync" | "async";
  calls: number;
  perSecond: number;
  errorRate: number;
  p95: Nanoseconds;
}

export interface ServiceGraph {
  nodes: GraphNode[];
  edges: GraphEdge[];
  /** From when on spans were counted, where it is later than was asked for, because there were too many. */
  onlySince: Moment | null;
  truncated: boolean;
  elapsedMs: number;
}

export type Health = "well" | "ailing" | "failing";

/** Shares of errors from which a service is ailing and failing. The legend prints them. */
export const AILING_FROM = 0.01;
export const FAILING_FROM = 0.05;

export function health(errorRate: number): Health {
  if (errorRate >= FAILING_FROM) {
    return "failing";
  }
  return errorRate >= AILING_FROM ? "ailing" : "well";
}

/** Only edges with errors, and the services they join; services with errors of their own stay too. */
export function withErrors(graph: ServiceGraph): ServiceGraph {
  const edges = graph.edges.filter((edge) => edge.errorRate > 0);
  const joined = new Set(edges.flatMap(({ from, to }) => [from, to]));
  const nodes = graph.nodes.filter((node) => node.errorRate > 0 || joined.has(node.service));
  return { ...graph, nodes, edges };
}
