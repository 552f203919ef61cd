// The services and the calls between them, asynchronous hops included; as a drawing or as a table.
import { useMemo } from "preact/hooks";
import { getGraph, graphRequest } from "../api/calls.ts";
import { plural } from "../model/count.ts";
import { type ServiceGraph, withErrors } from "../model/graph.ts";
import { formatDate, formatLength, MILLISECOND } from "../model/time.ts";
import { CopyCurl } from "../parts/copy.tsx";
import { Icon } from "../parts/icons.tsx";
import { useMedia } from "../parts/media.ts";
import { RangePicker } from "../parts/range.tsx";
import { Empty, Failure, Loading, Notice, Stale } from "../parts/states.tsx";
import { decodeGraph, encodeGraph, GRAPH_SECONDS, type GraphAddress } from "../state/addresses.ts";
import { place, put } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { Drawing } from "./graph/drawing.tsx";
import { Legend } from "./graph/legend.tsx";
import { Tables } from "./graph/tables.tsx";

type Form = NonNullable<GraphAddress["as"]>;

const FORMS: [Form, string][] = [
  ["graph", "Graph"],
  ["tree", "Tree"],
  ["table", "Table"],
];

export function GraphPage() {
  const address = decodeGraph(place.value.params);
  const isNarrow = useMedia("(max-width: 760px)");
  const form = address.as ?? (isNarrow ? "table" : "graph");
  const change = (part: Partial<GraphAddress>) => put(encodeGraph({ ...address, ...part }), "push");
  const question = encodeGraph({ ...address, as: undefined, errorsOnly: false }).toString();
  const { resource, again } = useResource(question, (cancelled) =>
    getGraph({ ...address, errorsOnly: false }, cancelled),
  );
  const { data, error, isLoading } = resource;
  const graph = useMemo(
    () => (data !== undefined && address.errorsOnly ? withErrors(data) : data),
    [data, address.errorsOnly],
  );
  useShortcuts("Graph", [
    { keys: ["e"], does: "Errors only, or all", run: () => change({ errorsOnly: !address.errorsOnly }) },
    { keys: ["v"], does: "Graph, tree, table", run: () => change({ as: nextForm(form) }) },
    { keys: ["r"], does: "Ask again", run: again },
  ]);
  return (
    <main class="page page-fixed" id="main">
      <header class="page-head">
        <h1>Service graph</h1>
        <div class="page-tools">
          <fieldset class="segments">
            <legend class="off-screen">Shown as</legend>
            {FORMS.map(([offered, title]) => (
              <button
                key={offered}
                type="button"
                aria-pressed={form === offered}
                onClick={() => change({ as: offered })}
              >
                {title}
              </button>
            ))}
          </fieldset>
          <label class={`toggle ${address.errorsOnly ? "on" : ""}`} title="Errors only (e)">
            <input
              type="checkbox"
              checked={address.errorsOnly}
              onChange={(event) => change({ errorsOnly: event.currentTarget.checked })}
            />
            <Icon name="error" size={14} /> Errors only
          </label>
          <RangePicker
            range={address.range}
            fallbackSeconds={GRAPH_SECONDS}
            onChange={(range) => change({ range })}
          />
          <CopyCurl request={() => graphRequest(address, Date.now())} />
          <button type="button" class="button" onClick={again} title="Ask again (r)" aria-busy={isLoading}>
            <Icon name={isLoading ? "clock" : "again"} />
            <span class="wide-only">Refresh</span>
          </button>
        </div>
      </header>
      {graph === undefined && error !== undefined && <Failure error={error} again={again} />}
      {graph === undefined && error === undefined && <Loading what="the graph" />}
      {graph !== undefined && <Stale error={error} again={again} />}
      {graph !== undefined && graph.nodes.length === 0 && <Nothing address={address} change={change} />}
      {graph !== undefined && graph.nodes.length > 0 && <Shown graph={graph} form={form} address={address} />}
    </main>
  );
}

interface PartProps {
  address: GraphAddress;
  change: (part: Partial<GraphAddress>) => void;
}

function Shown({ graph, form, address }: { graph: ServiceGraph; form: Form; address: GraphAddress }) {
  return (
    <>
      {graph.onlySince !== null && (
        <Notice tone="warning">
          There are too many spans in this time range: only those since {formatDate(graph.onlySince, false)}{" "}
          were counted, and rates are of the time since then.
        </Notice>
      )}
      {graph.truncated && (
        <Notice tone="warning">
          There are more spans or services than can be told apart: calls are estimated from a part of the
          traces. Choose a shorter time range.
        </Notice>
      )}
      {form === "table" ? (
        <Tables graph={graph} address={address} />
      ) : (
        <Drawing graph={graph} direction={form === "tree" ? "TB" : "LR"} address={address} />
      )}
      <Legend />
      <p class="quiet graph-foot">
        {plural(graph.nodes.length, "service")}, {plural(graph.edges.length, "connection")}, counted in{" "}
        {formatLength(graph.elapsedMs * MILLISECOND)}
      </p>
    </>
  );
}

function nextForm(as: Form): Form {
  const at = FORMS.findIndex(([form]) => form === as);
  return FORMS[(at + 1) % FORMS.length]?.[0] ?? "graph";
}

function Nothing({ address, change }: PartProps) {
  return (
    <Empty
      icon="graph"
      title={address.errorsOnly ? "No errors in this time range" : "No calls in this time range"}
    >
      <p>
        {address.errorsOnly
          ? "Nothing that was called has failed."
          : "The graph is made from spans: none have arrived in this time range."}
      </p>
      <div class="state-actions">
        {address.errorsOnly && (
          <button type="button" class="button primary" onClick={() => change({ errorsOnly: false })}>
            Show all calls
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => change({ range: { kind: "last", seconds: 86_400 } })}
        >
          Look at the last 24 hours
        </button>
        {!address.errorsOnly && (
          <a class="button" href="/setup">
            Setup
          </a>
        )}
      </div>
    </Empty>
  );
}
