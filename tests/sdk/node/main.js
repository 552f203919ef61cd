// Sends tests/sdk/content.json through OpenTelemetry's SDK for Node.js to where the OTEL_* variables say, and
// prints what it handed to the SDK, one JSON line each. What the SDK cannot express is left out of the lines
// and named in the first one. ../README.md says what the lines mean.

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import api from '@opentelemetry/api';
import resources from '@opentelemetry/resources';
import sdkLogs from '@opentelemetry/sdk-logs';
import sdkMetrics from '@opentelemetry/sdk-metrics';
import sdkTrace from '@opentelemetry/sdk-trace-base';

const { ROOT_CONTEXT, TraceFlags, ValueType, createTraceState, trace } = api;
const base = BigInt(process.env.SDK_BASE_TIME_NS ?? '1795600000123456789');
const service = process.env.OTEL_SERVICE_NAME ?? 'sdk-node';
const run = process.env.SDK_RUN ?? '5d000001';
const protocol = process.env.OTEL_EXPORTER_OTLP_PROTOCOL ?? 'grpc';
const require = createRequire(import.meta.url);
const text = readFileSync(process.env.SDK_CONTENT ?? new URL('../content.json', import.meta.url), 'utf8');
const content = JSON.parse(text.replaceAll('{run}', run).replaceAll('{service}', service));

const packageEnd = { grpc: 'grpc', 'http/protobuf': 'proto', 'http/json': 'http' }[protocol];
if (!packageEnd) {
  throw new Error(`OTEL_EXPORTER_OTLP_PROTOCOL is "${protocol}": grpc, http/protobuf or http/json`);
}
const { OTLPTraceExporter } = require(`@opentelemetry/exporter-trace-otlp-${packageEnd}`);
const { OTLPLogExporter } = require(`@opentelemetry/exporter-logs-otlp-${packageEnd}`);
const { OTLPMetricExporter } = require(`@opentelemetry/exporter-metrics-otlp-${packageEnd}`);

const say = (line) => console.log(JSON.stringify(line));
const nanoseconds = (offset) => base + BigInt(offset);
const moment = (offset) => [Number(nanoseconds(offset) / 1_000_000_000n), Number(nanoseconds(offset) % 1_000_000_000n)];

// ---- Values: a number of JavaScript's has 53 bits, and the exporter calls every whole one an integer. ----

const int64End = 2 ** 63;

/** What is sent for an AnyValue, as an AnyValue; undefined if it cannot be sent. */
function expressed(value, anything) {
  if (value === null || value === undefined) return value;
  const [kind, inner] = Object.entries(value)[0];
  switch (kind) {
    case 'intValue':
    case 'doubleValue': {
      const number = Number(inner);
      if (!Number.isInteger(number)) return { doubleValue: number };
      return Math.abs(number) < int64End ? { intValue: String(BigInt(number)) } : undefined;
    }
    case 'bytesValue':
      return anything ? value : undefined;
    case 'kvlistValue':
      return anything ? { kvlistValue: { values: expressedAll(inner.values, true) } } : undefined;
    case 'arrayValue': {
      const values = inner.values.map((each) => expressed(each, anything));
      const types = new Set(values.map((each) => typeof native(each)));
      return values.includes(undefined) || (types.size > 1 && !anything) ? undefined : { arrayValue: { values } };
    }
    default:
      return value;
  }
}

function expressedAll(pairs, anything = false) {
  return pairs
    .map(({ key, value }) => ({ key, value: expressed(value, anything) }))
    .filter(({ value }) => value !== undefined);
}

function native(value) {
  if (value === null || value === undefined) return undefined;
  const [kind, inner] = Object.entries(value)[0];
  switch (kind) {
    case 'intValue':
      return Number(inner);
    case 'bytesValue':
      return Uint8Array.from(Buffer.from(inner, 'base64'));
    case 'arrayValue':
      return inner.values.map(native);
    case 'kvlistValue':
      return attributes(inner.values);
    default:
      return inner;
  }
}

const attributes = (pairs) => Object.fromEntries(pairs.map(({ key, value }) => [key, native(value)]));

const resourceSent = { ...content.resource, attributes: expressedAll(content.resource.attributes) };
const resource = resources.resourceFromAttributes(attributes(resourceSent.attributes), {
  schemaUrl: content.resource.schemaUrl,
});

/** Scopes have attributes with loggers only. */
function where(item, withAttributes) {
  const scope = content.scopes[item.scope];
  return { resource: resourceSent, scope: { ...scope, attributes: withAttributes ? scope.attributes : [] } };
}

function scopeArguments(item) {
  const { name, version, schemaUrl, attributes: about } = content.scopes[item.scope];
  return [name, version || undefined, { schemaUrl: schemaUrl || undefined, attributes: attributes(about) }];
}

// ---- Spans ----

