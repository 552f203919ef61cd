// Each question that can be put to the console's API, with its path and parameters.
import type { ServiceGraph } from "../model/graph.ts";
import type { Overview } from "../model/overview.ts";
import type { SearchResult } from "../model/search.ts";
import type { Trace } from "../model/trace.ts";
import type { GraphAddress, SearchAddress } from "../state/addresses.ts";
import { bounds } from "../state/range.ts";
import { ask, type Params } from "./client.ts";
import { graphFrom, overviewFrom, searchFrom, traceFrom } from "./decode.ts";
import type { components } from "./types.ts";

type Schemas = components["schemas"];

/** A request before it is sent: to send it, or to show it. */
export interface Request {
  path: string;
  params: Params;
}

export function searchRequest(address: SearchAddress, nowMs: number): Request {
  const { start, end } = bounds(address.range, nowMs);
  const params: Params = {
    service: address.service,
    operation: address.operation,
    tags: address.tags.length === 0 ? undefined : JSON.stringify(Object.fromEntries(address.tags)),
    minDuration: address.minDuration,
    maxDuration: address.maxDuration,
    errors: address.errors,
    start: String(start),
    end: String(end),
    limit: address.limit,
  };
  return { path: "/api/traces", params };
}

export function traceRequest(traceId: string): Request {
  return { path: `/api/traces/${encodeURIComponent(traceId)}`, params: {} };
}

export function graphRequest(address: GraphAddress, nowMs: number): Request {
  const { start, end } = bounds(address.range, nowMs);
  const params = { start: String(start), end: String(end), errorsOnly: address.errorsOnly };
  return { path: "/api/graph", params };
}

export async function getOverview(minutes: number, cancelled: AbortSignal): Promise<Overview> {
  return overviewFrom(await ask<Schemas["Overview"]>("/api/overview", { minutes }, cancelled));
}

export async function getServices(cancelled: AbortSignal): Promise<Schemas["ServiceOperations"][]> {
  return (await ask<Schemas["Services"]>("/api/services", {}, cancelled)).services;
}

export async function getOperations(
  service: string,
  cancelled: AbortSignal,
): Promise<Schemas["OperationName"][]> {
  if (service === "") {
    return [];
  }
  return (await ask<Schemas["Operations"]>("/api/operations", { service }, cancelled)).operations;
}

export async function getTraces(address: SearchAddress, cancelled: AbortSignal): Promise<SearchResult> {
  const { path, params } = searchRequest(address, Date.now());
  return searchFrom(await ask<Schemas["Traces"]>(path, params, cancelled));
}

export async function getTrace(traceId: string, cancelled: AbortSignal): Promise<Trace> {
  const { path, params } = traceRequest(traceId);
  return traceFrom(await ask<Schemas["TraceView"]>(path, params, cancelled));
}

export async function getGraph(address: GraphAddress, cancelled: AbortSignal): Promise<ServiceGraph> {
  const nowMs = Date.now();
  const { path, params } = graphRequest(address, nowMs);
  return graphFrom(
    await ask<Schemas["ServiceGraph"]>(path, params, cancelled),
    bounds(address.range, nowMs).start,
  );
}
