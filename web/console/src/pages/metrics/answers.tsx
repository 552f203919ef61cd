// The answer to a query: as a plot, as a table, or what there is to say instead.
import { getExemplars, getInstant, getRange, SERIES_MAX } from "../../api/prometheus.ts";
import { plural } from "../../model/count.ts";
import { type Answer, type Exemplar, type Sample, type Series, unitOf } from "../../model/samples.ts";
import { metricNames } from "../../model/syntax/context.ts";
import { PROMQL } from "../../model/syntax/promql.ts";
import { formatLength, MILLISECOND } from "../../model/time.ts";
import { SeriesPlot } from "../../parts/series-plot.tsx";
import { Empty, Failure, Loading, Notice, Stale } from "../../parts/states.tsx";
import { encodeMetrics, type MetricsAddress } from "../../state/addresses/metrics.ts";
import { decodeTrace, encodeTrace } from "../../state/addresses.ts";
import { address as addressOf } from "../../state/location.ts";
import { type Asked, useResource } from "../../state/resource.ts";
import { type Change, questionOf } from "../metrics.tsx";
import { SampleTable } from "./table.tsx";

const floats = new WeakMap<readonly Series[], Series[]>();

/** Those with samples that are numbers; the same array for the same answer, so that it is drawn once. */
function floatsOf(series: readonly Series[]): Series[] {
  const found = floats.get(series) ?? series.filter(({ times }) => times.length > 0);
  floats.set(series, found);
  return found;
}

type Question = ReturnType<typeof questionOf>;

export interface Answered {
  query: string;
  question: Question;
  answer: Answer;
  /** At the end of the range, where a table is wanted. */
  instant: Answer | undefined;
  exemplars: Exemplar[];
}

/**
 * Exemplars hang on a classic histogram's buckets: a query of its count or its sum has them too, if its buckets
 * are asked.
 */
export function exemplarQuery(query: string): string {
  const bases = metricNames(query, PROMQL).filter((name) => /_(count|sum)$/.test(name));
  return [...new Set(bases)].reduce(
    (text, name) =>
      text.replaceAll(new RegExp(`\\b${name}\\b`, "g"), name.replace(/_(count|sum)$/, "_bucket")),
    query,
  );
}

async function exemplarsOf(query: string, question: Question, cancelled: AbortSignal): Promise<Exemplar[]> {
  const queries = [...new Set([query, exemplarQuery(query)])];
  const found = await Promise.all(
    // A query may be one that has none, or that is refused: the plot is shown all the same.
    queries.map((one) => getExemplars(one, question, cancelled).catch((): Exemplar[] => [])),
  );
  const seen = new Map(
    found.flat().map((exemplar) => [`${exemplar.traceId} ${exemplar.at} ${exemplar.value}`, exemplar]),
  );
  return [...seen.values()];
}

const NOTHING: Answer = {
  result: { kind: "matrix", series: [] },
  warnings: [],
  infos: [],
  omitted: 0,
  elapsedMs: 0,
};

export function useAnswer(address: MetricsAddress): Asked<Answered> {
  const key = encodeMetrics({ ...address, isLog: false, only: "", find: "", type: "", match: "" }).toString();
  return useResource<Answered>(key, async (cancelled) => {
    const question = questionOf(address, Date.now());
    const { query } = address;
    if (query === "") {
      return { query, question, answer: NOTHING, instant: undefined, exemplars: [] };
    }
    if (address.as === "table") {
      const instant = await getInstant(query, question.now, cancelled);
      return { query, question, answer: instant, instant, exemplars: [] };
    }
    const answer = await getRange(query, question, question.step, cancelled);
    const exemplars = address.exemplars ? await exemplarsOf(query, question, cancelled) : [];
    // Native histograms have no line of their own: they are shown as they are at the end.
    const { result } = answer;
    const isHistograms =
      result.kind === "matrix" &&
      result.series.length > 0 &&
      result.series.every(({ times }) => times.length === 0);
    const instant = isHistograms
      ? await getInstant(query, question.end, cancelled).catch(() => undefined)
      : undefined;
    return { query, question, answer, instant, exemplars };
  });
}

interface AnswersProps {
  address: MetricsAddress;
  change: Change;
  asked: Asked<Answered>;
}

export function Answers({ address, change, asked }: AnswersProps) {
  const { data, error, isLoading } = asked.resource;
  if (data === undefined || data.query !== address.query) {
    return error === undefined || isLoading ? (
      <Loading what="the answer" />
    ) : (
      <Failure
        error={error}
        again={asked.again}
        {...(error.trouble === "refused" ? { title: "This query cannot be answered" } : {})}
      />
    );
  }
  return (
    <>
      <Stale error={error} again={asked.again} />
      <Remarks answer={data.answer} />
      <Shown address={address} change={change} data={data} />
    </>
  );
}

