// The traces that were found, one a row.

import { useMemo } from "preact/hooks";
import { plural } from "../../model/count.ts";
import { barScale, type TraceSummary } from "../../model/search.ts";
import { formatAgo, formatDate, formatLength, fromMilliseconds } from "../../model/time.ts";
import { Errors } from "../../parts/errors.tsx";
import { Icon } from "../../parts/icons.tsx";
import { useMedia } from "../../parts/media.ts";
import { ServiceChip, serviceClass } from "../../parts/service.tsx";
import { Virtual } from "../../parts/virtual.tsx";

const CHIPS = 6;

interface RowProps {
  trace: TraceSummary;
  isAt: boolean;
  longest: number;
  now: bigint;
}

function Row({ trace, isAt, longest, now }: RowProps) {
  const more = trace.services.length - CHIPS;
  const share = Math.min(1, Math.max(0.008, trace.duration / longest));
  return (
    <a
      id={`trace-${trace.traceId}`}
      class={`result ${isAt ? "at" : ""} ${trace.errors > 0 ? "with-errors" : ""} ${serviceClass(trace.rootService)}`}
      href={`/trace/${trace.traceId}`}
      role="option"
      aria-selected={isAt}
      tabIndex={-1}
    >
      <span class="result-name">
        <span class="swatch" />
        <span class="result-service">{trace.rootService || "(service unknown)"}</span>
        <strong>{trace.rootName || "(root not here)"}</strong>
        {(trace.isPartial || trace.missingRoot) && (
          <span
            class="partial"
            title={trace.missingRoot ? "Its first span is not here" : "Some spans are not here"}
          >
            <Icon name="warning" size={12} /> partial
          </span>
        )}
      </span>
      <span class="result-chips">
        {trace.services.slice(0, CHIPS).map((service) => (
          <ServiceChip key={service.name} name={service.name} count={service.spans} errors={service.errors} />
        ))}
        {more > 0 && <span class="chip chip-more">+{more}</span>}
      </span>
      <span class="result-duration">
        <span class="result-bar">
          <span class={trace.duration > longest ? "beyond" : ""} style={{ width: `${share * 100}%` }} />
        </span>
        <span class="figure">{formatLength(trace.duration)}</span>
      </span>
      <span class="result-facts">
        <Errors count={trace.errors} />
        <span class="quiet">{plural(trace.spans, "span")}</span>
      </span>
      <time class="result-time quiet" title={formatDate(trace.start)}>
        {formatAgo(trace.start, now)}
      </time>
    </a>
  );
}

export function Results({ traces, at }: { traces: TraceSummary[]; at: number }) {
  const isNarrow = useMedia("(max-width: 760px)");
  const longest = useMemo(() => barScale(traces), [traces]);
  const now = fromMilliseconds(Date.now());
  const active = traces[at]?.traceId;
  return (
    <Virtual
      class="results"
      label="Traces"
      rows={traces.length}
      rowHeight={isNarrow ? 104 : 64}
      at={at}
      active={active === undefined ? undefined : `trace-${active}`}
      render={(row) => {
        const trace = traces[row];
        return (
          trace && <Row key={trace.traceId} trace={trace} isAt={row === at} longest={longest} now={now} />
        );
      }}
    />
  );
}
