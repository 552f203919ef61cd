// All that is known of one span.
import { useEffect, useRef } from "preact/hooks";
import { formatShare } from "../../model/count.ts";
import { formatDate, formatLength } from "../../model/time.ts";
import {
  type Attribute,
  isError,
  type Span,
  type SpanEvent,
  type SpanLink,
  type Trace,
} from "../../model/trace.ts";
import { Copy } from "../../parts/copy.tsx";
import { Icon } from "../../parts/icons.tsx";
import { ServiceChip } from "../../parts/service.tsx";
import { Notice } from "../../parts/states.tsx";
import { decodeTrace, EVERYTHING, encodeSearch, encodeTrace } from "../../state/addresses.ts";
import { address } from "../../state/location.ts";
import { logsOf, metricsOf } from "./header.tsx";
import { type TraceView, zoomToSelected } from "./view.ts";

interface DetailProps {
  trace: Trace;
  span: Span;
  view: TraceView;
}

/** Longer values start folded. */
const LONG_VALUE = 400;

export function Detail({ trace, span, view }: DetailProps) {
  const service = trace.services[span.service]?.name ?? "";
  const box = useRef<HTMLElement>(null);
  useEffect(() => {
    box.current?.scrollTo(0, 0);
  }, [span.index]);
  const same = address("/traces", encodeSearch({ ...EVERYTHING, service, operation: span.name }));
  return (
    <aside ref={box} class="detail" aria-label="Span">
      <header class="detail-head">
        <div>
          <ServiceChip name={service} />
          <h2>{span.name}</h2>
        </div>
        <button
          type="button"
          class="icon-button"
          aria-label="Close the details"
          title="Close (Esc)"
          onClick={() => view.change({ isOpen: false })}
        >
          <Icon name="close" />
        </button>
      </header>
      {isError(span) && (
        <Notice tone="error">
          <strong>Error</strong>
          {span.statusMessage !== "" && <>: {span.statusMessage}</>}
        </Notice>
      )}
      <Figures trace={trace} span={span} />
      <div class="detail-actions">
        <button
          type="button"
          class="button"
          title="Zoom to the span (z)"
          onClick={() => zoomToSelected(view)}
        >
          <Icon name="fit" /> Zoom
        </button>
        <a class="button" href={same} title="Search for traces with this operation">
          <Icon name="search" /> Same operation
        </a>
        <a class="button" href={logsOf(trace, span.spanId)} title="Log lines that this span wrote">
          <Icon name="logs" /> Logs of this span
        </a>
        <a class="button" href={metricsOf(trace, service)} title={`Metrics of ${service} at this time`}>
          <Icon name="metrics" /> Metrics
        </a>
      </div>
      <Attributes
        title="Attributes"
        attributes={span.attributes}
        service={service}
        dropped={span.droppedAttributes}
        isOpen
      />
      <Events span={span} />
      <Links trace={trace} span={span} view={view} />
      <Attributes title="Resource" attributes={trace.resources[span.resource]?.attributes ?? []} service="" />
      <Scope trace={trace} span={span} />
    </aside>
  );
}

function Figures({ trace, span }: { trace: Trace; span: Span }) {
  const critical = span.criticalPath.reduce((sum, { duration }) => sum + duration, 0);
  const whole = Math.max(1, trace.duration);
  const rows: [string, string, string?][] = [
    ["Duration", formatLength(span.duration), formatShare(span.duration / whole)],
    ["Self time", formatLength(span.selfTime), "without what is below it"],
    ["Critical path", formatLength(critical), formatShare(critical / whole)],
    [
      "Starts after",
      formatLength(span.start),
      formatDate(trace.start + BigInt(Math.round(span.start))).slice(11),
    ],
  ];
  return (
    <dl class="figures">
      {rows.map(([name, value, more]) => (
        <div key={name}>
          <dt>{name}</dt>
          <dd>
            <strong class="figure">{value}</strong>
            <small class="quiet">{more}</small>
          </dd>
        </div>
      ))}
      <div class="figures-wide">
        <dt>Kind</dt>
        <dd>
          {span.kind}
          {span.isAsync && <span class="quiet">, asynchronous</span>}
        </dd>
      </div>
      <div class="figures-wide">
        <dt>Status</dt>
        <dd>{span.status}</dd>
      </div>
      <div class="figures-wide figures-id">
        <dt>Span id</dt>
        <dd>
          <code>{span.spanId}</code>
          <Copy text={span.spanId} label="Copy the span id" />
        </dd>
      </div>
    </dl>
  );
}

interface AttributesProps {
  title: string;
  attributes: Attribute[];
  /** With a service, each attribute offers a search for its like. */
  service: string;
  dropped?: number;
  isOpen?: boolean;
}

