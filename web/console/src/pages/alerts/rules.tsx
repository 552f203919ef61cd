// Groups of alerting rules, a rule a row; the chosen one with all that is known of it.
import { type AlertingRule, type Group, ruleState, stateOf } from "../../model/alerts.ts";
import { plural } from "../../model/count.ts";
import { formatAgo, formatLength, fromMilliseconds, SECOND } from "../../model/time.ts";
import { Icon } from "../../parts/icons.tsx";
import type { AlertsAddress } from "../../state/addresses/alerts.ts";
import type { Change, Known } from "../alerts.tsx";
import { RuleDetail } from "./detail.tsx";
import { StateMark } from "./state-mark.tsx";

interface RulesProps {
  groups: Group[];
  address: AlertsAddress;
  change: Change;
  data: Known;
}

export function Rules({ groups, address, change, data }: RulesProps) {
  return (
    <>
      {groups.map((group) => (
        <section key={`${group.file} ${group.name}`} class="card rules" aria-label={`Group ${group.name}`}>
          <GroupHead group={group} />
          <ul>
            {group.rules.map(
              (rule) =>
                rule.kind === "alerting" && (
                  <RuleItem key={rule.id} rule={rule} address={address} change={change} data={data} />
                ),
            )}
          </ul>
        </section>
      ))}
    </>
  );
}

export function GroupHead({ group }: { group: Group }) {
  return (
    <header class="card-head">
      <h2>{group.name}</h2>
      <span class="quiet rules-file" title={group.file}>
        {group.file.split("/").at(-1)} · every {formatLength(group.intervalSeconds * SECOND)} · took{" "}
        {formatLength(group.evaluationSeconds * SECOND)}
      </span>
    </header>
  );
}

export function Health({ rule }: { rule: Pick<AlertingRule, "health" | "lastError"> }) {
  if (rule.health === "ok") {
    return null;
  }
  return rule.health === "unknown" ? (
    <span class="quiet">not evaluated yet</span>
  ) : (
    <span class="errors" title={rule.lastError}>
      <Icon name="warning" size={13} /> evaluation failed
    </span>
  );
}

interface RuleItemProps {
  rule: AlertingRule;
  address: AlertsAddress;
  change: Change;
  data: Known;
}

function RuleItem({ rule, address, change, data }: RuleItemProps) {
  const state = ruleState(rule, data.silences);
  const isOpen = address.rule === rule.id;
  const active = rule.alerts.filter((alert) => stateOf(alert, data.silences) !== "inactive");
  const [first] = active.sort((a, b) => Number((a.activeAt ?? 0n) - (b.activeAt ?? 0n)));
  // What is not raised has nothing filled in: what it is about is told by what has no gaps.
  const about = rule.annotations["description"] ?? rule.annotations["summary"] ?? "";
  const summary = first?.annotations["summary"] ?? (about.includes("{{") ? "" : about);
  const severity = rule.labels["severity"];
  return (
    <li class={isOpen ? "open" : ""}>
      <button
        type="button"
        class="rule-row"
        aria-expanded={isOpen}
        onClick={() => change({ rule: isOpen ? "" : rule.id })}
      >
        <span class="rule-turn">
          <Icon name={isOpen ? "down" : "right"} size={12} />
        </span>
        <StateMark state={state} />
        <span class="rule-name">
          <strong>{rule.name}</strong>
          {severity !== undefined && <span class="severity">{severity}</span>}
          <Health rule={rule} />
        </span>
        <span class={`rule-summary ${first === undefined ? "quiet" : ""}`}>{summary}</span>
        <span class="rule-active quiet">
          {active.length > 0 && plural(active.length, "alert")}
          {first?.activeAt !== undefined && (
            <>, since {formatAgo(first.activeAt, fromMilliseconds(Date.now())).replace(" ago", "")}</>
          )}
        </span>
      </button>
      {isOpen && <RuleDetail rule={rule} address={address} change={change} data={data} />}
    </li>
  );
}
