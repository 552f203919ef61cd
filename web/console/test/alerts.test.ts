import assert from "node:assert/strict";
import { test } from "node:test";
import { groupsFrom, momentFrom, silenceFrom, type WireRule } from "../src/api/alerts.ts";
import { firingSeconds, stateRows } from "../src/layout/timeline.ts";
import {
  type AlertingRule,
  byUrgency,
  linkOf,
  matchersOf,
  ruleState,
  type Silence,
  stateOf,
  writeMatchers,
} from "../src/model/alerts.ts";
import { parseMatchers } from "../src/model/matchers.ts";
import { comparedParts } from "../src/model/threshold.ts";
import { type AlertsAddress, decodeAlerts, encodeAlerts, NO_ALERTS } from "../src/state/addresses/alerts.ts";

const alert = (state: string, labels: Record<string, string>) => ({
  state,
  labels: { alertname: "Slow", ...labels },
  value: "5.4e+00",
  activeAt: "2026-11-29T20:42:26.676322019Z",
});
const wire = (alerts: ReturnType<typeof alert>[]): WireRule => ({
  name: "Slow",
  query: "x > 1",
  type: "alerting",
  duration: 30,
  alerts,
  health: "ok",
  lastEvaluation: "0001-01-01T00:00:00Z",
});
const rules = (...wires: WireRule[]) =>
  groupsFrom([{ name: "g", file: "/f.yaml", interval: 5, rules: wires }])[0]?.rules as AlertingRule[];

const silence = (text: string, state: Silence["state"] = "active"): Silence => ({
  id: "s",
  state,
  matchers: parseMatchers(text) ?? assert.fail(text),
  startsAt: undefined,
  endsAt: undefined,
  createdBy: "",
  comment: "",
});

test("a moment is read to the nanosecond, and Go's year 1 is never", () => {
  assert.equal(momentFrom("2026-11-29T20:42:26.676322019Z"), 1_795_984_946_676_322_019n);
  assert.equal(momentFrom("2026-11-29T21:42:26.5+01:00"), 1_795_984_946_500_000_000n);
  assert.equal(momentFrom("0001-01-01T00:00:00Z"), undefined);
  assert.equal(momentFrom("yesterday"), undefined);
});

test("rules of one name in a group are told apart, and a rule is as urgent as its most urgent alert", () => {
  const [first, second] = rules(
    wire([alert("pending", { job: "a" }), alert("firing", { job: "b" })]),
    wire([]),
  );
  assert.ok(first !== undefined && second !== undefined);
  assert.notEqual(first.id, second.id);
  assert.equal(first.alerts[0]?.value, 5.4);
  assert.equal(first.lastEvaluation, undefined);
  assert.equal(ruleState(first, []), "firing");
  assert.equal(ruleState(second, []), "inactive");
  assert.equal(ruleState(first, [silence(`job="b"`)]), "pending");
  assert.equal(ruleState(first, [silence(`alertname=~"Sl.*"`)]), "silenced");
  assert.equal(ruleState(first, [silence(`alertname=~"Sl.*"`, "expired")]), "firing");
});

test("what fires comes first", () => {
  const group = (name: string, ...states: string[]) => ({
    name,
    file: "/f.yaml",
    interval: 5,
    rules: states.map((state) => wire(state === "inactive" ? [] : [alert(state, {})])),
  });
  const groups = groupsFrom([
    group("quiet", "inactive"),
    group("waits", "inactive", "pending"),
    group("burns", "pending", "firing"),
    { name: "records", file: "/f.yaml", interval: 5, rules: [{ ...wire([]), type: "recording" }] },
  ]);
  assert.deepEqual(
    byUrgency(groups, []).map(({ name }) => name),
    ["burns", "waits", "quiet", "records"],
  );
});

test("a silence matches whole values, and labels that are not there are empty", () => {
  const [one] = rules(wire([alert("firing", { job: "api" })]));
  const active = one?.alerts[0] ?? assert.fail();
  const isSilenced = (text: string) => stateOf(active, [silence(text)]) === "silenced";
  assert.ok(isSilenced(`job=~"a.*"`) && isSilenced(`env=""`) && isSilenced(`job!="db", alertname="Slow"`));
  assert.ok(!isSilenced(`job=~"a"`) && !isSilenced(`job!~"ap.+"`));
  const broken = silence(`job=~"("`);
  assert.equal(
    stateOf(active, [broken]),
    "firing",
    "a regular expression that cannot be read silences nothing",
  );
});

