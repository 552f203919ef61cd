// The traces as dots: when across, how long upwards. Errors differ in shape too. A click opens a trace, a drag
// marks a region and narrows the search to it.
import { useSignal } from "@preact/signals";
import { useLayoutEffect, useMemo, useRef } from "preact/hooks";
import {
  type Field,
  fieldOf,
  lengthAt,
  nearest,
  type Point,
  pointsOf,
  timeAt,
  yOf,
} from "../../layout/scatter.ts";
import { decades, ticks } from "../../layout/ticks.ts";
import type { TraceSummary } from "../../model/search.ts";
import {
  formatClock,
  formatLength,
  fromMilliseconds,
  toMilliseconds,
  writeLength,
} from "../../model/time.ts";
import { contextOf, paint, type Size, useSize } from "../../parts/canvas.ts";
import { Errors } from "../../parts/errors.tsx";
import { ServiceChip, slotOf } from "../../parts/service.tsx";
import type { SearchAddress } from "../../state/addresses.ts";
import { go } from "../../state/location.ts";
import { bounds } from "../../state/range.ts";
import { theme } from "../../state/theme.ts";

interface ScatterProps {
  traces: TraceSummary[];
  address: SearchAddress;
  change: (part: Partial<SearchAddress>) => void;
  at: number;
  nowMs: number;
}

interface Box {
  x0: number;
  y0: number;
  x1: number;
  y1: number;
}

const LEFT = 60;
const BOTTOM = 20;
/** Room for the legend, which must not lie on a dot. */
const TOP = 26;
const RIGHT = 14;
const REACH = 14;
/** Shorter drags are clicks. */
const DRAG_LEAST = 6;

function draw(
  canvas: HTMLCanvasElement,
  size: Size,
  field: Field,
  points: Point[],
  traces: TraceSummary[],
  at: number,
  box: Box | undefined,
) {
  const context = contextOf(canvas, size);
  if (context === null) {
    return;
  }
  const colours = paint();
  context.translate(LEFT, TOP);
  context.font = "11px system-ui, sans-serif";
  axes(context, field, colours.line, colours.quiet);
  for (const point of points) {
    const trace = traces[point.index];
    if (trace !== undefined && trace.errors === 0) {
      dot(context, point, colours.slots[slotOf(trace.rootService)] ?? colours.ink, trace.isPartial);
    }
  }
  for (const point of points) {
    if ((traces[point.index]?.errors ?? 0) > 0) {
      diamond(context, point, colours.error, colours.ground);
    }
  }
  const chosen = points[at];
  if (chosen !== undefined) {
    context.strokeStyle = colours.ink;
    context.lineWidth = 2;
    context.beginPath();
    context.arc(chosen.x, chosen.y, 9, 0, 2 * Math.PI);
    context.stroke();
  }
  if (box !== undefined) {
    context.globalAlpha = 0.16;
    context.fillStyle = colours.beam;
    context.fillRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
    context.globalAlpha = 1;
    context.strokeStyle = colours.beam;
    context.lineWidth = 1;
    context.strokeRect(box.x0, box.y0, box.x1 - box.x0, box.y1 - box.y0);
  }
}

function axes(context: CanvasRenderingContext2D, field: Field, line: string, text: string) {
  context.strokeStyle = line;
  context.fillStyle = text;
  context.lineWidth = 1;
  context.textAlign = "right";
  context.textBaseline = "middle";
  for (const mark of decades(field.low, field.high)) {
    const y = Math.round(yOf(field, mark)) + 0.5;
    context.beginPath();
    context.moveTo(0, y);
    context.lineTo(field.width, y);
    context.stroke();
    context.fillText(formatLength(mark), -8, y);
  }
  context.textBaseline = "top";
  context.textAlign = "center";
  const offset = new Date(field.from).getTimezoneOffset() * 60_000;
  const local = (ms: number) => (ms - offset) * 1e6;
  for (const mark of ticks(local(field.from), local(field.to), Math.max(2, field.width / 110))) {
    const ms = mark / 1e6 + offset;
    const x = ((ms - field.from) / (field.to - field.from)) * field.width;
    if (x > 20 && x < field.width - 20) {
      const clock = formatClock(fromMilliseconds(ms));
      context.fillText(field.to - field.from > 300_000 ? clock.slice(0, 5) : clock, x, field.height + 6);
    }
  }
}

function dot(context: CanvasRenderingContext2D, { x, y }: Point, colour: string, isHollow: boolean) {
  context.beginPath();
  context.arc(x, y, isHollow ? 3.5 : 4.5, 0, 2 * Math.PI);
  context.globalAlpha = 0.85;
  if (isHollow) {
    context.strokeStyle = colour;
    context.lineWidth = 2;
    context.stroke();
  } else {
    context.fillStyle = colour;
    context.fill();
  }
  context.globalAlpha = 1;
}

