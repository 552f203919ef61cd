// Bars, one a minute. Several of them on a page can point at the same minute.
import { useRef } from "preact/hooks";
import { barAt, barsOf } from "../layout/bars.ts";
import { useSize } from "./canvas.ts";

interface MinutesProps {
  /** Oldest first; the last one is not over. */
  values: readonly number[];
  tone: "plain" | "error";
  /** The minute pointed at, counted from the oldest; nothing when there is none. */
  pointed: number | undefined;
  onPoint: (at: number | undefined) => void;
  label: string;
}

const HEIGHT = 58;

export function Minutes({ values, tone, pointed, onPoint, label }: MinutesProps) {
  const box = useRef<HTMLDivElement>(null);
  const { width } = useSize(box);
  const bars = width === 0 ? [] : barsOf(values, width, HEIGHT);
  return (
    <div
      ref={box}
      class={`minutes minutes-${tone}`}
      onPointerMove={(event) => onPoint(barAt(event.offsetX, width, values.length))}
      onPointerLeave={() => onPoint(undefined)}
    >
      <svg width={width} height={HEIGHT} role="img" aria-label={label}>
        {bars.map((bar, at) => (
          <rect
            key={bar.x}
            class={at === pointed ? "pointed" : at === values.length - 1 ? "unfinished" : ""}
            rx={Math.min(2, bar.width / 4)}
            {...bar}
          />
        ))}
      </svg>
    </div>
  );
}
