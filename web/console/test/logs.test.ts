import assert from "node:assert/strict";
import { test } from "node:test";
import { linesFrom, tailAddress } from "../src/api/loki.ts";
import { volumeBars, volumeOf } from "../src/layout/volume.ts";
import {
  facetsOf,
  fieldsOf,
  jsonFields,
  type LogLine,
  levelFrom,
  mergedLines,
  summaryOf,
  traceOfLine,
} from "../src/model/logs.ts";
import {
  filterOf,
  isMetricQuery,
  selectorIn,
  volumeQuery,
  withFilter,
  withoutFilter,
} from "../src/model/syntax/edit.ts";
import {
  decodeLogs,
  encodeLogs,
  type LogsAddress,
  NO_LOGS,
  queryOfTrace,
} from "../src/state/addresses/logs.ts";

const TRACE = "4bf92f3577b34da6a3ce929d0e0e4736";
const lines = linesFrom([
  {
    stream: { service_name: "api" },
    values: [
      [
        "1795600800000000001",
        "paid",
        {
          structuredMetadata: {
            detected_level: "warn",
            trace_id: TRACE,
            span_id: "00f067aa0ba902b7",
            route: "/pay",
          },
        },
      ],
      ["1795600800000000000", `{"msg":"x","http":{"status.code":200}}`],
    ],
  },
  { stream: { service_name: "db", level: "ERROR2" }, values: [["1795600800000000002", "slow"]] },
]);
const [first, second, third] = lines as [LogLine, LogLine, LogLine];

test("a line keeps its nanoseconds, its level and its trace, wherever they were sent", () => {
  assert.equal(first.at, 1_795_600_800_000_000_001n);
  assert.deepEqual(
    lines.map(({ level }) => level),
    ["warn", "unknown", "error"],
  );
  assert.deepEqual(traceOfLine(first), { traceId: TRACE, spanId: "00f067aa0ba902b7" });
  assert.deepEqual(traceOfLine(second), { traceId: "", spanId: "" });
  assert.equal(levelFrom("CRITICAL"), "fatal");
  assert.deepEqual(summaryOf(first), [["route", "/pay"]]);
});

test("what came with a tailed line is not taken for a label of its stream", () => {
  const stream = { service_name: "api", route: "/pay", detected_level: "error" };
  const [line] = linesFrom([{ stream, values: [["1", "x"]] }], new Set(["service_name"]));
  assert.deepEqual(line?.labels, { service_name: "api" });
  assert.deepEqual(line?.metadata, { route: "/pay", detected_level: "error" });
  assert.equal(line?.level, "error");
});

test("a line's JSON is fields named as LogQL names them, within bounds", () => {
  assert.deepEqual(jsonFields(second.text), [
    { key: "msg", value: "x", kind: "json" },
    { key: "http_status_code", value: "200", kind: "json" },
  ]);
  assert.deepEqual(jsonFields("{broken"), []);
  const wide = JSON.stringify(Object.fromEntries(Array.from({ length: 999 }, (_, at) => [`k${at}`, at])));
  assert.equal(jsonFields(wide).length, 200);
  let deep: unknown = 1;
  for (let at = 0; at < 50; at += 1) {
    deep = { a: deep };
  }
  assert.equal(jsonFields(JSON.stringify(deep)).length, 1);
  assert.deepEqual(
    fieldsOf(first).map(({ key, kind }) => `${kind} ${key}`),
    [
      "metadata detected_level",
      "metadata route",
      "metadata span_id",
      "metadata trace_id",
      "label service_name",
    ],
  );
});

test("facets count the values of the lines that are shown, and leave ids out", () => {
  const facets = facetsOf(lines);
  assert.deepEqual(facets.find(({ key }) => key === "service_name")?.values, [
    { value: "api", count: 2 },
    { value: "db", count: 1 },
  ]);
  assert.ok(!facets.some(({ key }) => key === "trace_id"));
});

test("lines that come twice are shown once, the newest first, and no more than there is room for", () => {
  assert.deepEqual(
    mergedLines([first], [second, first, third], 2).map(({ text }) => text),
    ["slow", "paid"],
  );
});

