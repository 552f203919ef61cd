// One trace: header, minimap, waterfall and the details of a span.
import { getTrace, traceRequest } from "../api/calls.ts";
import { plural } from "../model/count.ts";
import { formatClock } from "../model/time.ts";
import type { Trace } from "../model/trace.ts";
import { Empty, Failure, Loading, Notice } from "../parts/states.tsx";
import { useResource } from "../state/resource.ts";
import { Detail } from "./trace/detail.tsx";
import { Header } from "./trace/header.tsx";
import { Minimap } from "./trace/minimap.tsx";
import { Toolbar } from "./trace/toolbar.tsx";
import { useTraceKeys, useTraceView } from "./trace/view.ts";
import { Waterfall } from "./trace/waterfall.tsx";

export function TracePage({ traceId }: { traceId: string }) {
  const { resource, again } = useResource(traceId, (cancelled) => getTrace(traceId, cancelled), {
    forget: true,
  });
  const { data, error } = resource;
  if (data !== undefined && data.spans.length > 0) {
    return <Shown trace={data} />;
  }
  return (
    <main class="page" id="main">
      <header class="page-head">
        <h1>Trace</h1>
        <code class="quiet trace-id">{traceId}</code>
      </header>
      {error !== undefined && (
        <Failure
          error={error}
          again={again}
          {...(error.trouble === "missing" ? { title: "This trace is not here" } : {})}
        >
          <a class="button" href="/traces">
            Search for traces
          </a>
        </Failure>
      )}
      {error === undefined && data === undefined && <Loading what="the trace" rows={14} />}
      {data !== undefined && (
        <Empty title="No spans of this trace are here">
          <a class="button" href="/traces">
            Search for traces
          </a>
        </Empty>
      )}
    </main>
  );
}

function Shown({ trace }: { trace: Trace }) {
  const view = useTraceView(trace);
  useTraceKeys(view);
  const span = view.selected < 0 ? undefined : trace.spans[view.selected];
  const isOpen = view.address.isOpen && span !== undefined;
  return (
    <main class={`page page-fixed trace-page ${isOpen ? "with-detail" : ""}`} id="main">
      <div class="trace-main">
        <Header trace={trace} view={view} request={traceRequest(trace.traceId)} />
        <Notices trace={trace} />
        <Toolbar trace={trace} view={view} />
        <Minimap trace={trace} view={view} />
        <Waterfall trace={trace} view={view} />
      </div>
      {isOpen && <Detail trace={trace} span={span} view={view} />}
    </main>
  );
}

function Notices({ trace }: { trace: Trace }) {
  const { evicted, missingSpans, isTruncated, spans } = trace;
  return (
    <>
      {evicted.length > 0 && (
        <Notice tone="warning">
          Part of this trace was removed to stay within the store's limits:{" "}
          {evicted.map(({ at, service }) => `${service} at ${formatClock(at)}`).join(", ")}. To keep traces
          longer, raise the store's limit of bytes or its retention.
        </Notice>
      )}
      {missingSpans > 0 && (
        <Notice tone="warning">
          {plural(missingSpans, "span")}{" "}
          {missingSpans === 1 ? "is named as a parent and is" : "are named as parents and are"} not here: not
          sampled, not sent yet, or lost. What is below is shown at the outermost level, marked “parent not
          here”.
        </Notice>
      )}
      {isTruncated && (
        <Notice tone="warning">
          Only the first {plural(spans.length, "span")} are shown: this trace has more. Search with a tag or
          an operation to find the part you need.
        </Notice>
      )}
    </>
  );
}
