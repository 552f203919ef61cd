// A state by icon, word and colour.
import type { State } from "../../model/alerts.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";

export const STATE_ICONS: Record<State, IconName> = {
  firing: "error",
  pending: "clock",
  silenced: "silenced",
  inactive: "done",
};

export function StateMark({ state }: { state: State }) {
  return (
    <span class={`state-mark state-of-${state}`}>
      <Icon name={STATE_ICONS[state]} size={14} /> {state}
    </span>
  );
}
