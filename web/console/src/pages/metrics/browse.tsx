// The metrics there are, one card each.
import { useMemo, useRef } from "preact/hooks";
import { formatCount, plural } from "../../model/count.ts";
import { findMetrics, isClassic, type Metric, queryFor } from "../../model/metric.ts";
import { formatValue, type Unit } from "../../model/samples.ts";
import { useSize } from "../../parts/canvas.ts";
import { Icon } from "../../parts/icons.tsx";
import { Empty, Failure, Loading, Stale } from "../../parts/states.tsx";
import { Virtual } from "../../parts/virtual.tsx";
import { type MetricsAddress, NO_METRICS } from "../../state/addresses/metrics.ts";
import { useResource } from "../../state/resource.ts";
import type { Change } from "../metrics.tsx";
import { type Figures, useFigures } from "./figures.ts";
import { loadMetrics } from "./names.ts";

const ROW = 108;
const CARD_LEAST = 330;
const rangeKey = ({ range }: MetricsAddress) =>
  range.kind === "last" ? String(range.seconds) : `${range.from} ${range.to}`;

interface BrowseProps {
  address: MetricsAddress;
  change: Change;
}

export function Browse({ address, change }: BrowseProps) {
  const { resource, again } = useResource(`metrics ${rangeKey(address)} ${address.match}`, () =>
    loadMetrics(address.range, address.match),
  );
  const { data, error } = resource;
  const found = useMemo(
    () => (data === undefined ? [] : findMetrics(data, address.find, address.type)),
    [data, address.find, address.type],
  );
  return (
    <>
      <Search address={address} change={change} metrics={data ?? []} found={found.length} />
      {data === undefined && error !== undefined && <Failure error={error} again={again} />}
      {data === undefined && error === undefined && <Loading what="metrics" />}
      {data !== undefined && <Stale error={error} again={again} />}
      {data !== undefined && found.length === 0 && (
        <Nothing address={address} change={change} isAny={data.length > 0} />
      )}
      {found.length > 0 && <Cards metrics={found} address={address} change={change} />}
    </>
  );
}

function Search({
  address,
  change,
  metrics,
  found,
}: BrowseProps & { metrics: readonly Metric[]; found: number }) {
  const types = useMemo(() => {
    const counts = new Map<string, number>();
    for (const { type } of metrics) {
      counts.set(type, (counts.get(type) ?? 0) + 1);
    }
    return [...counts].sort(([a], [b]) => (a < b ? -1 : 1));
  }, [metrics]);
  return (
    // biome-ignore lint/a11y/useSemanticElements: the search element is too new for the browsers we build for
    <div class="browse-tools" role="search">
      <div class="find">
        <Icon name="search" size={14} />
        <input
          id="metrics-find"
          type="search"
          placeholder="Find a metric by its name or help"
          aria-label="Find a metric"
          autocomplete="off"
          spellcheck={false}
          value={address.find}
          onInput={(event) => change({ find: event.currentTarget.value }, "replace")}
        />
      </div>
      <select
        class="field"
        aria-label="Type"
        value={address.type}
        onChange={(event) => change({ type: event.currentTarget.value }, "replace")}
      >
        <option value="">All types</option>
        {types.map(([type, count]) => (
          <option key={type} value={type}>
            {type} ({count})
          </option>
        ))}
      </select>
      {address.match !== "" && (
        <span class="tag">
          <span class="tag-text">{address.match}</span>
          <button
            type="button"
            aria-label="All metrics, not only those with such series"
            onClick={() => change({ match: "" })}
          >
            <Icon name="close" size={11} />
          </button>
        </span>
      )}
      <span class="quiet" role="status">
        {found === metrics.length
          ? plural(found, "metric")
          : `${formatCount(found)} of ${formatCount(metrics.length)}`}
      </span>
    </div>
  );
}

