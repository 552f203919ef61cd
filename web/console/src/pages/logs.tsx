// Logs: a query, how many lines there were by level, the lines, their fields, and lines as they come.
import { useMemo } from "preact/hooks";
import { linesRequest, numbersRequest } from "../api/loki.ts";
import { formatBytes, formatCount, plural } from "../model/count.ts";
import { type LogLine, traceOfLine } from "../model/logs.ts";
import { placeIn } from "../model/syntax/complete.ts";
import { isMetricQuery } from "../model/syntax/edit.ts";
import { LOGQL } from "../model/syntax/logql.ts";
import { formatLength, SECOND } from "../model/time.ts";
import { CopyCurl } from "../parts/copy.tsx";
import { Editor } from "../parts/editor.tsx";
import { Icon } from "../parts/icons.tsx";
import { RangePicker } from "../parts/range.tsx";
import { Empty, Failure, Loading, Notice, Stale } from "../parts/states.tsx";
import {
  ALL_LINES,
  decodeLogs,
  encodeLogs,
  LOG_LIMITS,
  LOGS_SECONDS,
  type LogsAddress,
  NO_LOGS,
} from "../state/addresses/logs.ts";
import { go, place, put } from "../state/location.ts";
import { bounds } from "../state/range.ts";
import { useShortcuts } from "../state/shortcuts.ts";
import { TAIL_MAX, type Tail, useTail } from "../state/tail.ts";
import { type Asked, numbersStep, useLogs } from "./logs/asked.ts";
import { Histogram } from "./logs/histogram.tsx";
import { Lines, traceAddress } from "./logs/lines.tsx";
import { namesFor } from "./logs/names.ts";
import { Numbers } from "./logs/numbers.tsx";

export type Change = (part: Partial<LogsAddress>, how?: "push" | "replace") => void;

const change: Change = (part, how = "push") =>
  put(encodeLogs({ ...decodeLogs(place.peek().params), ...part }), how);

export function LogsPage() {
  const address = decodeLogs(place.value.params);
  const isPaused = place.value.params.get("paused") === "true";
  const isNumbers = isMetricQuery(address.query);
  const isLive = address.live && !isNumbers;
  const asked = useLogs(address, isLive);
  const tail = useTail(address.query, isLive, isPaused);
  const names = useMemo(
    () => namesFor(address.range),
    [encodeLogs({ ...NO_LOGS, range: address.range }).toString()],
  );
  const { data, error, isLoading } = asked.resource;
  const isAnswered = data !== undefined && data.query === address.query;
  const lines = isLive ? tail.lines : isAnswered ? data.lines : [];
  useKeys(address, lines, asked, isPaused);
  return (
    <main class={`page logs ${isNumbers ? "" : "page-fixed"}`} id="main">
      <header class="page-head">
        <h1>Logs</h1>
        <div class="page-tools">
          <CopyCurl request={() => requestOf(address, isNumbers)} />
          {!isLive && (
            <RangePicker
              range={address.range}
              fallbackSeconds={LOGS_SECONDS}
              onChange={(range) => change({ range })}
            />
          )}
          {!isNumbers && <LiveButtons isLive={isLive} isPaused={isPaused} />}
        </div>
      </header>
      <Editor
        id="logs-query"
        label="Query in LogQL"
        placeholder='LogQL, for example {service_name=~".+"} |= "error"'
        value={address.query}
        vocabulary={LOGQL}
        names={names}
        wrong={
          error?.trouble === "refused" && !isAnswered && !isLoading
            ? { query: address.query, at: placeIn(error.message, address.query) }
            : undefined
        }
        onRun={(query) =>
          (query || ALL_LINES) === address.query
            ? asked.again()
            : change({ query, line: "", isOpen: false, only: "" })
        }
      />
      {isLive ? (
        <Followed tail={tail} isPaused={isPaused} address={address} />
      ) : isAnswered ? (
        <>
          <Stale error={error} again={asked.again} />
          {isNumbers ? (
            <Numbers address={address} change={change} asked={data} />
          ) : (
            <Found address={address} asked={data} isLoading={isLoading} />
          )}
        </>
      ) : error === undefined || isLoading ? (
        <Loading what="lines" rows={14} />
      ) : (
        <Failure
          error={error}
          again={asked.again}
          {...(error.trouble === "refused" ? { title: "This query cannot be answered" } : {})}
        />
      )}
    </main>
  );
}

