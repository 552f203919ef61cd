// Draws series of numbers over time with uPlot. Loaded when the first plot is shown: it is a quarter of what a
// page may weigh. Knows nothing of queries or pages.
import uPlot from "uplot";
import { clockMarks } from "../../layout/plot.ts";

export interface Threshold {
  value: number;
  label: string;
}

export interface Spec {
  /** Seconds since the epoch. */
  times: number[];
  /** What is drawn, from bottom to top where it is stacked. */
  rows: (number | null)[][];
  /** For each row. */
  colours: string[];
  dashes: (number[] | undefined)[];
  low: number;
  high: number;
  isStacked: boolean;
  isLog: boolean;
  thresholds: Threshold[];
  format: (value: number) => string;
  paint: { ink: string; quiet: string; line: string; error: string; ground: string };
  width: number;
  height: number;
}

/** Where the field of the plot lies within its box, in pixels, and what it spans. */
export interface Placed {
  left: number;
  top: number;
  width: number;
  height: number;
  from: number;
  to: number;
  low: number;
  high: number;
}

export interface Listeners {
  /** The moment pointed at, by its place among the times, and the value at the pointer. */
  point: (at: { index: number; value: number; x: number } | undefined) => void;
  /** A stretch that was marked, in seconds. */
  select: (from: number, to: number) => void;
  placed: (placed: Placed) => void;
}

export interface Drawn {
  destroy: () => void;
  /** Has one row stand out; nothing for none. */
  focus: (row: number | undefined) => void;
}

const AXIS_FONT = "11px system-ui, sans-serif";
/** Narrower than this is a click, not a stretch. */
const DRAG_LEAST_PX = 6;

function axes(spec: Spec): uPlot.Axis[] {
  const common = {
    stroke: spec.paint.quiet,
    font: AXIS_FONT,
    grid: { stroke: spec.paint.line, width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...common,
      space: 76,
      size: 26,
      values: (_plot: uPlot, splits: number[], _axis: number, _space: number, by: number) =>
        clockMarks(splits, by),
    },
    {
      ...common,
      space: 32,
      gap: 6,
      size: (_plot: uPlot, values: string[] | null) =>
        14 + 6.6 * Math.max(3, ...(values ?? []).map((value) => value?.length ?? 0)),
      values: (_plot: uPlot, splits: (number | null)[]) =>
        splits.map((value) => (value === null ? "" : spec.format(value))),
    },
  ];
}

function series(spec: Spec): uPlot.Series[] {
  const fewPoints = spec.times.length < 40;
  return [
    {},
    ...spec.rows.map(
      (_, at): uPlot.Series => ({
        stroke: spec.colours[at] ?? spec.paint.ink,
        width: 1.5,
        ...(spec.dashes[at] === undefined ? {} : { dash: spec.dashes[at] }),
        points: { show: fewPoints && !spec.isStacked ? true : undefined, size: 4 } as uPlot.Series.Points,
        spanGaps: false,
        ...(spec.isStacked ? { fill: alpha(spec.colours[at] ?? spec.paint.ink, at) } : {}),
      }),
    ),
  ];
}

/** The same colour, thin enough to see the grid through. */
function alpha(colour: string, _at: number): string {
  return colour.startsWith("oklch(") ? colour.replace(/\)$/, " / 0.32)") : `${colour}52`;
}

/** Each layer is filled down to the one below it. */
function bands(spec: Spec): uPlot.Band[] {
  return spec.isStacked ? spec.rows.slice(1).map((_, at) => ({ series: [at + 2, at + 1] })) : [];
}

function drawThresholds(plot: uPlot, spec: Spec): void {
  const { ctx, bbox } = plot;
  const ratio = uPlot.pxRatio;
  for (const { value, label } of spec.thresholds) {
    const y = Math.round(plot.valToPos(value, "y", true));
    if (y < bbox.top - 1 || y > bbox.top + bbox.height + 1) {
      continue;
    }
    ctx.save();
    ctx.strokeStyle = spec.paint.error;
    ctx.lineWidth = 1.5 * ratio;
    ctx.setLineDash([6 * ratio, 4 * ratio]);
    ctx.beginPath();
    ctx.moveTo(bbox.left, y);
    ctx.lineTo(bbox.left + bbox.width, y);
    ctx.stroke();
    ctx.setLineDash([]);
    ctx.font = `${11 * ratio}px system-ui, sans-serif`;
    ctx.textAlign = "right";
    ctx.textBaseline = y - bbox.top > 18 * ratio ? "bottom" : "top";
    const at = y + (y - bbox.top > 18 * ratio ? -3 : 4) * ratio;
    const wide = ctx.measureText(label).width;
    ctx.fillStyle = spec.paint.ground;
    const tall = 14 * ratio;
    ctx.fillRect(
      bbox.left + bbox.width - wide - 8 * ratio,
      ctx.textBaseline === "bottom" ? at - tall : at - ratio,
      wide + 8 * ratio,
      tall,
    );
    ctx.fillStyle = spec.paint.error;
    ctx.fillText(label, bbox.left + bbox.width - 4 * ratio, at);
    ctx.restore();
  }
}

function placedOf(plot: uPlot, spec: Spec): Placed {
  const ratio = uPlot.pxRatio;
  const { left, top, width, height } = plot.bbox;
  const { x, y } = plot.scales;
  return {
    left: left / ratio,
    top: top / ratio,
    width: width / ratio,
    height: height / ratio,
    from: x?.min ?? spec.times[0] ?? 0,
    to: x?.max ?? spec.times.at(-1) ?? 1,
    low: y?.min ?? spec.low,
    high: y?.max ?? spec.high,
  };
}

export function draw(box: HTMLElement, spec: Spec, listeners: Listeners): Drawn {
  const [first = 0, last = first + 1] = [spec.times[0], spec.times.at(-1)];
  const options: uPlot.Options = {
    width: spec.width,
    height: spec.height,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { show: spec.rows.length <= 60, size: 7, width: 2 },
      focus: { prox: -1 },
    },
    focus: { alpha: 0.18 },
    scales: {
      x: { time: true, range: () => [first, last > first ? last : first + 1] },
      y: { distr: spec.isLog ? 3 : 1, range: () => [spec.low, spec.high] },
    },
    axes: axes(spec),
    series: series(spec),
    bands: bands(spec),
    hooks: {
      setCursor: [
        (plot) => {
          const { idx, top, left } = plot.cursor;
          const isOver = idx !== null && idx !== undefined && left !== undefined && left >= 0;
          listeners.point(isOver ? { index: idx, value: plot.posToVal(top ?? 0, "y"), x: left } : undefined);
        },
      ],
      setSelect: [
        (plot) => {
          const { left, width } = plot.select;
          if (width >= DRAG_LEAST_PX) {
            listeners.select(plot.posToVal(left, "x"), plot.posToVal(left + width, "x"));
          }
          plot.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
        },
      ],
      draw: [
        (plot) => {
          drawThresholds(plot, spec);
          listeners.placed(placedOf(plot, spec));
        },
      ],
    },
  };
  const plot = new uPlot(options, [spec.times, ...spec.rows] as uPlot.AlignedData, box);
  return {
    destroy: () => plot.destroy(),
    focus: (row) => plot.setSeries(row === undefined ? null : row + 1, { focus: row !== undefined }),
  };
}
