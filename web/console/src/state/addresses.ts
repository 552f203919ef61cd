// What each page keeps in its address: read leniently, written in one way, defaults left out. Pure.

import type { Viewport } from "../layout/waterfall.ts";
import type { Order } from "../model/search.ts";
import { type Moment, parseLength } from "../model/time.ts";
import { decodeRange, encodeRange, last, type Range } from "./range.ts";

export type Tag = readonly [key: string, value: string];

export interface SearchAddress {
  service: string;
  operation: string;
  tags: Tag[];
  /** As typed: `10ms`. */
  minDuration: string;
  maxDuration: string;
  errors: boolean;
  range: Range;
  limit: number;
  order: Order;
  /** The row that the keyboard is at. */
  at: string;
}

export const SEARCH_SECONDS = 3600;
export const LIMITS = [20, 50, 100, 200, 500] as const;
const LIMIT = 50;

export const EVERYTHING: SearchAddress = {
  service: "",
  operation: "",
  tags: [],
  minDuration: "",
  maxDuration: "",
  errors: false,
  range: last(SEARCH_SECONDS),
  limit: LIMIT,
  order: "newest",
  at: "",
};

/** `k=v`, where a `=` or `%` within the key is escaped. Nothing when there is no key. */
export function decodeTag(text: string): Tag | undefined {
  const at = text.indexOf("=");
  if (at < 1) {
    return undefined;
  }
  const key = text.slice(0, at).trim().replaceAll("%3D", "=").replaceAll("%25", "%");
  return key === "" ? undefined : [key, text.slice(at + 1).trim()];
}

export function encodeTag([key, value]: Tag): string {
  return `${key.replaceAll("%", "%25").replaceAll("=", "%3D")}=${value}`;
}

export function decodeSearch(params: URLSearchParams): SearchAddress {
  const duration = (name: string) => {
    const text = params.get(name) ?? "";
    return parseLength(text) === undefined ? "" : text;
  };
  const limit = Number(params.get("limit"));
  const order = params.get("order");
  return {
    service: params.get("service") ?? "",
    operation: params.get("operation") ?? "",
    tags: params
      .getAll("tag")
      .map(decodeTag)
      .filter((tag) => tag !== undefined),
    minDuration: duration("min"),
    maxDuration: duration("max"),
    errors: params.get("errors") === "true",
    range: decodeRange(params, SEARCH_SECONDS),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= 500 ? limit : LIMIT,
    order: order === "longest" || order === "errors" ? order : "newest",
    at: params.get("at") ?? "",
  };
}

export function encodeSearch(address: SearchAddress): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string, fallback = "") => value !== fallback && params.set(name, value);
  put("service", address.service);
  put("operation", address.operation);
  for (const tag of address.tags) {
    params.append("tag", encodeTag(tag));
  }
  put("min", address.minDuration);
  put("max", address.maxDuration);
  put("errors", String(address.errors), "false");
  encodeRange(address.range, params, SEARCH_SECONDS);
  put("limit", String(address.limit), String(LIMIT));
  put("order", address.order, "newest");
  put("at", address.at);
  return params;
}

export interface TraceAddress {
  /** The chosen span's id. */
  span: string;
  /** Whether its details are shown. */
  isOpen: boolean;
  /** Text to look for. */
  find: string;
  /** Show nothing but what was found. */
  only: boolean;
  /** Nothing for the whole trace. */
  view: Viewport | undefined;
  critical: boolean;
  /** Spans from this depth on are closed; nothing for none. */
  depth: number | undefined;
  /** Spans that are the other way round than their depth says. */
  toggled: string[];
  /** A moment that is marked: that of the line one came from. */
  at: Moment | undefined;
}

const TOGGLED_MAX = 60;

export function decodeTrace(params: URLSearchParams): TraceAddress {
  const view = /^(\d{1,17})-(\d{1,17})$/.exec(params.get("view") ?? "");
  const from = Number(view?.[1]);
  const to = Number(view?.[2]);
  const depth = /^\d{1,6}$/.exec(params.get("depth") ?? "");
  return {
    span: params.get("span") ?? "",
    isOpen: params.get("open") === "true",
    find: params.get("find") ?? "",
    only: params.get("only") === "true",
    view: view !== null && from < to ? { from, to } : undefined,
    critical: params.get("critical") !== "false",
    depth: depth === null ? undefined : Number(depth[0]),
    toggled: (params.get("toggled") ?? "").split(".").filter(Boolean).slice(0, TOGGLED_MAX),
    at: /^\d{1,20}$/.test(params.get("at") ?? "") ? BigInt(params.get("at") ?? "0") : undefined,
  };
}

export function encodeTrace(address: TraceAddress): URLSearchParams {
  const params = new URLSearchParams();
  if (address.span !== "") {
    params.set("span", address.span);
  }
  if (address.isOpen) {
    params.set("open", "true");
  }
  if (address.find !== "") {
    params.set("find", address.find);
  }
  if (address.only) {
    params.set("only", "true");
  }
  if (address.view !== undefined) {
    params.set("view", `${Math.round(address.view.from)}-${Math.round(address.view.to)}`);
  }
  if (!address.critical) {
    params.set("critical", "false");
  }
  if (address.depth !== undefined) {
    params.set("depth", String(address.depth));
  }
  if (address.toggled.length > 0) {
    // The latest are kept: an address has to stay one that can be sent to somebody.
    params.set("toggled", address.toggled.slice(-TOGGLED_MAX).join("."));
  }
  if (address.at !== undefined) {
    params.set("at", String(address.at));
  }
  return params;
}

export interface GraphAddress {
  range: Range;
  errorsOnly: boolean;
  /** Nothing where nobody has chosen: the page takes what fits. */
  as: "graph" | "tree" | "table" | undefined;
}

export const GRAPH_SECONDS = 900;

export function decodeGraph(params: URLSearchParams): GraphAddress {
  const as = params.get("as");
  return {
    range: decodeRange(params, GRAPH_SECONDS),
    errorsOnly: params.get("errors") === "true",
    as: as === "table" || as === "tree" || as === "graph" ? as : undefined,
  };
}

export function encodeGraph(address: GraphAddress): URLSearchParams {
  const params = new URLSearchParams();
  encodeRange(address.range, params, GRAPH_SECONDS);
  if (address.errorsOnly) {
    params.set("errors", "true");
  }
  if (address.as !== undefined) {
    params.set("as", address.as);
  }
  return params;
}

export interface OverviewAddress {
  minutes: number;
  isPaused: boolean;
}

export const OVERVIEW_MINUTES = [5, 15, 30, 60, 180] as const;

export function decodeOverview(params: URLSearchParams): OverviewAddress {
  const minutes = Number(params.get("minutes"));
  const isUsable = Number.isInteger(minutes) && minutes >= 1 && minutes <= 180;
  return { minutes: isUsable ? minutes : 15, isPaused: params.get("paused") === "true" };
}

export function encodeOverview(address: OverviewAddress): URLSearchParams {
  const params = new URLSearchParams();
  if (address.minutes !== 15) {
    params.set("minutes", String(address.minutes));
  }
  if (address.isPaused) {
    params.set("paused", "true");
  }
  return params;
}
