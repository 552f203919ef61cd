import assert from "node:assert/strict";
import { test } from "node:test";
import { barAt, barsOf } from "../src/layout/bars.ts";
import { curve, placed } from "../src/layout/graph.ts";
import { marksOf } from "../src/layout/minimap.ts";
import { fieldOf, lengthAt, nearest, pointsOf, timeAt, xOf, yOf } from "../src/layout/scatter.ts";
import { sparkline } from "../src/layout/sparkline.ts";
import { decades, ticks } from "../src/layout/ticks.ts";
import { rowsInSight, scrollFor } from "../src/layout/window.ts";
import { health, type ServiceGraph, withErrors } from "../src/model/graph.ts";
import { summed } from "../src/model/overview.ts";
import { barScale, sorted, type TraceSummary } from "../src/model/search.ts";
import { SECOND } from "../src/model/time.ts";

test("only rows in sight are drawn, with some around them, however long the list", () => {
  assert.deepEqual(rowsInSight(0, 280, 28, 50_000, 5), { first: 0, end: 15 });
  assert.deepEqual(rowsInSight(28_000, 280, 28, 50_000, 5), { first: 995, end: 1015 });
  assert.deepEqual(rowsInSight(1_399_720, 280, 28, 50_000, 5), { first: 49_985, end: 50_000 });
  assert.deepEqual(rowsInSight(0, 280, 28, 0), { first: 0, end: 0 });
  // Scrolled far down when the list became short.
  assert.deepEqual(rowsInSight(9000, 280, 28, 3), { first: 3, end: 3 });
});

test("a list scrolls no more than it has to, and jumps to the middle from afar", () => {
  assert.equal(scrollFor(5, 0, 280, 28), undefined);
  assert.equal(scrollFor(9, 0, 280, 28), 28);
  assert.equal(scrollFor(10, 280, 280, 28), 252);
  assert.equal(scrollFor(0, 10, 280, 28), 0);
  assert.equal(scrollFor(1000, 0, 280, 28), 28_000 - 126);
});

test("marks of a scale are round and within it", () => {
  assert.deepEqual(ticks(0, 65e6, 7), [0, 1e7, 2e7, 3e7, 4e7, 5e7, 6e7]);
  assert.deepEqual(
    ticks(9 * SECOND, 14 * SECOND, 5),
    [9, 10, 11, 12, 13, 14].map((s) => s * SECOND),
  );
  assert.deepEqual(
    ticks(0, 200 * SECOND, 4),
    [0, 60, 120, 180].map((s) => s * SECOND),
  );
  assert.deepEqual(ticks(5, 5, 4), [5]);
  assert.deepEqual(decades(2e6, 3e8), [1e7, 1e8]);
});

test("the minimap draws no more than its pixels can show, and errors on top", () => {
  const spans = Array.from({ length: 50_000 }, (_, at) => ({
    start: (at * 37) % 1000,
    duration: 5,
    service: at % 3,
    status: at === 7 ? ("error" as const) : ("unset" as const),
  }));
  const marks = marksOf(spans, 1000, 200, 60, 3);
  assert.ok(marks.length <= 200 * 20 * 3 * 2, `${marks.length} marks`);
  assert.equal(marks.at(-1)?.isError, true);
  assert.ok(marks.every(({ x, y, width }) => x >= 0 && y >= 0 && y < 60 && width >= 1));
});

const trace = (part: Partial<TraceSummary>): TraceSummary => ({
  traceId: "",
  rootService: "",
  rootName: "",
  start: 0n,
  duration: 1e6,
  spans: 1,
  errors: 0,
  services: [],
  isPartial: false,
  missingRoot: false,
  ...part,
});

test("a place in the field is read back as the time and duration it stands for", () => {
  const traces = [
    trace({ start: 5_000_000_000n, duration: 1e6 }),
    trace({ start: 9_000_000_000n, duration: 4e9 }),
  ];
  const field = fieldOf(traces, 800, 150, { from: 0, to: 10_000 });
  const points = pointsOf(traces, field);
  assert.equal(points[0]?.x, 400);
  assert.ok(points.every(({ x, y }) => x >= 0 && x <= 800 && y >= 0 && y <= 150));
  assert.ok(Math.abs(timeAt(field, xOf(field, 1234)) - 1234) < 1e-6);
  assert.ok(Math.abs(lengthAt(field, yOf(field, 5e7)) - 5e7) < 1);
  assert.equal(nearest(points, 403, (points[0]?.y ?? 0) + 2, 14)?.index, 0);
  assert.equal(nearest(points, 0, 0, 14), undefined);
});

