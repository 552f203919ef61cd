// What the page of metrics keeps in its address. Pure.
import { parseLength, SECOND } from "../../model/time.ts";
import { decodeRange, encodeRange, last, type Range } from "../range.ts";

export type Look = "lines" | "stacked" | "table";

export interface MetricsAddress {
  query: string;
  range: Range;
  /** Seconds; nothing for what fits the range. */
  step: number | undefined;
  as: Look;
  isLog: boolean;
  exemplars: boolean;
  /** The one series that is shown; empty for all. */
  only: string;
  /** The list of metrics instead of an answer. */
  browse: boolean;
  /** Words to look for in the list. */
  find: string;
  type: string;
  /** A selector that metrics have to have series for: `{job="api"}`. */
  match: string;
}

export const METRICS_SECONDS = 3600;
const STEP_MAX = 86_400;

export const NO_METRICS: MetricsAddress = {
  query: "",
  range: last(METRICS_SECONDS),
  step: undefined,
  as: "lines",
  isLog: false,
  exemplars: true,
  only: "",
  browse: false,
  find: "",
  type: "",
  match: "",
};

export function decodeMetrics(params: URLSearchParams): MetricsAddress {
  const as = params.get("as");
  const step = (parseLength(params.get("step") ?? "") ?? 0) / SECOND;
  const match = params.get("match") ?? "";
  return {
    query: params.get("query") ?? "",
    range: decodeRange(params, METRICS_SECONDS),
    step: step > 0 && step <= STEP_MAX ? step : undefined,
    as: as === "stacked" || as === "table" ? as : "lines",
    isLog: params.get("log") === "true",
    exemplars: params.get("exemplars") !== "false",
    only: params.get("only") ?? "",
    browse: params.get("browse") === "true",
    find: params.get("find") ?? "",
    type: params.get("type") ?? "",
    match: /^\{.*\}$/s.test(match) ? match : "",
  };
}

export function encodeMetrics(address: MetricsAddress): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string, fallback = "") => value !== fallback && params.set(name, value);
  put("query", address.query);
  encodeRange(address.range, params, METRICS_SECONDS);
  put("step", address.step === undefined ? "" : `${address.step}s`);
  put("as", address.as, "lines");
  put("log", String(address.isLog), "false");
  put("exemplars", String(address.exemplars), "true");
  put("only", address.only);
  put("browse", String(address.browse), "false");
  put("find", address.find);
  put("type", address.type);
  put("match", address.match);
  return params;
}

/** A selector of the series of a service, whatever namespace its job is in. */
export function selectorOfService(service: string): string {
  const safe = service.replaceAll(/[.*+?^${}()|[\]\\]/g, (sign) => `\\\\${sign}`).replaceAll('"', '\\"');
  return `{job=~"(.+/)?${safe}"}`;
}
