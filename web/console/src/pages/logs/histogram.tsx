// Lines over time, by level. A drag over it narrows the time range.
import { useRef, useState } from "preact/hooks";
import { barAt } from "../../layout/bars.ts";
import { ticks } from "../../layout/ticks.ts";
import { type Volume, volumeBars } from "../../layout/volume.ts";
import { formatCount, plural } from "../../model/count.ts";
import {
  formatClock,
  formatDate,
  formatLength,
  fromMilliseconds,
  type Moment,
  SECOND,
} from "../../model/time.ts";
import { useSize } from "../../parts/canvas.ts";
import { Notice } from "../../parts/states.tsx";

const HEIGHT = 72;
const TICK_PX = 110;

interface HistogramProps {
  volume: Volume;
  trouble: string | undefined;
  onSelect: (from: Moment, to: Moment) => void;
}

const momentOf = (seconds: number): Moment => fromMilliseconds(seconds * 1000);

export function Histogram({ volume, trouble, onSelect }: HistogramProps) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const [pointed, setPointed] = useState<number | undefined>(undefined);
  const [drag, setDrag] = useState<{ from: number; to: number } | undefined>(undefined);
  const { starts, step, levels } = volume;
  const placeOf = (event: PointerEvent) =>
    Math.min(
      starts.length - 1,
      Math.max(
        0,
        barAt(event.clientX - (box.current?.getBoundingClientRect().left ?? 0), width, starts.length) ?? 0,
      ),
    );
  const release = () => {
    if (drag !== undefined) {
      const [first, last] = [Math.min(drag.from, drag.to), Math.max(drag.from, drag.to)];
      const [from, to] = [starts[first], starts[last]];
      if (from !== undefined && to !== undefined && (first > 0 || last < starts.length - 1)) {
        onSelect(momentOf(from), momentOf(to + step));
      }
    }
    setDrag(undefined);
  };
  if (trouble !== undefined) {
    return <Notice tone="warning">The lines could not be counted over time: {trouble}</Notice>;
  }
  const told = levels.map(({ level, total }) => `${formatCount(total)} ${level}`).join(", ");
  const from = starts[0] ?? 0;
  const across = Math.max(1, starts.length * step);
  const marked = drag && { first: Math.min(drag.from, drag.to), last: Math.max(drag.from, drag.to) };
  const bar = width / Math.max(1, starts.length);
  return (
    <section class="volume" aria-label="Lines over time">
      <div
        ref={box}
        class="volume-field"
        title="Drag to look closer"
        onPointerDown={(event) => {
          event.currentTarget.setPointerCapture(event.pointerId);
          setDrag({ from: placeOf(event), to: placeOf(event) });
        }}
        onPointerMove={(event) => {
          const at = placeOf(event);
          setPointed(at);
          if (drag !== undefined) {
            setDrag({ ...drag, to: at });
          }
        }}
        onPointerUp={release}
        onPointerCancel={() => setDrag(undefined)}
        onPointerLeave={() => setPointed(undefined)}
      >
        <svg width={width} height={HEIGHT} role="img" aria-label={`Lines over time: ${told}`}>
          {marked !== undefined && (
            <rect
              class="volume-marked"
              x={marked.first * bar}
              y={0}
              width={(marked.last - marked.first + 1) * bar}
              height={HEIGHT}
            />
          )}
          {volumeBars(volume, width, HEIGHT).map(({ level, ...place }) => (
            <rect key={`${level} ${place.x}`} class={`level-fill level-${level}`} {...place} />
          ))}
        </svg>
        {ticks(from, from + across, Math.max(2, width / TICK_PX) * 1)
          .filter((mark) => mark > from)
          .map((mark) => (
            <span key={mark} class="volume-tick" style={{ left: `${((mark - from) / across) * 100}%` }} />
          ))}
        {pointed !== undefined && drag === undefined && (
          <Tip volume={volume} at={pointed} isRight={pointed > starts.length / 2} x={(pointed + 0.5) * bar} />
        )}
      </div>
      <div class="volume-foot">
        <span class="quiet figure">{formatDate(momentOf(from), false)}</span>
        <ul class="level-legend">
          {levels.map(({ level, total }) => (
            <li key={level}>
              <span class={`level-swatch level-${level}`} aria-hidden="true" />
              {level} <b class="figure">{formatCount(total)}</b>
            </li>
          ))}
          <li class="quiet">a bar each {formatLength(step * SECOND)}</li>
        </ul>
        <span class="quiet figure">{formatDate(momentOf(from + across), false)}</span>
      </div>
    </section>
  );
}

function Tip({ volume, at, isRight, x }: { volume: Volume; at: number; isRight: boolean; x: number }) {
  const start = volume.starts[at] ?? 0;
  const rows = volume.levels
    .map(({ level, counts }) => ({ level, count: counts[at] ?? 0 }))
    .filter(({ count }) => count > 0);
  return (
    <div
      class="tip volume-tip"
      style={isRight ? { right: `calc(100% - ${x - 10}px)` } : { left: `${x + 10}px` }}
    >
      <span class="quiet figure">
        {formatClock(momentOf(start))} to {formatClock(momentOf(start + volume.step))}
      </span>
      {rows.length === 0 && <span>no lines</span>}
      {rows.map(({ level, count }) => (
        <span key={level}>
          <span class={`level-swatch level-${level}`} aria-hidden="true" /> {level}{" "}
          <b class="figure">{plural(count, "line")}</b>
        </span>
      ))}
    </div>
  );
}
