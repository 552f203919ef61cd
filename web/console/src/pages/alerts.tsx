// Alerts: rules and what they raise, recording rules, silences. All of it in the address.
import { getGroups, getRuleFiles, getSilences } from "../api/alerts.ts";
import {
  alertingRules,
  byUrgency,
  type Group,
  type Rule,
  type RuleFile,
  ruleState,
  type Silence,
  STATES,
  type State,
} from "../model/alerts.ts";
import { formatDate } from "../model/time.ts";
import { Icon } from "../parts/icons.tsx";
import { RangePicker } from "../parts/range.tsx";
import { Empty, Failure, Loading, Notice, Stale } from "../parts/states.tsx";
import {
  ALERTS_SECONDS,
  type AlertsAddress,
  decodeAlerts,
  encodeAlerts,
  type Tab,
} from "../state/addresses/alerts.ts";
import { place, put } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { Recording } from "./alerts/recording.tsx";
import { Rules } from "./alerts/rules.tsx";
import { Silences } from "./alerts/silences.tsx";
import { STATE_ICONS } from "./alerts/state-mark.tsx";

export type Change = (part: Partial<AlertsAddress>, how?: "push" | "replace") => void;

const EVERY_MS = 5000;

export interface Known {
  groups: Group[];
  silences: Silence[];
  files: RuleFile[];
  /** Why silences are not known. */
  silencesTrouble: string | undefined;
}

async function load(cancelled: AbortSignal): Promise<Known> {
  let silencesTrouble: string | undefined;
  const [groups, silences, files] = await Promise.all([
    getGroups(cancelled),
    getSilences(cancelled).catch((error: unknown): Silence[] => {
      silencesTrouble = error instanceof Error ? error.message : String(error);
      return [];
    }),
    // Where the rules are another server's, nothing is known of their files.
    getRuleFiles(cancelled).catch((): RuleFile[] => []),
  ]);
  return { groups: byUrgency(groups, silences), silences, files, silencesTrouble };
}

const change: Change = (part, how = "push") =>
  put(encodeAlerts({ ...decodeAlerts(place.peek().params), ...part }), how);

export function AlertsPage() {
  const address = decodeAlerts(place.value.params);
  const { resource, again } = useResource("alerts", load, { everyMs: EVERY_MS });
  const { data, error } = resource;
  const rules = data === undefined ? [] : shownRules(data, address);
  const step = (by: number) => {
    const here = rules.findIndex(({ id }) => id === decodeAlerts(place.peek().params).rule);
    const next = rules[here < 0 ? 0 : Math.min(rules.length - 1, Math.max(0, here + by))];
    if (next !== undefined) {
      change({ rule: next.id }, "replace");
    }
  };
  useShortcuts("Alerts", [
    { keys: ["j", "ArrowDown"], does: "Next rule", run: () => step(1) },
    { keys: ["k", "ArrowUp"], does: "Previous rule", run: () => step(-1) },
    {
      keys: ["Escape"],
      does: "Close the rule",
      run: () => change({ rule: "", silence: undefined }, "replace"),
    },
    { keys: ["f"], does: "Find a rule", run: () => document.getElementById("alerts-find")?.focus() },
    { keys: ["a"], does: "To the alerts", run: () => change({ tab: "alerts" }) },
    { keys: ["c"], does: "To the recording rules", run: () => change({ tab: "recording" }) },
    { keys: ["m"], does: "To the silences", run: () => change({ tab: "silences" }) },
    { keys: ["r"], does: "Ask again", run: again },
  ]);
  return (
    <main class="page alerts" id="main">
      <header class="page-head">
        <h1>Alerts</h1>
        <div class="page-tools">
          <RangePicker
            range={address.range}
            fallbackSeconds={ALERTS_SECONDS}
            onChange={(range) => change({ range })}
          />
        </div>
      </header>
      {data === undefined && error !== undefined && <Failure error={error} again={again} />}
      {data === undefined && error === undefined && <Loading what="rules" />}
      {data !== undefined && (
        <>
          <Stale error={error} again={again} />
          <Files files={data.files} />
          <Tabs address={address} data={data} />
          <Body address={address} data={data} again={again} />
        </>
      )}
    </main>
  );
}

/** The rules of the tab that match what is looked for, in their order. */
function shownRules(data: Known, { tab, state, find }: AlertsAddress): Rule[] {
  const words = find.toLowerCase().split(/\s+/).filter(Boolean);
  return data.groups.flatMap(({ rules }) =>
    rules.filter((rule) => {
      const all = [rule.name, rule.query, ...Object.values(rule.labels)].join(" ").toLowerCase();
      const isOfTab = rule.kind === (tab === "recording" ? "recording" : "alerting");
      const isOfState =
        tab === "recording" ||
        state === undefined ||
        (rule.kind === "alerting" && ruleState(rule, data.silences) === state);
      return isOfTab && isOfState && words.every((word) => all.includes(word));
    }),
  );
}

