// A small line of the last minutes. What it shows is also said in words beside it.
import { sparkline } from "../layout/sparkline.ts";

const WIDTH = 96;
const HEIGHT = 24;

export function Sparkline({
  values,
  tone = "plain",
  label,
}: {
  values: readonly number[];
  tone?: "plain" | "error" | "beam";
  label: string;
}) {
  const { line, area } = sparkline(values, WIDTH, HEIGHT);
  const isFlat = values.every((value) => value === 0);
  return (
    <svg
      class={`sparkline sparkline-${tone} ${isFlat ? "flat" : ""}`}
      viewBox={`0 0 ${WIDTH} ${HEIGHT}`}
      preserveAspectRatio="none"
      role="img"
      aria-label={label}
    >
      <path class="sparkline-area" d={area} />
      <path class="sparkline-line" d={line} />
    </svg>
  );
}
