// The names that the editor offers, as the server knows them, within a range of time.
import {
  getLabelNames,
  getLabelValues,
  getMetadata,
  getMetricNames,
  type Stretch,
} from "../../api/prometheus.ts";
import { type Metric, metricsOf } from "../../model/metric.ts";
import type { Names } from "../../model/syntax/complete.ts";
import { toMilliseconds } from "../../model/time.ts";
import { bounds, type Range } from "../../state/range.ts";
import { remembered } from "../../state/remembered.ts";

/** Moments are rounded to this, so that the same question has the same words for a while. */
const ROUND_SECONDS = 60;

export function stretchOf(range: Range): Stretch {
  const { start, end } = bounds(range, Date.now());
  const round = (ms: number, up: number) => (Math.floor(ms / 1000 / ROUND_SECONDS) + up) * ROUND_SECONDS;
  return { start: round(toMilliseconds(start), 0), end: round(toMilliseconds(end), 1) };
}

const keyOf = ({ start, end }: Stretch) => `${start} ${end}`;

/** All metrics with series in the range that the selector fits. */
export async function loadMetrics(range: Range, selector: string): Promise<Metric[]> {
  const stretch = stretchOf(range);
  const [names, described] = await Promise.all([
    remembered(`names ${keyOf(stretch)} ${selector}`, (cancelled) =>
      getMetricNames(stretch, selector, cancelled),
    ),
    // Without descriptions the names alone are of use.
    remembered("metadata", getMetadata).catch(() => new Map()),
  ]);
  return metricsOf(names, described);
}

export function namesFor(range: Range, selector: string): Names {
  return {
    metrics: async () => {
      const metrics = await loadMetrics(range, selector);
      return metrics.flatMap(({ stored, type, help }) =>
        stored.map((name) => ({ name, detail: help === "" ? type : `${type}: ${help}` })),
      );
    },
    labels: (metric) => {
      const stretch = stretchOf(range);
      return remembered(`labels ${keyOf(stretch)} ${metric}`, (cancelled) =>
        getLabelNames(stretch, metric, cancelled),
      );
    },
    values: (metric, label) => {
      const stretch = stretchOf(range);
      return remembered(`values ${keyOf(stretch)} ${metric} ${label}`, (cancelled) =>
        getLabelValues(label, stretch, metric, cancelled),
      );
    },
    fields: async () => [],
  };
}
