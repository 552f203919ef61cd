// Whether an alert fires right now, and the way there.
import { getAlerts, getSilences } from "../../api/alerts.ts";
import { stateOf } from "../../model/alerts.ts";
import { plural } from "../../model/count.ts";
import { Notice } from "../../parts/states.tsx";
import { useResource } from "../../state/resource.ts";

const EVERY_MS = 5000;
const NAMES_MAX = 4;

async function load(cancelled: AbortSignal) {
  const [alerts, silences] = await Promise.all([
    getAlerts(cancelled),
    getSilences(cancelled).catch(() => []),
  ]);
  const names = (state: string) => [
    ...new Set(
      alerts
        .filter((alert) => stateOf(alert, silences) === state)
        .map(({ labels }) => labels["alertname"] ?? ""),
    ),
  ];
  const firing = alerts.filter((alert) => stateOf(alert, silences) === "firing").length;
  return { firing, names: names("firing"), pending: names("pending").length };
}

export function Firing({ isPaused }: { isPaused: boolean }) {
  const { resource } = useResource("firing", load, { everyMs: isPaused ? undefined : EVERY_MS });
  const { data } = resource;
  if (data === undefined) {
    // Not known yet, or rules are not evaluated here: the page of alerts says which.
    return null;
  }
  const { firing, names, pending } = data;
  const more = names.length - NAMES_MAX;
  if (firing > 0) {
    return (
      <Notice tone="error">
        <a href="/alerts?state=firing">
          <strong>{plural(firing, "alert")} firing</strong>
        </a>
        : {names.slice(0, NAMES_MAX).join(", ")}
        {more > 0 && ` and ${more} more`}
        {pending > 0 && <span class="quiet"> · {plural(pending, "rule")} pending</span>}
      </Notice>
    );
  }
  return (
    <p class="quiet all-quiet">
      <a href="/alerts">No alert is firing</a>
      {pending > 0 && `, ${plural(pending, "rule")} pending`}
    </p>
  );
}
