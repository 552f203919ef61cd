// A canvas as sharp as the screen and as wide as its box, and the theme's colours for it.
import { useLayoutEffect, useState } from "preact/hooks";
import { SLOTS } from "../model/colour.ts";

export interface Size {
  width: number;
  height: number;
}

/** The size of an element, followed. */
export function useSize(box: { readonly current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useLayoutEffect(() => {
    const element = box.current;
    if (element === null) {
      return;
    }
    const measure = () => setSize({ width: element.clientWidth, height: element.clientHeight });
    measure();
    const resized = new ResizeObserver(measure);
    resized.observe(element);
    return () => resized.disconnect();
  }, []);
  return size;
}

/** A cleared context that draws in CSS pixels. */
export function contextOf(
  canvas: HTMLCanvasElement,
  { width, height }: Size,
): CanvasRenderingContext2D | null {
  const ratio = window.devicePixelRatio || 1;
  canvas.width = Math.round(width * ratio);
  canvas.height = Math.round(height * ratio);
  const context = canvas.getContext("2d");
  context?.scale(ratio, ratio);
  context?.clearRect(0, 0, width, height);
  return context;
}

export interface Paint {
  ink: string;
  quiet: string;
  line: string;
  ground: string;
  error: string;
  beam: string;
  slots: string[];
}

/** The colours in force, read anew for each painting since the theme may have changed. */
export function paint(): Paint {
  const style = getComputedStyle(document.documentElement);
  const token = (name: string) => style.getPropertyValue(name).trim();
  return {
    ink: token("--ink"),
    quiet: token("--ink-quiet"),
    line: token("--line"),
    ground: token("--surface"),
    error: token("--error"),
    beam: token("--beam"),
    slots: Array.from({ length: SLOTS }, (_, slot) => token(`--service-${slot}`)),
  };
}