function diamond(context: CanvasRenderingContext2D, { x, y }: Point, colour: string, ground: string) {
  context.beginPath();
  context.moveTo(x, y - 7);
  context.lineTo(x + 7, y);
  context.lineTo(x, y + 7);
  context.lineTo(x - 7, y);
  context.closePath();
  context.fillStyle = colour;
  context.fill();
  context.strokeStyle = ground;
  context.lineWidth = 1.5;
  context.stroke();
}

export function Scatter({ traces, address, change, at, nowMs }: ScatterProps) {
  const frame = useRef<HTMLDivElement>(null);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(frame);
  const hovered = useSignal<Point | undefined>(undefined);
  const drag = useSignal<Box | undefined>(undefined);
  const isDark = theme.value;
  const width = Math.max(1, size.width - LEFT - RIGHT);
  const height = Math.max(1, size.height - BOTTOM - TOP);
  const field = useMemo(() => {
    const { start, end } = bounds(address.range, nowMs);
    return fieldOf(traces, width, height, { from: toMilliseconds(start), to: toMilliseconds(end) });
  }, [traces, width, height, nowMs]);
  const points = useMemo(() => pointsOf(traces, field), [traces, field]);
  useLayoutEffect(() => {
    if (canvas.current !== null && size.width > 0) {
      draw(canvas.current, size, field, points, traces, at, drag.value);
    }
  }, [size, field, points, at, drag.value, isDark]);

  const placeOf = (event: PointerEvent) => {
    const edge = (event.currentTarget as Element).getBoundingClientRect();
    return { x: event.clientX - edge.left - LEFT, y: event.clientY - edge.top - TOP };
  };
  const finish = (event: PointerEvent) => {
    const box = drag.value;
    drag.value = undefined;
    const { x, y } = placeOf(event);
    if (box !== undefined && Math.hypot(box.x1 - box.x0, box.y1 - box.y0) >= DRAG_LEAST) {
      change(regionOf(box, field));
      return;
    }
    const point = nearest(points, x, y, REACH);
    const trace = point && traces[point.index];
    if (trace !== undefined) {
      go(`/trace/${trace.traceId}`);
    }
  };
  const shown = hovered.value === undefined ? undefined : traces[hovered.value.index];
  return (
    <div
      ref={frame}
      class={`scatter ${shown === undefined ? "" : "pointing"}`}
      onPointerDown={(event) => {
        const { x, y } = placeOf(event);
        if (event.button === 0 && event.pointerType !== "touch") {
          event.currentTarget.setPointerCapture(event.pointerId);
          drag.value = { x0: x, y0: y, x1: x, y1: y };
        }
      }}
      onPointerMove={(event) => {
        const { x, y } = placeOf(event);
        if (drag.value !== undefined) {
          drag.value = { ...drag.value, x1: x, y1: y };
        }
        hovered.value = nearest(points, x, y, REACH);
      }}
      onPointerUp={finish}
      onPointerLeave={() => (hovered.value = undefined)}
    >
      <canvas
        ref={canvas}
        role="img"
        aria-label={`${traces.length} traces by time and duration. The list below holds the same.`}
      />
      {shown !== undefined && hovered.value !== undefined && (
        <Tip trace={shown} x={hovered.value.x + LEFT} y={hovered.value.y + TOP} width={size.width} />
      )}
      <span class="scatter-legend quiet" aria-hidden="true">
        <span class="legend-dot" /> trace
        <span class="legend-diamond" /> with errors
        <span class="legend-ring" /> partial
        <span class="legend-drag">drag to narrow the search</span>
      </span>
    </div>
  );
}

function regionOf(box: Box, field: Field): Partial<SearchAddress> {
  const [left, right] = box.x0 < box.x1 ? [box.x0, box.x1] : [box.x1, box.x0];
  const [top, bottom] = box.y0 < box.y1 ? [box.y0, box.y1] : [box.y1, box.y0];
  const region: Partial<SearchAddress> = {
    range: {
      kind: "between",
      from: fromMilliseconds(timeAt(field, Math.max(0, left))),
      to: fromMilliseconds(timeAt(field, Math.min(field.width, right)) + 1),
    },
  };
  // Only limits that were drawn within the field: dragging along its edge does not limit durations.
  if (top > 4) {
    region.maxDuration = writeLength(lengthAt(field, top));
  }
  if (bottom < field.height - 4) {
    region.minDuration = writeLength(lengthAt(field, bottom));
  }
  return region;
}

function Tip({ trace, x, y, width }: { trace: TraceSummary; x: number; y: number; width: number }) {
  const isRight = x > width / 2;
  const style = {
    top: `${Math.max(0, y - 30)}px`,
    ...(isRight ? { right: `${width - x + 14}px` } : { left: `${x + 14}px` }),
  };
  return (
    <div class="tip" style={style}>
      <strong>{trace.rootName || "(root not here)"}</strong>
      <ServiceChip name={trace.rootService} />
      <span>
        {formatLength(trace.duration)} · {trace.spans} spans · {formatClock(trace.start)}
      </span>
      {trace.errors > 0 && <Errors count={trace.errors} />}
    </div>
  );
}
