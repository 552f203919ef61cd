// Series over time, with a legend, the values at the pointer, thresholds, and dots that lead to traces.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import { extent, nearestRows, positive, stacked, thinned, valueRange } from "../layout/plot.ts";
import { type Exemplar, formatValue, type Unit } from "../model/samples.ts";
import { formatClock, formatDate, fromMilliseconds } from "../model/time.ts";
import { theme } from "../state/theme.ts";
import { paint, useSize } from "./canvas.ts";
import { Icon } from "./icons.tsx";
import type { Drawn, Placed, Threshold } from "./plot/draw.ts";
import { Legend } from "./plot/legend.tsx";

export interface Line {
  /** What it is known by in the address. */
  key: string;
  name: string;
  /** All that is known of it, where the name is short. */
  title?: string;
  /** The theme's colour, and the dashes that tell it from another of that colour. */
  slot: number;
  isDashed: boolean;
  row: (number | null)[];
}

interface PlotProps {
  times: number[];
  lines: Line[];
  unit: Unit;
  isStacked?: boolean;
  isLog?: boolean;
  thresholds?: Threshold[];
  exemplars?: Exemplar[];
  /** Whether an exemplar's value is one on this plot's scale. */
  exemplarsByValue?: boolean;
  traceAddress?: (exemplar: Exemplar) => string;
  only?: string;
  onOnly?: (key: string) => void;
  onSelect: (fromSeconds: number, toSeconds: number) => void;
  height?: number;
  label: string;
}

const TIP_ROWS = 8;
const TIP_ROWS_NARROW = 4;
/** Exemplars nearer to each other than this cannot be pressed one by one. */
const DOT_PX = 24;
/** Narrower than this is a telephone. */
const NARROW_PX = 500;
type Pointed = { index: number; value: number; x: number };

/** The chunk that draws; asked for once. */
let drawing: Promise<typeof import("./plot/draw.ts")> | undefined;
const loadDrawing = () => {
  drawing ??= import("./plot/draw.ts").catch((error: unknown) => {
    drawing = undefined;
    throw error;
  });
  return drawing;
};

export function Plot(props: PlotProps) {
  const { times, lines, unit, isStacked = false, isLog = false, thresholds = [], only = "" } = props;
  const height = props.height ?? 300;
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const drawn = useRef<Drawn | undefined>(undefined);
  const [placed, setPlaced] = useState<Placed | undefined>(undefined);
  const [pointed, setPointed] = useState<Pointed | undefined>(undefined);
  const [failed, setFailed] = useState(false);
  const select = useRef(props.onSelect);
  select.current = props.onSelect;

  const shown = useMemo(
    () => (lines.some(({ key }) => key === only) ? lines.filter(({ key }) => key === only) : lines),
    [lines, only],
  );
  const rows = useMemo(() => {
    const plain = shown.map(({ row }) => row);
    return isStacked ? stacked(plain) : isLog ? positive(plain) : plain;
  }, [shown, isStacked, isLog]);
  const scheme = theme.value;
  const limits = thresholds.map(({ value, label }) => `${value} ${label}`).join("|");

  useEffect(() => {
    const target = box.current;
    if (target === null || width === 0 || times.length === 0) {
      return;
    }
    let isOver = false;
    const found = extent([...rows, ...(isStacked && rows.length > 0 ? [[0]] : [])]);
    const withThresholds = extent([
      ...(found === undefined ? [] : [[found[0], found[1]]]),
      thresholds.map(({ value }) => value),
    ]);
    const useLog = isLog && !isStacked;
    const [low, high] = valueRange(withThresholds, useLog);
    loadDrawing().then(
      ({ draw }) => {
        if (isOver) {
          return;
        }
        const colours = paint();
        drawn.current = draw(
          target,
          {
            times,
            rows,
            colours: shown.map(({ slot }) => colours.slots[slot] ?? colours.ink),
            dashes: shown.map(({ isDashed }) => (isDashed ? [6, 4] : undefined)),
            low,
            high,
            isStacked,
            isLog: useLog,
            thresholds,
            format: (value) => formatValue(value, unit),
            paint: colours,
            width,
            height,
          },
          {
            point: setPointed,
            select: (from, to) => select.current(from, to),
            placed: setPlaced,
          },
        );
        setFailed(false);
      },
      () => setFailed(true),
    );
    return () => {
      isOver = true;
      drawn.current?.destroy();
      drawn.current = undefined;
      setPointed(undefined);
    };
  }, [times, rows, shown, width, height, unit, isStacked, isLog, limits, scheme]);

  return (
    <figure class="plot" aria-label={props.label}>
      <div ref={box} class="plot-field" style={{ height: `${height}px` }}>
        {failed && (
          <p class="plot-failed">
            <Icon name="warning" /> What draws the plot could not be loaded. Load the page anew; the table
            works without it.
          </p>
        )}
        {placed !== undefined && <Dots {...props} placed={placed} isLog={isLog} />}
        {placed !== undefined && pointed !== undefined && (
          <Tip pointed={pointed} placed={placed} times={times} lines={shown} rows={rows} unit={unit} />
        )}
      </div>
      <Legend
        lines={lines}
        unit={unit}
        only={only}
        at={pointed?.index}
        onOnly={props.onOnly}
        onFocus={(key) => {
          const row = key === undefined ? -1 : shown.findIndex((line) => line.key === key);
          drawn.current?.focus(row < 0 ? undefined : row);
        }}
      />
    </figure>
  );
}

