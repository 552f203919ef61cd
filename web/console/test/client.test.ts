import assert from "node:assert/strict";
import { afterEach, test } from "node:test";
import { searchRequest } from "../src/api/calls.ts";
import { ApiError, ask, curlOf, pathOf } from "../src/api/client.ts";
import { traceFrom } from "../src/api/decode.ts";
import { EVERYTHING } from "../src/state/addresses.ts";

const real = globalThis.fetch;
afterEach(() => {
  globalThis.fetch = real;
});

function answering(status: number, body: string): void {
  globalThis.fetch = async () => new Response(body, { status });
}

const asked = (signal = new AbortController().signal) => ask("/api/overview", {}, signal);
const trouble = (kind: ApiError["trouble"], says: RegExp) => (error: unknown) =>
  error instanceof ApiError && error.trouble === kind && says.test(error.message);

test("what is not set is not asked for", () => {
  assert.equal(
    pathOf("/api/traces", { service: "", errors: false, limit: 50, start: undefined }),
    "/api/traces?limit=50",
  );
});

test("a search is asked for in the server's words", () => {
  const { path, params } = searchRequest({ ...EVERYTHING, errors: true, tags: [["a", "b c"]] }, 7_200_000);
  const asked = new URL(pathOf(path, params), "http://localhost");
  assert.deepEqual(Object.fromEntries(asked.searchParams), {
    tags: '{"a":"b c"}',
    errors: "true",
    start: "3600000000000",
    end: "7200000000000",
    limit: "50",
  });
});

test("a curl command survives what a shell would make of it", () => {
  const command = curlOf("/api/traces", { operation: "it's $(rm) `x`" }, "http://127.0.0.1:5017");
  assert.match(command, /^curl -sS '[^']*'$/);
  assert.ok(command.includes("it%27s"));
});

test("the server's own words are what the reader sees", async () => {
  answering(404, '{"error":{"message":"evicted at 14:32"}}');
  await assert.rejects(asked(), trouble("missing", /^evicted at 14:32$/));
  answering(400, '{"error":{"message":"minutes=0: 1 to 180, for example 15"}}');
  await assert.rejects(asked(), trouble("refused", /for example 15/));
  answering(502, "<html>bad gateway</html>");
  await assert.rejects(asked(), trouble("broken", /502/));
});

test("the words of Prometheus, Loki and Alertmanager reach the reader as well", async () => {
  answering(400, '{"status":"error","errorType":"bad_data","error":"1:5: parse error: unexpected \\")\\""}');
  await assert.rejects(asked(), trouble("refused", /^1:5: parse error: unexpected "\)"$/));
  answering(400, "parse error at line 1, col 1: syntax error\n");
  await assert.rejects(asked(), trouble("refused", /^parse error at line 1, col 1: syntax error$/));
  answering(400, '"bad matcher format"');
  await assert.rejects(asked(), trouble("refused", /^bad matcher format$/));
});

test("an answer that is no JSON, and none at all, are told apart", async () => {
  answering(200, "<html>");
  await assert.rejects(asked(), trouble("unreadable", /not JSON/));
  globalThis.fetch = async () => {
    throw new TypeError("fetch failed");
  };
  await assert.rejects(asked(), trouble("unreachable", /running/));
});

test("what was called off is no error to show", async () => {
  globalThis.fetch = (_, options) =>
    new Promise((_resolve, reject) =>
      options?.signal?.addEventListener("abort", () => reject(new DOMException("called off", "AbortError"))),
    );
  const controller = new AbortController();
  const waiting = asked(controller.signal);
  controller.abort();
  await assert.rejects(waiting, (error) => !(error instanceof ApiError));
});

test("a trace from the wire keeps its nanoseconds and gets its tree", () => {
  const span = {
    spanId: "a",
    parentId: null,
    depth: 0,
    service: 0,
    resource: 0,
    scope: 0,
    name: "n",
    kind: "server" as const,
    start: "0",
    duration: "1500",
    status: "unset" as const,
    statusMessage: "",
    isAsync: false,
    isMissingParent: false,
    children: 1,
    criticalPath: [{ start: "0", duration: "1500" }],
    selfTime: "500",
    attributes: [],
    droppedAttributes: 0,
    events: [{ time: "10", name: "e", attributes: [] }],
    links: [],
    traceState: "",
  };
  const trace = traceFrom({
    traceId: "t",
    start: "1795600800000000001",
    duration: "1500",
    isTruncated: false,
    missingSpans: 0,
    evicted: [{ at: "1795600800000000002", service: "s" }],
    errors: 0,
    services: [{ name: "s", spans: 2 }],
    resources: [],
    scopes: [],
    spans: [span, { ...span, spanId: "b", parentId: "a", depth: 1, children: 0 }],
  });
  assert.equal(trace.start, 1_795_600_800_000_000_001n);
  assert.equal(trace.spans[0]?.events[0]?.at, 10);
  assert.deepEqual([...trace.tree.parents], [-1, 0]);
  assert.deepEqual(trace.spans[1]?.criticalPath, [{ start: 0, duration: 1500 }]);
});
