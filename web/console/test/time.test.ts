import assert from "node:assert/strict";
import { test } from "node:test";
import { formatBytes, formatCount, formatRate, formatShare } from "../src/model/count.ts";
import {
  DAY,
  formatAgo,
  formatLength,
  HOUR,
  length,
  MINUTE,
  moment,
  parseLength,
  SECOND,
  writeLength,
} from "../src/model/time.ts";

test("a length is written in the unit that fits, never as 1000 of a smaller one", () => {
  const expected: [number, string][] = [
    [0, "0 ns"],
    [850, "850 ns"],
    [999.6, "1 µs"],
    [1500, "1.5 µs"],
    [999_499, "999 µs"],
    [999_600, "1 ms"],
    [12_345_678, "12.3 ms"],
    [SECOND, "1 s"],
    [59.94 * SECOND, "59.9 s"],
    [59.99 * SECOND, "1 min"],
    [125 * SECOND, "2 min 5 s"],
    [HOUR - SECOND / 4, "1 h"],
    [3 * HOUR + 12 * MINUTE, "3 h 12 min"],
    [4 * DAY + 3 * HOUR, "4 d 3 h"],
    [-1500, "−1.5 µs"],
  ];
  assert.deepEqual(
    expected.map(([ns]) => formatLength(ns)),
    expected.map(([, text]) => text),
  );
});

test("lengths are read as the server reads them", () => {
  assert.equal(parseLength("1.5ms"), 1_500_000);
  assert.equal(parseLength("2h45m"), 2 * HOUR + 45 * MINUTE);
  assert.equal(parseLength(" 10 s "), 10 * SECOND);
  assert.equal(parseLength("3µs"), 3000);
  for (const wrong of ["", "10", "ms", "1.5.2s", "ten ms", "-5ms", "5 parsecs"]) {
    assert.equal(parseLength(wrong), undefined, wrong);
  }
});

test("what is written for an address is read back", () => {
  for (const ns of [1, 999, 1500, 12_345_000, SECOND, 90 * SECOND, 7 * HOUR]) {
    const back = parseLength(writeLength(ns)) ?? 0;
    assert.ok(Math.abs(back - ns) <= ns * 0.001, `${ns} became ${back}`);
  }
});

test("a moment keeps every nanosecond, and what is no number does no harm", () => {
  assert.equal(moment("1795600800000000001"), 1_795_600_800_000_000_001n);
  assert.equal(moment("soon"), 0n);
  assert.equal(length("soon"), 0);
});

test("how long ago names the one unit that matters", () => {
  const now = 1_000_000n * 1_000_000_000n;
  const ago = (seconds: number) => formatAgo(now - BigInt(seconds) * 1_000_000_000n, now);
  assert.deepEqual([0, 12, 60, 7199, 90_000].map(ago), [
    "just now",
    "12 s ago",
    "1 min ago",
    "1 h ago",
    "1 d ago",
  ]);
  assert.equal(ago(-30), "in the future");
});

test("counts, shares, rates and bytes are short and do not lie about being nothing", () => {
  assert.deepEqual([0, 9_999, 12_345, 999_499, 4_560_000].map(formatCount), [
    "0",
    "9,999",
    "12.3k",
    "999k",
    "4.56M",
  ]);
  assert.deepEqual([0, 0.0004, 0.004, 0.081, 0.37].map(formatShare), [
    "0 %",
    "< 0.1 %",
    "0.4 %",
    "8.1 %",
    "37 %",
  ]);
  assert.deepEqual([0, 0.05, 12.34].map(formatRate), ["0/s", "3/min", "12.3/s"]);
  assert.deepEqual([512, 1536, 1_073_741_824].map(formatBytes), ["512 B", "1.5 KiB", "1 GiB"]);
});
