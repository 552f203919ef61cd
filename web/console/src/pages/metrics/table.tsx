// Samples at one moment as a table: a column for each label, native histograms with their buckets.
import { useMemo } from "preact/hooks";
import { formatCount, plural } from "../../model/count.ts";
import {
  type Answer,
  formatNumber,
  formatValue,
  type HistogramValue,
  keyOf,
  type Sample,
  type Unit,
  unitOf,
  writeBucket,
} from "../../model/samples.ts";
import { metricNames } from "../../model/syntax/context.ts";
import { PROMQL } from "../../model/syntax/promql.ts";
import { formatDate, formatLength, fromMilliseconds, MILLISECOND } from "../../model/time.ts";
import { Empty, Notice } from "../../parts/states.tsx";

const ROWS_MAX = 500;

function columnsOf(samples: readonly Sample[]): string[] {
  const keys = new Set(samples.flatMap(({ labels }) => Object.keys(labels)));
  const rest = [...keys].filter((key) => key !== "__name__").sort();
  return keys.has("__name__") ? ["__name__", ...rest] : rest;
}

interface TableProps {
  samples: Sample[];
  query: string;
  answer: Answer;
}

export function SampleTable({ samples, query, answer }: TableProps) {
  const columns = useMemo(() => columnsOf(samples), [samples]);
  const unit = unitOf(query, metricNames(query, PROMQL));
  if (samples.length === 0) {
    return (
      <Empty title="No series now">
        <p>
          Nothing answers this query at the end of the time range. The plot shows when there was something.
        </p>
      </Empty>
    );
  }
  const at = samples[0]?.at ?? 0;
  return (
    <section class="card samples" aria-label="Values">
      <header class="card-head">
        <h2>{plural(samples.length, "series", "series")}</h2>
        <span class="quiet">
          at {formatDate(fromMilliseconds(at * 1000), false)} · answered in{" "}
          {formatLength(answer.elapsedMs * MILLISECOND)}
        </span>
      </header>
      {samples.length > ROWS_MAX && (
        <Notice tone="warning">
          The first {ROWS_MAX} are shown. Aggregate, or take <code>topk(20, …)</code>.
        </Notice>
      )}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <div class="samples-scroll" tabIndex={0}>
        <table class="table">
          <thead>
            <tr>
              {columns.map((column) => (
                <th key={column} scope="col">
                  {column === "__name__" ? "name" : column}
                </th>
              ))}
              <th scope="col" class="number">
                Value
              </th>
            </tr>
          </thead>
          <tbody>
            {samples.slice(0, ROWS_MAX).map((sample) => (
              <tr key={keyOf(sample.labels)}>
                {columns.map((column) => (
                  <td
                    key={column}
                    data-label={column === "__name__" ? "name" : column}
                    class={sample.labels[column] === undefined ? "absent" : ""}
                  >
                    {sample.labels[column] ?? ""}
                  </td>
                ))}
                <td data-label="Value" class="number samples-value">
                  {sample.histogram === undefined ? (
                    <b title={String(sample.value)}>{formatValue(sample.value, unit)}</b>
                  ) : (
                    <Histogram histogram={sample.histogram} unit={unit} />
                  )}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </section>
  );
}

function Histogram({ histogram, unit }: { histogram: HistogramValue; unit: Unit }) {
  const { count, sum, buckets } = histogram;
  const most = buckets.reduce((high, bucket) => Math.max(high, bucket.count), 0);
  return (
    <details class="histogram">
      <summary>
        <b>{formatCount(count)}</b> <span class="quiet">observed, mean</span>{" "}
        <b>{count === 0 ? "–" : formatValue(sum / count, unit)}</b>
      </summary>
      <table class="histogram-buckets keep">
        <tbody>
          {buckets.map((bucket) => (
            <tr key={`${bucket.low} ${bucket.high}`}>
              <th scope="row">{writeBucket(bucket)}</th>
              <td>
                <span
                  class="histogram-bar"
                  style={{ width: `${most === 0 ? 0 : (bucket.count / most) * 100}px` }}
                />
              </td>
              <td class="number">{formatNumber(bucket.count)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  );
}
