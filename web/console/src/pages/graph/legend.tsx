// What shapes, lines and colours mean, with the numbers they stand for.

import { formatShare } from "../../model/count.ts";
import { AILING_FROM, FAILING_FROM, type Health } from "../../model/graph.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";

export const HEALTH_ICONS: Record<Health, IconName> = { well: "done", ailing: "warning", failing: "error" };

export function HealthMark({ health }: { health: Health }) {
  return (
    <span class={`health health-${health}`}>
      <Icon name={HEALTH_ICONS[health]} size={13} />
    </span>
  );
}

export function Legend() {
  return (
    <ul class="legend" aria-label="Legend">
      <li>
        <HealthMark health="well" /> errors below {formatShare(AILING_FROM)}
      </li>
      <li>
        <HealthMark health="ailing" /> {formatShare(AILING_FROM)} to {formatShare(FAILING_FROM)}
      </li>
      <li>
        <HealthMark health="failing" /> {formatShare(FAILING_FROM)} and more
      </li>
      <li>
        <svg class="legend-line" viewBox="0 0 34 8" aria-hidden="true">
          <path d="M0 4h34" />
        </svg>
        the caller waits
      </li>
      <li>
        <svg class="legend-line legend-async" viewBox="0 0 34 8" aria-hidden="true">
          <path d="M0 4h34" />
        </svg>
        asynchronous
      </li>
    </ul>
  );
}
