// The whole trace in small. Drag to look at a part, drag the part or its edges, double-click for the whole.
import { useLayoutEffect, useRef } from "preact/hooks";
import { marksOf } from "../../layout/minimap.ts";
import { ticks } from "../../layout/ticks.ts";
import type { Viewport } from "../../layout/waterfall.ts";
import { formatLength } from "../../model/time.ts";
import type { Trace } from "../../model/trace.ts";
import { contextOf, paint, type Size, useSize } from "../../parts/canvas.ts";
import { slotOf } from "../../parts/service.tsx";
import { theme } from "../../state/theme.ts";
import type { TraceView } from "./view.ts";

const LINE = 3;
const PAD = 4;
/** How near to an edge, in pixels, a drag takes hold of it. */
const GRIP = 8;

function draw(canvas: HTMLCanvasElement, size: Size, trace: Trace) {
  const context = contextOf(canvas, size);
  if (context === null) {
    return;
  }
  const colours = paint();
  context.fillStyle = colours.line;
  for (const mark of ticks(0, trace.duration, Math.max(2, size.width / 110))) {
    context.fillRect(Math.round((mark / Math.max(1, trace.duration)) * size.width), 0, 1, size.height);
  }
  const slots = trace.services.map(({ name }) => colours.slots[slotOf(name)] ?? colours.ink);
  const marks = marksOf(trace.spans, trace.duration, size.width, size.height - 2 * PAD, LINE);
  for (const mark of marks) {
    context.fillStyle = mark.isError ? colours.error : (slots[mark.service] ?? colours.ink);
    context.fillRect(mark.x, PAD + mark.y, mark.isError ? Math.max(3, mark.width) : mark.width, LINE - 1);
  }
}

type Grip =
  | { kind: "new"; from: number }
  | { kind: "move"; grabbed: number; view: Viewport }
  | { kind: "left" | "right"; view: Viewport };

export function Minimap({ trace, view }: { trace: Trace; view: TraceView }) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const grip = useRef<Grip | undefined>(undefined);
  const size = useSize(frame);
  const isDark = theme.value;
  useLayoutEffect(() => {
    if (canvas.current !== null && size.width > 0) {
      draw(canvas.current, size, trace);
    }
  }, [trace, size, isDark]);
  const { viewport } = view;
  const whole = Math.max(1, trace.duration);
  const isZoomed = view.address.view !== undefined;
  const left = viewport.from / whole;
  const right = viewport.to / whole;
  const selected = trace.spans[view.selected];

  const xOf = (event: PointerEvent) =>
    event.clientX - (event.currentTarget as Element).getBoundingClientRect().left;
  const timeOf = (event: PointerEvent) => (xOf(event) / Math.max(1, size.width)) * whole;
  const take = (event: PointerEvent & { currentTarget: Element }) => {
    if (event.button !== 0) {
      return;
    }
    event.currentTarget.setPointerCapture(event.pointerId);
    const x = xOf(event);
    if (isZoomed && Math.abs(x - left * size.width) <= GRIP) {
      grip.current = { kind: "left", view: viewport };
    } else if (isZoomed && Math.abs(x - right * size.width) <= GRIP) {
      grip.current = { kind: "right", view: viewport };
    } else if (isZoomed && x > left * size.width && x < right * size.width) {
      grip.current = { kind: "move", grabbed: timeOf(event), view: viewport };
    } else {
      grip.current = { kind: "new", from: timeOf(event) };
    }
  };
  const drag = (event: PointerEvent) => {
    const held = grip.current;
    const at = Math.min(whole, Math.max(0, timeOf(event)));
    if (held?.kind === "new" && Math.abs(at - held.from) > (4 / Math.max(1, size.width)) * whole) {
      view.setViewport({ from: Math.min(at, held.from), to: Math.max(at, held.from) });
    } else if (held?.kind === "move") {
      const by = timeOf(event) - held.grabbed;
      view.setViewport({ from: held.view.from + by, to: held.view.to + by });
    } else if (held?.kind === "left") {
      view.setViewport({ from: Math.min(at, held.view.to - whole / 1e4), to: held.view.to });
    } else if (held?.kind === "right") {
      view.setViewport({ from: held.view.from, to: Math.max(at, held.view.from + whole / 1e4) });
    }
  };
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: the keys + - 0 z do the same
    <div
      ref={frame}
      class={`minimap ${isZoomed ? "zoomed" : ""}`}
      title="Drag to look at a part; double-click for the whole (0)"
      onPointerDown={take}
      onPointerMove={drag}
      onPointerUp={() => (grip.current = undefined)}
      onPointerCancel={() => (grip.current = undefined)}
      onDblClick={() => view.setViewport(undefined)}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`The whole trace, ${formatLength(trace.duration)}. The keys + - 0 z zoom.`}
      />
      {selected !== undefined && (
        <span
          class="minimap-selected"
          style={{
            left: `${(selected.start / whole) * 100}%`,
            width: `${(selected.duration / whole) * 100}%`,
          }}
        />
      )}
      {isZoomed && (
        <>
          <span class="minimap-shade" style={{ left: "0", width: `${left * 100}%` }} />
          <span class="minimap-shade" style={{ left: `${right * 100}%`, width: `${(1 - right) * 100}%` }} />
          <span class="minimap-grip" style={{ left: `${left * 100}%` }} />
          <span class="minimap-grip" style={{ left: `${right * 100}%` }} />
        </>
      )}
    </div>
  );
}
