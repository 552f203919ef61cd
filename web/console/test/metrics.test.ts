import assert from "node:assert/strict";
import { test } from "node:test";
import { numberOf, resultFrom } from "../src/api/prometheus.ts";
import {
  aligned,
  clockMarks,
  columnsOf,
  foremost,
  positive,
  stacked,
  stepFor,
  thinned,
  valueRange,
} from "../src/layout/plot.ts";
import { findMetrics, metricsOf, queryFor } from "../src/model/metric.ts";
import {
  formatNumber,
  formatValue,
  legendNames,
  type Series,
  traceIdOf,
  unitOf,
  writeLabels,
} from "../src/model/samples.ts";
import {
  decodeMetrics,
  encodeMetrics,
  type MetricsAddress,
  NO_METRICS,
  selectorOfService,
} from "../src/state/addresses/metrics.ts";

const series = (labels: Record<string, string>, points: [number, number][]): Series => ({
  labels,
  times: points.map(([at]) => at),
  values: points.map(([, value]) => value),
  histograms: [],
});

test("a matrix is read with all that Go writes for numbers, and native histograms with their bounds", () => {
  const { result } = resultFrom({
    resultType: "matrix",
    result: [
      {
        metric: { __name__: "x" },
        values: [
          [1, "1.5"],
          [2, "NaN"],
          [3, "+Inf"],
        ],
        histograms: [
          [
            4,
            {
              count: "3",
              sum: "7",
              buckets: [
                [0, "1", "2", "2"],
                [3, "-0.1", "0.1", "1"],
              ],
            },
          ],
        ],
      },
    ],
  });
  assert.equal(result.kind, "matrix");
  const [first] = result.kind === "matrix" ? result.series : [];
  assert.deepEqual(first?.values, [1.5, Number.NaN, Number.POSITIVE_INFINITY]);
  assert.deepEqual(
    first?.histograms[0]?.value.buckets.map(({ includesLow, includesHigh }) => [includesLow, includesHigh]),
    [
      [false, true],
      [true, true],
    ],
  );
  assert.equal(numberOf("-Inf"), Number.NEGATIVE_INFINITY);
});

test("where a series has no sample, its line has a gap", () => {
  const { times, rows } = columnsOf(
    [
      series({}, [
        [10, 1],
        [30, 3],
      ]),
      series({}, [
        [20, Number.NaN],
        [40, 4],
      ]),
    ],
    10,
    40,
    10,
  );
  assert.deepEqual(times, [10, 20, 30, 40]);
  assert.deepEqual(rows, [
    [1, null, 3, null],
    [null, null, null, 4],
  ]);
  assert.deepEqual(
    stacked([
      [1, null],
      [2, 5],
    ]),
    [
      [1, null],
      [3, 5],
    ],
  );
  assert.deepEqual(positive([[0, -1, 2]]), [[null, null, 2]]);
});

test("the step is round, and a range that moves along keeps its points", () => {
  assert.deepEqual([stepFor(3600, 300), stepFor(900, 300), stepFor(7 * 86_400, 300)], [15, 5, 3600]);
  assert.deepEqual(aligned(1007, 1062, 15), aligned(1014, 1064, 15));
});

test("a plot begins at zero unless that would flatten it", () => {
  assert.deepEqual(valueRange([2, 10], false)[0], 0);
  assert.ok(valueRange([990, 1000], false)[0] > 900);
  assert.deepEqual(valueRange([5, 5], false), [0, 6.25]);
  assert.deepEqual(valueRange(undefined, false), [0, 1]);
  const [low, high] = valueRange([0.001, 10], true);
  assert.ok(low > 0 && low < 0.001 && high > 10);
});

test("of too many series those with the largest last values are drawn, in their order", () => {
  const many = [3, Number.NaN, 9, 1].map((value, at) => series({ at: String(at) }, [[0, value]]));
  assert.deepEqual(foremost(many, 2), [0, 2]);
});

test("exemplars are thinned to what can be pressed, the slowest kept", () => {
  const exemplar = (at: number, value: number, traceId = "a") => ({
    series: {},
    labels: {},
    at,
    value,
    traceId,
    spanId: "",
  });
  const kept = thinned([exemplar(1, 5), exemplar(2, 9), exemplar(60, 1), exemplar(3, 99, "")], 0, 100, 4);
  assert.deepEqual(
    kept.map(({ value }) => value),
    [9, 1],
  );
  assert.equal(traceIdOf({ traceID: "AB" }), "ab");
});

