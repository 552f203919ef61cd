// What the cards in sight say of their metrics: how many series, and the last value. Asked for together, for
// all cards that came into sight within a moment.
import { type Signal, signal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getInstant } from "../../api/prometheus.ts";
import type { Metric } from "../../model/metric.ts";

export interface Figures {
  series: number;
  low: number;
  high: number;
  sum: number;
}

const WAIT_MS = 60;
const TOGETHER_MAX = 40;
const KEPT_MAX = 2000;

const known = new Map<string, Signal<Figures | "none" | undefined>>();
let waiting: { name: string; selector: string }[] = [];
let timer: ReturnType<typeof setTimeout> | undefined;

/** The name under which a metric is counted: a classic histogram's count stands for all its series. */
export function countedName({ name, stored }: Metric): string {
  const count = `${name}_count`;
  return stored.includes(name) ? name : stored.includes(count) ? count : (stored[0] ?? name);
}

const keyFor = (name: string, selector: string) => `${name} ${selector}`;

function slotFor(key: string): Signal<Figures | "none" | undefined> {
  const found = known.get(key) ?? signal<Figures | "none" | undefined>(undefined);
  known.set(key, found);
  const [oldest] = known.keys();
  if (known.size > KEPT_MAX && oldest !== undefined) {
    known.delete(oldest);
  }
  return found;
}

async function askFor(names: string[], selector: string): Promise<void> {
  const cancelled = new AbortController().signal;
  const escaped = names.map((name) =>
    name.replaceAll(/[.*+?^${}()|[\]\\]/g, "\\\\$&").replaceAll('"', '\\"'),
  );
  const more = selector === "" ? "" : `, ${selector.slice(1, -1)}`;
  const all = `{__name__=~"${escaped.join("|")}"${more}}`;
  const at = Date.now() / 1000;
  const answers = await Promise.all(
    ["count", "min", "max", "sum"].map((operation) =>
      getInstant(`${operation} by (__name__) (${all})`, at, cancelled),
    ),
  );
  const [counts, lows, highs, sums] = answers.map(({ result }) => {
    const samples = result.kind === "vector" ? result.samples : [];
    return new Map(
      samples.map(({ labels, value, histogram }) => [labels["__name__"] ?? "", histogram?.count ?? value]),
    );
  });
  for (const name of names) {
    const series = counts?.get(name);
    const figures = {
      series: series ?? 0,
      low: lows?.get(name) ?? Number.NaN,
      high: highs?.get(name) ?? Number.NaN,
      sum: sums?.get(name) ?? Number.NaN,
    };
    slotFor(keyFor(name, selector)).value = series === undefined ? "none" : figures;
  }
}

function flush(): void {
  timer = undefined;
  const bySelector = new Map<string, Set<string>>();
  for (const { name, selector } of waiting) {
    bySelector.set(selector, (bySelector.get(selector) ?? new Set()).add(name));
  }
  waiting = [];
  for (const [selector, wanted] of bySelector) {
    const names = [...wanted];
    for (let at = 0; at < names.length; at += TOGETHER_MAX) {
      const some = names.slice(at, at + TOGETHER_MAX);
      askFor(some, selector).catch(() => {
        // The card goes without; it is asked again when it is seen again.
        for (const name of some) {
          known.delete(keyFor(name, selector));
        }
      });
    }
  }
}

/** The figures of a metric, when they are known; `none` where it has no series now. */
export function useFigures(metric: Metric, selector: string): Figures | "none" | undefined {
  const name = countedName(metric);
  const slot = slotFor(keyFor(name, selector));
  useEffect(() => {
    if (slot.peek() === undefined) {
      waiting.push({ name, selector });
      timer = timer ?? setTimeout(flush, WAIT_MS);
    }
  }, [name, selector]);
  return slot.value;
}
