// What the page of logs asks for, and the answers together.
import { type DetectedField, getFields, getLines, getNumbers, type Span } from "../../api/loki.ts";
import { aligned, stepFor } from "../../layout/plot.ts";
import { type Volume, volumeOf } from "../../layout/volume.ts";
import type { LogLine, LogStats } from "../../model/logs.ts";
import type { Answer } from "../../model/samples.ts";
import { isMetricQuery, volumeQuery } from "../../model/syntax/edit.ts";
import { fromMilliseconds, toMilliseconds } from "../../model/time.ts";
import { encodeLogs, type LogsAddress } from "../../state/addresses/logs.ts";
import { bounds } from "../../state/range.ts";
import { type Asked as AskedFor, useResource } from "../../state/resource.ts";

/** Bars of the histogram at most. */
const BARS_MAX = 80;
const POINTS_MAX = 300;

export interface Answered {
  query: string;
  lines: LogLine[];
  stats: LogStats;
  volume: Volume;
  /** Why there are no bars. */
  volumeTrouble: string | undefined;
  fields: DetectedField[];
  /** For a query that gives numbers. */
  numbers: Answer | undefined;
  asked: { start: number; end: number; step: number };
}

export type Asked = AskedFor<Answered>;

const secondsOf = ({ start, end }: Span) => ({
  start: toMilliseconds(start) / 1000,
  end: toMilliseconds(end) / 1000,
});

export function numbersStep(span: Span): number {
  const { start, end } = secondsOf(span);
  return stepFor(end - start, POINTS_MAX);
}

const NO_VOLUME: Volume = { starts: [], step: 1, levels: [], total: 0 };
const NOTHING: Answered = {
  query: "",
  lines: [],
  stats: { bytes: 0, lines: 0, seconds: 0 },
  volume: NO_VOLUME,
  volumeTrouble: undefined,
  fields: [],
  numbers: undefined,
  asked: { start: 0, end: 1, step: 1 },
};

async function loadNumbers(query: string, span: Span, cancelled: AbortSignal): Promise<Answered> {
  const step = numbersStep(span);
  const { start, end } = secondsOf(span);
  const asked = { ...aligned(start, end, step), step };
  const exact = { start: fromMilliseconds(asked.start * 1000), end: fromMilliseconds(asked.end * 1000) };
  const numbers = await getNumbers(query, exact, step, cancelled);
  return { ...NOTHING, query, numbers, asked };
}

/** The bars begin and end at multiples of their step, so that they stand still while time goes on. */
async function loadVolume(query: string, span: Span, cancelled: AbortSignal): Promise<Volume> {
  const { start, end } = secondsOf(span);
  const step = stepFor(end - start, BARS_MAX);
  const first = Math.floor(start / step) * step;
  const last = Math.ceil(end / step) * step;
  const exact = {
    start: fromMilliseconds((first + step) * 1000),
    end: fromMilliseconds(Math.max(first + step, last) * 1000),
  };
  const { result } = await getNumbers(volumeQuery(query, step), exact, step, cancelled);
  return volumeOf(result.kind === "matrix" ? result.series : [], first, last, step);
}

async function loadLines(address: LogsAddress, span: Span, cancelled: AbortSignal): Promise<Answered> {
  const { query, limit, order } = address;
  const direction = order === "newest" ? "backward" : "forward";
  // The lines are asked for first: a query that is wrong is told once.
  const { lines, stats } = await getLines(query, span, limit, direction, cancelled);
  let volumeTrouble: string | undefined;
  const [volume, fields] = await Promise.all([
    loadVolume(query, span, cancelled).catch((error: unknown) => {
      volumeTrouble = error instanceof Error ? error.message : String(error);
      return NO_VOLUME;
    }),
    lines.length === 0 ? [] : getFields(query, span, cancelled).catch(() => []),
  ]);
  return { ...NOTHING, query, lines, stats, volume, volumeTrouble, fields };
}

export function useLogs(address: LogsAddress, isLive: boolean): Asked {
  const key = encodeLogs({ ...address, line: "", isOpen: false, only: "" }).toString();
  return useResource<Answered>(key, async (cancelled) => {
    const span = bounds(address.range, Date.now());
    if (isLive) {
      return { ...NOTHING, query: address.query };
    }
    return isMetricQuery(address.query)
      ? loadNumbers(address.query, span, cancelled)
      : loadLines(address, span, cancelled);
  });
}
