// A row of numbers as bars of equal width.

export interface Bar {
  x: number;
  y: number;
  width: number;
  height: number;
}

/** Bars on a field, as high as the largest needs; what is not zero is never too low to be seen. */
export function barsOf(values: readonly number[], width: number, height: number): Bar[] {
  const top = Math.max(1, ...values);
  const step = width / Math.max(1, values.length);
  const gap = Math.min(2, step * 0.25);
  return values.map((value, at) => {
    const high = value > 0 ? Math.max(1.5, (value / top) * height) : 0;
    return { x: at * step + gap / 2, y: height - high, width: step - gap, height: high };
  });
}

/** The bar at a place across, as a count from the left. */
export function barAt(x: number, width: number, bars: number): number | undefined {
  const at = Math.floor((x / Math.max(1, width)) * bars);
  return at >= 0 && at < bars ? at : undefined;
}