function requestOf(address: LogsAddress, isNumbers: boolean) {
  const span = bounds(address.range, Date.now());
  return isNumbers
    ? numbersRequest(address.query, span, numbersStep(span))
    : linesRequest(address.query, span, address.limit, address.order === "newest" ? "backward" : "forward");
}

/** Pausing is part of the address, as everything is; it has no place in what is sent to others. */
function pause(isPaused: boolean): void {
  const params = new URLSearchParams(place.peek().params);
  isPaused ? params.set("paused", "true") : params.delete("paused");
  put(params);
}

function LiveButtons({ isLive, isPaused }: { isLive: boolean; isPaused: boolean }) {
  return (
    <>
      {isLive && (
        <button
          type="button"
          class="button"
          title={isPaused ? "Go on (p)" : "Pause (p)"}
          onClick={() => pause(!isPaused)}
        >
          <Icon name={isPaused ? "play" : "pause"} /> {isPaused ? "Go on" : "Pause"}
        </button>
      )}
      <button
        type="button"
        class={`button ${isLive ? "live-on" : ""}`}
        aria-pressed={isLive}
        title={isLive ? "Back to the time range (L)" : "Lines as they come (L)"}
        onClick={() => change({ live: !isLive, line: "", isOpen: false })}
      >
        <Icon name={isLive ? "close" : "play"} /> {isLive ? "End live" : "Live"}
      </button>
    </>
  );
}

function useKeys(address: LogsAddress, lines: LogLine[], asked: Asked, isPaused: boolean): void {
  const step = (by: number) => {
    const here = lines.findIndex(({ id }) => id === decodeLogs(place.peek().params).line);
    const next = lines[here < 0 ? 0 : Math.min(lines.length - 1, Math.max(0, here + by))];
    if (next !== undefined) {
      change({ line: next.id }, "replace");
    }
  };
  const openTrace = () => {
    const line = lines.find(({ id }) => id === address.line);
    if (line !== undefined && traceOfLine(line).traceId !== "") {
      go(traceAddress(line));
    }
  };
  useShortcuts("Logs", [
    { keys: ["j", "ArrowDown"], does: "Next line", run: () => step(1) },
    { keys: ["k", "ArrowUp"], does: "Previous line", run: () => step(-1) },
    { keys: ["PageDown"], does: "A page down", run: () => step(20) },
    { keys: ["PageUp"], does: "A page up", run: () => step(-20) },
    {
      keys: ["Enter"],
      does: "Show the line's fields",
      run: () => address.line !== "" && change({ isOpen: true }, "replace"),
    },
    {
      keys: ["Escape"],
      does: "Close the line",
      run: () => change(address.isOpen ? { isOpen: false } : { line: "" }, "replace"),
    },
    { keys: ["o"], does: "Open the line's trace", run: openTrace },
    { keys: ["f"], does: "To the query", run: () => document.getElementById("logs-query")?.focus() },
    { keys: ["r"], does: "Run again", run: asked.again },
    {
      keys: ["L"],
      does: "Lines as they come, or the time range",
      run: () => change({ live: !address.live }),
    },
    { keys: ["p"], does: "Pause lines that come, or go on", run: () => address.live && pause(!isPaused) },
  ]);
}

interface FoundProps {
  address: LogsAddress;
  asked: NonNullable<Asked["resource"]["data"]>;
  isLoading: boolean;
}

