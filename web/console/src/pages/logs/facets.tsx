// What the lines have in common and what tells them apart: fields and their values, each a filter.
import { useSignal } from "@preact/signals";
import type { DetectedField } from "../../api/loki.ts";
import { formatCount } from "../../model/count.ts";
import type { Facet } from "../../model/logs.ts";
import { filterOf, withFilter, withoutFilter } from "../../model/syntax/edit.ts";
import { Icon } from "../../parts/icons.tsx";
import type { LogsAddress } from "../../state/addresses/logs.ts";
import type { Change } from "../logs.tsx";

interface FacetsProps {
  facets: Facet[];
  fields: DetectedField[];
  lines: number;
  address: LogsAddress;
  change: Change;
}

/** Open without being asked to: as many as fit beside the lines. */
const OPEN_FIRST = 3;

export function Facets({ facets, fields, lines, address, change }: FacetsProps) {
  const cardinality = new Map(fields.map((field) => [field.label, field.cardinality]));
  const known = new Set(facets.map(({ key }) => key));
  const more = fields.filter(({ label, parsers }) => !known.has(label) && parsers.length > 0);
  const parsers = [...new Set(more.flatMap((field) => field.parsers))];
  return (
    <aside class="facets" aria-label="Fields of these lines">
      <p class="quiet facets-of">Fields of the {formatCount(lines)} lines shown</p>
      {facets.map((facet, at) => (
        <OneFacet
          key={facet.key}
          facet={facet}
          distinct={Math.max(facet.distinct, cardinality.get(facet.key) ?? 0)}
          isFirst={at < OPEN_FIRST}
          address={address}
          change={change}
        />
      ))}
      {parsers.map((parser) => (
        <p key={parser} class="facets-more">
          <button
            type="button"
            class="link"
            onClick={() => change({ query: `${address.query} | ${parser}`, line: "", isOpen: false })}
          >
            Read fields with {parser}
          </button>{" "}
          <span class="quiet">
            {more
              .filter((field) => field.parsers.includes(parser))
              .slice(0, 5)
              .map(({ label }) => label)
              .join(", ")}
          </span>
        </p>
      ))}
    </aside>
  );
}

interface OneFacetProps {
  facet: Facet;
  distinct: number;
  isFirst: boolean;
  address: LogsAddress;
  change: Change;
}

function OneFacet({ facet, distinct, isFirst, address, change }: OneFacetProps) {
  const isOpen = useSignal(isFirst);
  const { key, kind, values } = facet;
  const most = values[0]?.count ?? 1;
  const put = (query: string) => change({ query, line: "", isOpen: false });
  return (
    <details
      class="facet"
      open={isOpen.value}
      onToggle={(event) => (isOpen.value = event.currentTarget.open)}
    >
      <summary>
        <span class="facet-key" title={`${key} (${kind === "label" ? "selects the stream" : kind})`}>
          {key}
        </span>
        <span class="count">{formatCount(distinct)}</span>
      </summary>
      <ul>
        {values.map(({ value, count }) => {
          const filter = filterOf(address.query, key, value);
          return (
            <li key={value} class={filter === undefined ? "" : filter === "=" ? "kept" : "left-out"}>
              <span class="facet-bar" style={{ width: `${(count / most) * 100}%` }} />
              <span class="facet-value" title={value}>
                {value === "" ? <i class="quiet">empty</i> : value}
              </span>
              <span class="figure quiet">{formatCount(count)}</span>
              {filter === undefined ? (
                <>
                  <FilterButton
                    sign="="
                    field={key}
                    value={value}
                    onClick={() => put(withFilter(address.query, kind, key, "=", value))}
                  />
                  <FilterButton
                    sign="!="
                    field={key}
                    value={value}
                    onClick={() => put(withFilter(address.query, kind, key, "!=", value))}
                  />
                </>
              ) : (
                <button
                  type="button"
                  class="icon-button"
                  title="Without this filter"
                  aria-label={`Without the filter of ${key} ${value}`}
                  onClick={() => put(withoutFilter(address.query, key, value))}
                >
                  <Icon name="close" size={12} />
                </button>
              )}
            </li>
          );
        })}
        {distinct > values.length && (
          <li class="quiet facet-rest">{formatCount(distinct - values.length)} more</li>
        )}
      </ul>
    </details>
  );
}

interface FilterButtonProps {
  sign: "=" | "!=";
  field: string;
  value: string;
  onClick: () => void;
}

export function FilterButton({ sign, field, value, onClick }: FilterButtonProps) {
  const says = sign === "=" ? `Only lines with ${field} = ${value}` : `Without lines of ${field} = ${value}`;
  return (
    <button
      type="button"
      class="icon-button"
      title={says.slice(0, 200)}
      aria-label={says.slice(0, 200)}
      onClick={onClick}
    >
      <Icon name={sign === "=" ? "plus" : "minus"} size={13} />
    </button>
  );
}