function Files({ files }: { files: RuleFile[] }) {
  const faulty = files.filter(({ faults }) => faults.length > 0);
  return (
    <>
      {faulty.map(({ name, faults, loadedAt }) => (
        <Notice key={name} tone="error">
          <strong>{name} is not as it has to be.</strong>{" "}
          {loadedAt === undefined
            ? "None of its rules are in force."
            : `Its rules of ${formatDate(loadedAt, false)} stay in force until it is mended.`}
          <ul class="faults">
            {faults.map((fault) => (
              <li key={fault}>
                <code>{fault}</code>
              </li>
            ))}
          </ul>
        </Notice>
      ))}
    </>
  );
}

function Tabs({ address, data }: { address: AlertsAddress; data: Known }) {
  const alerting = alertingRules(data.groups);
  const recording = data.groups.reduce((sum, { rules }) => sum + rules.length, 0) - alerting.length;
  const silences = data.silences.filter(({ state }) => state !== "expired").length;
  const tabs: [Tab, string, number][] = [
    ["alerts", "Alerts", alerting.length],
    ["recording", "Recording rules", recording],
    ["silences", "Silences", silences],
  ];
  const counts = new Map<State, number>();
  for (const rule of alerting) {
    const state = ruleState(rule, data.silences);
    counts.set(state, (counts.get(state) ?? 0) + 1);
  }
  return (
    <div class="alerts-tools">
      <span class="segments">
        {tabs.map(([tab, title, count]) => (
          <button
            key={tab}
            type="button"
            aria-pressed={address.tab === tab}
            onClick={() => change({ tab, rule: "", silence: undefined })}
          >
            {title} <span class="quiet figure">{count}</span>
          </button>
        ))}
      </span>
      {address.tab === "alerts" && (
        <ul class="state-counts" aria-label="Rules by state">
          {STATES.map((state) => (
            <li key={state}>
              <button
                type="button"
                class={`state-count state-of-${state}`}
                aria-pressed={address.state === state}
                title={address.state === state ? "All rules" : `Only rules that are ${state}`}
                onClick={() => change({ state: address.state === state ? undefined : state })}
              >
                <Icon name={STATE_ICONS[state]} size={14} /> <b class="figure">{counts.get(state) ?? 0}</b>{" "}
                {state}
              </button>
            </li>
          ))}
        </ul>
      )}
      {address.tab !== "silences" && (
        // biome-ignore lint/a11y/useSemanticElements: the search element is too new for the browsers we build for
        <div class="find" role="search">
          <Icon name="search" size={14} />
          <input
            id="alerts-find"
            type="search"
            placeholder="Find a rule"
            aria-label="Find a rule by its name, query or labels"
            autocomplete="off"
            spellcheck={false}
            value={address.find}
            onInput={(event) => change({ find: event.currentTarget.value }, "replace")}
          />
        </div>
      )}
    </div>
  );
}

function Body({ address, data, again }: { address: AlertsAddress; data: Known; again: () => void }) {
  if (address.tab === "silences" || address.silence !== undefined) {
    return <Silences address={address} change={change} data={data} again={again} />;
  }
  if (data.groups.length === 0) {
    return (
      <Empty title="No rules are loaded" icon="alerts">
        <p>
          Rules are read from files in Prometheus' format, by default <code>observability/rules/*.yaml</code>;{" "}
          <code>RULE_FILES</code> names others. They are read again when they change.
        </p>
      </Empty>
    );
  }
  const rules = new Set(shownRules(data, address).map(({ id }) => id));
  if (rules.size === 0) {
    const isFiltered = address.find !== "" || address.state !== undefined;
    return (
      <Empty title={isFiltered ? "No rule matches" : "None of this kind"} icon="alerts">
        <p>
          {isFiltered ? "None has these words and this state." : "The files of rules have no such rules."}
        </p>
        {isFiltered && (
          <button type="button" class="button primary" onClick={() => change({ find: "", state: undefined })}>
            All rules
          </button>
        )}
      </Empty>
    );
  }
  const groups = data.groups
    .map((group) => ({ ...group, rules: group.rules.filter(({ id }) => rules.has(id)) }))
    .filter((group) => group.rules.length > 0);
  return address.tab === "recording" ? (
    <Recording groups={groups} address={address} />
  ) : (
    <Rules groups={groups} address={address} change={change} data={data} />
  );
}
