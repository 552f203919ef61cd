// One span: its name within the tree, its bar within time.
import { criticalPieces, hopOf, indentOf, type Piece, pieceOf } from "../../layout/waterfall.ts";
import { formatCount } from "../../model/count.ts";
import { formatLength } from "../../model/time.ts";
import type { Span, Trace } from "../../model/trace.ts";
import { Icon } from "../../parts/icons.tsx";
import { serviceClass } from "../../parts/service.tsx";
import type { TraceView } from "./view.ts";

interface RowProps {
  span: Span;
  trace: Trace;
  view: TraceView;
}

const percent = (share: number) => `${(share * 100).toFixed(4)}%`;

export function SpanRow({ span, trace, view }: RowProps) {
  const { index } = span;
  const parent = trace.spans[trace.tree.parents[index] ?? -1];
  const service = trace.services[span.service]?.name ?? "";
  const isSelected = index === view.selected;
  const isFinding = view.address.find.trim() !== "";
  const classes = [
    "span-row",
    serviceClass(service),
    isSelected && "selected",
    span.status === "error" && "failed",
    isFinding && (view.isFound(index) ? "found" : "not-found"),
  ];
  return (
    // biome-ignore lint/a11y/useKeyWithClickEvents: the keys of the page move and open
    // biome-ignore lint/a11y/useFocusableInteractive: the tree has the focus and names the active row
    <div
      id={`span-${index}`}
      class={classes.filter(Boolean).join(" ")}
      role="treeitem"
      aria-level={span.depth + 1}
      aria-selected={isSelected}
      aria-expanded={span.children > 0 ? !view.isClosed(index) : undefined}
      onClick={() => view.select(index, true)}
    >
      <Name span={span} parent={parent} service={service} trace={trace} view={view} />
      <Lane span={span} parent={parent} view={view} />
    </div>
  );
}

function Name({
  span,
  parent,
  service,
  trace,
  view,
}: RowProps & { parent: Span | undefined; service: string }) {
  const isOther = parent === undefined || parent.service !== span.service;
  return (
    <div class="span-name" title={`${service}: ${span.name}`}>
      <span
        class={`indent ${span.isAsync ? "indent-async" : ""}`}
        style={{ width: `${indentOf(span.depth)}px` }}
      />
      {span.children > 0 ? <Opener span={span} trace={trace} view={view} /> : <span class="leaf" />}
      <span class="swatch" />
      {span.status === "error" && (
        <span class="errors" role="img" aria-label="Error">
          <Icon name="error" size={13} />
        </span>
      )}
      {span.isAsync && (
        <span
          class="hop-mark"
          role="img"
          aria-label="Asynchronous"
          title="Asynchronous: nothing above waits for it"
        >
          <Icon name="hop" size={12} />
        </span>
      )}
      {isOther && <span class="span-service">{service}</span>}
      <span class="span-operation">{span.name}</span>
      {span.isMissingParent && (
        <span class="partial" title={`Its parent ${span.parentId ?? ""} is not above it`}>
          <Icon name="warning" size={12} /> parent not here
        </span>
      )}
    </div>
  );
}

function Opener({ span, trace, view }: RowProps) {
  const isClosed = view.isClosed(span.index);
  const below = (trace.tree.ends[span.index] ?? 0) - span.index - 1;
  return (
    <button
      type="button"
      class={`opener ${isClosed ? "closed" : ""}`}
      tabIndex={-1}
      aria-label={isClosed ? `Open, ${below} spans below` : "Close"}
      title={`${below} ${below === 1 ? "span" : "spans"} below`}
      onClick={(event) => {
        event.stopPropagation();
        view.toggle(span.index);
      }}
    >
      <Icon name={isClosed ? "right" : "down"} size={10} />
      {formatCount(isClosed ? below : span.children)}
    </button>
  );
}

/** Beside the bar where there is room, else before it, else on it. */
function labelPlace(piece: Piece): { class: string; style: Record<string, string> } {
  const end = piece.left + piece.width;
  if (end < 0.84) {
    return { class: "bar-label", style: { left: percent(end) } };
  }
  if (piece.left > 0.16) {
    return { class: "bar-label bar-label-before", style: { right: percent(1 - piece.left) } };
  }
  return { class: "bar-label bar-label-on", style: { right: percent(1 - end) } };
}

function Lane({ span, parent, view }: { span: Span; parent: Span | undefined; view: TraceView }) {
  const piece = pieceOf(span.start, span.duration, view.viewport);
  const hop = hopOf(span, parent, view.viewport);
  const critical = view.address.critical ? criticalPieces(span.criticalPath, view.viewport) : [];
  const label = piece && labelPlace(piece);
  return (
    <div class="span-lane">
      {hop && <span class="hop" style={{ left: percent(hop.left), width: percent(hop.width) }} />}
      {piece && <span class="bar" style={{ left: percent(piece.left), width: percent(piece.width) }} />}
      {critical.map(({ left, width }) => (
        <span key={left} class="critical" style={{ left: percent(left), width: percent(width) }} />
      ))}
      {label && (
        <span class={label.class} style={label.style}>
          {formatLength(span.duration)}
        </span>
      )}
      {piece === undefined && (
        <span class={`outside ${span.start > view.viewport.to ? "outside-after" : ""}`}>
          <Icon name={span.start > view.viewport.to ? "right" : "left"} size={11} />
        </span>
      )}
    </div>
  );
}
