// Rules, the alerts they raise, and silences. Nothing of the wire or drawing.

import { type Labels, quoted } from "./samples.ts";
import type { Moment } from "./time.ts";

export const STATES = ["firing", "pending", "silenced", "inactive"] as const;
export type State = (typeof STATES)[number];

export interface Alert {
  labels: Labels;
  annotations: Labels;
  state: "firing" | "pending" | "inactive";
  activeAt: Moment | undefined;
  value: number;
  keepFiringSince: Moment | undefined;
}

export interface RuleFacts {
  /** Its place: file, group and position. */
  id: string;
  name: string;
  query: string;
  labels: Labels;
  health: string;
  lastError: string;
  lastEvaluation: Moment | undefined;
  evaluationSeconds: number;
}

export interface AlertingRule extends RuleFacts {
  kind: "alerting";
  annotations: Labels;
  /** Seconds. */
  holdFor: number;
  keepFiringFor: number;
  alerts: Alert[];
}

export interface RecordingRule extends RuleFacts {
  kind: "recording";
}

export type Rule = AlertingRule | RecordingRule;

export interface Group {
  name: string;
  file: string;
  intervalSeconds: number;
  evaluationSeconds: number;
  lastEvaluation: Moment | undefined;
  rules: Rule[];
}

export interface Matcher {
  name: string;
  value: string;
  isRegex: boolean;
  isEqual: boolean;
}

export interface Silence {
  id: string;
  state: "active" | "pending" | "expired";
  matchers: Matcher[];
  startsAt: Moment | undefined;
  endsAt: Moment | undefined;
  createdBy: string;
  comment: string;
}

/** A file of rules that is not as it should be. */
export interface RuleFile {
  name: string;
  loadedAt: Moment | undefined;
  faults: string[];
}

function fits({ name, value, isRegex, isEqual }: Matcher, labels: Labels): boolean {
  const found = labels[name] ?? "";
  if (!isRegex) {
    return (found === value) === isEqual;
  }
  try {
    return new RegExp(`^(?:${value})$`, "s").test(found) === isEqual;
  } catch {
    // The server's regular expressions are not quite the browser's: what cannot be read here fits nothing.
    return false;
  }
}

export function isMatched(matchers: readonly Matcher[], labels: Labels): boolean {
  return matchers.length > 0 && matchers.every((matcher) => fits(matcher, labels));
}

export function silencesOf(alert: Pick<Alert, "labels">, silences: readonly Silence[]): Silence[] {
  return silences.filter(({ state, matchers }) => state === "active" && isMatched(matchers, alert.labels));
}

/** An alert is silenced while it is active and somebody does not want to hear of it. */
export function stateOf(alert: Alert, silences: readonly Silence[]): State {
  return alert.state !== "inactive" && silencesOf(alert, silences).length > 0 ? "silenced" : alert.state;
}

/** The most urgent state of a rule's alerts. */
export function ruleState(rule: AlertingRule, silences: readonly Silence[]): State {
  const states = new Set(rule.alerts.map((alert) => stateOf(alert, silences)));
  return STATES.find((state) => states.has(state)) ?? "inactive";
}

export function alertingRules(groups: readonly Group[]): AlertingRule[] {
  return groups.flatMap(({ rules }) => rules.filter((rule) => rule.kind === "alerting"));
}

/** Groups with what is most urgent first; those as urgent as each other stay in their order. */
export function byUrgency(groups: readonly Group[], silences: readonly Silence[]): Group[] {
  const rank = ({ rules }: Group) =>
    Math.min(
      STATES.length,
      ...rules.map((rule) =>
        rule.kind === "alerting" ? STATES.indexOf(ruleState(rule, silences)) : STATES.length,
      ),
    );
  return groups
    .map((group) => ({ group, at: rank(group) }))
    .sort((a, b) => a.at - b.at)
    .map(({ group }) => group);
}

/** `a="b", c=~"d"`, as it is written within braces. */
export function writeMatchers(matchers: readonly Matcher[]): string {
  return matchers
    .map(({ name, value, isRegex, isEqual }) => {
      const operator = isRegex ? (isEqual ? "=~" : "!~") : isEqual ? "=" : "!=";
      return `${name}${operator}${quoted(value)}`;
    })
    .join(", ");
}

export function matchersOf(labels: Labels): Matcher[] {
  return Object.entries(labels)
    .sort(([a], [b]) => (a === "alertname" ? -1 : b === "alertname" ? 1 : a < b ? -1 : 1))
    .map(([name, value]) => ({ name, value, isRegex: false, isEqual: true }));
}

/** A link that is safe to follow; annotations are whoever wrote the rules' words. */
export function linkOf(text: string): string | undefined {
  return /^https?:\/\/[^\s]+$/i.test(text) ? text : undefined;
}
