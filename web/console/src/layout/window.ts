// Which rows of a long list are in sight.

export interface Window {
  /** The first row to draw. */
  first: number;
  /** The row after the last one to draw. */
  end: number;
}

/** Rows in sight and some around them, so that a scroll finds them drawn. */
export function rowsInSight(
  scrollTop: number,
  height: number,
  rowHeight: number,
  rows: number,
  around = 12,
): Window {
  const first = Math.max(0, Math.floor(scrollTop / rowHeight) - around);
  const end = Math.min(rows, Math.ceil((scrollTop + height) / rowHeight) + around);
  return { first: Math.min(first, rows), end: Math.max(end, Math.min(first, rows)) };
}

/** Where to scroll so that a row is in sight; nothing when it is already. */
export function scrollFor(
  row: number,
  scrollTop: number,
  height: number,
  rowHeight: number,
): number | undefined {
  const top = row * rowHeight;
  const isFar = top < scrollTop - height || top > scrollTop + 2 * height;
  if (isFar) {
    return Math.max(0, top - (height - rowHeight) / 2);
  }
  if (top < scrollTop + rowHeight) {
    return Math.max(0, top - rowHeight);
  }
  if (top + 2 * rowHeight > scrollTop + height) {
    return Math.max(0, top + 2 * rowHeight - height);
  }
  return undefined;
}