function Remarks({ answer }: { answer: Answer }) {
  return (
    <>
      {answer.omitted > 0 && (
        <Notice tone="warning">
          {plural(answer.omitted, "series", "series")} more than the {SERIES_MAX} that are shown. Aggregate
          with <code>sum by (…)</code>, or take <code>topk(20, …)</code>.
        </Notice>
      )}
      {answer.warnings.map((text) => (
        <Notice key={text} tone="warning">
          {text}
        </Notice>
      ))}
      {answer.infos.map((text) => (
        <Notice key={text}>{text}</Notice>
      ))}
    </>
  );
}

function Shown({ address, change, data }: { address: MetricsAddress; change: Change; data: Answered }) {
  const { answer, instant, question } = data;
  const { result } = address.as === "table" ? (instant ?? answer) : answer;
  switch (result.kind) {
    case "scalar":
    case "string":
      return (
        <section class="card metrics-scalar">
          <strong>{result.kind === "scalar" ? String(result.value) : result.text}</strong>
          <span class="quiet">a {result.kind}</span>
        </section>
      );
    case "vector":
      return <SampleTable samples={result.samples} query={address.query} answer={answer} />;
    default: {
      const drawn = floatsOf(result.series);
      const samples = instant?.result.kind === "vector" ? instant.result.samples : [];
      if (drawn.length > 0) {
        return <Plotted address={address} change={change} series={drawn} data={data} />;
      }
      return samples.length > 0 || result.series.length > 0 ? (
        <Histograms samples={samples} address={address} change={change} answer={answer} />
      ) : (
        <Nothing address={address} change={change} question={question} />
      );
    }
  }
}

function Histograms({
  samples,
  address,
  change,
  answer,
}: {
  samples: Sample[];
  address: MetricsAddress;
  change: Change;
  answer: Answer;
}) {
  return (
    <>
      <Notice>
        These are native histograms: a plot shows a number of them, such as their{" "}
        <button
          type="button"
          class="link"
          onClick={() => change({ query: `histogram_quantile(0.95, ${address.query})` })}
        >
          95th percentile
        </button>
        . The table has them as they are now.
      </Notice>
      <SampleTable samples={samples} query={address.query} answer={answer} />
    </>
  );
}

function traceAddress({ traceId, spanId }: Exemplar): string {
  const params = encodeTrace({ ...decodeTrace(new URLSearchParams()), span: spanId, isOpen: spanId !== "" });
  return addressOf(`/trace/${traceId}`, params);
}

interface PlottedProps {
  address: MetricsAddress;
  change: Change;
  series: Series[];
  data: Answered;
}

function Plotted({ address, change, series, data }: PlottedProps) {
  const { question, answer, exemplars, query } = data;
  return (
    <section class="card plot-card">
      <SeriesPlot
        series={series}
        asked={question}
        query={query}
        unit={unitOf(query, metricNames(query, PROMQL))}
        isStacked={address.as === "stacked"}
        isLog={address.isLog && address.as !== "stacked"}
        exemplars={exemplars}
        exemplarsByValue={/\bhistogram_quantile\b/.test(query)}
        traceAddress={traceAddress}
        only={address.only}
        onOnly={(only) => change({ only }, "replace")}
        onRange={(range) => change({ range })}
      >
        <span>answered in {formatLength(answer.elapsedMs * MILLISECOND)}</span>
      </SeriesPlot>
    </section>
  );
}

function Nothing({
  address,
  change,
  question,
}: {
  address: MetricsAddress;
  change: Change;
  question: Question;
}) {
  const wider = Math.max(6 * 3600, (question.end - question.start) * 6);
  return (
    <Empty title="No series match">
      <p>
        The query is right, and nothing answers it in this time range. Is a label's value misspelt? Complete
        it with Ctrl and space within the braces.
      </p>
      <div class="state-actions">
        <button
          type="button"
          class="button primary"
          onClick={() => change({ range: { kind: "last", seconds: Math.min(wider, 7 * 86_400) } })}
        >
          Look at a longer time
        </button>
        <button
          type="button"
          class="button"
          onClick={() => change({ browse: true, find: metricNames(address.query, PROMQL)[0] ?? "" })}
        >
          Which metrics there are
        </button>
      </div>
    </Empty>
  );
}