test("a legend says what differs, and no more", () => {
  assert.deepEqual(
    legendNames([
      { __name__: "x", job: "a", route: "/1", code: "200" },
      { __name__: "x", job: "a", route: "/2", code: "200" },
      { __name__: "x", job: "a", route: "/3", code: "500" },
    ]),
    ["/1  200", "/2  200", "/3  500"],
  );
  assert.deepEqual(legendNames([{ job: "a" }, { job: "b" }]), [`{job="a"}`, `{job="b"}`]);
  assert.deepEqual(legendNames([{ __name__: "x", job: "a" }]), [`x{job="a"}`]);
  assert.equal(writeLabels({ a: 'b"\n' }), `{a="b\\"\\n"}`);
});

test("numbers are short, and units are guessed only where the name says them", () => {
  assert.deepEqual([0, 0.01234, 12.345, 9999, 12_345, 1.5e6, -0.00001, Number.NaN].map(formatNumber), [
    "0",
    "0.01234",
    "12.35",
    "9,999",
    "12.35k",
    "1.5M",
    "−1.00e-5",
    "NaN",
  ]);
  assert.equal(formatValue(0.0123, "seconds"), "12.3 ms");
  const one = ["http_server_request_duration_seconds_bucket"];
  assert.equal(unitOf("histogram_quantile(0.9, rate(x[1m]))", one), "seconds");
  assert.equal(unitOf("rate(x_total[1m])", ["x_total"]), "per second");
  assert.equal(unitOf("rate(x_bytes_total[1m])", ["x_bytes_total"]), "bytes/s");
  assert.equal(unitOf("x_bytes", ["x_bytes"]), "bytes");
  assert.equal(unitOf("a / b", ["a", "b"]), "none");
  assert.equal(unitOf("count(x_bytes)", ["x_bytes"]), "none");
});

test("a histogram is one metric, and its card asks for its 95th percentile", () => {
  const described = new Map([
    ["d_seconds", { type: "histogram", unit: "", help: "How long" }],
    ["r_total", { type: "counter", unit: "", help: "Requests" }],
  ]);
  const metrics = metricsOf(
    ["d_seconds_bucket", "d_seconds_count", "d_seconds_sum", "r_total", "lone_count", "b_info", "n"],
    described,
  );
  assert.deepEqual(
    metrics.map(({ name, type, unit }) => [name, type, unit]),
    [
      ["b_info", "info", ""],
      ["d_seconds", "histogram", "s"],
      ["lone_count", "unknown", ""],
      ["n", "unknown", ""],
      ["r_total", "counter", ""],
    ],
  );
  const [, histogram] = metrics;
  assert.ok(histogram !== undefined);
  assert.equal(
    queryFor(histogram, `{job="a"}`),
    `histogram_quantile(0.95, sum by (le) (rate(d_seconds_bucket{job="a"}[1m])))`,
  );
  assert.equal(
    queryFor({ ...histogram, stored: ["d_seconds"] }),
    "histogram_quantile(0.95, sum(rate(d_seconds[1m])))",
  );
  assert.deepEqual(
    findMetrics(metrics, "REQ", "").map(({ name }) => name),
    ["r_total"],
  );
});

test("a view of metrics is read back from its address", () => {
  const view: MetricsAddress = {
    query: `sum by (job) (rate(x{a=~"b&c=d"}[5m])) > 0`,
    range: { kind: "between", from: 1n, to: 2n },
    step: 30,
    as: "stacked",
    isLog: true,
    exemplars: false,
    only: `{a="b"}`,
    browse: true,
    find: "http route",
    type: "counter",
    match: selectorOfService("order.service"),
  };
  assert.deepEqual(decodeMetrics(new URLSearchParams(encodeMetrics(view).toString())), view);
  assert.equal(encodeMetrics(NO_METRICS).toString(), "");
  assert.deepEqual(decodeMetrics(new URLSearchParams("as=pie&step=-1s&match=x&last=never")), NO_METRICS);
  assert.equal(selectorOfService("a.b"), `{job=~"(.+/)?a\\\\.b"}`);
});

test("the axis of time tells the day where it changes", () => {
  const midnight = new Date(2026, 10, 29, 0, 0, 0).getTime() / 1000;
  assert.deepEqual(clockMarks([midnight - 3600, midnight, midnight + 3600], 3600), [
    "23:00",
    "11-29",
    "01:00",
  ]);
  assert.deepEqual(clockMarks([midnight + 5], 5), ["00:00:05"]);
});
