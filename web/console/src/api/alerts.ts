// Rules as Prometheus' API has them, silences as Alertmanager's (version 2) has them, and the console's own word
// on files of rules.
import type { Alert, Group, Matcher, Rule, RuleFile, Silence } from "../model/alerts.ts";
import type { Labels } from "../model/samples.ts";
import { fromMilliseconds, type Moment } from "../model/time.ts";
import { ask } from "./client.ts";
import { numberOf } from "./prometheus.ts";

interface WireAlert {
  labels?: Labels;
  annotations?: Labels;
  state: string;
  activeAt?: string | null;
  keepFiringSince?: string | null;
  value: string;
}

export interface WireRule {
  name: string;
  query: string;
  type: string;
  labels?: Labels;
  annotations?: Labels;
  duration?: number;
  keepFiringFor?: number;
  alerts?: WireAlert[];
  health: string;
  lastError?: string;
  lastEvaluation?: string;
  evaluationTime?: number;
}

export interface WireGroup {
  name: string;
  file: string;
  interval: number;
  evaluationTime?: number;
  lastEvaluation?: string;
  rules: WireRule[];
}

/** A moment as RFC 3339 writes it, to the nanosecond; nothing for Go's year 1, which stands for "never". */
export function momentFrom(text: string | null | undefined): Moment | undefined {
  const found = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?(Z|[+-]\d\d:\d\d)$/.exec(text ?? "");
  const seconds = found === null ? Number.NaN : Date.parse(`${found[1]}${found[3]}`);
  if (found === null || Number.isNaN(seconds) || seconds < 0) {
    return undefined;
  }
  return fromMilliseconds(seconds) + BigInt((found[2] ?? "").padEnd(9, "0"));
}

export function alertFrom(wire: WireAlert): Alert {
  return {
    labels: wire.labels ?? {},
    annotations: wire.annotations ?? {},
    state: wire.state === "firing" || wire.state === "pending" ? wire.state : "inactive",
    activeAt: momentFrom(wire.activeAt),
    value: numberOf(wire.value),
    keepFiringSince: momentFrom(wire.keepFiringSince),
  };
}

function ruleFrom(wire: WireRule, id: string): Rule {
  const facts = {
    id,
    name: wire.name,
    query: wire.query,
    labels: wire.labels ?? {},
    health: wire.health,
    lastError: wire.lastError ?? "",
    lastEvaluation: momentFrom(wire.lastEvaluation),
    evaluationSeconds: wire.evaluationTime ?? 0,
  };
  if (wire.type !== "alerting") {
    return { ...facts, kind: "recording" };
  }
  return {
    ...facts,
    kind: "alerting",
    annotations: wire.annotations ?? {},
    holdFor: wire.duration ?? 0,
    keepFiringFor: wire.keepFiringFor ?? 0,
    alerts: (wire.alerts ?? []).map(alertFrom),
  };
}

export function groupsFrom(groups: readonly WireGroup[]): Group[] {
  return groups.map((group) => ({
    name: group.name,
    file: group.file,
    intervalSeconds: group.interval,
    evaluationSeconds: group.evaluationTime ?? 0,
    lastEvaluation: momentFrom(group.lastEvaluation),
    rules: group.rules.map((rule, at) =>
      // Rules of one name are told apart by their place among those.
      ruleFrom(
        rule,
        `${group.name}/${rule.name}/${group.rules.slice(0, at).filter(({ name }) => name === rule.name).length}`,
      ),
    ),
  }));
}

interface Envelope<T> {
  data: T;
}

export async function getGroups(cancelled: AbortSignal): Promise<Group[]> {
  const { data } = await ask<Envelope<{ groups?: WireGroup[] | null }>>(
    "/prometheus/api/v1/rules",
    {},
    cancelled,
  );
  return groupsFrom(data.groups ?? []);
}

export async function getAlerts(cancelled: AbortSignal): Promise<Alert[]> {
  const { data } = await ask<Envelope<{ alerts?: WireAlert[] | null }>>(
    "/prometheus/api/v1/alerts",
    {},
    cancelled,
  );
  return (data.alerts ?? []).map(alertFrom);
}

interface WireMatcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual?: boolean;
}

export interface WireSilence {
  id: string;
  status: { state: string };
  matchers: WireMatcher[];
  startsAt: string;
  endsAt: string;
  createdBy: string;
  comment: string;
}

export function silenceFrom(wire: WireSilence): Silence {
  const { state } = wire.status;
  return {
    id: wire.id,
    state: state === "active" || state === "pending" ? state : "expired",
    matchers: wire.matchers.map((matcher) => ({ ...matcher, isEqual: matcher.isEqual ?? true })),
    startsAt: momentFrom(wire.startsAt),
    endsAt: momentFrom(wire.endsAt),
    createdBy: wire.createdBy,
    comment: wire.comment,
  };
}

const SILENCES = "/alertmanager/api/v2/silences";

export async function getSilences(cancelled: AbortSignal): Promise<Silence[]> {
  return (await ask<WireSilence[] | null>(SILENCES, {}, cancelled))?.map(silenceFrom) ?? [];
}

export interface NewSilence {
  matchers: Matcher[];
  startsAtMs: number;
  endsAtMs: number;
  createdBy: string;
  comment: string;
}

export async function postSilence(wanted: NewSilence): Promise<void> {
  const { matchers, startsAtMs, endsAtMs, createdBy, comment } = wanted;
  const body = {
    matchers,
    startsAt: new Date(startsAtMs).toISOString(),
    endsAt: new Date(endsAtMs).toISOString(),
    createdBy,
    comment,
  };
  await ask(SILENCES, {}, new AbortController().signal, { method: "POST", body });
}

export async function expireSilence(id: string): Promise<void> {
  const path = `/alertmanager/api/v2/silence/${encodeURIComponent(id)}`;
  await ask(path, {}, new AbortController().signal, { method: "DELETE" });
}

export async function getRuleFiles(cancelled: AbortSignal): Promise<RuleFile[]> {
  type Wire = { files: { name: string; loadedAt: string | null; faults: string[] }[] };
  const { files } = await ask<Wire>("/api/rule-files", {}, cancelled);
  return files.map(({ name, loadedAt, faults }) => ({ name, loadedAt: momentFrom(loadedAt), faults }));
}
