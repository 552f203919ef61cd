// A long list of which only the rows in sight are in the document.
import type { ComponentChildren } from "preact";
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { rowsInSight, scrollFor } from "../layout/window.ts";

interface VirtualProps {
  rows: number;
  rowHeight: number;
  /** A row to keep in sight; -1 for none. */
  at: number;
  /** Scrolls to `at` again when it changes, even if `at` does not. */
  nonce?: number;
  render: (row: number) => ComponentChildren;
  class?: string;
  role?: "listbox" | "tree" | "grid" | "group";
  label: string;
  /** The id of the row the keyboard is at, for screen readers. */
  active?: string | undefined;
}

function useScroll(box: { readonly current: HTMLElement | null }) {
  const [seen, setSeen] = useState({ top: 0, height: 600 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    let frame = 0;
    const measure = () => {
      cancelAnimationFrame(frame);
      frame = requestAnimationFrame(() => setSeen({ top: element.scrollTop, height: element.clientHeight }));
    };
    setSeen({ top: element.scrollTop, height: element.clientHeight });
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    element.addEventListener("scroll", measure, { passive: true });
    return () => {
      cancelAnimationFrame(frame);
      resized.disconnect();
      element.removeEventListener("scroll", measure);
    };
  }, []);
  return seen;
}

export function Virtual(props: VirtualProps) {
  const { rows, rowHeight, at, nonce, render, label, role = "listbox", active } = props;
  const box = useRef<HTMLDivElement>(null);
  const { top, height } = useScroll(box);
  useEffect(() => {
    const element = box.current;
    if (element !== null && at >= 0) {
      const wanted = scrollFor(at, element.scrollTop, element.clientHeight, rowHeight);
      if (wanted !== undefined) {
        element.scrollTop = wanted;
      }
    }
  }, [at, nonce, rowHeight]);
  const { first, end } = rowsInSight(top, height, rowHeight, rows);
  const drawn = [];
  for (let row = first; row < end; row += 1) {
    drawn.push(render(row));
  }
  return (
    // biome-ignore lint/a11y/useAriaPropsSupportedByRole: a listbox and a tree both have a label
    <div
      ref={box}
      class={`virtual ${props.class ?? ""}`}
      role={role}
      aria-label={label}
      aria-activedescendant={active}
      tabIndex={0}
    >
      <div class="virtual-all" style={{ height: `${rows * rowHeight}px` }}>
        <div class="virtual-drawn" style={{ transform: `translateY(${first * rowHeight}px)` }}>
          {drawn}
        </div>
      </div>
    </div>
  );
}