test("matchers are read as they are written, and what is not understood is not left out", () => {
  const text = `alertname="A \\"b\\"", job=~"a|b", env!="x", y!~"z"`;
  assert.equal(writeMatchers(parseMatchers(text) ?? []), text);
  assert.equal(writeMatchers(parseMatchers(`{ job = 'a' }`) ?? []), `job="a"`);
  for (const wrong of ["", "job", `job="a`, `job="a", x`, `job=="a"`, `x, job="a"`, `job="a" env="b"`]) {
    assert.equal(parseMatchers(wrong), undefined, wrong);
  }
  assert.equal(writeMatchers(matchersOf({ b: "1", alertname: "A" })), `alertname="A", b="1"`);
  assert.equal(
    silenceFrom({
      id: "1",
      status: { state: "active" },
      matchers: [{ name: "a", value: "b", isRegex: false }],
      startsAt: "",
      endsAt: "",
      createdBy: "",
      comment: "",
    }).matchers[0]?.isEqual,
    true,
  );
});

test("an expression is drawn as the series it compares, with the line they must not cross", () => {
  const of = (text: string) =>
    comparedParts(text).map(({ query, threshold }) => [
      query,
      threshold && `${threshold.operator}${threshold.value}`,
    ]);
  assert.deepEqual(of("sum(rate(x[5m])) > 0.5"), [["sum(rate(x[5m]))", ">0.5"]]);
  assert.deepEqual(of("0.5 < (x)"), [["x", ">0.5"]]);
  assert.deepEqual(of("x > bool 1e3"), [["x", ">1000"]]);
  assert.deepEqual(of("(a > (14.5 * 2 - 1)) and (b > -2 ^ 2)"), [
    ["a", ">28"],
    ["b", ">-4"],
  ]);
  assert.deepEqual(of("a / b > on (job) c"), [["a / b", undefined]]);
  assert.deepEqual(of(`absent(up{job="a > 1"})`), [[`absent(up{job="a > 1"})`, undefined]]);
  assert.deepEqual(of("(a > 1) > 2"), [["a > 1", ">2"]]);
  assert.deepEqual(of("a > 1 > 2"), [["a > 1 > 2", undefined]], "what cannot be taken apart stays whole");
  assert.deepEqual(of("up == 0 unless on (job) maintenance == 1"), [
    ["up", "==0"],
    ["maintenance", "==1"],
  ]);
  assert.equal(of(`${"(".repeat(500)}1${")".repeat(500)} > x`).length, 1);
  assert.equal(of("((((").length, 1);
});

test("samples a step apart are one stretch, and a gap ends it", () => {
  const of = (alertstate: string, times: number[]) => ({
    labels: { __name__: "ALERTS", alertname: "Slow", alertstate, job: "a" },
    times,
    values: times.map(() => 1),
    histograms: [],
  });
  const [row] = stateRows([of("firing", [30, 40, 80]), of("pending", [10, 20])], 10, 85);
  assert.deepEqual(row, {
    labels: { job: "a" },
    stretches: [
      { state: "pending", from: 10, to: 30 },
      { state: "firing", from: 30, to: 50 },
      { state: "firing", from: 80, to: 85 },
    ],
  });
  assert.equal(row && firingSeconds(row), 25);
});

test("only links of the web are followed, whoever wrote the rule", () => {
  assert.equal(linkOf("https://example.com/runbook"), "https://example.com/runbook");
  assert.equal(linkOf("javascript:alert(1)"), undefined);
  assert.equal(linkOf("docs/runbooks/slow.md"), undefined);
});

test("a view of alerts is read back from its address", () => {
  const view: AlertsAddress = {
    tab: "silences",
    rule: "g/Slow/0",
    state: "firing",
    find: "orders page",
    range: { kind: "between", from: 1n, to: 2n },
    silence: `alertname="A"`,
  };
  assert.deepEqual(decodeAlerts(new URLSearchParams(encodeAlerts(view).toString())), view);
  assert.equal(
    decodeAlerts(new URLSearchParams(encodeAlerts({ ...view, silence: "" }).toString())).silence,
    "",
  );
  assert.equal(encodeAlerts(NO_ALERTS).toString(), "");
  assert.deepEqual(decodeAlerts(new URLSearchParams("tab=x&state=on%20fire")), NO_ALERTS);
});
