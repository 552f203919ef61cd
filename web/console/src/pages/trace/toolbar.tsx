// Find in the trace, and how it is shown.
import { formatCount } from "../../model/count.ts";
import type { Trace } from "../../model/trace.ts";
import { Icon } from "../../parts/icons.tsx";
import { type TraceView, toggleAll } from "./view.ts";

export function Toolbar({ trace, view }: { trace: Trace; view: TraceView }) {
  const { address, change, viewport } = view;
  const isZoomed = address.view !== undefined;
  const isAnyClosed = address.depth !== undefined || address.toggled.length > 0;
  return (
    <div class="trace-tools" role="toolbar" aria-label="Waterfall">
      <Find view={view} />
      <label class={`toggle ${address.critical ? "on" : ""}`} title="What the whole had to wait for (c)">
        <input
          type="checkbox"
          checked={address.critical}
          onChange={(event) => change({ critical: event.currentTarget.checked })}
        />
        <span class="critical-sample" aria-hidden="true" /> Critical path
      </label>
      <button type="button" class="button" title="Close all, or open all (x)" onClick={() => toggleAll(view)}>
        <Icon name={isAnyClosed ? "plus" : "minus"} />
        {isAnyClosed ? "Open all" : "Close all"}
      </button>
      {isZoomed && (
        <button
          type="button"
          class="button"
          title="The whole trace (0)"
          onClick={() => view.setViewport(undefined)}
        >
          <Icon name="fit" />{" "}
          {Math.max(1, Math.round((trace.duration / (viewport.to - viewport.from)) * 10) / 10)}×
        </button>
      )}
      <span class="quiet rows-shown">
        {view.rows.length === trace.spans.length
          ? ""
          : `${formatCount(view.rows.length)} of ${formatCount(trace.spans.length)} rows`}
      </span>
    </div>
  );
}

function Find({ view }: { view: TraceView }) {
  const { address, change, found, selected } = view;
  const isFinding = address.find.trim() !== "";
  const at = found.indexOf(selected);
  return (
    // biome-ignore lint/a11y/useSemanticElements: the search element is too new for the browsers we build for
    <div class={`find ${isFinding && found.length === 0 ? "wrong" : ""}`} role="search">
      <Icon name="search" size={14} />
      <input
        id="find"
        type="search"
        placeholder="Find: text, key=value, error"
        aria-label="Find in this trace"
        autocomplete="off"
        spellcheck={false}
        value={address.find}
        onInput={(event) => change({ find: event.currentTarget.value })}
        onKeyDown={(event) => {
          if (event.key === "Enter") {
            view.jump(found, event.shiftKey ? -1 : 1);
          }
          if (event.key === "Escape") {
            event.currentTarget.blur();
            change({ find: "", only: false });
          }
        }}
      />
      {isFinding && (
        <>
          <output class="find-count figure" aria-live="polite">
            {found.length === 0 ? "none" : `${at < 0 ? "–" : at + 1} / ${formatCount(found.length)}`}
          </output>
          <button
            type="button"
            class="icon-button"
            aria-label="Previous match"
            title="Previous match (N)"
            onClick={() => view.jump(found, -1)}
          >
            <span class="turned">
              <Icon name="down" size={14} />
            </span>
          </button>
          <button
            type="button"
            class="icon-button"
            aria-label="Next match"
            title="Next match (n)"
            onClick={() => view.jump(found, 1)}
          >
            <Icon name="down" size={14} />
          </button>
          <button
            type="button"
            class="find-only"
            aria-pressed={address.only}
            title="Show nothing but the matches and what is above them"
            onClick={() => change({ only: !address.only })}
          >
            only
          </button>
        </>
      )}
    </div>
  );
}
