// All that is known of an alerting rule: what it watches, drawn with its threshold, how its alerts went, and who
// is concerned now.
import {
  type Alert,
  type AlertingRule,
  linkOf,
  matchersOf,
  stateOf,
  writeMatchers,
} from "../../model/alerts.ts";
import { formatValue, type Labels } from "../../model/samples.ts";
import { formatAgo, formatDate, formatLength, fromMilliseconds, SECOND } from "../../model/time.ts";
import { Copy } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icons.tsx";
import { Notice } from "../../parts/states.tsx";
import type { AlertsAddress } from "../../state/addresses/alerts.ts";
import { encodeMetrics, NO_METRICS } from "../../state/addresses/metrics.ts";
import { EVERYTHING, encodeSearch } from "../../state/addresses.ts";
import { address as addressOf } from "../../state/location.ts";
import type { Change, Known } from "../alerts.tsx";
import { RulePlots } from "./plots.tsx";
import { StateMark } from "./state-mark.tsx";

interface DetailProps {
  rule: AlertingRule;
  address: AlertsAddress;
  change: Change;
  data: Known;
}

const TOLD_APART = new Set(["summary", "description", "runbook_url"]);

export function RuleDetail({ rule, address, change, data }: DetailProps) {
  // What is raised has its annotations filled in; what is not has them as they are written.
  const annotations = rule.alerts[0]?.annotations ?? rule.annotations;
  const runbook = annotations["runbook_url"] ?? "";
  const query = addressOf(
    "/metrics-explorer",
    encodeMetrics({ ...NO_METRICS, query: rule.query, range: address.range }),
  );
  return (
    <div class="rule-detail">
      {rule.lastError !== "" && (
        <Notice tone="error">
          <strong>It could not be evaluated:</strong> {rule.lastError}
        </Notice>
      )}
      {annotations["description"] !== undefined && (
        <p class="rule-description">{annotations["description"]}</p>
      )}
      <div class="snippet">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
        <pre tabIndex={0}>{rule.query}</pre>
        <Copy text={rule.query} label="Copy the query" />
      </div>
      <div class="detail-actions">
        <a class="button" href={query}>
          <Icon name="metrics" /> In metrics
        </a>
        <Runbook text={runbook} />
        <button
          type="button"
          class="button"
          onClick={() => change({ silence: writeMatchers(matchersOf({ alertname: rule.name })) })}
        >
          <Icon name="silenced" /> Silence
        </button>
      </div>
      <RulePlots rule={rule} address={address} change={change} />
      <ActiveAlerts rule={rule} address={address} change={change} data={data} />
      <Facts rule={rule} annotations={annotations} />
    </div>
  );
}

function Runbook({ text }: { text: string }) {
  const link = linkOf(text);
  if (link !== undefined) {
    return (
      <a class="button primary" href={link} target="_blank" rel="noreferrer">
        <Icon name="info" /> Runbook
      </a>
    );
  }
  return text === "" ? null : (
    <span class="rule-runbook">
      <Icon name="info" /> Runbook: <code>{text}</code>
      <Copy text={text} label="Copy where the runbook is" />
    </span>
  );
}

/** The service that a series is of, by the labels that usually tell it. */
function serviceOf(labels: Labels): string {
  return labels["service_name"] ?? labels["service"] ?? labels["job"]?.split("/").at(-1) ?? "";
}

function ActiveAlerts({ rule, address, change, data }: DetailProps) {
  if (rule.alerts.length === 0) {
    return null;
  }
  const now = fromMilliseconds(Date.now());
  return (
    <section class="rule-alerts" aria-label="Alerts">
      <h3>Now</h3>
      <ul>
        {rule.alerts.map((alert) => (
          <AlertItem
            key={JSON.stringify(alert.labels)}
            alert={alert}
            now={now}
            data={data}
            address={address}
            change={change}
          />
        ))}
      </ul>
    </section>
  );
}

interface AlertItemProps {
  alert: Alert;
  now: bigint;
  address: AlertsAddress;
  change: Change;
  data: Known;
}

function AlertItem({ alert, now, data, address, change }: AlertItemProps) {
  const { alertname: _, ...labels } = alert.labels;
  const service = serviceOf(labels);
  const traces = addressOf(
    "/traces",
    encodeSearch({ ...EVERYTHING, service, errors: true, range: address.range }),
  );
  return (
    <li>
      <StateMark state={stateOf(alert, data.silences)} />
      <span class="alert-text">
        {alert.annotations["summary"] !== undefined && <span>{alert.annotations["summary"]}</span>}
        <span class="quiet alert-labels">
          {Object.entries(labels).map(([key, value]) => (
            <span key={key}>
              {key}=<b>{value}</b>{" "}
            </span>
          ))}
        </span>
      </span>
      <span class="alert-value figure">
        <b>{formatValue(alert.value)}</b>
        {alert.activeAt !== undefined && (
          <span class="quiet" title={formatDate(alert.activeAt)}>
            since {formatAgo(alert.activeAt, now).replace(" ago", "")}
          </span>
        )}
        {alert.keepFiringSince !== undefined && (
          <span class="quiet" title={formatDate(alert.keepFiringSince)}>
            over, kept firing
          </span>
        )}
      </span>
      <span class="alert-actions">
        {service !== "" && (
          <a
            class="icon-button"
            href={traces}
            title={`Traces of ${service} with errors`}
            aria-label={`Traces of ${service} with errors`}
          >
            <Icon name="traces" size={15} />
          </a>
        )}
        <button
          type="button"
          class="icon-button"
          title="Silence this alert"
          aria-label="Silence this alert"
          onClick={() => change({ silence: writeMatchers(matchersOf(alert.labels)) })}
        >
          <Icon name="silenced" size={15} />
        </button>
      </span>
    </li>
  );
}

function Facts({ rule, annotations }: { rule: AlertingRule; annotations: Labels }) {
  const seconds = (value: number) => (value === 0 ? "at once" : formatLength(value * SECOND));
  const rows: [string, string][] = [
    ["Fires after", seconds(rule.holdFor)],
    ["Keeps firing for", rule.keepFiringFor === 0 ? "not longer than it holds" : seconds(rule.keepFiringFor)],
    ["Health", rule.health],
    ["Evaluated in", formatLength(rule.evaluationSeconds * SECOND)],
    ["Last evaluated", rule.lastEvaluation === undefined ? "never" : formatDate(rule.lastEvaluation)],
    ...Object.entries(rule.labels).map(([key, value]): [string, string] => [`label ${key}`, value]),
    ...Object.entries(annotations)
      .filter(([key]) => !TOLD_APART.has(key) || (key === "summary" && rule.alerts.length === 0))
      .map(([key, value]): [string, string] => [key, value]),
  ];
  return (
    <dl class="rule-facts">
      {rows.map(([key, value]) => (
        <div key={key}>
          <dt>{key}</dt>
          <dd>{value}</dd>
        </div>
      ))}
    </dl>
  );
}