interface TipProps {
  pointed: Pointed;
  placed: Placed;
  times: number[];
  lines: Line[];
  rows: (number | null)[][];
  unit: Unit;
}

function Tip({ pointed, placed, times, lines, rows, unit }: TipProps) {
  const most = placed.width < NARROW_PX ? TIP_ROWS_NARROW : TIP_ROWS;
  const near = nearestRows(rows, pointed.index, pointed.value, most);
  const at = times[pointed.index];
  if (at === undefined) {
    return null;
  }
  const isRight = pointed.x > placed.width / 2;
  const edge = isRight
    ? { right: `calc(100% - ${placed.left + pointed.x - 14}px)` }
    : { left: `${placed.left + pointed.x + 14}px` };
  const sorted = near.sort((a, b) => (rows[b]?.[pointed.index] ?? 0) - (rows[a]?.[pointed.index] ?? 0));
  return (
    <div class="tip plot-tip" style={{ ...edge, top: `${placed.top + 4}px` }}>
      <span class="quiet figure">{formatDate(fromMilliseconds(at * 1000), false)}</span>
      {sorted.map((row) => {
        const line = lines[row];
        const value = line?.row[pointed.index];
        return (
          line !== undefined && (
            <span key={line.key} class={`plot-tip-row service-${line.slot}`}>
              <span class={`swatch ${line.isDashed ? "dashed" : ""}`} />
              <span class="plot-tip-name">{line.name}</span>
              <b class="figure">{value === null || value === undefined ? "" : formatValue(value, unit)}</b>
            </span>
          )
        );
      })}
      {rows.length > near.length && (
        <span class="quiet">
          nearest {near.length} of {rows.length}
        </span>
      )}
    </div>
  );
}

function Dots(props: PlotProps & { placed: Placed; isLog: boolean }) {
  const { exemplars = [], exemplarsByValue = false, traceAddress, placed, unit, isLog } = props;
  const shown = useMemo(
    () => thinned(exemplars, placed.from, placed.to, Math.max(1, placed.width / DOT_PX)),
    [exemplars, placed.from, placed.to, placed.width],
  );
  if (traceAddress === undefined || shown.length === 0) {
    return null;
  }
  const share = (value: number) =>
    isLog
      ? Math.log(Math.max(value, placed.low) / placed.low) / Math.log(placed.high / placed.low)
      : (value - placed.low) / (placed.high - placed.low);
  return (
    <>
      {shown.map((exemplar) => {
        const x = placed.left + ((exemplar.at - placed.from) / (placed.to - placed.from)) * placed.width;
        // A value of another scale has no height: its dot stands on the axis.
        const up = exemplarsByValue ? Math.min(1, Math.max(0, share(exemplar.value))) : 0;
        const y = placed.top + placed.height * (1 - up);
        const at = formatClock(fromMilliseconds(exemplar.at * 1000), true);
        const value = exemplarsByValue ? formatValue(exemplar.value, unit) : String(exemplar.value);
        return (
          <a
            key={`${exemplar.traceId} ${exemplar.at}`}
            class="exemplar"
            href={traceAddress(exemplar)}
            style={{ left: `${x}px`, top: `${y}px` }}
            title={`Trace ${exemplar.traceId.slice(0, 8)}… at ${at}: ${value}`}
          >
            <span class="off-screen">
              Trace of {at}, {value}
            </span>
          </a>
        );
      })}
    </>
  );
}
