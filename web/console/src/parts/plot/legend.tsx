// The series of a plot by name and colour, with the value at the pointer or the last one.
import { formatValue, type Unit } from "../../model/samples.ts";
import type { Line } from "../plot.tsx";

interface LegendProps {
  lines: Line[];
  unit: Unit;
  only: string;
  /** The moment pointed at, by its place; nothing for the last value. */
  at: number | undefined;
  onOnly: ((key: string) => void) | undefined;
  onFocus: (key: string | undefined) => void;
}

function lastOf(row: readonly (number | null)[]): number | undefined {
  return row.findLast((value) => value !== null) ?? undefined;
}

export function Legend({ lines, unit, only, at, onOnly, onFocus }: LegendProps) {
  const isOnly = lines.some(({ key }) => key === only);
  return (
    <figcaption class="plot-legend" onPointerLeave={() => onFocus(undefined)}>
      <ul>
        {lines.map((line) => {
          const value = at === undefined ? lastOf(line.row) : (line.row[at] ?? undefined);
          return (
            <li key={line.key} class={`service-${line.slot} ${isOnly && line.key !== only ? "off" : ""}`}>
              <button
                type="button"
                disabled={onOnly === undefined}
                aria-pressed={line.key === only}
                title={line.key === only ? "Show all" : `Show nothing but ${line.title ?? line.name}`}
                onClick={() => onOnly?.(line.key === only ? "" : line.key)}
                onPointerEnter={() => onFocus(line.key)}
                onFocus={() => onFocus(line.key)}
                onBlur={() => onFocus(undefined)}
              >
                <span class={`swatch ${line.isDashed ? "dashed" : ""}`} />
                <span class="legend-name">{line.name}</span>
                <b class="figure">{value === undefined ? "–" : formatValue(value, unit)}</b>
              </button>
            </li>
          );
        })}
      </ul>
    </figcaption>
  );
}
