// A whole trace in a few pixels: for each line, which stretches are covered and by whom.
import type { Span } from "../model/trace.ts";

export interface Mark {
  /** Pixels. */
  x: number;
  y: number;
  width: number;
  service: number;
  isError: boolean;
}

/**
 * Bars for the minimap, spans in order from top to bottom. Where there are more spans than lines, several
 * share one, and what would be drawn over exactly is drawn once: work and memory are bounded by the pixels.
 */
export function marksOf(
  spans: readonly Pick<Span, "start" | "duration" | "service" | "status">[],
  duration: number,
  width: number,
  height: number,
  lineHeight: number,
): Mark[] {
  const lines = Math.max(1, Math.floor(height / lineHeight));
  const perLine = Math.max(1, spans.length / lines);
  const spread =
    spans.length < lines ? Math.min(height / Math.max(1, spans.length), lineHeight * 3) : lineHeight;
  const scale = width / Math.max(1, duration);
  const seen = new Set<string>();
  const marks: Mark[] = [];
  const errors: Mark[] = [];
  for (const [index, span] of spans.entries()) {
    const line = Math.min(lines - 1, Math.floor(index / perLine));
    const x = Math.min(width - 1, Math.round(span.start * scale));
    const wide = Math.max(1, Math.round(span.duration * scale));
    const isError = span.status === "error";
    const key = `${line} ${x} ${wide} ${span.service} ${isError}`;
    if (seen.has(key)) {
      continue;
    }
    seen.add(key);
    const mark = { x, y: line * spread, width: wide, service: span.service, isError };
    // Errors are drawn last, so that nothing covers them.
    (isError ? errors : marks).push(mark);
  }
  return [...marks, ...errors];
}
