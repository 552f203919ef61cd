// A line's level as a word and a colour, for a colour alone says nothing to many.
import type { Level } from "../model/logs.ts";

const SHORT: Record<Level, string> = {
  fatal: "FATAL",
  error: "ERROR",
  warn: "WARN",
  info: "INFO",
  debug: "DEBUG",
  trace: "TRACE",
  unknown: "–",
};

export function LevelMark({ level }: { level: Level }) {
  return (
    <span class={`level level-${level}`} title={level === "unknown" ? "no level" : level}>
      {SHORT[level]}
    </span>
  );
}
