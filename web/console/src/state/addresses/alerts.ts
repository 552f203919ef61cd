// What the page of alerts keeps in its address. Pure.
import { STATES, type State } from "../../model/alerts.ts";
import { decodeRange, encodeRange, last, type Range } from "../range.ts";

export type Tab = "alerts" | "recording" | "silences";

export interface AlertsAddress {
  tab: Tab;
  /** The rule whose details are shown, by its id. */
  rule: string;
  /** Only rules in this state. */
  state: State | undefined;
  /** Words to look for. */
  find: string;
  range: Range;
  /** The matchers of a silence to be made; nothing when none is. */
  silence: string | undefined;
}

export const ALERTS_SECONDS = 3600;

export const NO_ALERTS: AlertsAddress = {
  tab: "alerts",
  rule: "",
  state: undefined,
  find: "",
  range: last(ALERTS_SECONDS),
  silence: undefined,
};

export function decodeAlerts(params: URLSearchParams): AlertsAddress {
  const tab = params.get("tab");
  return {
    tab: tab === "recording" || tab === "silences" ? tab : "alerts",
    rule: params.get("rule") ?? "",
    state: STATES.find((state) => state === params.get("state")),
    find: params.get("find") ?? "",
    range: decodeRange(params, ALERTS_SECONDS),
    silence: params.get("silence") ?? undefined,
  };
}

export function encodeAlerts(address: AlertsAddress): URLSearchParams {
  const params = new URLSearchParams();
  const put = (name: string, value: string, fallback = "") => value !== fallback && params.set(name, value);
  put("tab", address.tab, "alerts");
  put("rule", address.rule);
  put("state", address.state ?? "");
  put("find", address.find);
  encodeRange(address.range, params, ALERTS_SECONDS);
  if (address.silence !== undefined) {
    params.set("silence", address.silence);
  }
  return params;
}
