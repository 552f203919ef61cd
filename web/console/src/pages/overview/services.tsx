// One row for each service that sends.
import { formatBytes, formatCount, formatShare } from "../../model/count.ts";
import type { Overview, ServiceOverview, Signal } from "../../model/overview.ts";
import { quoted } from "../../model/samples.ts";
import { formatAgo, formatDate } from "../../model/time.ts";
import { Icon } from "../../parts/icons.tsx";
import { ServiceChip } from "../../parts/service.tsx";
import { Sparkline } from "../../parts/sparkline.tsx";
import { Notice } from "../../parts/states.tsx";
import { encodeLogs, NO_LOGS } from "../../state/addresses/logs.ts";
import { encodeMetrics, NO_METRICS, selectorOfService } from "../../state/addresses/metrics.ts";
import { EVERYTHING, encodeSearch } from "../../state/addresses.ts";
import { address } from "../../state/location.ts";

/** A service from which nothing came for this long is marked. */
const SILENT_NS = 120n * 1_000_000_000n;

function tracesOf(service: string, errors: boolean): string {
  return address("/traces", encodeSearch({ ...EVERYTHING, service, errors }));
}

/** Where what a service sent is looked at. */
function flowAddress(service: string, signal: Signal): string {
  switch (signal) {
    case "lines":
      return address("/logs", encodeLogs({ ...NO_LOGS, query: `{service_name=${quoted(service)}}` }));
    case "samples":
      return address(
        "/metrics-explorer",
        encodeMetrics({ ...NO_METRICS, match: selectorOfService(service) }),
      );
    default:
      return tracesOf(service, false);
  }
}

function FlowCell({ service, signal, word }: { service: ServiceOverview; signal: Signal; word: string }) {
  const flow = service.signals[signal];
  const title = `${flow.total.toLocaleString("en-US")} since the start`;
  return (
    <td data-label={word}>
      <span class="cell-flow">
        <Sparkline values={flow.perMinute} label={`${word} of ${service.name} per minute`} />
        {flow.total === 0 ? (
          <span class="figure quiet">0</span>
        ) : (
          <a class="figure plain" href={flowAddress(service.name, signal)} title={title}>
            {formatCount(flow.lastMinute)}
          </a>
        )}
      </span>
    </td>
  );
}

function ErrorsCell({ service }: { service: ServiceOverview }) {
  const { errors, signals } = service;
  const share = signals.spans.lastMinute === 0 ? 0 : errors.lastMinute / signals.spans.lastMinute;
  return (
    <td data-label="Errors">
      <span class="cell-flow">
        <Sparkline values={errors.perMinute} tone="error" label={`Errors of ${service.name} per minute`} />
        {errors.lastMinute === 0 ? (
          <span class="figure quiet">0</span>
        ) : (
          <a class="figure errors" href={tracesOf(service.name, true)} title="Traces with errors">
            <Icon name="error" size={13} />
            {formatCount(errors.lastMinute)}
            <small>{formatShare(share)}</small>
          </a>
        )}
      </span>
    </td>
  );
}

function Row({ service, now }: { service: ServiceOverview; now: bigint }) {
  const isSilent = service.lastSeen === null || now - service.lastSeen > SILENT_NS;
  return (
    <tr>
      <th scope="row">
        <a class="plain" href={tracesOf(service.name, false)} title={`Traces of ${service.name}`}>
          <ServiceChip name={service.name} />
        </a>
      </th>
      <ErrorsCell service={service} />
      <FlowCell service={service} signal="spans" word="Spans" />
      <FlowCell service={service} signal="lines" word="Lines" />
      <FlowCell service={service} signal="samples" word="Samples" />
      <td data-label="Kept" class="number">
        {formatBytes(service.bytes)}
      </td>
      <td data-label="Last seen" class="number">
        {service.lastSeen === null ? (
          <span class="quiet">not since the start</span>
        ) : (
          <span class={isSilent ? "silent" : ""} title={formatDate(service.lastSeen)}>
            {isSilent && <Icon name="warning" size={13} />}
            {formatAgo(service.lastSeen, now)}
          </span>
        )}
      </td>
    </tr>
  );
}

export function Services({ overview }: { overview: Overview }) {
  const services = [...overview.services].sort(
    (a, b) => b.errors.lastMinute - a.errors.lastMinute || a.name.localeCompare(b.name),
  );
  return (
    <section class="card" aria-label="Services">
      <header class="card-head">
        <h2>Services</h2>
        <span class="quiet">figures: the last minute · lines: {overview.minutes} minutes</span>
      </header>
      {overview.servicesTruncated && (
        <Notice tone="warning">
          More services than can be counted one by one: the rest are counted together. Check that service.name
          is not different for each instance.
        </Notice>
      )}
      <table class="table services">
        <thead>
          <tr>
            <th scope="col">Service</th>
            <th scope="col">Errors</th>
            <th scope="col">Spans</th>
            <th scope="col">Log lines</th>
            <th scope="col">Samples</th>
            <th scope="col" class="number">
              Kept
            </th>
            <th scope="col" class="number">
              Last seen
            </th>
          </tr>
        </thead>
        <tbody>
          {services.map((service) => (
            <Row key={service.name} service={service} now={overview.now} />
          ))}
        </tbody>
      </table>
    </section>
  );
}