test("a field without traces, or with one of no length, has limits all the same", () => {
  for (const traces of [[], [trace({ duration: 0 })]]) {
    const field = fieldOf(traces, 100, 100, { from: 0, to: 0 });
    assert.ok(field.high > field.low && field.low > 0 && field.to > field.from);
  }
});

test("one outlier does not flatten the bars of the others", () => {
  const traces = Array.from({ length: 50 }, (_, at) => trace({ duration: at === 0 ? 42e9 : 1e6 * (at + 1) }));
  assert.ok(barScale(traces) <= 50e6);
  assert.equal(barScale([trace({ duration: 5e6 }), trace({ duration: 8e6 })]), 8e6);
  assert.equal(barScale([]), 1);
});

test("traces are put in the order asked for, newest first among equals", () => {
  const traces = [
    trace({ traceId: "old", start: 1n, errors: 2 }),
    trace({ traceId: "new", start: 3n }),
    trace({ traceId: "long", start: 2n, duration: 5e6 }),
  ];
  const ids = (order: "newest" | "longest" | "errors") => sorted(traces, order).map(({ traceId }) => traceId);
  assert.deepEqual(ids("newest"), ["new", "long", "old"]);
  assert.deepEqual(ids("longest"), ["long", "new", "old"]);
  assert.deepEqual(ids("errors"), ["old", "new", "long"]);
});

test("small lines and bars stay within their field, also for nothing and for one value", () => {
  assert.deepEqual(sparkline([], 96, 24), { line: "", area: "" });
  assert.equal(sparkline([0, 10, 5], 96, 24).line, "M0 23L48 1L96 12");
  assert.equal(sparkline([7], 96, 24).line, "M0 1H96");
  const bars = barsOf([0, 1, 1000], 90, 50);
  assert.deepEqual(
    bars.map(({ height }) => height),
    [0, 1.5, 50],
  );
  assert.deepEqual(
    [0, 45, 89, 90, -1].map((x) => barAt(x, 90, 3)),
    [0, 1, 2, undefined, undefined],
  );
});

test("minutes are summed from their end: a service that began later counts at its own minutes", () => {
  assert.deepEqual(summed([[1, 2, 3], [10]]), [1, 2, 13]);
  assert.deepEqual(summed([]), []);
});

const node = (service: string, errorRate = 0) => ({
  service,
  spans: 1,
  perSecond: 1,
  errorRate,
  p50: 1,
  p95: 1,
});
const edge = (from: string, to: string, kind: "sync" | "async", errorRate = 0) => ({
  from,
  to,
  kind,
  calls: 1,
  perSecond: 1,
  errorRate,
  p95: 1,
});
const GRAPH: ServiceGraph = {
  nodes: [node("api"), node("orders"), node("search", 0.2), node("lonely", 0.5)],
  edges: [
    edge("api", "orders", "async"),
    edge("api", "search", "async", 0.2),
    edge("api", "search", "sync"),
    edge("search", "search", "sync"),
    edge("api", "unknown", "sync"),
  ],
  onlySince: null,
  truncated: false,
  elapsedMs: 1,
};

test("services do not overlap, and both kinds of edges between two are drawn, cycles too", () => {
  for (const direction of ["LR", "TB"] as const) {
    const { nodes, edges, width, height } = placed(GRAPH, direction);
    assert.equal(edges.length, 4, "an edge to a service that is not there is left out");
    for (const a of nodes) {
      assert.ok(a.x - a.width / 2 >= 0 && a.x + a.width / 2 <= width && a.y + a.height / 2 <= height);
      for (const b of nodes) {
        const isApart = Math.abs(a.x - b.x) >= a.width || Math.abs(a.y - b.y) >= a.height;
        assert.ok(a === b || isApart, `${a.node.service} over ${b.node.service}`);
      }
    }
    assert.ok(edges.every(({ path }) => /^M[\d.-]+ [\d.-]+[QL]/.test(path)));
  }
});

test("a graph without services is laid out as nothing", () => {
  assert.deepEqual(placed({ ...GRAPH, nodes: [], edges: [] }, "LR").nodes, []);
  assert.equal(curve([]), "");
});

test("errors only leaves failing edges, the services they join and services that fail", () => {
  const { nodes, edges } = withErrors(GRAPH);
  assert.deepEqual(
    nodes.map(({ service }) => service),
    ["api", "search", "lonely"],
  );
  assert.deepEqual(
    edges.map(({ to, kind }) => [to, kind]),
    [["search", "async"]],
  );
  assert.deepEqual([0, 0.0099, 0.01, 0.049, 0.05].map(health), [
    "well",
    "well",
    "ailing",
    "ailing",
    "failing",
  ]);
});