const flags = (isRemote) => TraceFlags.SAMPLED | (isRemote ? 0x300 : 0x100);
const firstOf = (items, limit) => [items.slice(0, limit), Math.max(0, items.length - limit)];
const lastOf = (items, limit) => [items.slice(-limit), Math.max(0, items.length - limit)];

function spanContext({ traceId, spanId, traceState, isRemote }) {
  const state = traceState ? createTraceState(traceState) : undefined;
  return { traceId, spanId, traceFlags: TraceFlags.SAMPLED, traceState: state, isRemote };
}

const within = (about) => trace.setSpan(ROOT_CONTEXT, trace.wrapSpanContext(spanContext(about)));

async function sendSpans() {
  const { limits } = content;
  let next;
  const provider = new sdkTrace.BasicTracerProvider({
    resource,
    idGenerator: { generateTraceId: () => next.traceId, generateSpanId: () => next.spanId },
    spanLimits: { attributeCountLimit: limits.attributes, eventCountLimit: limits.events, linkCountLimit: limits.links },
    spanProcessors: [new sdkTrace.BatchSpanProcessor(new OTLPTraceExporter())],
  });
  for (const item of content.spans) {
    next = item;
    const parent = item.parentSpanId
      ? within({ ...item, spanId: item.parentSpanId, isRemote: item.parentIsRemote })
      : ROOT_CONTEXT;
    const sent = expressedAll(item.attributes);
    const links = item.links.map((link) => ({ ...link, attributes: expressedAll(link.attributes) }));
    const events = item.events.map((event) => ({ ...event, attributes: expressedAll(event.attributes) }));
    const span = provider.getTracer(...scopeArguments(item)).startSpan(
      item.name,
      {
        kind: item.kind - 1,
        startTime: moment(item.startOffset),
        attributes: attributes(sent),
        links: links.map((link) => ({ context: spanContext(link), attributes: attributes(link.attributes) })),
      },
      parent,
    );
    for (const event of events) span.addEvent(event.name, attributes(event.attributes), moment(event.offset));
    if (item.status.code) span.setStatus(item.status);
    span.end(moment(item.endOffset));
    saySpan(item, sent, events, links);
  }
  await provider.shutdown();
}

function saySpan(item, sent, events, links) {
  const { limits } = content;
  const [keptAttributes, droppedAttributesCount] = firstOf(sent, limits.attributes);
  const [keptEvents, droppedEventsCount] = lastOf(events, limits.events);
  const [keptLinks, droppedLinksCount] = lastOf(links, limits.links);
  const { traceId, spanId, parentSpanId, traceState, name, kind, status } = item;
  say({ signal: 'traces', ...where(item, false), item: {
    traceId, spanId, parentSpanId, traceState, name, kind, status, flags: flags(item.parentIsRemote),
    startTimeUnixNano: String(nanoseconds(item.startOffset)), endTimeUnixNano: String(nanoseconds(item.endOffset)),
    attributes: keptAttributes, droppedAttributesCount,
    events: keptEvents.map((event) => ({
      timeUnixNano: String(nanoseconds(event.offset)), name: event.name, attributes: event.attributes,
    })),
    droppedEventsCount,
    links: keptLinks.map((link) => ({
      traceId: link.traceId, spanId: link.spanId, traceState: link.traceState, attributes: link.attributes,
      flags: flags(link.isRemote),
    })),
    droppedLinksCount,
  } });
}

// ---- Log records ----

async function sendLogs() {
  const limit = content.limits.attributes;
  const provider = new sdkLogs.LoggerProvider({
    resource,
    logRecordLimits: { attributeCountLimit: limit },
    processors: [new sdkLogs.BatchLogRecordProcessor({ exporter: new OTLPLogExporter() })],
  });
  for (const item of content.logs) {
    const sent = expressedAll(item.attributes, true);
    const body = expressed(item.body, true);
    const offset = item.offset ?? item.observedOffset;
    provider.getLogger(...scopeArguments(item)).emit({
      timestamp: moment(offset),
      observedTimestamp: moment(item.observedOffset),
      severityNumber: item.severityNumber || undefined,
      severityText: item.severityText || undefined,
      eventName: item.eventName || undefined,
      body: native(body),
      attributes: attributes(sent),
      context: item.spanId ? within(item) : ROOT_CONTEXT,
    });
    const [kept, droppedAttributesCount] = firstOf(sent, limit);
    const { severityNumber, severityText, traceId, spanId, eventName } = item;
    say({ signal: 'logs', ...where(item, true), item: {
      timeUnixNano: String(nanoseconds(offset)),
      observedTimeUnixNano: String(nanoseconds(item.observedOffset)),
      severityNumber, severityText, body, attributes: kept, droppedAttributesCount, traceId, spanId,
      flags: spanId ? TraceFlags.SAMPLED : 0, eventName,
    } });
  }
  await provider.shutdown();
}

