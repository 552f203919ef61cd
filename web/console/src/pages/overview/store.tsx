// How full the store is, what it did of its own accord, and what never got in.
import { formatBytes, formatCount, formatShare, plural } from "../../model/count.ts";
import { type Fact, type Overview, SIGNALS } from "../../model/overview.ts";
import { formatAgo, formatDate, formatLength, SECOND } from "../../model/time.ts";
import { Icon, type IconName } from "../../parts/icons.tsx";
import { ServiceChip } from "../../parts/service.tsx";
import { Notice } from "../../parts/states.tsx";

const WORDS = { spans: "Spans", lines: "Log lines", samples: "Samples" };
const SIGNAL_ITEMS: Record<string, [string, string]> = {
  traces: ["span", "spans"],
  logs: ["line", "lines"],
  metrics: ["sample", "samples"],
  pinned: ["pinned span", "pinned spans"],
};

export function Losses({ dropped }: { dropped: Overview["dropped"] }) {
  if (dropped.length === 0) {
    return null;
  }
  return (
    <Notice tone="warning">
      <strong>Not everything was kept</strong> since the console started:
      <ul class="losses">
        {dropped.map(({ what, count }) => (
          <li key={what}>
            <span class="figure">{formatCount(count)}</span> {what}
          </li>
        ))}
      </ul>
    </Notice>
  );
}

export function StoreUsage({ overview }: { overview: Overview }) {
  const { store, now } = overview;
  const share = store.bytesMax === 0 ? 0 : Math.min(1, store.bytes / store.bytesMax);
  const isNear = share >= 0.9;
  return (
    <section class="card" aria-label="Store">
      <header class="card-head">
        <h2>Store</h2>
        <span class="quiet">{formatShare(share)} of its limit</span>
      </header>
      <div class="card-body">
        <p class="store-figure">
          <strong>{formatBytes(store.bytes)}</strong> of {formatBytes(store.bytesMax)}
        </p>
        {/* biome-ignore lint/a11y/useSemanticElements: a meter element cannot be coloured alike in all browsers */}
        <div
          class={`meter ${isNear ? "near" : ""}`}
          role="meter"
          aria-label="Space used"
          aria-valuemin={0}
          aria-valuemax={100}
          aria-valuenow={Math.round(share * 100)}
        >
          <span style={{ width: `${share * 100}%` }} />
        </div>
        {isNear && (
          <p class="hint">At the limit, the oldest of the service that takes the most is removed.</p>
        )}
        <dl class="pairs">
          {SIGNALS.map((signal) => {
            const oldest = store.oldest[signal];
            return (
              <div key={signal}>
                <dt>Oldest {WORDS[signal].toLowerCase()}</dt>
                <dd>
                  {oldest === null ? (
                    <span class="quiet">none</span>
                  ) : (
                    <span title={formatDate(oldest)}>{formatAgo(oldest, now)}</span>
                  )}
                </dd>
              </div>
            );
          })}
          <div>
            <dt>Kept for</dt>
            <dd>
              {store.retentionSeconds === 0
                ? "as long as there is room"
                : formatLength(store.retentionSeconds * SECOND)}
            </dd>
          </div>
        </dl>
      </div>
    </section>
  );
}

const KINDS: Record<string, { icon: IconName; says: string }> = {
  evictedForSize: { icon: "info", says: "Removed to stay within the limit of bytes" },
  evictedForAge: { icon: "clock", says: "Removed for its age" },
  repaired: { icon: "warning", says: "Repaired after an unclean end" },
  damaged: { icon: "error", says: "Damaged on disk" },
};

function FactRow({ fact, now }: { fact: Fact; now: bigint }) {
  const kind = KINDS[fact.kind] ?? { icon: "info", says: fact.kind };
  const [one, many] = SIGNAL_ITEMS[fact.signal] ?? ["item", "items"];
  const reach =
    fact.from !== null && fact.to !== null
      ? `${formatDate(fact.from, false)} to ${formatDate(fact.to, false)}`
      : undefined;
  return (
    <li class={`fact fact-${kind.icon}`}>
      <Icon name={kind.icon} size={15} />
      <div>
        <p>
          {kind.says}
          {fact.items > 0 && <>: {plural(fact.items, one, many)}</>}
          {fact.bytes > 0 && <span class="quiet"> · {formatBytes(fact.bytes)}</span>}
        </p>
        <p class="quiet fact-more">
          {fact.service !== "" && <ServiceChip name={fact.service} />}
          {reach !== undefined && <span>{reach}</span>}
          {fact.detail !== "" && <span>{fact.detail}</span>}
        </p>
      </div>
      <time class="quiet" title={formatDate(fact.at)}>
        {formatAgo(fact.at, now)}
      </time>
    </li>
  );
}

export function Facts({ overview }: { overview: Overview }) {
  return (
    <section class="card" aria-label="What the store did">
      <header class="card-head">
        <h2>What the store did</h2>
      </header>
      {overview.facts.length === 0 ? (
        <p class="card-body quiet">Nothing was removed, repaired or found damaged.</p>
      ) : (
        <ul class="facts">
          {overview.facts.map((fact, at) => (
            <FactRow key={`${fact.at} ${at}`} fact={fact} now={overview.now} />
          ))}
        </ul>
      )}
    </section>
  );
}
