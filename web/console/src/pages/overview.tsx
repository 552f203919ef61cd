// Is anything wrong right now? What arrives, from whom, what is kept, what was lost.
import { getOverview } from "../api/calls.ts";
import { hasAnything } from "../model/overview.ts";
import { formatLength, MINUTE } from "../model/time.ts";
import { Icon } from "../parts/icons.tsx";
import { Failure, Loading, Notice, Stale } from "../parts/states.tsx";
import { decodeOverview, encodeOverview, OVERVIEW_MINUTES } from "../state/addresses.ts";
import { place, put } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { Firing } from "./overview/firing.tsx";
import { Flows } from "./overview/flows.tsx";
import { Services } from "./overview/services.tsx";
import { Facts, Losses, StoreUsage } from "./overview/store.tsx";
import { FirstSteps } from "./setup/first-steps.tsx";

const EVERY_MS = 2000;

export function OverviewPage() {
  const address = decodeOverview(place.value.params);
  const change = (part: Partial<typeof address>) => put(encodeOverview({ ...address, ...part }));
  const { resource, again } = useResource(
    `overview ${address.minutes}`,
    (cancelled) => getOverview(address.minutes, cancelled),
    { everyMs: address.isPaused ? undefined : EVERY_MS },
  );
  useShortcuts("Overview", [
    { keys: ["p"], does: "Pause or go on", run: () => change({ isPaused: !address.isPaused }) },
  ]);
  const { data, error } = resource;
  return (
    <main class="page" id="main">
      <header class="page-head">
        <h1>Overview</h1>
        <div class="page-tools">
          <select
            class="field"
            aria-label="Time range"
            value={String(address.minutes)}
            onChange={(event) => change({ minutes: Number(event.currentTarget.value) })}
          >
            {OVERVIEW_MINUTES.map((minutes) => (
              <option key={minutes} value={String(minutes)}>
                Last {formatLength(minutes * MINUTE)}
              </option>
            ))}
          </select>
          <button
            type="button"
            class="button live"
            aria-pressed={!address.isPaused}
            title={address.isPaused ? "Go on (p)" : "Pause (p)"}
            onClick={() => change({ isPaused: !address.isPaused })}
          >
            <Icon name={address.isPaused ? "play" : "pause"} />
            {address.isPaused ? "Paused" : "Live"}
          </button>
        </div>
      </header>
      {data === undefined && error !== undefined && <Failure error={error} again={again} />}
      {data === undefined && error === undefined && <Loading what="the overview" />}
      {data !== undefined && <Stale error={error} again={again} />}
      {data !== undefined && !hasAnything(data) && <FirstSteps ports={data.ports} />}
      {data !== undefined && hasAnything(data) && (
        <>
          {data.store.trouble !== null && (
            <Notice tone="error">
              <strong>The store is in trouble:</strong> {data.store.trouble}. What arrives now may not be
              kept.
            </Notice>
          )}
          <Firing isPaused={address.isPaused} />
          <Losses dropped={data.dropped} />
          <Flows overview={data} />
          <Services overview={data} />
          <div class="pair">
            <StoreUsage overview={data} />
            <Facts overview={data} />
          </div>
          <p class="quiet foot">highbeam {data.version}</p>
        </>
      )}
    </main>
  );
}
