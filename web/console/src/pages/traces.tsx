// Search for traces: filters, a field of dots, and the list. All of it in the address.
import { useMemo } from "preact/hooks";
import { getTraces, searchRequest } from "../api/calls.ts";
import { plural } from "../model/count.ts";
import { type Order, type SearchResult, sorted, type TraceSummary } from "../model/search.ts";
import { formatLength, MILLISECOND } from "../model/time.ts";
import { CopyCurl } from "../parts/copy.tsx";
import { Icon } from "../parts/icons.tsx";
import { Empty, Failure, Loading, Notice, Stale } from "../parts/states.tsx";
import { decodeSearch, EVERYTHING, encodeSearch, type SearchAddress } from "../state/addresses.ts";
import { address as addressOf, go, place, put } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { Filters } from "./traces/filters.tsx";
import { Results } from "./traces/results.tsx";
import { Scatter } from "./traces/scatter.tsx";

const ORDERS: [Order, string][] = [
  ["newest", "Newest first"],
  ["longest", "Longest first"],
  ["errors", "Most errors first"],
];

/** What the server is asked depends on these, and not on how the answer is shown. */
function questionOf(address: SearchAddress): string {
  return encodeSearch({ ...address, order: "newest", at: "" }).toString();
}

export function TracesPage() {
  const address = decodeSearch(place.value.params);
  const change = (part: Partial<SearchAddress>, how: "push" | "replace" = "push") =>
    put(encodeSearch({ ...address, ...part }), how);
  const { resource, again } = useResource(questionOf(address), async (cancelled) => {
    const askedMs = Date.now();
    return { askedMs, result: await getTraces(address, cancelled) };
  });
  const { data, error, isLoading } = resource;
  const traces = useMemo(
    () => (data === undefined ? [] : sorted(data.result.traces, address.order)),
    [data, address.order],
  );
  const at = traces.findIndex((trace) => trace.traceId === address.at);

  const step = (by: number) => {
    // Keys may come faster than the page is drawn: where we are is asked of the address.
    const here = traces.findIndex((trace) => trace.traceId === place.peek().params.get("at"));
    const next = traces[here < 0 ? 0 : Math.min(traces.length - 1, Math.max(0, here + by))];
    if (next !== undefined) {
      change({ at: next.traceId }, "replace");
    }
  };
  useShortcuts("Traces", [
    { keys: ["j", "ArrowDown"], does: "Next trace", run: () => step(1) },
    { keys: ["k", "ArrowUp"], does: "Previous trace", run: () => step(-1) },
    { keys: ["Enter"], does: "Open the trace", run: () => at >= 0 && open(traces[at]) },
    { keys: ["e"], does: "Errors only, or all", run: () => change({ errors: !address.errors }) },
    { keys: ["r"], does: "Search again", run: again },
    { keys: ["f"], does: "To the filters", run: () => document.getElementById("filter-service")?.focus() },
  ]);

  return (
    <main class="page page-fixed" id="main">
      <header class="page-head">
        <h1>Traces</h1>
        <div class="page-tools">
          <CopyCurl request={() => searchRequest(address, Date.now())} />
          <button
            type="button"
            class="button primary"
            onClick={again}
            title="Search again (r)"
            aria-busy={isLoading}
          >
            <Icon name={isLoading ? "clock" : "again"} />
            Search
          </button>
        </div>
      </header>
      <Filters address={address} change={change} />
      {data === undefined && error !== undefined && <Failure error={error} again={again} />}
      {data === undefined && error === undefined && <Loading what="traces" />}
      {data !== undefined && <Stale error={error} again={again} />}
      {data !== undefined && traces.length === 0 && <Nothing address={address} change={change} />}
      {data !== undefined && traces.length > 0 && (
        <>
          <Scatter traces={traces} address={address} change={change} at={at} nowMs={data.askedMs} />
          <Summary result={data.result} address={address} change={change} />
          <Results traces={traces} at={at} />
        </>
      )}
    </main>
  );
}

function open(trace: TraceSummary | undefined): void {
  if (trace !== undefined) {
    go(`/trace/${trace.traceId}`);
  }
}

interface PartProps {
  address: SearchAddress;
  change: (part: Partial<SearchAddress>) => void;
}

function Summary({ result, address, change }: PartProps & { result: SearchResult }) {
  return (
    <>
      {result.truncated && (
        <Notice tone="warning">
          More traces match than are shown: these are the newest. Raise the limit, or narrow the time range or
          filters.
        </Notice>
      )}
      <div class="list-head">
        <span>
          <strong>{plural(result.traces.length, "trace")}</strong>
          <span class="quiet"> in {formatLength(result.elapsedMs * MILLISECOND)}</span>
        </span>
        <select
          class="field"
          aria-label="Order"
          value={address.order}
          onChange={(event) => change({ order: event.currentTarget.value as Order })}
        >
          {ORDERS.map(([order, title]) => (
            <option key={order} value={order}>
              {title}
            </option>
          ))}
        </select>
      </div>
    </>
  );
}

function Nothing({ address, change }: PartProps) {
  const isFiltered = questionOf({ ...address, range: EVERYTHING.range }) !== "";
  return (
    <Empty title="No traces found">
      <p>
        {isFiltered
          ? "None in this time range match the filters."
          : "None have arrived in this time range. Is something sending spans?"}
      </p>
      <div class="state-actions">
        {isFiltered && (
          <a
            class="button primary"
            href={addressOf("/traces", encodeSearch({ ...EVERYTHING, range: address.range }))}
          >
            Clear the filters
          </a>
        )}
        <button
          type="button"
          class="button"
          onClick={() => change({ range: { kind: "last", seconds: 7 * 86_400 } })}
        >
          Look at the last 7 days
        </button>
        {!isFiltered && (
          <a class="button" href="/setup">
            Setup
          </a>
        )}
      </div>
    </Empty>
  );
}
