// The answer to a query of LogQL that gives numbers.
import { plural } from "../../model/count.ts";
import { formatLength, MILLISECOND } from "../../model/time.ts";
import { SeriesPlot } from "../../parts/series-plot.tsx";
import { Empty, Notice } from "../../parts/states.tsx";
import type { LogsAddress } from "../../state/addresses/logs.ts";
import type { Change } from "../logs.tsx";
import type { Answered } from "./asked.ts";

interface NumbersProps {
  address: LogsAddress;
  change: Change;
  asked: Answered;
}

export function Numbers({ address, change, asked }: NumbersProps) {
  const { numbers, query } = asked;
  const series = numbers?.result.kind === "matrix" ? numbers.result.series : [];
  if (numbers === undefined || series.length === 0) {
    return (
      <Empty title="No numbers">
        <p>The query is right, and no line in this time range matches it.</p>
        <div class="state-actions">
          <button
            type="button"
            class="button primary"
            onClick={() => change({ range: { kind: "last", seconds: 86_400 } })}
          >
            Look at the last day
          </button>
        </div>
      </Empty>
    );
  }
  return (
    <section class="card plot-card">
      {numbers.omitted > 0 && (
        <Notice tone="warning">{plural(numbers.omitted, "series", "series")} more than can be shown.</Notice>
      )}
      <SeriesPlot
        series={series}
        asked={asked.asked}
        query={query}
        unit="none"
        only={address.only}
        onOnly={(only) => change({ only }, "replace")}
        onRange={(range) => change({ range })}
      >
        <span>answered in {formatLength(numbers.elapsedMs * MILLISECOND)}</span>
      </SeriesPlot>
    </section>
  );
}
