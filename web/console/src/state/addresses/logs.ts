// What the page of logs keeps in its address. Pure.
import { quoted } from "../../model/samples.ts";
import { decodeRange, encodeRange, last, type Range } from "../range.ts";

export interface LogsAddress {
  query: string;
  range: Range;
  limit: number;
  order: "newest" | "oldest";
  /** The line that the keyboard is at. */
  line: string;
  /** Whether its details are shown. */
  isOpen: boolean;
  live: boolean;
  /** A metric query: the one series shown. */
  only: string;
}

export const LOGS_SECONDS = 3600;
export const LOG_LIMITS = [100, 500, 1000, 5000] as const;
const LIMIT = 500;

/** All lines of all services. */
export const ALL_LINES = '{service_name=~".+"}';

export const NO_LOGS: LogsAddress = {
  query: ALL_LINES,
  range: last(LOGS_SECONDS),
  limit: LIMIT,
  order: "newest",
  line: "",
  isOpen: false,
  live: false,
  only: "",
};

export function decodeLogs(params: URLSearchParams): LogsAddress {
  const limit = Number(params.get("limit"));
  return {
    query: (params.get("query") ?? "").trim() || ALL_LINES,
    range: decodeRange(params, LOGS_SECONDS),
    limit: Number.isInteger(limit) && limit >= 1 && limit <= 5000 ? limit : LIMIT,
    order: params.get("order") === "oldest" ? "oldest" : "newest",
    line: params.get("line") ?? "",
    isOpen: params.get("open") === "true",
    live: params.get("live") === "true",
    only: params.get("only") ?? "",
  };
}

export function encodeLogs(address: LogsAddress): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string, fallback = "") => value !== fallback && params.set(name, value);
  put("query", address.query, ALL_LINES);
  encodeRange(address.range, params, LOGS_SECONDS);
  put("limit", String(address.limit), String(LIMIT));
  put("order", address.order, "newest");
  put("line", address.line);
  put("open", String(address.isOpen), "false");
  put("live", String(address.live), "false");
  put("only", address.only);
  return params;
}

/** The lines of a trace, or of one of its spans. */
export function queryOfTrace(traceId: string, spanId = ""): string {
  const span = spanId === "" ? "" : ` | span_id=${quoted(spanId)}`;
  return `${ALL_LINES} | trace_id=${quoted(traceId)}${span}`;
}