// ---- Metrics ----

/** The SDK's clock counts milliseconds and cannot be set: the times of a collection are put in here. */
class TimedExporter {
  constructor() {
    this.inner = new OTLPMetricExporter();
    this.start = this.end = undefined;
    this.isOpen = true;
  }

  export(batch, done) {
    // Shutting down collects once more, which is not wanted here.
    if (!this.isOpen) return done({ code: 0 });
    for (const { dataPoints } of batch.scopeMetrics.flatMap((scope) => scope.metrics)) {
      for (const point of dataPoints) Object.assign(point, { startTime: this.start, endTime: this.end });
    }
    return this.inner.export(batch, done);
  }

  selectAggregationTemporality(type) { return this.inner.selectAggregationTemporality(type); }
  selectAggregation(type) { return this.inner.selectAggregation(type); }
  forceFlush() { return this.inner.forceFlush(); }
  shutdown() { return this.inner.shutdown(); }
}

const numeric = (each) => Number(each.value);

function view(metric) {
  if (metric.exponential) {
    const { EXPONENTIAL_HISTOGRAM } = sdkMetrics.AggregationType;
    return { instrumentName: metric.name,
             aggregation: { type: EXPONENTIAL_HISTOGRAM, options: { maxSize: metric.exponential.maxSize } } };
  }
  if (metric.keepAttributes) {
    return { instrumentName: metric.name,
             attributesProcessors: [sdkMetrics.createAllowListAttributesProcessor(metric.keepAttributes)] };
  }
  return undefined;
}

/** Makes the instruments of a set; the function that comes back records a round with them. */
function instruments(provider, set) {
  let now = 0;
  const recorders = [];
  for (const metric of set) {
    const meter = provider.getMeter(...scopeArguments(metric));
    const { name, unit, description } = metric;
    const options = { unit, description, valueType: metric.number === 'int' ? ValueType.INT : ValueType.DOUBLE,
                      advice: metric.boundaries ? { explicitBucketBoundaries: metric.boundaries } : {} };
    const kind = metric.instrument[0].toUpperCase() + metric.instrument.slice(1);
    const instrument = meter[`create${kind}`](name, options);
    if (kind.startsWith('Observable')) {
      instrument.addCallback((result) => {
        for (const each of metric.rounds[now]) result.observe(numeric(each), attributes(expressedAll(each.attributes)));
      });
    } else {
      recorders.push([metric, (instrument.add ?? instrument.record).bind(instrument)]);
    }
  }
  return (round) => {
    now = round;
    for (const [metric, record] of recorders) {
      for (const each of metric.rounds[round]) {
        const context = each.span === undefined ? ROOT_CONTEXT : within(content.spans[each.span]);
        record(numeric(each), attributes(expressedAll(each.attributes)), context);
      }
    }
  };
}

async function sendMetrics() {
  const { roundEndOffsets, measuredOffsets } = content.metrics;
  for (const temporality of ['cumulative', 'delta']) {
    process.env.OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE = temporality;
    const set = content.metrics[temporality];
    const exporter = new TimedExporter();
    const reader = new sdkMetrics.PeriodicExportingMetricReader({ exporter, exportIntervalMillis: 2 ** 31 - 1 });
    const provider = new sdkMetrics.MeterProvider({ resource, readers: [reader], views: set.map(view).filter(Boolean) });
    const record = instruments(provider, set);
    for (const [round, end] of roundEndOffsets.entries()) {
      record(round);
      exporter.start = moment(temporality === 'delta' && round > 0 ? roundEndOffsets[round - 1] : 0);
      exporter.end = moment(end);
      await provider.forceFlush();
      for (const metric of set) {
        const { rounds, scope, ...about } = metric;
        say({ signal: 'metrics', ...where(metric, false), metric: { ...about, temporality }, exemplars: false, round,
              timeUnixNano: String(nanoseconds(end)), measuredUnixNano: String(nanoseconds(measuredOffsets[round])),
              measurements: rounds[round].map((each) => ({ ...each, attributes: expressedAll(each.attributes), span: null })) });
      }
    }
    exporter.isOpen = false;
    await provider.shutdown();
  }
}

const version = JSON.parse(readFileSync(new URL('package.json', import.meta.url), 'utf8'));
say({
  signal: 'sdk', language: 'node', version: version.dependencies['@opentelemetry/sdk-trace-base'], protocol,
  notExpressed: [
    'integers beyond 2^53 are rounded; of 2^63 or more, and whole doubles of that size, left out: they would be sent as integers out of range',
    'a whole double is sent as an integer', 'bytes, maps and mixed arrays in attributes, but for logs',
    'attributes of scopes, but for logs', 'exemplars', 'a log record without a time',
    'the times of metric points: put in before the exporter',
  ],
});
await sendSpans();
await sendLogs();
await sendMetrics();
