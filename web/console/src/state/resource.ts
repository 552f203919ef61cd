// Something that is asked for over the network: what is known of it at any moment.
import { type Signal, signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { ApiError } from "../api/client.ts";

export interface Resource<T> {
  /** The last good answer; kept while the next one is awaited, and when that fails. */
  data: T | undefined;
  error: ApiError | undefined;
  isLoading: boolean;
}

export interface Options {
  /** Asks again, this long after each answer. */
  everyMs?: number | undefined;
  /** Forgets the last answer when something else is asked for. */
  forget?: boolean;
}

export interface Asked<T> {
  resource: Resource<T>;
  again: () => void;
}

/** Asks whenever the key changes, and again as the options say. Answers to older questions are ignored. */
export function useResource<T>(
  key: string,
  load: (cancelled: AbortSignal) => Promise<T>,
  options: Options = {},
): Asked<T> {
  const state = useRef<Signal<Resource<T>> | undefined>(undefined);
  state.current ??= signal<Resource<T>>({ data: undefined, error: undefined, isLoading: true });
  const held = state.current;
  const latest = useRef(load);
  latest.current = load;
  const trigger = useRef<() => void>(() => {});

  useEffect(() => {
    if (options.forget && held.peek().data !== undefined) {
      held.value = { data: undefined, error: undefined, isLoading: true };
    }
  }, [key]);

  useEffect(() => {
    let running = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    let isOver = false;
    const run = async () => {
      clearTimeout(timer);
      running.abort();
      const mine = new AbortController();
      running = mine;
      held.value = { ...held.peek(), isLoading: true };
      try {
        const data = await latest.current(mine.signal);
        if (!mine.signal.aborted) {
          held.value = { data, error: undefined, isLoading: false };
        }
      } catch (error) {
        if (mine.signal.aborted) {
          return;
        }
        const known = error instanceof ApiError ? error : new ApiError("unreadable", String(error));
        held.value = { ...held.peek(), error: known, isLoading: false };
      }
      if (!isOver && !mine.signal.aborted && options.everyMs !== undefined) {
        timer = setTimeout(poll, options.everyMs);
      }
    };
    // A page that nobody sees asks for nothing.
    const poll = () => {
      if (document.hidden) {
        document.addEventListener("visibilitychange", poll, { once: true });
      } else if (!isOver) {
        void run();
      }
    };
    trigger.current = () => void run();
    void run();
    return () => {
      isOver = true;
      clearTimeout(timer);
      document.removeEventListener("visibilitychange", poll);
      running.abort();
    };
  }, [key, options.everyMs]);

  return { resource: held.value, again: () => trigger.current() };
}
