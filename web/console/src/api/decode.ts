// From the wire to the domain: text to moments and lengths, and nothing else. Asks nobody.
import type { ServiceGraph } from "../model/graph.ts";
import type { Overview } from "../model/overview.ts";
import type { SearchResult } from "../model/search.ts";
import { length, type Moment, moment } from "../model/time.ts";
import { type Trace, treeOf } from "../model/trace.ts";
import type { components } from "./types.ts";

type Schemas = components["schemas"];

const perhaps = (text: string | null): Moment | null => (text === null ? null : moment(text));

export function overviewFrom(wire: Schemas["Overview"]): Overview {
  const { oldest } = wire.store;
  return {
    ...wire,
    now: moment(wire.now),
    services: wire.services.map((service) => ({ ...service, lastSeen: perhaps(service.lastSeen) })),
    store: {
      ...wire.store,
      oldest: {
        spans: perhaps(oldest.spans),
        lines: perhaps(oldest.lines),
        samples: perhaps(oldest.samples),
      },
    },
    facts: wire.facts.map((fact) => ({
      ...fact,
      at: moment(fact.at),
      from: perhaps(fact.from),
      to: perhaps(fact.to),
    })),
  };
}

export function searchFrom(wire: Schemas["Traces"]): SearchResult {
  const traces = wire.traces.map((trace) => ({
    ...trace,
    start: moment(trace.start),
    duration: length(trace.duration),
  }));
  return { ...wire, traces };
}

export function traceFrom(wire: Schemas["TraceView"]): Trace {
  const spans = wire.spans.map((span, index) => ({
    ...span,
    index,
    start: length(span.start),
    duration: length(span.duration),
    selfTime: length(span.selfTime),
    criticalPath: span.criticalPath.map(({ start, duration }) => ({
      start: length(start),
      duration: length(duration),
    })),
    events: span.events.map((event) => ({
      at: length(event.time),
      name: event.name,
      attributes: event.attributes,
    })),
  }));
  return {
    ...wire,
    start: moment(wire.start),
    duration: length(wire.duration),
    evicted: wire.evicted.map(({ at, service }) => ({ at: moment(at), service })),
    spans,
    tree: treeOf(spans),
  };
}

export function graphFrom({ since, ...wire }: Schemas["ServiceGraph"], asked: Moment): ServiceGraph {
  return {
    ...wire,
    nodes: wire.nodes.map((node) => ({ ...node, p50: length(node.p50), p95: length(node.p95) })),
    edges: wire.edges.map((edge) => ({ ...edge, p95: length(edge.p95) })),
    onlySince: moment(since) > asked ? moment(since) : null,
  };
}
