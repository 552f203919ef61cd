// The state of the trace page: what the address says, seen together with the trace, and the ways to change it.
import { useMemo } from "preact/hooks";
import {
  clampView,
  isClosed,
  onlyMatching,
  rowOf,
  type Viewport,
  visibleRows,
  zoomed,
} from "../../layout/waterfall.ts";
import { ancestors, haystack, matches, nextMatch, type Trace } from "../../model/trace.ts";
import { decodeTrace, encodeTrace, type TraceAddress } from "../../state/addresses.ts";
import { go, place, put } from "../../state/location.ts";
import { useShortcuts } from "../../state/shortcuts.ts";
import { logsOf } from "./header.tsx";

export interface TraceView {
  trace: Trace;
  address: TraceAddress;
  change: (part: Partial<TraceAddress>, how?: "push" | "replace") => void;
  /** What is drawn of the trace's time. */
  viewport: Viewport;
  setViewport: (view: Viewport | undefined) => void;
  /** Places of the spans that are rows. */
  rows: Int32Array;
  /** The chosen span's place, -1 for none. */
  selected: number;
  /** The chosen span's row, -1 for none. */
  row: number;
  found: number[];
  isFound: (index: number) => boolean;
  isClosed: (index: number) => boolean;
  toggle: (index: number) => void;
  select: (index: number, isOpen?: boolean) => void;
  moveBy: (rows: number) => void;
  jump: (among: readonly number[], step: 1 | -1) => void;
  errors: number[];
}

export function useTraceView(trace: Trace): TraceView {
  const address = decodeTrace(place.value.params);
  const { spans, tree, duration } = trace;
  const change: TraceView["change"] = (part, how = "replace") =>
    put(encodeTrace({ ...decodeTrace(place.peek().params), ...part }), how);

  const haystacks = useLazy(
    () => spans.map((span) => haystack(span, trace.services[span.service]?.name ?? "")),
    [trace],
  );
  const found = useMemo(
    () => (address.find.trim() === "" ? [] : matches(haystacks(), address.find)),
    [trace, address.find],
  );
  const foundSet = useMemo(() => new Set(found), [found]);
  const errors = useMemo(
    () => spans.filter((span) => span.status === "error").map((span) => span.index),
    [trace],
  );
  const selected = useMemo(
    () => spans.findIndex((span) => span.spanId === address.span),
    [trace, address.span],
  );

  const toggledKey = address.toggled.join(".");
  const toggled = useMemo(() => new Set(address.toggled), [toggledKey]);
  const closed = (index: number) => {
    const span = spans[index];
    return span !== undefined && isClosed(span, address.depth, toggled);
  };
  const isOnly = address.only && address.find.trim() !== "";
  const rows = useMemo(
    () => (isOnly ? onlyMatching(tree, found) : visibleRows(tree, closed)),
    [trace, isOnly, isOnly ? found : undefined, address.depth, toggledKey],
  );

  const toggle = (index: number) => {
    const id = spans[index]?.spanId ?? "";
    change({
      toggled: toggled.has(id) ? address.toggled.filter((other) => other !== id) : [...address.toggled, id],
    });
  };
  const select = (index: number, isOpen = decodeTrace(place.peek().params).isOpen) => {
    const span = spans[index];
    if (span === undefined) {
      return;
    }
    // What hides the span is opened.
    const hiding = isOnly ? [] : ancestors(tree, index).filter(closed);
    const flipped = new Set(address.toggled);
    for (const above of hiding) {
      const id = spans[above]?.spanId ?? "";
      flipped.has(id) ? flipped.delete(id) : flipped.add(id);
    }
    change({ span: span.spanId, isOpen, toggled: hiding.length > 0 ? [...flipped] : address.toggled });
  };
  const row = selected < 0 ? -1 : rowOf(rows, selected);

  return {
    trace,
    address,
    change,
    viewport:
      address.view === undefined ? { from: 0, to: Math.max(1, duration) } : clampView(address.view, duration),
    setViewport: (view) => {
      const clamped = view && clampView(view, duration);
      const isWhole = clamped !== undefined && clamped.from <= 0 && clamped.to >= duration;
      change({ view: isWhole ? undefined : clamped });
    },
    rows,
    selected,
    row,
    found,
    isFound: (index) => foundSet.has(index),
    isClosed: closed,
    toggle,
    select,
    moveBy: (by) => {
      // Keys may come faster than the page is drawn: where we are is asked of the address.
      const { span } = decodeTrace(place.peek().params);
      const row = rowOf(
        rows,
        spans.findIndex((candidate) => candidate.spanId === span),
      );
      const to = row < 0 ? 0 : Math.min(rows.length - 1, Math.max(0, row + by));
      select(rows[to] ?? 0);
    },
    jump: (among, step) => {
      const next = nextMatch(among, selected, step);
      if (next !== undefined) {
        select(next);
      }
    },
    errors,
  };
}

