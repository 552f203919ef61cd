// What a rule watches, drawn with its threshold, and the states that its alerts had.
import { useMemo } from "preact/hooks";
import { getRange } from "../../api/prometheus.ts";
import { aligned, stepFor } from "../../layout/plot.ts";
import { firingSeconds, type StateRow, stateRows } from "../../layout/timeline.ts";
import type { AlertingRule } from "../../model/alerts.ts";
import { type Answer, formatNumber, quoted, type Series, unitOf, writeLabels } from "../../model/samples.ts";
import { metricNames } from "../../model/syntax/context.ts";
import { PROMQL } from "../../model/syntax/promql.ts";
import { type Compared, comparedParts } from "../../model/threshold.ts";
import {
  formatClock,
  formatDate,
  formatLength,
  fromMilliseconds,
  SECOND,
  toMilliseconds,
} from "../../model/time.ts";
import { SeriesPlot } from "../../parts/series-plot.tsx";
import { Failure, Loading } from "../../parts/states.tsx";
import type { AlertsAddress } from "../../state/addresses/alerts.ts";
import { bounds } from "../../state/range.ts";
import { useResource } from "../../state/resource.ts";
import type { Change } from "../alerts.tsx";

const POINTS_MAX = 240;
const EVERY_MS = 15_000;
const ROWS_MAX = 12;

interface PlotsProps {
  rule: AlertingRule;
  address: AlertsAddress;
  change: Change;
}

interface Drawn {
  parts: { compared: Compared; series: Series[]; trouble: string }[];
  rows: StateRow[];
  asked: { start: number; end: number; step: number };
}

const matrixOf = ({ result }: Answer): Series[] =>
  result.kind === "matrix" ? result.series.filter(({ times }) => times.length > 0) : [];

async function load(rule: AlertingRule, address: AlertsAddress, cancelled: AbortSignal): Promise<Drawn> {
  const { start, end } = bounds(address.range, Date.now());
  const [from, to] = [toMilliseconds(start) / 1000, toMilliseconds(end) / 1000];
  const step = stepFor(to - from, POINTS_MAX);
  const asked = { ...aligned(from, to, step), step };
  const [states, ...parts] = await Promise.all([
    getRange(`ALERTS{alertname=${quoted(rule.name)}}`, asked, step, cancelled),
    ...comparedParts(rule.query).map(async (compared) => {
      try {
        return {
          compared,
          series: matrixOf(await getRange(compared.query, asked, step, cancelled)),
          trouble: "",
        };
      } catch (error) {
        if (cancelled.aborted) {
          throw error;
        }
        return { compared, series: [], trouble: error instanceof Error ? error.message : String(error) };
      }
    }),
  ]);
  return { parts, rows: stateRows(matrixOf(states), step, asked.end), asked };
}

export function RulePlots({ rule, address, change }: PlotsProps) {
  const { range } = address;
  const key = `${rule.id} ${rule.query} ${range.kind === "last" ? range.seconds : `${range.from} ${range.to}`}`;
  const { resource, again } = useResource(key, (cancelled) => load(rule, address, cancelled), {
    forget: true,
    everyMs: range.kind === "last" ? EVERY_MS : undefined,
  });
  const { data, error } = resource;
  if (data === undefined) {
    return error === undefined ? (
      <Loading what="its plot" rows={5} />
    ) : (
      <Failure error={error} again={again} />
    );
  }
  return (
    <>
      {data.parts.map(({ compared, series, trouble }) => (
        <Part
          key={compared.query}
          compared={compared}
          series={series}
          trouble={trouble}
          asked={data.asked}
          change={change}
        />
      ))}
      <Timeline rows={data.rows} asked={data.asked} />
    </>
  );
}

interface PartProps {
  compared: Compared;
  series: Series[];
  trouble: string;
  asked: Drawn["asked"];
  change: Change;
}

function Part({ compared, series, trouble, asked, change }: PartProps) {
  const { query, threshold } = compared;
  const unit = unitOf(query, metricNames(query, PROMQL));
  const thresholds = useMemo(
    () =>
      threshold === undefined
        ? []
        : [
            {
              value: threshold.value,
              label: `alerts ${threshold.operator} ${formatNumber(threshold.value)}`,
            },
          ],
    [threshold?.value, threshold?.operator],
  );
  if (series.length === 0) {
    return (
      <p class="quiet rule-no-plot">
        {trouble === "" ? "Nothing to draw in this time range:" : `It cannot be drawn (${trouble}):`}{" "}
        <code>{query}</code>
      </p>
    );
  }
  return (
    <div class="rule-plot">
      <SeriesPlot
        series={series}
        asked={asked}
        query={query}
        unit={unit}
        thresholds={thresholds}
        height={200}
        onRange={(range) => change({ range })}
      />
    </div>
  );
}

function Timeline({ rows, asked }: { rows: StateRow[]; asked: Drawn["asked"] }) {
  const across = Math.max(1, asked.end - asked.start);
  const at = (seconds: number) => fromMilliseconds(seconds * 1000);
  return (
    <section class="timeline" aria-label="History of its alerts">
      <h3>
        History{" "}
        <span class="quiet">
          {formatLength(across * SECOND)} to {formatClock(at(asked.end))}
        </span>
      </h3>
      {rows.length === 0 && <p class="quiet">No alert was pending or firing in this time range.</p>}
      <ul>
        {rows.slice(0, ROWS_MAX).map((row) => (
          <li key={JSON.stringify(row.labels)}>
            <span class="timeline-name" title={writeLabels(row.labels)}>
              {writeLabels(row.labels)}
            </span>
            <span class="timeline-lane">
              {row.stretches.map(({ state, from, to }) => {
                const says = `${state} for ${formatLength((to - from) * SECOND)} from ${formatDate(at(from), false)}`;
                return (
                  <span
                    key={`${state} ${from}`}
                    class={`timeline-${state === "firing" ? "firing" : "pending"}`}
                    style={{
                      left: `${((from - asked.start) / across) * 100}%`,
                      width: `${((to - from) / across) * 100}%`,
                    }}
                    role="img"
                    aria-label={says}
                    title={says}
                  />
                );
              })}
            </span>
            <span class="timeline-sum quiet figure">fired {formatLength(firingSeconds(row) * SECOND)}</span>
          </li>
        ))}
      </ul>
      {rows.length > ROWS_MAX && (
        <p class="quiet">{rows.length - ROWS_MAX} more alerts fired for less long.</p>
      )}
      {rows.length > 0 && (
        <p class="timeline-legend quiet">
          <span class="timeline-firing" aria-hidden="true" /> firing
          <span class="timeline-pending" aria-hidden="true" /> pending
        </p>
      )}
    </section>
  );
}
