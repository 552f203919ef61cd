// One line in full: its text, its fields, and filters made of them.
import { useEffect, useRef } from "preact/hooks";
import {
  type Field,
  type FieldKind,
  fieldsOf,
  type LogLine,
  serviceOf,
  traceOfLine,
} from "../../model/logs.ts";
import { writeLabels } from "../../model/samples.ts";
import { withFilter } from "../../model/syntax/edit.ts";
import { formatDate } from "../../model/time.ts";
import { Copy } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icons.tsx";
import { LevelMark } from "../../parts/level.tsx";
import { ServiceChip } from "../../parts/service.tsx";
import { type LogsAddress, queryOfTrace } from "../../state/addresses/logs.ts";
import type { Change } from "../logs.tsx";
import { FilterButton } from "./facets.tsx";
import { traceAddress } from "./lines.tsx";

interface DetailProps {
  line: LogLine;
  address: LogsAddress;
  change: Change;
}

const TITLES: [FieldKind, string][] = [
  ["parsed", "Found by the query"],
  ["metadata", "Sent with the line"],
  ["label", "Labels of its stream"],
  ["json", "In its text (JSON)"],
];
/** Around a line that is looked at alone. */
const AROUND_NS = 30_000_000_000n;

function pretty(text: string): string {
  try {
    return text.trimStart().startsWith("{") ? JSON.stringify(JSON.parse(text), null, 2) : text;
  } catch {
    return text;
  }
}

export function LineDetail({ line, address, change }: DetailProps) {
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [line.id]);
  const { traceId } = traceOfLine(line);
  const fields = fieldsOf(line);
  return (
    <aside ref={box} class="detail line-detail" aria-label="Line">
      <header class="detail-head">
        <div class="line-detail-head">
          <LevelMark level={line.level} />
          <ServiceChip name={serviceOf(line)} />
          <span class="quiet figure">{formatDate(line.at)}</span>
        </div>
        <button
          type="button"
          class="icon-button"
          aria-label="Close the line"
          title="Close (Esc)"
          onClick={() => change({ isOpen: false }, "replace")}
        >
          <Icon name="close" />
        </button>
      </header>
      <div class="snippet">
        {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
        <pre class="line-whole" tabIndex={0}>
          {pretty(line.text)}
        </pre>
        <Copy text={line.text} label="Copy the line" />
      </div>
      <div class="detail-actions">
        {traceId !== "" && (
          <>
            <a class="button primary" href={traceAddress(line)}>
              <Icon name="traces" /> Its trace
            </a>
            <button
              type="button"
              class="button"
              onClick={() => change({ query: queryOfTrace(traceId), live: false })}
            >
              <Icon name="logs" /> All lines of the trace
            </button>
          </>
        )}
        <button
          type="button"
          class="button"
          title="All lines of the minute around this one"
          onClick={() =>
            change({
              query: writeLabels(line.labels),
              range: { kind: "between", from: line.at - AROUND_NS, to: line.at + AROUND_NS },
              live: false,
            })
          }
        >
          <Icon name="clock" /> Around it
        </button>
      </div>
      {TITLES.map(([kind, title]) => (
        <Fields
          key={kind}
          title={title}
          fields={fields.filter((field) => field.kind === kind)}
          address={address}
          change={change}
        />
      ))}
    </aside>
  );
}

interface FieldsProps {
  title: string;
  fields: Field[];
  address: LogsAddress;
  change: Change;
}

function Fields({ title, fields, address, change }: FieldsProps) {
  if (fields.length === 0) {
    return null;
  }
  const filter = (field: Field, sign: "=" | "!=") =>
    change({ query: withFilter(address.query, field.kind, field.key, sign, field.value) });
  return (
    <details class="section" open>
      <summary>
        {title} <span class="count">{fields.length}</span>
      </summary>
      <dl class="attributes">
        {fields.map((field) => (
          <div key={field.key}>
            <dt>{field.key}</dt>
            <dd>
              <span class="value">{field.value === "" ? <i class="quiet">empty</i> : field.value}</span>
              <span class="attribute-tools">
                <FilterButton
                  sign="="
                  field={field.key}
                  value={field.value}
                  onClick={() => filter(field, "=")}
                />
                <FilterButton
                  sign="!="
                  field={field.key}
                  value={field.value}
                  onClick={() => filter(field, "!=")}
                />
                <Copy text={field.value} label={`Copy the value of ${field.key}`} />
              </span>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
