// How much arrives in all, minute by minute.
import { useSignal } from "@preact/signals";
import { formatCount } from "../../model/count.ts";
import { type Overview, SIGNALS, summed } from "../../model/overview.ts";
import { formatClock, toMilliseconds } from "../../model/time.ts";
import { Minutes } from "../../parts/minutes.tsx";

const TITLES = { spans: "Spans", lines: "Log lines", samples: "Samples" };

export function Flows({ overview }: { overview: Overview }) {
  const pointed = useSignal<number | undefined>(undefined);
  const lastMinute = Math.floor(toMilliseconds(overview.now) / 60_000) * 60;
  const flows = SIGNALS.map((signal) => ({
    title: TITLES[signal],
    tone: "plain" as const,
    lastMinute: overview.services.reduce((sum, service) => sum + service.signals[signal].lastMinute, 0),
    values: summed(overview.services.map((service) => service.signals[signal].perMinute)),
  }));
  const errors = {
    title: "Spans with errors",
    tone: "error" as const,
    lastMinute: overview.services.reduce((sum, service) => sum + service.errors.lastMinute, 0),
    values: summed(overview.services.map((service) => service.errors.perMinute)),
  };
  return (
    <section class="flows" aria-label="What arrives">
      {[errors, ...flows].map((flow) => {
        const at = pointed.value;
        const value = at === undefined ? undefined : flow.values[at];
        const minute = lastMinute - 60 * (flow.values.length - 1 - (at ?? 0));
        const isCalm = flow.tone === "error" && flow.lastMinute === 0;
        return (
          <article
            key={flow.title}
            class={`card flow ${flow.tone === "error" && !isCalm ? "flow-error" : ""}`}
          >
            <h2>{flow.title}</h2>
            <p class="flow-figure">
              <strong>{formatCount(value ?? flow.lastMinute)}</strong>
              <span class="quiet">
                {value === undefined
                  ? "in the last minute"
                  : `at ${formatClock(BigInt(minute) * 1_000_000_000n).slice(0, 5)}`}
              </span>
            </p>
            <Minutes
              values={flow.values}
              tone={flow.tone}
              pointed={at}
              onPoint={(index) => {
                pointed.value = index;
              }}
              label={`${flow.title} per minute over ${overview.minutes} minutes`}
            />
          </article>
        );
      })}
    </section>
  );
}