function Found({ address, asked, isLoading }: FoundProps) {
  const { lines, stats, volume } = asked;
  if (lines.length === 0 && volume.total === 0) {
    return <Nothing address={address} />;
  }
  const isCut = lines.length >= address.limit;
  return (
    <>
      <Histogram
        volume={volume}
        onSelect={(from, to) => change({ range: { kind: "between", from, to } })}
        trouble={asked.volumeTrouble}
      />
      <div class="list-head logs-head">
        <span>
          <strong>{plural(lines.length, "line")}</strong>
          {isCut && (
            <span
              class="partial"
              title="Narrow the time range by dragging over the bars, add a filter, or raise the limit"
            >
              <Icon name="warning" size={12} /> the {address.order}
              {volume.total > lines.length && ` of ${formatCount(volume.total)}`}: narrow, filter, or raise
              the limit
            </span>
          )}
          <span class="quiet">
            {" "}
            in {formatLength(stats.seconds * SECOND)}
            {stats.bytes > 0 && `, ${formatBytes(stats.bytes)} and ${plural(stats.lines, "line")} read`}
          </span>
        </span>
        <span class="page-tools">
          {isLoading && <span class="quiet">asking…</span>}
          <select
            class="field"
            aria-label="At most so many lines"
            value={String(address.limit)}
            onChange={(event) => change({ limit: Number(event.currentTarget.value) })}
          >
            {[...new Set([...LOG_LIMITS, address.limit])]
              .sort((a, b) => a - b)
              .map((limit) => (
                <option key={limit} value={String(limit)}>
                  At most {formatCount(limit)}
                </option>
              ))}
          </select>
          <select
            class="field"
            aria-label="Order"
            value={address.order}
            onChange={(event) => change({ order: event.currentTarget.value as LogsAddress["order"] })}
          >
            <option value="newest">Newest first</option>
            <option value="oldest">Oldest first</option>
          </select>
        </span>
      </div>
      <Lines address={address} change={change} lines={lines} fields={asked.fields} />
    </>
  );
}

function Nothing({ address }: { address: LogsAddress }) {
  const isAll = address.query === ALL_LINES;
  return (
    <Empty title="No lines found">
      <p>
        {isAll
          ? "None have arrived in this time range. Is something sending logs?"
          : "The query is right, and no line in this time range matches it."}
      </p>
      <div class="state-actions">
        {!isAll && (
          <button type="button" class="button primary" onClick={() => change({ query: ALL_LINES })}>
            All lines
          </button>
        )}
        <button
          type="button"
          class="button"
          onClick={() => change({ range: { kind: "last", seconds: 7 * 86_400 } })}
        >
          Look at the last 7 days
        </button>
        {isAll && (
          <a class="button" href="/setup">
            Setup
          </a>
        )}
      </div>
    </Empty>
  );
}

function Followed({ tail, isPaused, address }: { tail: Tail; isPaused: boolean; address: LogsAddress }) {
  const { state, lines, held, came, dropped } = tail;
  return (
    <>
      {state === "lost" && (
        <Notice tone="error">
          The connection is lost, or the query is not one of lines. It is tried again; what comes meanwhile is
          asked for then.
        </Notice>
      )}
      {dropped > 0 && (
        <Notice tone="warning">
          {plural(dropped, "line")} came faster than they could be sent here and were left out. They are kept:
          ask for them over a time range, or add a filter.
        </Notice>
      )}
      <div class="list-head logs-head">
        <span role="status">
          <span class={`live-dot live-${isPaused ? "paused" : state}`} aria-hidden="true" />
          <strong>
            {isPaused ? "Paused" : state === "open" ? "Live" : state === "lost" ? "Lost" : "Connecting"}
          </strong>
          <span class="quiet">
            {" "}
            {plural(came, "line")} came
            {isPaused && held > 0 && `, ${formatCount(held)}${held >= TAIL_MAX ? " or more" : ""} wait`}
            {lines.length >= TAIL_MAX && `, the newest ${formatCount(TAIL_MAX)} are shown`}
          </span>
        </span>
      </div>
      {lines.length === 0 ? (
        <Empty title="Waiting for lines" icon="clock">
          <p>Each line that matches the query is shown as it arrives.</p>
        </Empty>
      ) : (
        <Lines address={address} change={change} lines={lines} fields={[]} />
      )}
    </>
  );
}
