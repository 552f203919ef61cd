// The series of an answer as a plot: which of them are drawn, by what name, and what is told below it.
import type { ComponentChildren } from "preact";
import { useMemo } from "preact/hooks";
import { columnsOf, foremost } from "../layout/plot.ts";
import { SLOTS } from "../model/colour.ts";
import { plural } from "../model/count.ts";
import { type Exemplar, keyOf, legendNames, type Series, type Unit } from "../model/samples.ts";
import { formatLength, fromMilliseconds, SECOND } from "../model/time.ts";
import type { Range } from "../state/range.ts";
import type { Threshold } from "./plot/draw.ts";
import { type Line, Plot } from "./plot.tsx";
import { Notice } from "./states.tsx";

/** Lines that a plot can hold before none of them can be told apart. */
export const LINES_MAX = 100;

/** What was asked: seconds since the epoch, and seconds between points. */
export interface Asked {
  start: number;
  end: number;
  step: number;
}

/** Series as lines, each with its colour; the dashes tell the second that has one from the first. */
export function linesOf(
  series: readonly Series[],
  rows: readonly (number | null)[][],
  query: string,
): Line[] {
  const names = legendNames(series.map(({ labels }) => labels));
  return series.map(({ labels }, at) => ({
    key: keyOf(labels),
    // A sum over everything has no labels: what was asked is its name.
    name: names[at] === "{}" ? query : (names[at] ?? ""),
    title: keyOf(labels),
    slot: at % SLOTS,
    isDashed: at % (2 * SLOTS) >= SLOTS,
    row: rows[at] ?? [],
  }));
}

interface SeriesPlotProps {
  series: Series[];
  asked: Asked;
  query: string;
  unit: Unit;
  isStacked?: boolean;
  isLog?: boolean;
  only?: string;
  onOnly?: (key: string) => void;
  onRange: (range: Range) => void;
  thresholds?: Threshold[];
  exemplars?: Exemplar[];
  exemplarsByValue?: boolean;
  traceAddress?: (exemplar: Exemplar) => string;
  height?: number;
  /** More to be said below it. */
  children?: ComponentChildren;
}

export function SeriesPlot(props: SeriesPlotProps) {
  const { series, asked, query, exemplars = [] } = props;
  const { times, lines, left } = useMemo(() => {
    const chosen = foremost(series, LINES_MAX).flatMap((at) => series[at] ?? []);
    const columns = columnsOf(chosen, asked.start, asked.end, asked.step);
    return {
      times: columns.times,
      lines: linesOf(chosen, columns.rows, query),
      left: series.length - chosen.length,
    };
  }, [series, asked.start, asked.end, asked.step, query]);
  return (
    <>
      {left > 0 && (
        <Notice>
          The {LINES_MAX} series with the largest last values are drawn; {plural(left, "series", "series")}{" "}
          more are not. Aggregate with <code>sum by (…)</code> to see all.
        </Notice>
      )}
      <Plot
        {...props}
        label={`Plot of ${query}`}
        times={times}
        lines={lines}
        onSelect={(from, to) =>
          props.onRange({
            kind: "between",
            from: fromMilliseconds(from * 1000),
            to: fromMilliseconds(to * 1000),
          })
        }
      />
      <p class="quiet plot-foot">
        <span>{plural(series.length, "series", "series")}</span>
        <span>a point each {formatLength(asked.step * SECOND)}</span>
        {props.children}
        {exemplars.length > 0 && (
          <span>
            <span class="exemplar-sample" aria-hidden="true" /> opens the trace of an exemplar
          </span>
        )}
        <span class="plot-hint">drag to look closer{props.onOnly && " · click a name to see it alone"}</span>
      </p>
    </>
  );
}
