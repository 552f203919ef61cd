// The time range that goes along from page to page: the one of the page that was open last, if it has any.
import { computed } from "@preact/signals";
import { address, place } from "./location.ts";

/** Pages whose address has a range. */
const RANGED: readonly string[] = ["/traces", "/graph", "/metrics-explorer", "/logs", "/alerts"];
const KEYS = ["last", "from", "to"] as const;

let kept = new URLSearchParams();

/** As of the page that is open, or of the last one that had a range. */
const current = computed(() => {
  const { path, params } = place.value;
  if (RANGED.includes(path)) {
    kept = new URLSearchParams(
      KEYS.flatMap((key) => (params.has(key) ? [[key, params.get(key) ?? ""]] : [])),
    );
  }
  return kept;
});

/** A page's path with the range that is looked at. */
export function withRange(path: string): string {
  return RANGED.includes(path) ? address(path, current.value) : path;
}
