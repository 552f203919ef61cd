// The names that the editor of LogQL offers, as the server knows them, within a range of time.
import { getFields, getLabelNames, getLabelValues, type Span } from "../../api/loki.ts";
import type { Names } from "../../model/syntax/complete.ts";
import { bounds, type Range } from "../../state/range.ts";
import { remembered } from "../../state/remembered.ts";

const MINUTE_NS = 60_000_000_000n;

/** Rounded to minutes, so that the same question has the same words for a while. */
function spanOf(range: Range): Span {
  const { start, end } = bounds(range, Date.now());
  return { start: (start / MINUTE_NS) * MINUTE_NS, end: (end / MINUTE_NS + 1n) * MINUTE_NS };
}

export function namesFor(range: Range): Names {
  const span = spanOf(range);
  const key = `${span.start} ${span.end}`;
  return {
    metrics: async () => [],
    labels: () => remembered(`log labels ${key}`, (cancelled) => getLabelNames(span, cancelled)),
    values: (_, label) =>
      remembered(`log values ${key} ${label}`, (cancelled) => getLabelValues(label, span, cancelled)),
    fields: (selector) =>
      remembered(`log fields ${key} ${selector}`, async (cancelled) => {
        const fields = selector === "" ? [] : await getFields(selector, span, cancelled);
        return fields.map(({ label }) => label);
      }),
  };
}
