// The stretch of time that a view looks at, and how it stands in an address.
import { fromMilliseconds, type Moment, parseLength, SECOND } from "../model/time.ts";

export type Range = { kind: "last"; seconds: number } | { kind: "between"; from: Moment; to: Moment };

/** What the range menu offers. */
export const OFFERED_SECONDS = [5 * 60, 15 * 60, 3600, 3 * 3600, 6 * 3600, 12 * 3600, 86_400, 7 * 86_400];

const LONGEST_SECONDS = 366 * 86_400;

export function last(seconds: number): Range {
  return { kind: "last", seconds };
}

/** `90` → `90s`, `900` → `15m`, `7200` → `2h`, `172800` → `2d`. */
export function writeSeconds(seconds: number): string {
  for (const [unit, size] of [
    ["d", 86_400],
    ["h", 3600],
    ["m", 60],
  ] as const) {
    if (seconds >= size && seconds % size === 0) {
      return `${seconds / size}${unit}`;
    }
  }
  return `${seconds}s`;
}

export function decodeRange(params: URLSearchParams, fallbackSeconds: number): Range {
  const from = params.get("from") ?? "";
  const to = params.get("to") ?? "";
  if (/^\d{1,20}$/.test(from) && /^\d{1,20}$/.test(to) && BigInt(from) < BigInt(to)) {
    return { kind: "between", from: BigInt(from), to: BigInt(to) };
  }
  const text = params.get("last") ?? "";
  const days = /^(\d+)d$/.exec(text);
  const seconds = days ? Number(days[1]) * 86_400 : (parseLength(text) ?? 0) / SECOND;
  const isUsable = Number.isInteger(seconds) && seconds > 0 && seconds <= LONGEST_SECONDS;
  return last(isUsable ? seconds : fallbackSeconds);
}

export function encodeRange(range: Range, params: URLSearchParams, fallbackSeconds: number): void {
  if (range.kind === "between") {
    params.set("from", String(range.from));
    params.set("to", String(range.to));
  } else if (range.seconds !== fallbackSeconds) {
    params.set("last", writeSeconds(range.seconds));
  }
}

/** Where the range begins and ends, seen from now. */
export function bounds(range: Range, nowMs: number): { start: Moment; end: Moment } {
  if (range.kind === "between") {
    return { start: range.from, end: range.to };
  }
  const end = fromMilliseconds(nowMs);
  return { start: end - BigInt(range.seconds) * 1_000_000_000n, end };
}