function Attributes({ title, attributes, service, dropped = 0, isOpen = false }: AttributesProps) {
  return (
    <details class="section" open={isOpen}>
      <summary>
        {title} <span class="count">{attributes.length}</span>
      </summary>
      {dropped > 0 && (
        <p class="hint">The sender left out {dropped} more: its limit of attributes is lower.</p>
      )}
      {attributes.length === 0 && dropped === 0 && <p class="hint">None.</p>}
      <AttributeTable attributes={attributes} service={service} />
    </details>
  );
}

function AttributeTable({ attributes, service = "" }: { attributes: Attribute[]; service?: string }) {
  return (
    <dl class="attributes">
      {attributes.map(({ key, type, value }, at) => (
        <div key={`${key} ${at}`}>
          <dt>{key}</dt>
          <dd class={`value-${type}`}>
            <Value value={value} />
            <span class="attribute-tools">
              {service !== "" && value.length < 200 && (
                <a
                  class="icon-button"
                  href={address("/traces", encodeSearch({ ...EVERYTHING, service, tags: [[key, value]] }))}
                  title={`Search for traces of ${service} with this value`}
                  aria-label={`Search for traces with ${key}=${value}`}
                >
                  <Icon name="search" size={13} />
                </a>
              )}
              <Copy text={value} label={`Copy the value of ${key}`} />
            </span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Value({ value }: { value: string }) {
  if (value.length <= LONG_VALUE) {
    return <span class="value">{value === "" ? <i class="quiet">empty</i> : value}</span>;
  }
  return (
    <details class="value value-long">
      <summary>
        <span class="quiet">{value.length.toLocaleString("en-US")} characters</span>{" "}
        {value.trimStart().slice(0, 120)}
      </summary>
      <pre>{value}</pre>
    </details>
  );
}

function EventItem({ event, span }: { event: SpanEvent; span: Span }) {
  const offset = event.at - span.start;
  return (
    <li class={event.name === "exception" ? "exception" : ""}>
      <p>
        <span class="figure event-time">
          {offset < 0 ? formatLength(offset) : `+${formatLength(offset)}`}
        </span>
        <strong>{event.name}</strong>
      </p>
      <AttributeTable attributes={event.attributes} />
    </li>
  );
}

function Events({ span }: { span: Span }) {
  if (span.events.length === 0) {
    return null;
  }
  return (
    <details class="section" open>
      <summary>
        Events <span class="count">{span.events.length}</span>
      </summary>
      <ol class="events">
        {span.events.map((event, at) => (
          <EventItem key={`${event.at} ${at}`} event={event} span={span} />
        ))}
      </ol>
    </details>
  );
}

function LinkItem({ link, trace, view }: { link: SpanLink; trace: Trace; view: TraceView }) {
  const params = encodeTrace({ ...decodeTrace(new URLSearchParams()), span: link.spanId, isOpen: true });
  const here = trace.spans.find((span) => span.spanId === link.spanId);
  return (
    <li>
      <p>
        <Icon name="link" size={13} />
        {link.isHere && here !== undefined ? (
          <button type="button" class="link" onClick={() => view.select(here.index, true)}>
            {trace.services[here.service]?.name} {here.name}
          </button>
        ) : (
          <a href={address(`/trace/${link.traceId}`, params)}>
            trace <code>{link.traceId.slice(0, 12)}…</code>
          </a>
        )}
        <span class="quiet">
          span <code>{link.spanId}</code>
        </span>
      </p>
      <AttributeTable attributes={link.attributes} />
    </li>
  );
}

function Links({ trace, span, view }: DetailProps) {
  if (span.links.length === 0) {
    return null;
  }
  return (
    <details class="section" open>
      <summary>
        Links <span class="count">{span.links.length}</span>
      </summary>
      <ol class="events">
        {span.links.map((link) => (
          <LinkItem key={`${link.traceId} ${link.spanId}`} link={link} trace={trace} view={view} />
        ))}
      </ol>
    </details>
  );
}

function Scope({ trace, span }: { trace: Trace; span: Span }) {
  const scope = trace.scopes[span.scope];
  const attributes: Attribute[] = [
    { key: "scope.name", type: "string", value: scope?.name ?? "" },
    { key: "scope.version", type: "string", value: scope?.version ?? "" },
    ...(scope?.attributes ?? []),
    { key: "tracestate", type: "string", value: span.traceState },
    { key: "parent span id", type: "string", value: span.parentId ?? "" },
  ];
  return (
    <Attributes
      title="Scope and context"
      attributes={attributes.filter(({ value }) => value !== "")}
      service=""
    />
  );
}
