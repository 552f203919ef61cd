// Whose trace it is, how long it took, and which services had a part in that.
import type { Request } from "../../api/calls.ts";
import { formatShare, plural } from "../../model/count.ts";
import { formatAgo, formatDate, formatLength, fromMilliseconds } from "../../model/time.ts";
import { criticalByService, type Trace } from "../../model/trace.ts";
import { Copy, CopyCurl } from "../../parts/copy.tsx";
import { Errors } from "../../parts/errors.tsx";
import { Icon } from "../../parts/icons.tsx";
import { ServiceChip, serviceClass } from "../../parts/service.tsx";
import { encodeLogs, NO_LOGS, queryOfTrace } from "../../state/addresses/logs.ts";
import { encodeMetrics, NO_METRICS, selectorOfService } from "../../state/addresses/metrics.ts";
import { address } from "../../state/location.ts";
import type { Range } from "../../state/range.ts";
import type { TraceView } from "./view.ts";

/** Lines may come late, and metrics are sampled: both are looked at a little around the trace. */
const AROUND_LOGS_NS = 5_000_000_000n;
const AROUND_METRICS_NS = 900_000_000_000n;

function around(trace: Trace, by: bigint): Range {
  const end = trace.start + BigInt(Math.ceil(trace.duration));
  return { kind: "between", from: trace.start - by, to: end + by };
}

export function logsOf(trace: Trace, spanId = ""): string {
  const range = around(trace, AROUND_LOGS_NS);
  const query = queryOfTrace(trace.traceId, spanId);
  return address("/logs", encodeLogs({ ...NO_LOGS, query, range, order: "oldest" }));
}

export function metricsOf(
  trace: Trace,
  service = trace.services[trace.spans[0]?.service ?? 0]?.name ?? "",
): string {
  const range = around(trace, AROUND_METRICS_NS);
  return address(
    "/metrics-explorer",
    encodeMetrics({ ...NO_METRICS, match: selectorOfService(service), range }),
  );
}

export function Header({ trace, view, request }: { trace: Trace; view: TraceView; request: Request }) {
  const root = trace.spans[0];
  return (
    <header class="trace-head">
      <div class="trace-title">
        <a class="icon-button" href="/traces" title="To the search (u)" aria-label="To the search for traces">
          <Icon name="left" />
        </a>
        <h1>
          <span class="quiet">{trace.services[root?.service ?? 0]?.name}</span> {root?.name}
        </h1>
        <div class="page-tools">
          <a class="button" href={logsOf(trace)} title="Log lines of this trace">
            <Icon name="logs" /> <span class="copy-text">Logs</span>
          </a>
          <a class="button" href={metricsOf(trace)} title="Metrics of its first service at its time">
            <Icon name="metrics" /> <span class="copy-text">Metrics</span>
          </a>
          <CopyCurl request={() => request} />
          <a
            class="button"
            href={request.path}
            download={`trace-${trace.traceId}.json`}
            title="Download as JSON"
          >
            <Icon name="download" /> <span class="copy-text">JSON</span>
          </a>
        </div>
      </div>
      <ul class="trace-facts">
        <li>
          <strong class="figure">{formatLength(trace.duration)}</strong>
        </li>
        <li>
          {trace.spans.length.toLocaleString("en-US")} {trace.spans.length === 1 ? "span" : "spans"}
        </li>
        <li>{plural(trace.services.length, "service")}</li>
        <li>
          {trace.errors > 0 ? (
            <button
              type="button"
              class="link"
              title="Next error (e)"
              onClick={() => view.jump(view.errors, 1)}
            >
              <Errors count={trace.errors} />
            </button>
          ) : (
            <Errors count={0} />
          )}
        </li>
        <li title={formatAgo(trace.start, fromMilliseconds(Date.now()))}>
          <span class="quiet">started</span> {formatDate(trace.start)}
        </li>
        <li class="trace-id">
          <code>{trace.traceId}</code>
          <Copy text={trace.traceId} label="Copy the trace id" />
        </li>
      </ul>
      <Shares trace={trace} />
    </header>
  );
}

/** Which service the whole waited for, and how long: the critical path summed by service. */
function Shares({ trace }: { trace: Trace }) {
  const lengths = criticalByService(trace);
  const whole = lengths.reduce((sum, length) => sum + length, 0);
  const shares = trace.services
    .map((service, at) => ({
      ...service,
      share: whole === 0 ? 0 : (lengths[at] ?? 0) / whole,
      length: lengths[at] ?? 0,
    }))
    .sort((a, b) => b.share - a.share);
  return (
    <div class="shares">
      {whole > 0 && (
        <div
          class="shares-bar"
          role="img"
          aria-label="Shares of the critical path, as in the list that follows"
        >
          {shares
            .filter(({ share }) => share > 0)
            .map(({ name, share, length }) => (
              <span
                key={name}
                class={serviceClass(name)}
                style={{ flexGrow: String(share) }}
                title={`${name}: ${formatShare(share)} of the critical path, ${formatLength(length)}`}
              />
            ))}
        </div>
      )}
      <ul class="shares-list" title="Share of the critical path · spans">
        {shares.map(({ name, spans, share, length }) => (
          <li key={name} title={`${plural(spans, "span")}; ${formatLength(length)} of the critical path`}>
            <ServiceChip name={name} count={spans} />
            {whole > 0 && <span class="figure quiet">{formatShare(share)}</span>}
          </li>
        ))}
      </ul>
    </div>
  );
}
