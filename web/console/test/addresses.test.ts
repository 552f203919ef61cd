import assert from "node:assert/strict";
import { test } from "node:test";
import {
  decodeGraph,
  decodeOverview,
  decodeSearch,
  decodeTag,
  decodeTrace,
  EVERYTHING,
  encodeGraph,
  encodeOverview,
  encodeSearch,
  encodeTag,
  encodeTrace,
  type SearchAddress,
  type TraceAddress,
} from "../src/state/addresses.ts";
import { bounds, decodeRange, last, writeSeconds } from "../src/state/range.ts";

const through = (params: URLSearchParams) => new URLSearchParams(params.toString());

test("a search is read back from its address as it was", () => {
  const searches: SearchAddress[] = [
    EVERYTHING,
    {
      service: "delivery-api",
      operation: "POST /api/orders",
      tags: [
        ["http.route", "/api/orders?x=1&y=2"],
        ["odd=key%3D", "a=b"],
        ["empty", ""],
      ],
      minDuration: "1.5ms",
      maxDuration: "2h45m",
      errors: true,
      range: { kind: "between", from: 1_795_600_800_000_000_001n, to: 1_795_600_800_000_000_999n },
      limit: 500,
      order: "longest",
      at: "ab".repeat(16),
    },
    { ...EVERYTHING, range: last(7 * 86_400) },
  ];
  for (const search of searches) {
    assert.deepEqual(decodeSearch(through(encodeSearch(search))), search);
  }
});

test("what is as usual is not in the address", () => {
  assert.equal(encodeSearch(EVERYTHING).toString(), "");
  assert.equal(encodeTrace(decodeTrace(new URLSearchParams())).toString(), "");
  assert.equal(encodeGraph(decodeGraph(new URLSearchParams())).toString(), "");
  assert.equal(encodeOverview(decodeOverview(new URLSearchParams())).toString(), "");
});

test("nonsense in an address is read as the usual", () => {
  const nonsense = new URLSearchParams(
    "min=fast&max=-1s&limit=9999&order=best&from=9&to=3&last=forever&tag=novalue&tag==x&errors=maybe",
  );
  assert.deepEqual(decodeSearch(nonsense), EVERYTHING);
  const trace = decodeTrace(new URLSearchParams("view=9-3&depth=deep&toggled=..&critical=perhaps"));
  assert.deepEqual(trace, decodeTrace(new URLSearchParams()));
  assert.equal(decodeOverview(new URLSearchParams("minutes=-4")).minutes, 15);
  assert.equal(decodeGraph(new URLSearchParams("as=cake")).as, undefined);
});

test("a trace's view is read back, and stays short enough to be sent to somebody", () => {
  const address: TraceAddress = {
    span: "00f067aa0ba902b7",
    isOpen: true,
    find: "db.system.name=sqlite error",
    only: true,
    view: { from: 0, to: 1_234_567_890 },
    critical: false,
    depth: 3,
    toggled: ["00f067aa0ba902b7", "00f067aa0ba902b8"],
    at: 1_795_600_800_000_000_001n,
  };
  assert.deepEqual(decodeTrace(through(encodeTrace(address))), address);
  const many = Array.from({ length: 5000 }, (_, at) => at.toString(16).padStart(16, "0"));
  const text = encodeTrace({ ...address, toggled: many }).toString();
  assert.ok(text.length < 2000, `${text.length} characters`);
  assert.equal(decodeTrace(new URLSearchParams(text)).toggled.at(-1), many.at(-1));
});

test("a graph and an overview are read back", () => {
  const graph = { range: last(60), errorsOnly: true, as: "tree" as const };
  assert.deepEqual(decodeGraph(through(encodeGraph(graph))), graph);
  const overview = { minutes: 60, isPaused: true };
  assert.deepEqual(decodeOverview(through(encodeOverview(overview))), overview);
});

test("a tag is a key and a value; only the first = parts them", () => {
  assert.deepEqual(decodeTag("k=v=w"), ["k", "v=w"]);
  assert.equal(decodeTag("novalue"), undefined);
  assert.equal(decodeTag("=v"), undefined);
  assert.deepEqual(decodeTag(encodeTag(["a%3Db=c", "d"])), ["a%3Db=c", "d"]);
});

test("a range is counted back from now, or is what was marked", () => {
  assert.deepEqual(bounds(last(60), 1_000_000), { start: 940_000_000_000n, end: 1_000_000_000_000n });
  assert.deepEqual(bounds({ kind: "between", from: 1n, to: 2n }, 0), { start: 1n, end: 2n });
  assert.deepEqual([90, 900, 7200, 172_800].map(writeSeconds), ["90s", "15m", "2h", "2d"]);
  assert.deepEqual(decodeRange(new URLSearchParams("last=2d"), 60), last(172_800));
});
