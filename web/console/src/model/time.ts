// Times and lengths of time: read from the wire, written for people. No clock is read here.
//
// A moment is a bigint of nanoseconds since the Unix epoch: too large for a number. A length, and an offset
// within a trace, is a number of nanoseconds: exact up to 104 days, and fit for drawing.

export type Moment = bigint;
export type Nanoseconds = number;

export const MICROSECOND = 1e3;
export const MILLISECOND = 1e6;
export const SECOND = 1e9;
export const MINUTE = 60 * SECOND;
export const HOUR = 60 * MINUTE;
export const DAY = 24 * HOUR;

/** A moment from the wire; the epoch when it is not a number. */
export function moment(text: string): Moment {
  return /^-?\d+$/.test(text) ? BigInt(text) : 0n;
}

/** A length from the wire; zero when it is not a number. */
export function length(text: string): Nanoseconds {
  const value = Number(text);
  return Number.isFinite(value) ? value : 0;
}

export function fromMilliseconds(ms: number): Moment {
  return BigInt(Math.round(ms)) * 1_000_000n;
}

export function toMilliseconds(at: Moment): number {
  return Number(at / 1_000_000n);
}

/** Three significant digits, without a tail of zeros: `1.5`, `12.3`, `123`. */
function significant(value: number): string {
  const digits = value >= 100 ? 0 : value >= 10 ? 1 : 2;
  return String(Number(value.toFixed(digits)));
}

/** `850 ns`, `1.5 ms`, `12.3 s`, `2 min 5 s`, `3 h 12 min`, `4 d 3 h`. */
export function formatLength(ns: Nanoseconds): string {
  if (ns < 0) {
    return `−${formatLength(-ns)}`;
  }
  // The limits are where rounding to three digits would write 1000 of the smaller unit.
  if (ns < 999.5) {
    return `${Math.round(ns)} ns`;
  }
  if (ns < 999.5 * MICROSECOND) {
    return `${significant(ns / MICROSECOND)} µs`;
  }
  if (ns < 999.5 * MILLISECOND) {
    return `${significant(ns / MILLISECOND)} ms`;
  }
  if (ns < 59.95 * SECOND) {
    return `${significant(ns / SECOND)} s`;
  }
  const seconds = Math.round(ns / SECOND);
  if (seconds < 3600) {
    return pair(Math.floor(seconds / 60), "min", seconds % 60, "s");
  }
  const minutes = Math.round(seconds / 60);
  if (minutes < 24 * 60) {
    return pair(Math.floor(minutes / 60), "h", minutes % 60, "min");
  }
  const hours = Math.round(minutes / 60);
  return pair(Math.floor(hours / 24), "d", hours % 24, "h");
}

function pair(large: number, largeUnit: string, small: number, smallUnit: string): string {
  return small === 0 ? `${large} ${largeUnit}` : `${large} ${largeUnit} ${small} ${smallUnit}`;
}

const UNITS: Record<string, number> = {
  ns: 1,
  us: MICROSECOND,
  µs: MICROSECOND,
  ms: MILLISECOND,
  s: SECOND,
  m: MINUTE,
  h: HOUR,
};

/** Reads a length as the server does: `1.5ms`, `10s`, `2h45m`. Nothing when it is not one. */
export function parseLength(text: string): Nanoseconds | undefined {
  const compact = text.trim().toLowerCase().replaceAll(" ", "").replaceAll("min", "m");
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(compact)) {
    return undefined;
  }
  let sum = 0;
  for (const [, value, unit] of compact.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)) {
    sum += Number(value) * (UNITS[unit ?? ""] ?? 0);
  }
  return sum;
}

/** A length that `parseLength` reads back, for addresses and fields: `1.5ms`. */
export function writeLength(ns: Nanoseconds): string {
  for (const [unit, size] of [
    ["h", HOUR],
    ["m", MINUTE],
    ["s", SECOND],
    ["ms", MILLISECOND],
    ["us", MICROSECOND],
  ] as const) {
    if (ns >= size) {
      const value = Number((ns / size).toFixed(3));
      return `${value}${unit}`;
    }
  }
  return `${Math.round(ns)}ns`;
}

/** How long ago, to the one unit that matters: `just now`, `12 s ago`, `5 min ago`, `3 h ago`, `2 d ago`. */
export function formatAgo(at: Moment, now: Moment): string {
  const seconds = Math.round(Number(now - at) / SECOND);
  if (seconds < -1) {
    return "in the future";
  }
  if (seconds < 2) {
    return "just now";
  }
  if (seconds < 60) {
    return `${seconds} s ago`;
  }
  if (seconds < 3600) {
    return `${Math.floor(seconds / 60)} min ago`;
  }
  if (seconds < 86_400) {
    return `${Math.floor(seconds / 3600)} h ago`;
  }
  return `${Math.floor(seconds / 86_400)} d ago`;
}

const two = (value: number) => String(value).padStart(2, "0");

/** `14:32:07.123`, in the reader's time zone. */
export function formatClock(at: Moment, withMilliseconds = false): string {
  const date = new Date(toMilliseconds(at));
  const clock = `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
  return withMilliseconds ? `${clock}.${String(date.getMilliseconds()).padStart(3, "0")}` : clock;
}

/** `2024-11-25 14:32:07.123`, in the reader's time zone. */
export function formatDate(at: Moment, withMilliseconds = true): string {
  const date = new Date(toMilliseconds(at));
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  return `${day} ${formatClock(at, withMilliseconds)}`;
}
