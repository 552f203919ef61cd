// The states of a rule's alerts over time, as stretches. Pure.
import type { Labels, Series } from "../model/samples.ts";

export interface StateStretch {
  state: string;
  /** Seconds since the epoch. */
  from: number;
  to: number;
}

export interface StateRow {
  labels: Labels;
  stretches: StateStretch[];
}

const OWN = new Set(["__name__", "alertstate", "alertname"]);

/**
 * One row for each alert of the `ALERTS` series: a sample says that the state held for the step after it, and no
 * sample that the alert was not there.
 */
export function stateRows(series: readonly Series[], step: number, end: number): StateRow[] {
  const rows = new Map<string, StateRow>();
  for (const { labels, times } of series) {
    const state = labels["alertstate"] ?? "";
    const others = Object.fromEntries(Object.entries(labels).filter(([key]) => !OWN.has(key)));
    const key = JSON.stringify(Object.entries(others).sort());
    const row = rows.get(key) ?? { labels: others, stretches: [] };
    rows.set(key, row);
    let open: StateStretch | undefined;
    for (const at of times) {
      if (open !== undefined && at - open.to < step * 0.5) {
        open.to = Math.min(end, at + step);
      } else {
        open = { state, from: at, to: Math.min(end, at + step) };
        row.stretches.push(open);
      }
    }
  }
  for (const row of rows.values()) {
    row.stretches.sort((a, b) => a.from - b.from);
  }
  return [...rows.values()].sort((a, b) => firingSeconds(b) - firingSeconds(a));
}

export function firingSeconds({ stretches }: StateRow): number {
  return stretches
    .filter(({ state }) => state === "firing")
    .reduce((sum, { from, to }) => sum + Math.max(0, to - from), 0);
}
