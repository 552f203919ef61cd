// Metrics: what there is, a query over it, and the answer as a plot or a table. All of it in the address.
import { useMemo } from "preact/hooks";
import { instantRequest, rangeRequest } from "../api/prometheus.ts";
import { aligned, stepFor } from "../layout/plot.ts";
import { placeIn } from "../model/syntax/complete.ts";
import { PROMQL } from "../model/syntax/promql.ts";
import { formatLength, SECOND, toMilliseconds } from "../model/time.ts";
import { CopyCurl } from "../parts/copy.tsx";
import { Editor } from "../parts/editor.tsx";
import { Icon } from "../parts/icons.tsx";
import { RangePicker } from "../parts/range.tsx";
import {
  decodeMetrics,
  encodeMetrics,
  type Look,
  METRICS_SECONDS,
  type MetricsAddress,
} from "../state/addresses/metrics.ts";
import { place, put } from "../state/location.ts";
import { bounds } from "../state/range.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { Answers, useAnswer } from "./metrics/answers.tsx";
import { Browse } from "./metrics/browse.tsx";
import { namesFor } from "./metrics/names.ts";

export type Change = (part: Partial<MetricsAddress>, how?: "push" | "replace") => void;

/** Points that a plot is asked for at most: about one for each three pixels. */
const POINTS_MAX = 300;
const STEPS = [5, 15, 30, 60, 300, 900, 3600];

/** What the address asks for, as of now: the stretch of time and the step. */
export function questionOf(address: MetricsAddress, nowMs: number) {
  const { start, end } = bounds(address.range, nowMs);
  const [from, to] = [toMilliseconds(start) / 1000, toMilliseconds(end) / 1000];
  const step = address.step ?? stepFor(to - from, POINTS_MAX);
  return { ...aligned(from, to, step), step, now: to };
}

export function MetricsPage() {
  const address = decodeMetrics(place.value.params);
  const change: Change = (part, how = "push") =>
    put(encodeMetrics({ ...decodeMetrics(place.peek().params), ...part }), how);
  const isBrowsing = address.browse || address.query === "";
  const names = useMemo(
    () => namesFor(address.range, address.match),
    [encodeMetrics({ ...address, query: "" }).toString()],
  );
  const asked = useAnswer(isBrowsing ? { ...address, query: "" } : address);
  const { data, error, isLoading } = asked.resource;
  const wrong =
    error?.trouble === "refused" && data?.query !== address.query && !isLoading
      ? { query: address.query, at: placeIn(error.message, address.query) }
      : undefined;
  const focusEditor = () => document.getElementById("metrics-query")?.focus();
  useShortcuts("Metrics", [
    { keys: ["f", "e"], does: "To the query", run: focusEditor },
    { keys: ["r"], does: "Run again", run: asked.again },
    {
      keys: ["b"],
      does: "Metrics to choose from, or the answer",
      run: () => change({ browse: !address.browse }),
    },
    {
      keys: ["s"],
      does: "Stacked, or lines",
      run: () => change({ as: address.as === "stacked" ? "lines" : "stacked" }),
    },
    {
      keys: ["v"],
      does: "Table, or plot",
      run: () => change({ as: address.as === "table" ? "lines" : "table" }),
    },
    { keys: ["l"], does: "Logarithmic or linear", run: () => change({ isLog: !address.isLog }) },
    { keys: ["Escape"], does: "All series again", run: () => change({ only: "" }) },
  ]);
  return (
    <main class={`page metrics ${isBrowsing ? "page-fixed" : ""}`} id="main">
      <header class="page-head">
        <h1>Metrics</h1>
        <div class="page-tools">
          {!isBrowsing && (
            <CopyCurl
              request={() => {
                const question = questionOf(address, Date.now());
                return address.as === "table"
                  ? instantRequest(address.query, question.now)
                  : rangeRequest(address.query, question, question.step);
              }}
            />
          )}
          <RangePicker
            range={address.range}
            fallbackSeconds={METRICS_SECONDS}
            onChange={(range) => change({ range })}
          />
        </div>
      </header>
      <Editor
        id="metrics-query"
        label="Query in PromQL"
        placeholder="PromQL, or choose a metric below"
        value={address.query}
        vocabulary={PROMQL}
        names={names}
        wrong={wrong}
        onRun={(query) => {
          if (query === address.query && !address.browse) {
            asked.again();
          } else {
            change({ query, only: "", browse: false });
          }
        }}
      />
      {address.query !== "" && <Tools address={address} change={change} />}
      {isBrowsing ? (
        <Browse address={address} change={change} />
      ) : (
        <Answers address={address} change={change} asked={asked} />
      )}
    </main>
  );
}

const LOOKS: [Look, string][] = [
  ["lines", "Lines"],
  ["stacked", "Stacked"],
  ["table", "Table"],
];

function Tools({ address, change }: { address: MetricsAddress; change: Change }) {
  const { step } = questionOf(address, Date.now());
  const steps = [...new Set(address.step === undefined ? STEPS : [...STEPS, address.step])].sort(
    (a, b) => a - b,
  );
  const isPlot = !address.browse && address.as !== "table";
  return (
    <div class="metrics-tools" role="toolbar" aria-label="How the answer is shown">
      <button
        type="button"
        class="button"
        aria-pressed={address.browse}
        title="Metrics to choose from (b)"
        onClick={() => change({ browse: !address.browse })}
      >
        <Icon name={address.browse ? "left" : "menu"} /> {address.browse ? "To the answer" : "Metrics"}
      </button>
      {!address.browse && (
        <span class="segments">
          {LOOKS.map(([as, title]) => (
            <button key={as} type="button" aria-pressed={address.as === as} onClick={() => change({ as })}>
              {title}
            </button>
          ))}
        </span>
      )}
      {isPlot && (
        <>
          <label class={`toggle ${address.isLog ? "on" : ""}`} title="Logarithmic scale (l)">
            <input
              type="checkbox"
              checked={address.isLog}
              disabled={address.as === "stacked"}
              onChange={(event) => change({ isLog: event.currentTarget.checked })}
            />
            Log scale
          </label>
          <label class={`toggle ${address.exemplars ? "on" : ""}`}>
            <input
              type="checkbox"
              checked={address.exemplars}
              onChange={(event) => change({ exemplars: event.currentTarget.checked })}
            />
            <span class="exemplar-sample" aria-hidden="true" /> Exemplars
          </label>
          <select
            class="field"
            aria-label="Step between points"
            value={String(address.step ?? "")}
            onChange={(event) => change({ step: Number(event.currentTarget.value) || undefined })}
          >
            <option value="">Step: auto ({formatLength(step * SECOND)})</option>
            {steps.map((seconds) => (
              <option key={seconds} value={String(seconds)}>
                Step: {formatLength(seconds * SECOND)}
              </option>
            ))}
          </select>
        </>
      )}
    </div>
  );
}
