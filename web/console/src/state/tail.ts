// Lines as they come, over a WebSocket: a bounded number of them, held back while the reader pauses, and taken
// up again when the connection is lost.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { getLabelNames, linesFrom, type TailMessage, tailAddress } from "../api/loki.ts";
import { type LogLine, mergedLines } from "../model/logs.ts";
import { fromMilliseconds } from "../model/time.ts";

/** Lines that are kept; older ones are asked for over a range. */
export const TAIL_MAX = 2000;
const BACK_SECONDS = 300;
const FIRST_LINES = 200;
const GATHER_MS = 250;
const HOUR_NS = 3_600_000_000_000n;
const AGAIN_MS = [1000, 2000, 5000, 10_000];

export interface Tail {
  state: "connecting" | "open" | "lost";
  lines: LogLine[];
  /** Came while paused; the newest of them, at most as many as are kept. */
  held: number;
  /** Since it was begun: those that came, and those that the server left out for they came too fast. */
  came: number;
  dropped: number;
}

const NOTHING: Tail = { state: "connecting", lines: [], held: 0, came: 0, dropped: 0 };

class Follower {
  private socket: WebSocket | undefined;
  private waiting: LogLine[] = [];
  private timer: ReturnType<typeof setTimeout> | undefined;
  private attempt = 0;
  private isOver = false;
  private selecting: ReadonlySet<string> | undefined;
  private since = fromMilliseconds(Date.now() - BACK_SECONDS * 1000);

  constructor(
    private readonly query: string,
    private readonly told: Signal<Tail>,
    private readonly isPaused: () => boolean,
  ) {
    void this.begin();
  }

  /** Learns first which names select streams. */
  private async begin(): Promise<void> {
    const end = fromMilliseconds(Date.now());
    const span = { start: end - HOUR_NS, end };
    const names = await getLabelNames(span, new AbortController().signal).catch(() => undefined);
    this.selecting = names === undefined ? undefined : new Set(names);
    if (!this.isOver) {
      this.connect();
    }
  }

  private connect(): void {
    const socket = new WebSocket(tailAddress(this.query, this.since, FIRST_LINES));
    this.socket = socket;
    socket.addEventListener("open", () => {
      this.attempt = 0;
      this.told.value = { ...this.told.peek(), state: "open" };
    });
    socket.addEventListener("message", ({ data }) => this.take(String(data)));
    socket.addEventListener("close", () => this.lost());
  }

  private lost(): void {
    if (this.isOver) {
      return;
    }
    this.told.value = { ...this.told.peek(), state: "lost" };
    const wait = AGAIN_MS[Math.min(this.attempt, AGAIN_MS.length - 1)] ?? 1000;
    this.attempt += 1;
    setTimeout(() => !this.isOver && this.connect(), wait);
  }

  private take(text: string): void {
    let message: TailMessage;
    try {
      message = JSON.parse(text) as TailMessage;
    } catch {
      return;
    }
    const lines = linesFrom(message.streams ?? [], this.selecting);
    this.waiting.push(...lines);
    if (this.waiting.length > 2 * TAIL_MAX) {
      this.waiting = this.waiting.slice(-TAIL_MAX);
    }
    for (const { at } of lines) {
      if (at > this.since) {
        this.since = at;
      }
    }
    const now = this.told.peek();
    const dropped = now.dropped + (message.dropped_entries?.length ?? 0);
    this.told.value = { ...now, came: now.came + lines.length, dropped };
    this.timer ??= setTimeout(() => this.show(), GATHER_MS);
  }

  /** Puts what has come before the reader, unless the reader pauses. */
  show(): void {
    clearTimeout(this.timer);
    this.timer = undefined;
    const now = this.told.peek();
    if (this.isPaused()) {
      this.told.value = { ...now, held: Math.min(TAIL_MAX, this.waiting.length) };
      return;
    }
    const lines = mergedLines(now.lines, this.waiting, TAIL_MAX);
    this.waiting = [];
    this.told.value = { ...now, lines, held: 0 };
  }

  end(): void {
    this.isOver = true;
    clearTimeout(this.timer);
    this.socket?.close();
  }
}

/** Follows a query while it is wanted. */
export function useTail(query: string, isWanted: boolean, isPaused: boolean): Tail {
  const told = useRef<Signal<Tail> | undefined>(undefined);
  told.current ??= signal<Tail>(NOTHING);
  const shown = told.current;
  const follower = useRef<Follower | undefined>(undefined);
  const paused = useRef(isPaused);
  paused.current = isPaused;
  useEffect(() => {
    if (!isWanted) {
      return;
    }
    shown.value = NOTHING;
    const mine = new Follower(query, shown, () => paused.current);
    follower.current = mine;
    return () => mine.end();
  }, [query, isWanted]);
  useEffect(() => {
    if (!isPaused) {
      follower.current?.show();
    }
  }, [isPaused]);
  return shown.value;
}