test("a filter of a label goes within the braces, one of a field behind", () => {
  const query = `{job="a"} |= "x"`;
  assert.equal(withFilter(query, "label", "env", "=", 'p"q'), `{job="a", env="p\\"q"} |= "x"`);
  assert.equal(withFilter(`{}`, "label", "env", "!=", "p"), `{env!="p"}`);
  assert.equal(
    withFilter(`{service_name=~".+"}`, "label", "service_name", "=", "api"),
    `{service_name="api"}`,
  );
  assert.equal(withFilter(query, "label", "job", "=", "b"), `{job="b"} |= "x"`);
  assert.equal(withFilter(query, "metadata", "http.route", "=", "/a"), `{job="a"} |= "x" | http_route="/a"`);
  assert.equal(withFilter(query, "json", "msg", "!=", "m"), `{job="a"} |= "x" | json | msg!="m"`);
  assert.equal(
    withFilter(`{job="a"} | json | msg="m" | x="y"`, "json", "msg", "!=", "m"),
    `{job="a"} | json | msg!="m" | x="y"`,
  );
});

test("a filter is found again, and taken out again", () => {
  const query = `{job="a", env="p"} | route="/a" |= "x"`;
  assert.equal(filterOf(query, "route", "/a"), "=");
  assert.equal(filterOf(query, "env", "p"), "=");
  assert.equal(filterOf(query, "env", "q"), undefined);
  assert.equal(withoutFilter(query, "route", "/a"), `{job="a", env="p"} |= "x"`);
  assert.equal(withoutFilter(query, "env", "p"), `{job="a"} | route="/a" |= "x"`);
  assert.equal(withoutFilter(`{job="a"}`, "job", "a"), `{job=~".+"}`, "a selector has to select");
  assert.deepEqual(
    selectorIn("{a=~`x.*`, b!='y'}")?.matchers.map(({ name, value }) => [name, value]),
    [
      ["a", "x.*"],
      ["b", "y"],
    ],
  );
});

test("what gives numbers is told from what gives lines", () => {
  assert.ok(isMetricQuery(`sum(rate({a="b"}[1m]))`) && isMetricQuery("vector(1)"));
  assert.ok(!isMetricQuery(`{a="b"} | json`) && !isMetricQuery(`  # {x\n {a="b"}`) && !isMetricQuery(""));
  assert.match(volumeQuery(`{a="b"} | json`, 30), /\| drop __error__, __error_details__ \[30s\]/);
  assert.doesNotMatch(volumeQuery(`{a="b"} |= "json"`, 30), /drop/);
});

test("lines are counted into the step that they fell in, by level", () => {
  const one = (level: string, times: number[], values: number[]) => ({
    labels: { detected_level: level },
    times,
    values,
    histograms: [],
  });
  const volume = volumeOf(
    [one("error", [110, 130], [2, 3]), one("INFO", [110], [5]), one("information", [120], [1])],
    100,
    130,
    10,
  );
  assert.deepEqual(volume.levels, [
    { level: "error", counts: [2, 0, 3], total: 5 },
    { level: "info", counts: [5, 1, 0], total: 6 },
  ]);
  const bars = volumeBars(volume, 300, 70);
  assert.deepEqual(bars[0], { level: "info", x: 0, y: 20, width: 98, height: 50 });
  assert.deepEqual([bars[1]?.level, bars[1]?.y], ["error", 0]);
});

test("a view of logs is read back from its address", () => {
  const view: LogsAddress = {
    query: queryOfTrace(TRACE, "00f067aa0ba902b7"),
    range: { kind: "between", from: 1n, to: 2n },
    limit: 1000,
    order: "oldest",
    line: first.id,
    isOpen: true,
    live: true,
    only: `{a="b"}`,
  };
  assert.deepEqual(decodeLogs(new URLSearchParams(encodeLogs(view).toString())), view);
  assert.equal(encodeLogs(NO_LOGS).toString(), "");
  assert.deepEqual(decodeLogs(new URLSearchParams("limit=0&order=best&query=+")), NO_LOGS);
  assert.match(tailAddress(`{a="b"}`, 5n, 10, "https://h:1"), /^wss:\/\/h:1\/loki\/api\/v1\/tail\?query=/);
});