/** Made when first needed, and anew when one of these changes. */
function useLazy<T>(make: () => T, dependencies: unknown[]): () => T {
  return useMemo(() => {
    let made: T | undefined;
    return () => {
      made ??= make();
      return made;
    };
  }, dependencies);
}

const PAGE_ROWS = 20;

export function useTraceKeys(view: TraceView): void {
  const { trace, selected, viewport, change } = view;
  const span = trace.spans[selected];
  const middle = () =>
    span === undefined ? (viewport.from + viewport.to) / 2 : span.start + span.duration / 2;
  const zoom = (factor: number) => view.setViewport(zoomed(viewport, middle(), factor, trace.duration));
  const inwards = () => {
    if (span !== undefined && view.isClosed(selected)) {
      view.toggle(selected);
    } else if (span !== undefined && span.children > 0) {
      view.moveBy(1);
    }
  };
  const outwards = () => {
    const parent = trace.tree.parents[selected] ?? -1;
    if (span !== undefined && span.children > 0 && !view.isClosed(selected)) {
      view.toggle(selected);
    } else if (parent >= 0) {
      view.select(parent);
    }
  };
  const leave = () => {
    if (view.address.isOpen) {
      change({ isOpen: false });
    } else if (view.address.find !== "") {
      change({ find: "", only: false });
    } else {
      change({ span: "", view: undefined });
    }
  };
  useShortcuts("Trace", [
    { keys: ["ArrowDown", "j"], does: "Next span", run: () => view.moveBy(1) },
    { keys: ["ArrowUp", "k"], does: "Previous span", run: () => view.moveBy(-1) },
    { keys: ["ArrowRight", "l"], does: "Open, or go to the first child", run: inwards },
    { keys: ["ArrowLeft", "h"], does: "Close, or go to the parent", run: outwards },
    { keys: ["PageDown"], does: "A page down", run: () => view.moveBy(PAGE_ROWS) },
    { keys: ["PageUp"], does: "A page up", run: () => view.moveBy(-PAGE_ROWS) },
    { keys: ["Home"], does: "First span", run: () => view.moveBy(-trace.spans.length) },
    { keys: ["End"], does: "Last span", run: () => view.moveBy(trace.spans.length) },
    { keys: ["Enter"], does: "Show the details", run: () => selected >= 0 && view.select(selected, true) },
    { keys: ["Escape"], does: "Close the details, clear the search", run: leave },
    { keys: ["f"], does: "Find in this trace", run: () => document.getElementById("find")?.focus() },
    { keys: ["n"], does: "Next match", run: () => view.jump(view.found, 1) },
    { keys: ["N"], does: "Previous match", run: () => view.jump(view.found, -1) },
    { keys: ["e"], does: "Next error", run: () => view.jump(view.errors, 1) },
    { keys: ["E"], does: "Previous error", run: () => view.jump(view.errors, -1) },
    { keys: ["c"], does: "Critical path on or off", run: () => change({ critical: !view.address.critical }) },
    { keys: ["x"], does: "Close all, or open all", run: () => toggleAll(view) },
    { keys: ["z"], does: "Zoom to the span", run: () => zoomToSelected(view) },
    { keys: ["+", "="], does: "Zoom in", run: () => zoom(0.5) },
    { keys: ["-"], does: "Zoom out", run: () => zoom(2) },
    { keys: ["0"], does: "The whole trace", run: () => view.setViewport(undefined) },
    { keys: ["g"], does: "Logs of this trace", run: () => go(logsOf(trace)) },
    { keys: ["u"], does: "Back to the search", run: () => go("/traces") },
  ]);
}

export function toggleAll(view: TraceView): void {
  const isAnyClosed = view.address.depth !== undefined || view.address.toggled.length > 0;
  view.change({ depth: isAnyClosed ? undefined : 1, toggled: [] });
}

export function zoomToSelected(view: TraceView): void {
  const span = view.trace.spans[view.selected];
  if (span !== undefined) {
    const air = Math.max(span.duration * 0.1, 50);
    view.setViewport({ from: span.start - air, to: span.start + span.duration + air });
  }
}
