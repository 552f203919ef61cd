// Chooses the stretch of time: the last so-and-so much, or one that was marked elsewhere.
import { formatDate, formatLength, SECOND } from "../model/time.ts";
import { last, OFFERED_SECONDS, type Range } from "../state/range.ts";

interface RangeProps {
  range: Range;
  /** Where to go back to from a marked stretch. */
  fallbackSeconds: number;
  onChange: (range: Range) => void;
}

export function RangePicker({ range, fallbackSeconds, onChange }: RangeProps) {
  if (range.kind === "between") {
    const length = formatLength(Number(range.to - range.from));
    return (
      <span class="range-between">
        <span class="field-text" title={`${formatDate(range.from)} to ${formatDate(range.to)}`}>
          {formatDate(range.from, false)} + {length}
        </span>
        <button type="button" class="button" onClick={() => onChange(last(fallbackSeconds))}>
          Until now
        </button>
      </span>
    );
  }
  const offered = OFFERED_SECONDS.includes(range.seconds)
    ? OFFERED_SECONDS
    : [...OFFERED_SECONDS, range.seconds].sort((a, b) => a - b);
  return (
    <select
      class="field"
      aria-label="Time range"
      value={String(range.seconds)}
      onChange={(event) => onChange(last(Number(event.currentTarget.value)))}
    >
      {offered.map((seconds) => (
        <option key={seconds} value={String(seconds)}>
          Last {formatLength(seconds * SECOND)}
        </option>
      ))}
    </select>
  );
}
