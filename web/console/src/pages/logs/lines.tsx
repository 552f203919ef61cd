// The lines, one a row, beside what they have in common and what one of them says in full.
import { useSignal } from "@preact/signals";
import { useMemo } from "preact/hooks";
import type { DetectedField } from "../../api/loki.ts";
import { facetsOf, type LogLine, serviceOf, summaryOf, traceOfLine } from "../../model/logs.ts";
import { formatClock, formatDate } from "../../model/time.ts";
import { Icon } from "../../parts/icons.tsx";
import { LevelMark } from "../../parts/level.tsx";
import { useMedia } from "../../parts/media.ts";
import { ServiceChip } from "../../parts/service.tsx";
import { Virtual } from "../../parts/virtual.tsx";
import type { LogsAddress } from "../../state/addresses/logs.ts";
import { decodeTrace, encodeTrace } from "../../state/addresses.ts";
import { address as addressOf } from "../../state/location.ts";
import type { Change } from "../logs.tsx";
import { LineDetail } from "./detail.tsx";
import { Facets } from "./facets.tsx";

const ROW = 26;
const ROW_NARROW = 50;

/** The line's trace, at the moment of the line and the span that wrote it. */
export function traceAddress(line: LogLine): string {
  const { traceId, spanId } = traceOfLine(line);
  const params = encodeTrace({
    ...decodeTrace(new URLSearchParams()),
    span: spanId,
    isOpen: spanId !== "",
    at: line.at,
  });
  return addressOf(`/trace/${traceId}`, params);
}

interface LinesProps {
  address: LogsAddress;
  change: Change;
  lines: LogLine[];
  fields: DetectedField[];
}

export function Lines({ address, change, lines, fields }: LinesProps) {
  const isNarrow = useMedia("(max-width: 760px)");
  const isFacets = useSignal(false);
  const facets = useMemo(() => facetsOf(lines), [lines]);
  const at = lines.findIndex(({ id }) => id === address.line);
  const line = lines[at];
  const isOpen = address.isOpen && line !== undefined;
  const services = useMemo(() => new Set(lines.map(serviceOf)).size, [lines]);
  return (
    <div class={`logs-body ${isOpen ? "with-detail" : ""} ${isFacets.value ? "with-facets" : ""}`}>
      <button
        type="button"
        class="button facets-toggle"
        aria-expanded={isFacets.value}
        onClick={() => (isFacets.value = !isFacets.value)}
      >
        <Icon name="filter" /> Fields
      </button>
      <Facets facets={facets} fields={fields} lines={lines.length} address={address} change={change} />
      <Virtual
        class="lines"
        role="grid"
        label="Lines"
        rows={lines.length}
        rowHeight={isNarrow ? ROW_NARROW : ROW}
        at={at}
        active={line && `line-${line.id}`}
        render={(row) => {
          const shown = lines[row];
          return (
            shown && (
              <Row
                key={`${shown.id} ${row}`}
                line={shown}
                isAt={row === at}
                withService={services > 1}
                choose={() => change({ line: shown.id, isOpen: true }, "replace")}
              />
            )
          );
        }}
      />
      {isOpen && <LineDetail line={line} address={address} change={change} />}
    </div>
  );
}

interface RowProps {
  line: LogLine;
  isAt: boolean;
  withService: boolean;
  choose: () => void;
}

function Row({ line, isAt, withService, choose }: RowProps) {
  const { traceId } = traceOfLine(line);
  const service = serviceOf(line);
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the list has the keys
    // biome-ignore lint/a11y/useFocusableInteractive: the list has the focus
    // biome-ignore lint/a11y/useSemanticElements: a table cannot be drawn in part
    <div
      id={`line-${line.id}`}
      class={`line line-${line.level} ${isAt ? "at" : ""}`}
      role="row"
      aria-selected={isAt}
      onClick={choose}
    >
      {/* biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus */}
      {/* biome-ignore lint/a11y/useSemanticElements: a table cannot be drawn in part */}
      <span role="gridcell" class="line-cell">
        <time class="line-time figure" title={formatDate(line.at)}>
          {formatClock(line.at, true)}
        </time>
        <LevelMark level={line.level} />
        {withService && <ServiceChip name={service} />}
        <span class="line-text">
          {line.text === "" ? <i class="quiet">empty line</i> : line.text}
          {summaryOf(line).map(([key, value]) => (
            <span key={key} class="line-field">
              {" "}
              {key}=<b>{value}</b>
            </span>
          ))}
        </span>
      </span>
      {traceId !== "" && (
        // biome-ignore lint/a11y/useFocusableInteractive: the grid has the focus
        // biome-ignore lint/a11y/useSemanticElements: a table cannot be drawn in part
        <span role="gridcell" class="line-cell">
          <a
            class="line-trace"
            href={traceAddress(line)}
            title={`Open the trace ${traceId.slice(0, 8)}… (o)`}
            aria-label={`Open the trace of this line, ${traceId.slice(0, 8)}`}
            onClick={(event) => event.stopPropagation()}
            tabIndex={-1}
          >
            <Icon name="traces" size={14} />
          </a>
        </span>
      )}
    </div>
  );
}
