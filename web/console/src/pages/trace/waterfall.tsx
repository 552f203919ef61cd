// The rows of the trace below a scale of time.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ticks } from "../../layout/ticks.ts";
import { zoomed } from "../../layout/waterfall.ts";
import { formatDate, formatLength } from "../../model/time.ts";
import type { Trace } from "../../model/trace.ts";
import { useSize } from "../../parts/canvas.ts";
import { useMedia } from "../../parts/media.ts";
import { Virtual } from "../../parts/virtual.tsx";
import { SpanRow } from "./row.tsx";
import type { TraceView } from "./view.ts";

const ROW = 28;
const ROW_NARROW = 44;
const NAMES_KEY = "highbeam.names";
const NAMES_LEAST = 140;
const NAMES_MOST = 900;

function storedNames(): number {
  try {
    const value = Number(window.localStorage.getItem(NAMES_KEY));
    return value >= NAMES_LEAST && value <= NAMES_MOST ? value : 360;
  } catch {
    return 360;
  }
}

export function Waterfall({ trace, view }: { trace: Trace; view: TraceView }) {
  const box = useRef<HTMLElement>(null);
  const names = useSignal(storedNames());
  const isNarrow = useMedia("(max-width: 760px)");
  useZoomByWheel(box, trace, view, isNarrow ? 0 : names.value);
  const selected = trace.spans[view.selected];
  return (
    <section ref={box} class="waterfall" aria-label="Waterfall" style={{ "--names": `${names.value}px` }}>
      <Scale trace={trace} view={view} names={names.value} setNames={(width) => (names.value = width)} />
      <AtMark trace={trace} view={view} />
      {view.rows.length === 0 ? (
        <p class="nothing-found quiet">
          No span matches.{" "}
          <button type="button" class="link" onClick={() => view.change({ find: "", only: false })}>
            Show all
          </button>
        </p>
      ) : (
        <Virtual
          class="spans"
          role="tree"
          label="Spans"
          rows={view.rows.length}
          rowHeight={isNarrow ? ROW_NARROW : ROW}
          at={view.row}
          active={selected && `span-${selected.index}`}
          render={(row) => {
            const span = trace.spans[view.rows[row] ?? -1];
            return span && <SpanRow key={span.index} span={span} trace={trace} view={view} />;
          }}
        />
      )}
    </section>
  );
}

/** The moment of the line that one came from, through all rows. */
function AtMark({ trace, view }: { trace: Trace; view: TraceView }) {
  const { from, to } = view.viewport;
  const at = view.address.at;
  const offset = at === undefined ? Number.NaN : Number(at - trace.start);
  if (!(offset >= from && offset <= to) || at === undefined) {
    return null;
  }
  const share = (offset - from) / Math.max(1, to - from);
  return (
    <span
      class="at-mark"
      style={{ "--share": String(share) }}
      title={`A log line at ${formatDate(at)}`}
      role="img"
      aria-label={`A log line, ${formatLength(offset)} after the start`}
    />
  );
}

/** Ctrl and the wheel (or a pinch) zoom around the pointer; Shift and the wheel move along. */
function useZoomByWheel(
  box: { current: HTMLElement | null },
  trace: Trace,
  view: TraceView,
  names: number,
): void {
  const latest = useRef({ trace, view, names });
  latest.current = { trace, view, names };
  useEffect(() => {
    const element = box.current;
    const turn = (event: WheelEvent) => {
      const current = latest.current;
      const { from, to } = current.view.viewport;
      if (event.ctrlKey) {
        event.preventDefault();
        const edge = element?.getBoundingClientRect();
        const lane = Math.max(1, (edge?.width ?? 1) - current.names);
        const share = Math.min(1, Math.max(0, (event.clientX - (edge?.left ?? 0) - current.names) / lane));
        const around = from + share * (to - from);
        current.view.setViewport(
          zoomed({ from, to }, around, Math.exp(event.deltaY * 0.004), current.trace.duration),
        );
      } else if (event.shiftKey && current.view.address.view !== undefined) {
        event.preventDefault();
        const by = ((event.deltaX || event.deltaY) / 800) * (to - from);
        current.view.setViewport({ from: from + by, to: to + by });
      }
    };
    element?.addEventListener("wheel", turn, { passive: false });
    return () => element?.removeEventListener("wheel", turn);
  }, []);
}

interface ScaleProps {
  trace: Trace;
  view: TraceView;
  names: number;
  setNames: (width: number) => void;
}

function Scale({ trace, view, names, setNames }: ScaleProps) {
  const lane = useRef<HTMLDivElement>(null);
  const { width } = useSize(lane);
  const { from, to } = view.viewport;
  const marks = ticks(from, to, Math.max(2, width / 90));
  return (
    <div class="scale">
      <div class="scale-names">
        <span>Service and operation</span>
        <Splitter names={names} setNames={setNames} />
      </div>
      <div
        ref={lane}
        class="scale-lane"
        role="img"
        aria-label={`From ${formatLength(from)} to ${formatLength(to)} of ${formatLength(trace.duration)}`}
      >
        {marks.map((mark) => {
          const left = (mark - from) / (to - from);
          return (
            <span
              key={mark}
              class={`tick ${(1 - left) * width < 56 ? "tick-last" : ""}`}
              style={{ left: `${left * 100}%` }}
            >
              {mark === 0 ? "0" : formatLength(mark)}
            </span>
          );
        })}
      </div>
    </div>
  );
}

function Splitter({ names, setNames }: { names: number; setNames: (width: number) => void }) {
  const start = useRef<{ x: number; names: number } | undefined>(undefined);
  const set = (width: number) => {
    const bounded = Math.round(Math.min(NAMES_MOST, Math.max(NAMES_LEAST, width)));
    setNames(bounded);
    try {
      window.localStorage.setItem(NAMES_KEY, String(bounded));
    } catch {
      // Storage is forbidden: the width lasts as long as the page.
    }
  };
  return (
    // biome-ignore lint/a11y/useSemanticElements: a separator that moves is not a rule
    <span
      class="splitter"
      role="separator"
      aria-orientation="vertical"
      aria-label="Width of the names"
      aria-valuenow={names}
      aria-valuemin={NAMES_LEAST}
      aria-valuemax={NAMES_MOST}
      tabIndex={0}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        start.current = { x: event.clientX, names };
      }}
      onPointerMove={(event) => start.current && set(start.current.names + event.clientX - start.current.x)}
      onPointerUp={() => (start.current = undefined)}
      onKeyDown={(event) => {
        const by = { ArrowLeft: -20, ArrowRight: 20 }[event.key];
        if (by !== undefined) {
          event.preventDefault();
          event.stopPropagation();
          set(names + by);
        }
      }}
    />
  );
}
