// Asks the console's own API: one request at a time for each view, cut off when it takes too long or is no
// longer wanted. What an answer means is in decode.ts.

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

/** Longer than the server takes before it gives up itself, so that its words reach the reader. */
const TIMEOUT_MS = 20_000;

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

export async function ask<T>(path: string, params: Params, cancelled: AbortSignal): Promise<T> {
  const timeout = AbortSignal.timeout(TIMEOUT_MS);
  let response: Response;
  let body: unknown;
  try {
    response = await fetch(pathOf(path, params), {
      headers: { accept: "application/json" },
      signal: AbortSignal.any([cancelled, timeout]),
    });
    body = await response.json().catch((error: unknown) => {
      if (error instanceof SyntaxError) {
        return undefined;
      }
      throw error;
    });
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
  if (!response.ok) {
    throw refusal(response.status, body);
  }
  if (body === undefined) {
    throw new ApiError(
      "unreadable",
      `The answer to ${path} is not JSON. Is something else listening on this port?`,
    );
  }
  return body as T;
}

function refusal(status: number, body: unknown): ApiError {
  const told = (body as { error?: { message?: unknown } } | undefined)?.error?.message;
  const message = typeof told === "string" ? told : `The console answered with status ${status}.`;
  if (status === 404) {
    return new ApiError("missing", message, status);
  }
  return new ApiError(status < 500 ? "refused" : "broken", message, status);
}
