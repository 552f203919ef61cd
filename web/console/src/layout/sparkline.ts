// A row of numbers as the path of a small line.

/** An SVG path for the line, and one for the area under it. The scale starts at zero. */
export function sparkline(
  values: readonly number[],
  width: number,
  height: number,
): { line: string; area: string } {
  if (values.length === 0) {
    return { line: "", area: "" };
  }
  const top = Math.max(1, ...values);
  const across = width / Math.max(1, values.length - 1);
  const round = (value: number) => Number(value.toFixed(1));
  const points = values.map((value, at) => {
    const y = height - 1 - (Math.max(0, value) / top) * (height - 2);
    return `${round(at * across)} ${round(y)}`;
  });
  const line = values.length === 1 ? `M0 ${points[0]?.split(" ")[1]}H${width}` : `M${points.join("L")}`;
  return { line, area: `${line}L${width} ${height}L0 ${height}Z` };
}
