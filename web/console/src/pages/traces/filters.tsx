// The filters of the search. Lists apply at once, text when it is entered.
import { useSignal } from "@preact/signals";
import { useEffect } from "preact/hooks";
import { getOperations, getServices } from "../../api/calls.ts";
import { parseLength } from "../../model/time.ts";
import { Icon } from "../../parts/icons.tsx";
import { RangePicker } from "../../parts/range.tsx";
import { decodeTag, LIMITS, SEARCH_SECONDS, type SearchAddress, type Tag } from "../../state/addresses.ts";
import { useResource } from "../../state/resource.ts";

interface FilterProps {
  address: SearchAddress;
  change: (part: Partial<SearchAddress>) => void;
}

export function Filters({ address, change }: FilterProps) {
  const isOpen = useSignal(false);
  const active =
    [address.service, address.operation, address.minDuration, address.maxDuration].filter(Boolean).length +
    address.tags.length;
  return (
    <section class={`filters ${isOpen.value ? "open" : ""}`} aria-label="Filters">
      <button
        type="button"
        class="button filters-toggle"
        aria-expanded={isOpen.value}
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Icon name="filter" /> Filters{active > 0 && ` (${active})`}
      </button>
      <div class="filters-all">
        <Names address={address} change={change} />
        <Tags address={address} change={change} />
        <DurationField
          label="Min duration"
          example="10ms"
          value={address.minDuration}
          set={(minDuration) => change({ minDuration })}
        />
        <DurationField
          label="Max duration"
          example="1.5s"
          value={address.maxDuration}
          set={(maxDuration) => change({ maxDuration })}
        />
      </div>
      <div class="filters-always">
        <label class={`toggle ${address.errors ? "on" : ""}`}>
          <input
            type="checkbox"
            checked={address.errors}
            onChange={(event) => change({ errors: event.currentTarget.checked })}
          />
          <Icon name="error" size={14} /> Errors only
        </label>
        <RangePicker
          range={address.range}
          fallbackSeconds={SEARCH_SECONDS}
          onChange={(range) => change({ range })}
        />
        <select
          class="field"
          aria-label="At most so many traces"
          value={String(address.limit)}
          onChange={(event) => change({ limit: Number(event.currentTarget.value) })}
        >
          {[...new Set([...LIMITS, address.limit])]
            .sort((a, b) => a - b)
            .map((limit) => (
              <option key={limit} value={String(limit)}>
                At most {limit}
              </option>
            ))}
        </select>
      </div>
    </section>
  );
}

/** A name that is chosen stays on offer even when the server does not know it (any more). */
function offered(names: string[], chosen: string): string[] {
  return chosen === "" || names.includes(chosen) ? names : [chosen, ...names];
}

function Names({ address, change }: FilterProps) {
  const services = useResource("services", getServices).resource;
  const operations = useResource(
    `operations ${address.service}`,
    (cancelled) => getOperations(address.service, cancelled),
    { forget: true },
  ).resource;
  const serviceNames = offered(services.data?.map(({ name }) => name) ?? [], address.service);
  const operationNames = offered([...new Set(operations.data?.map(({ name }) => name))], address.operation);
  return (
    <>
      <label class="labelled">
        <span>Service{services.error !== undefined && " (list not loaded)"}</span>
        <select
          id="filter-service"
          class="field"
          value={address.service}
          onChange={(event) => change({ service: event.currentTarget.value, operation: "" })}
        >
          <option value="">All services</option>
          {serviceNames.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <label class="labelled">
        <span>Operation{operations.error !== undefined && " (list not loaded)"}</span>
        <select
          class="field"
          value={address.operation}
          disabled={address.service === ""}
          title={address.service === "" ? "Choose a service first" : undefined}
          onChange={(event) => change({ operation: event.currentTarget.value })}
        >
          <option value="">All operations</option>
          {operationNames.map((name) => (
            <option key={name} value={name}>
              {name}
            </option>
          ))}
        </select>
      </label>
    </>
  );
}

/** One value for a key: a new one takes the place of the old. */
function withTag(tags: readonly Tag[], added: Tag): Tag[] {
  return [...tags.filter(([key]) => key !== added[0]), added];
}

function Tags({ address, change }: FilterProps) {
  const wrong = useSignal("");
  return (
    <div class="labelled tags">
      <label for="filter-tags">
        <span>Tags</span>
      </label>
      <div class={`tag-field field ${wrong.value ? "wrong" : ""}`}>
        {address.tags.map(([key, value]) => (
          <span key={key} class="tag">
            <span class="tag-text">
              {key}=<b>{value}</b>
            </span>
            <button
              type="button"
              aria-label={`Remove ${key}=${value}`}
              onClick={() => change({ tags: address.tags.filter(([other]) => other !== key) })}
            >
              <Icon name="close" size={11} />
            </button>
          </span>
        ))}
        <input
          id="filter-tags"
          placeholder={address.tags.length === 0 ? "http.route=/orders" : "key=value"}
          autocomplete="off"
          spellcheck={false}
          aria-invalid={wrong.value !== ""}
          onKeyDown={(event) => {
            const field = event.currentTarget;
            if (event.key === "Backspace" && field.value === "" && address.tags.length > 0) {
              change({ tags: address.tags.slice(0, -1) });
            }
            if (event.key === "Enter" && field.value.trim() !== "") {
              const tag = decodeTag(field.value.trim());
              wrong.value = tag === undefined ? "Write key=value, as in http.route=/orders" : "";
              if (tag !== undefined) {
                field.value = "";
                change({ tags: withTag(address.tags, tag) });
              }
            }
          }}
          onInput={() => (wrong.value = "")}
        />
      </div>
      {wrong.value !== "" && (
        <p class="wrong-text" role="alert">
          {wrong.value}
        </p>
      )}
    </div>
  );
}

interface DurationProps {
  label: string;
  example: string;
  value: string;
  set: (value: string) => void;
}

function DurationField({ label, example, value, set }: DurationProps) {
  const typed = useSignal(value);
  useEffect(() => {
    typed.value = value;
  }, [value]);
  const isWrong = typed.value.trim() !== "" && parseLength(typed.value) === undefined;
  const apply = () => {
    const text = typed.value.trim().replaceAll(" ", "");
    if (!isWrong && text !== value) {
      set(text);
    }
  };
  return (
    <label class="labelled duration">
      <span>{label}</span>
      <input
        class={`field ${isWrong ? "wrong" : ""}`}
        value={typed.value}
        placeholder={example}
        autocomplete="off"
        aria-invalid={isWrong}
        onInput={(event) => (typed.value = event.currentTarget.value)}
        onBlur={apply}
        onKeyDown={(event) => event.key === "Enter" && apply()}
      />
      {isWrong && (
        <p class="wrong-text" role="alert">
          For example {example}
        </p>
      )}
    </label>
  );
}