function Nothing({ address, change, isAny }: BrowseProps & { isAny: boolean }) {
  if (isAny) {
    return (
      <Empty title="No metric matches">
        <p>Every word has to be in a metric's name or help.</p>
        <div class="state-actions">
          <button type="button" class="button primary" onClick={() => change({ find: "", type: "" })}>
            Show all
          </button>
        </div>
      </Empty>
    );
  }
  return (
    <Empty title="No metrics in this time range">
      <p>
        {address.match === ""
          ? "Nothing has been scraped, written or exported here. Setup tells how."
          : `No series match ${address.match} in this time range.`}
      </p>
      <div class="state-actions">
        {address.match !== "" && (
          <button type="button" class="button primary" onClick={() => change({ match: "" })}>
            All metrics
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => change({ range: { kind: "last", seconds: 86_400 } })}
        >
          Look at the last day
        </button>
        <a class="button" href="/setup">
          Setup
        </a>
      </div>
    </Empty>
  );
}

function Cards({ metrics, address, change }: BrowseProps & { metrics: Metric[] }) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const columns = Math.max(1, Math.floor(width / CARD_LEAST));
  return (
    <div ref={box} class="cards-box">
      {width > 0 && (
        <Virtual
          class="cards"
          role="group"
          label="Metrics"
          rows={Math.ceil(metrics.length / columns)}
          rowHeight={ROW}
          at={-1}
          render={(row) => (
            <div
              key={row}
              class="cards-row"
              style={{ gridTemplateColumns: `repeat(${columns}, minmax(0, 1fr))` }}
            >
              {metrics.slice(row * columns, (row + 1) * columns).map((metric) => (
                <Card
                  key={metric.name}
                  metric={metric}
                  selector={address.match}
                  choose={(query) =>
                    change({ ...NO_METRICS, query, range: address.range, match: address.match })
                  }
                />
              ))}
            </div>
          )}
        />
      )}
    </div>
  );
}

const UNITS: Record<string, Unit> = { s: "seconds", bytes: "bytes", ratio: "ratio" };

function lastValue(metric: Metric, figures: Figures): string {
  const unit = UNITS[metric.unit] ?? "none";
  switch (metric.type) {
    case "histogram":
    case "summary":
      return `${formatCount(figures.sum)} observed`;
    case "counter":
      return `${formatValue(figures.sum, unit)} in all`;
    default: {
      const [low, high] = [formatValue(figures.low, unit), formatValue(figures.high, unit)];
      return low === high ? low : `${low} to ${high}`;
    }
  }
}

interface CardProps {
  metric: Metric;
  selector: string;
  choose: (query: string) => void;
}

function Card({ metric, selector, choose }: CardProps) {
  const figures = useFigures(metric, selector);
  const { name, type, unit, help } = metric;
  const offers: [string, string][] =
    type === "histogram" && isClassic(metric)
      ? [
          ["p95", queryFor(metric, selector)],
          ["rate", `rate(${name}_count${selector}[1m])`],
        ]
      : [];
  return (
    <article class="metric-card">
      <h2>
        <button
          type="button"
          class="metric-name"
          title={name}
          onClick={() => choose(queryFor(metric, selector))}
        >
          {name}
        </button>
      </h2>
      <p class="metric-help" title={help}>
        {help === "" ? <span class="quiet">Nobody has told what it means.</span> : help}
      </p>
      <p class="metric-facts">
        <span class={`metric-type metric-type-${type}`}>{type}</span>
        {unit !== "" && <span class="quiet">{unit}</span>}
        {figures !== undefined && figures !== "none" && (
          <>
            <span class="quiet">{plural(figures.series, "series", "series")}</span>
            <b class="figure">{lastValue(metric, figures)}</b>
          </>
        )}
        {figures === "none" && <span class="quiet">no value now</span>}
        {offers.map(([word, query]) => (
          <button key={word} type="button" class="metric-offer" title={query} onClick={() => choose(query)}>
            {word}
          </button>
        ))}
      </p>
    </article>
  );
}
