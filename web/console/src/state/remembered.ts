// Answers that several parts ask for and that change slowly: kept for a minute, a bounded number of them.
interface Kept {
  at: number;
  answer: Promise<unknown>;
}

const KEPT_MAX = 200;
const KEPT_MS = 60_000;
const kept = new Map<string, Kept>();

/** The answer of a minute ago or less; otherwise it is asked for. One that failed is not kept. */
export function remembered<T>(key: string, load: (cancelled: AbortSignal) => Promise<T>): Promise<T> {
  const now = performance.now();
  const found = kept.get(key);
  if (found !== undefined && now - found.at < KEPT_MS) {
    return found.answer as Promise<T>;
  }
  const answer = load(new AbortController().signal);
  kept.delete(key);
  kept.set(key, { at: now, answer });
  answer.catch(() => kept.get(key)?.answer === answer && kept.delete(key));
  const [oldest] = kept.keys();
  if (kept.size > KEPT_MAX && oldest !== undefined) {
    kept.delete(oldest);
  }
  return answer;
}
