// A service by name and colour. The colour never stands alone.
import { Palette } from "../model/colour.ts";

const palette = new Palette();

/** The service's slot among the theme's colours, the same on every page. */
export function slotOf(service: string): number {
  return palette.slot(service);
}

/** The class that sets `--service` to the service's colour. */
export function serviceClass(service: string): string {
  return `service-${slotOf(service)}`;
}

export function ServiceChip({ name, count, errors = 0 }: { name: string; count?: number; errors?: number }) {
  return (
    <span class={`chip ${serviceClass(name)}`} title={errors > 0 ? `${name}: ${errors} with errors` : name}>
      <span class="swatch" />
      <span class="chip-name">{name}</span>
      {count !== undefined && <span class="chip-count">{count}</span>}
      {errors > 0 && (
        <span class="chip-errors">
          <span aria-hidden="true">!</span>
          {errors}
        </span>
      )}
    </span>
  );
}
