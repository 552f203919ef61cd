import assert from "node:assert/strict";
import { test } from "node:test";
import { candidatesFor, fit, type Names, placeIn, ranked } from "../src/model/syntax/complete.ts";
import { type Context, contextAt, metricNames } from "../src/model/syntax/context.ts";
import { lex, meaningful } from "../src/model/syntax/lexer.ts";
import { LOGQL } from "../src/model/syntax/logql.ts";
import { PROMQL } from "../src/model/syntax/promql.ts";

const QUERY = `histogram_quantile(0.95, sum by (le, "a\\"b") (rate(http_x_bucket{job=~"a|b", le!='1'}[5m] offset 1h))) # why`;

/** The context at the `^` of a text. */
function at(text: string, language = PROMQL): Context {
  const caret = text.indexOf("^");
  return contextAt(text.replace("^", ""), caret, language);
}

test("the pieces of a query are the query, whatever it is", () => {
  for (const text of [QUERY, `{a="b`, "'", "$%§ 1h30m 0x1F 1e-9 .5 héé", "", "|= `a\\` != x", "#", "\n\n}"]) {
    for (const language of [PROMQL, LOGQL]) {
      assert.equal(
        lex(text, language)
          .map((token) => token.text)
          .join(""),
        text,
      );
    }
  }
});

test("functions, keywords, names, strings and durations have colours of their own", () => {
  const kinds = meaningful(lex(QUERY, PROMQL)).map(({ kind, text }) => `${kind} ${text}`);
  for (const wanted of [
    "function histogram_quantile",
    "keyword by",
    "name http_x_bucket",
    "operator =~",
    `string "a|b"`,
    "duration 5m",
    "number 0.95",
  ]) {
    assert.ok(kinds.includes(wanted), wanted);
  }
});

test("what is written at the caret is known by what is around it", () => {
  assert.deepEqual(at("sum(htt^"), { what: "expression", prefix: "htt", from: 4 });
  assert.deepEqual(at("up{jo^"), { what: "label", metric: "up", prefix: "jo", from: 3 });
  assert.deepEqual(at(`up{job="a", ^}`), { what: "label", metric: "up", prefix: "", from: 12 });
  assert.deepEqual(at(`up{job="de^"}`), {
    what: "value",
    metric: "up",
    label: "job",
    quote: '"',
    isClosed: true,
    prefix: "de",
    from: 8,
  });
  assert.equal(at(`up{job=^`).what, "value");
  assert.deepEqual(at("sum by (^) (rate(x_total[1m]))"), {
    what: "grouping",
    metric: "x_total",
    prefix: "",
    from: 8,
  });
  assert.equal(at("rate(x[^").what, "range");
  assert.equal(at("up # comment ^").what, "nothing");
  assert.equal(at(`label_replace(up, "a^`).what, "nothing");
  assert.equal(at("up ^").what, "nothing");
});

test("a stage of LogQL is known by the bar before it, and a filter's text is nobody's name", () => {
  assert.deepEqual(at(`{a="b"} | js^`, LOGQL), {
    what: "stage",
    selector: `{a="b"}`,
    prefix: "js",
    from: 10,
  });
  assert.equal(at(`{a="b"} |= "js^`, LOGQL).what, "nothing");
  assert.equal(at(`sum(rate({a="^"}[1m]))`, LOGQL).what, "value");
  assert.equal(at(`{a="b"} | json | status >= 500 and ^`, LOGQL).what, "stage");
});

test("metrics of a query are its names that are no label, no function, no grouping", () => {
  assert.deepEqual(metricNames(QUERY, PROMQL), ["http_x_bucket"]);
  assert.deepEqual(metricNames("sum by (job) (a) / on (b) group_left (c) d:e{f='g'}", PROMQL), ["a", "d:e"]);
});

test("the better a word fits, the earlier it is offered", () => {
  assert.equal(fit("rate", ""), 0);
  assert.equal(fit("http_requests", "req"), 2);
  assert.equal(fit("up", "rate"), undefined);
  const words = ["irate", "http_rate", "rate", "ratio_total", "xyz"].map((text) => ({
    text,
    kind: "function" as const,
  }));
  assert.deepEqual(
    ranked(words, "rat").map(({ text }) => text),
    ["rate", "ratio_total", "http_rate", "irate"],
  );
});

const names: Names = {
  metrics: async () => [{ name: "up", detail: "gauge" }],
  labels: async (metric) => (metric === "up" ? ["job", "instance"] : []),
  values: async (_metric, label) => (label === "job" ? [`a "quoted" job`, "plain"] : []),
  fields: async () => ["http_route"],
};

test("a chosen label goes on to its value, and a value is written so that it can be read back", async () => {
  const [label] = await candidatesFor(at("up{jo^"), PROMQL, names);
  assert.deepEqual([label?.insert, label?.back, label?.goesOn], [`job=""`, 1, true]);
  const [value] = await candidatesFor(at(`up{job="a^"}`), PROMQL, names);
  assert.equal(value?.insert, `a \\"quoted\\" job`);
  const [bare] = await candidatesFor(at(`up{job=pl^`), PROMQL, names);
  assert.equal(bare?.insert, `"plain"`, "quotes come with it");
  const [open] = await candidatesFor(at(`up{job="pl^`), PROMQL, names);
  assert.equal(open?.insert, `plain"`);
});

test("what is known without the server is offered without it", async () => {
  const failing: Names = {
    ...names,
    metrics: async () => {
      throw new Error("gone");
    },
  };
  const found = await candidatesFor(at("histogram_q^"), PROMQL, failing);
  assert.equal(found[0]?.text, "histogram_quantile");
  const stages = await candidatesFor(at(`{a="b"} | ^`, LOGQL), LOGQL, names);
  assert.ok(stages.some(({ text }) => text === "logfmt") && stages.some(({ text }) => text === "http_route"));
});

test("where the server says that a query is wrong is found in its words", () => {
  assert.equal(placeIn('invalid parameter "query": 1:5: parse error: unexpected ")"', "sum()"), 4);
  assert.equal(placeIn("parse error at line 2, col 3: syntax error", "a\nbcd"), 4);
  assert.equal(placeIn(`PromQL info: metric might not be a counter: "up" (1:6)`, "rate(up[1m])"), 5);
  assert.equal(placeIn("1:99: parse error: unexpected end of input", "sum("), 4);
  assert.equal(placeIn(`1:8: parse error: x`, `{a="é"} b`), 7 - 1, "columns are bytes");
  assert.equal(placeIn("the store did not answer", "up"), undefined);
  assert.equal(placeIn("9:1: parse error: x", "up"), undefined);
});
