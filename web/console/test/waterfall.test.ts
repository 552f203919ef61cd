import assert from "node:assert/strict";
import { test } from "node:test";
import {
  clampView,
  criticalPieces,
  hopOf,
  indentOf,
  isClosed,
  onlyMatching,
  pieceOf,
  rowOf,
  visibleRows,
  zoomed,
} from "../src/layout/waterfall.ts";
import { ancestors, matches, nextMatch, type Span, treeOf } from "../src/model/trace.ts";

// 0 ─┬─ 1 ─┬─ 2
//    │     └─ 3
//    └─ 4
// 5
const TREE = treeOf([0, 1, 2, 2, 1, 0].map((depth) => ({ depth })));

const span = (part: Partial<Span>): Span => ({ start: 0, duration: 10, isAsync: false, ...part }) as Span;

test("parents and ends of subtrees are read off the depths", () => {
  assert.deepEqual([...TREE.parents], [-1, 0, 1, 1, 0, -1]);
  assert.deepEqual([...TREE.ends], [5, 4, 3, 4, 5, 6]);
  assert.deepEqual(ancestors(TREE, 3), [1, 0]);
});

test("a chain of 50,000 spans is no trouble", () => {
  const tree = treeOf(Array.from({ length: 50_000 }, (_, depth) => ({ depth })));
  assert.equal(ancestors(tree, 49_999).length, 49_999);
  assert.equal(visibleRows(tree, () => false).length, 50_000);
});

test("a closed span hides all below it and nothing else", () => {
  const closed = (...places: number[]) => [...visibleRows(TREE, (index) => places.includes(index))];
  assert.deepEqual(closed(), [0, 1, 2, 3, 4, 5]);
  assert.deepEqual(closed(1), [0, 1, 4, 5]);
  assert.deepEqual(closed(0), [0, 5]);
});

test("a span is closed by its depth, unless it was turned by hand; one without children never is", () => {
  const parent = { children: 2, depth: 3, spanId: "a" };
  assert.equal(isClosed(parent, undefined, new Set()), false);
  assert.equal(isClosed(parent, 3, new Set()), true);
  assert.equal(isClosed(parent, 3, new Set(["a"])), false);
  assert.equal(isClosed(parent, undefined, new Set(["a"])), true);
  assert.equal(isClosed({ ...parent, children: 0 }, 0, new Set()), false);
});

test("only matches are shown, each with what is above it, once", () => {
  assert.deepEqual([...onlyMatching(TREE, [2, 3])], [0, 1, 2, 3]);
  assert.deepEqual([...onlyMatching(TREE, [5])], [5]);
  assert.deepEqual([...onlyMatching(TREE, [])], []);
});

test("a span's row is found, or is not there", () => {
  const rows = Int32Array.from([0, 1, 4, 5]);
  assert.deepEqual(
    [0, 4, 5, 2, 9].map((index) => rowOf(rows, index)),
    [0, 2, 3, -1, -1],
  );
});

test("a bar is cut at the edges of the viewport, and gone outside", () => {
  const view = { from: 100, to: 200 };
  assert.deepEqual(pieceOf(120, 20, view), { left: 0.2, width: 0.2 });
  assert.deepEqual(pieceOf(50, 1000, view), { left: 0, width: 1 });
  assert.deepEqual(pieceOf(150, 0, view), { left: 0.5, width: 0 });
  assert.equal(pieceOf(0, 99, view), undefined);
  assert.equal(pieceOf(201, 5, view), undefined);
});

test("stretches of the critical path that touch are one piece, those apart are not", () => {
  const stretches = [
    { start: 0, duration: 10 },
    { start: 10, duration: 5 },
    { start: 50, duration: 25 },
    { start: 500, duration: 5 },
  ];
  assert.deepEqual(criticalPieces(stretches, { from: 0, to: 100 }), [
    { left: 0, width: 0.15 },
    { left: 0.5, width: 0.25 },
  ]);
});

test("a hop runs from the parent's end, or from its start where it still ran", () => {
  const view = { from: 0, to: 100 };
  const parent = span({ start: 10, duration: 20 });
  assert.deepEqual(hopOf(span({ start: 50, isAsync: true }), parent, view), { left: 0.3, width: 0.2 });
  assert.deepEqual(hopOf(span({ start: 20, isAsync: true }), parent, view), { left: 0.1, width: 0.1 });
  assert.equal(hopOf(span({ start: 50 }), parent, view), undefined);
  assert.equal(hopOf(span({ start: 50, isAsync: true }), undefined, view), undefined);
});

test("zooming keeps what is under the pointer, and stays within the trace", () => {
  const near = zoomed({ from: 0, to: 1000 }, 250, 0.5, 1000);
  assert.deepEqual(near, { from: 125, to: 625 });
  assert.deepEqual(zoomed(near, 250, 100, 1000), { from: 0, to: 1000 });
  assert.deepEqual(clampView({ from: -50, to: 150 }, 1000), { from: 0, to: 200 });
  assert.deepEqual(clampView({ from: 900, to: 1500 }, 1000), { from: 400, to: 1000 });
  const tiny = zoomed({ from: 500, to: 600 }, 550, 1e-9, 1000);
  assert.ok(tiny.to - tiny.from >= 100);
});

test("rows are moved in less and less, so that the deepest still has room for its name", () => {
  assert.equal(indentOf(1), 14);
  assert.ok(indentOf(20) > indentOf(12));
  assert.equal(indentOf(50_000), indentOf(40));
});

test("all words have to be there, in any case; matches follow one another around the end", () => {
  const hays = [
    "get /orders\ndb.system.name=sqlite",
    "append order\nerror",
    "upsert\ndb.system.name=sqlite\nerror",
  ];
  assert.deepEqual(matches(hays, "ERROR db.system.name=sqlite"), [2]);
  assert.deepEqual(matches(hays, "  "), []);
  assert.equal(nextMatch([1, 4], 4, 1), 1);
  assert.equal(nextMatch([1, 4], 1, -1), 4);
  assert.equal(nextMatch([1, 4], -1, 1), 1);
  assert.equal(nextMatch([], 0, 1), undefined);
});
