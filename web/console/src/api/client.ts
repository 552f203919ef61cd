// Asks the console's APIs: one request at a time for each view, cut off when it takes too long or is no
// longer wanted. What an answer means is in decode.ts and its sisters.

export type Trouble = "unreachable" | "slow" | "refused" | "missing" | "broken" | "unreadable";

export class ApiError extends Error {
  constructor(
    readonly trouble: Trouble,
    message: string,
    readonly status?: number,
  ) {
    super(message);
  }
}

export type Params = Record<string, string | number | boolean | undefined>;

export interface How {
  method?: "GET" | "POST" | "DELETE";
  /** Sent as JSON. */
  body?: unknown;
  headers?: Record<string, string>;
}

/** Longer than the server takes before it gives up itself, so that its words reach the reader. */
const TIMEOUT_MS = 20_000;
/** As much as is shown of an answer in plain text. */
const PLAIN_MAX = 600;

/** The path of a request with its query; parameters that are not set are left out. */
export function pathOf(path: string, params: Params = {}): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(params)) {
    if (value !== undefined && value !== "" && value !== false) {
      query.set(name, String(value));
    }
  }
  const text = query.toString();
  return text === "" ? path : `${path}?${text}`;
}

/** The same request for a terminal. */
export function curlOf(path: string, params: Params = {}, origin = window.location.origin): string {
  return `curl -sS '${`${origin}${pathOf(path, params)}`.replaceAll("'", "%27")}'`;
}

export async function ask<T>(
  path: string,
  params: Params,
  cancelled: AbortSignal,
  how: How = {},
): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let text: string;
  try {
    response = await fetch(pathOf(path, params), {
      method: how.method ?? "GET",
      headers: {
        accept: "application/json",
        ...(how.body === undefined ? {} : { "content-type": "application/json" }),
        ...how.headers,
      },
      ...(how.body === undefined ? {} : { body: JSON.stringify(how.body) }),
      signal: AbortSignal.any([cancelled, timeout]),
    });
    text = await response.text();
  } catch (error) {
    if (cancelled.aborted) {
      throw error;
    }
    if (timeout.aborted) {
      throw new ApiError(
        "slow",
        `No answer within ${TIMEOUT_MS / 1000} s. Ask for a shorter time range or fewer results.`,
      );
    }
    throw new ApiError("unreachable", "The console does not answer. Is its process still running?");
  }
  const body = parsed(text);
  if (!response.ok) {
    throw refusal(response.status, body, text);
  }
  if (body === undefined && text.trim() !== "") {
    throw new ApiError(
      "unreadable",
      `The answer to ${path} is not JSON. Is something else listening on this port?`,
    );
  }
  return body as T;
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

/** The console's own API wraps its words, Prometheus' and Loki's say them plainly, Alertmanager's as a text. */
function wordsOf(body: unknown, text: string): string {
  if (typeof body === "string") {
    return body;
  }
  const { error, message } = (body ?? {}) as { error?: unknown; message?: unknown };
  const told = typeof error === "object" ? (error as { message?: unknown } | null)?.message : error;
  for (const candidate of [told, message]) {
    if (typeof candidate === "string" && candidate !== "") {
      return candidate;
    }
  }
  const plain = text.trim();
  return body === undefined && plain !== "" && !plain.startsWith("<") ? plain.slice(0, PLAIN_MAX) : "";
}

function refusal(status: number, body: unknown, text: string): ApiError {
  const message = wordsOf(body, text) || `The console answered with status ${status}.`;
  if (status === 404) {
    return new ApiError("missing", message, status);
  }
  return new ApiError(status < 500 ? "refused" : "broken", message, status);
}
