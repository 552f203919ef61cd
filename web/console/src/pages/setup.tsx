// How to get telemetry in: endpoints, a guide for each SDK, and whether anything arrives.
import { getOverview } from "../api/calls.ts";
import { formatCount } from "../model/count.ts";
import { type Overview, SIGNALS, USUAL_PORTS } from "../model/overview.ts";
import { Copy, Snippet } from "../parts/copy.tsx";
import { ServiceChip } from "../parts/service.tsx";
import { Failure, Loading } from "../parts/states.tsx";
import { place, put } from "../state/location.ts";
import { useResource } from "../state/resource.ts";
import { type Endpoints, endpointsOf, environment, guides } from "./setup/snippets.ts";

const WORDS = { spans: "spans", lines: "log lines", samples: "samples" };

function EndpointTable({ endpoints }: { endpoints: Endpoints }) {
  const rows: [string, string, string][] = [
    ["OTLP over HTTP", endpoints.http, "traces, logs, metrics; protobuf or JSON"],
    ["OTLP over gRPC", endpoints.grpc, "traces, logs, metrics"],
    ["Prometheus remote write", endpoints.write, "metrics; 1.0 and 2.0"],
    ["Loki push", endpoints.push, "logs"],
  ];
  return (
    <section class="card" aria-label="Endpoints">
      <header class="card-head">
        <h2>Endpoints</h2>
      </header>
      <dl class="endpoints">
        {rows.map(([what, url, takes]) => (
          <div key={what}>
            <dt>
              {what}
              <small class="quiet">{takes}</small>
            </dt>
            <dd>
              <code>{url}</code>
              <Copy text={url} label={`Copy the address of ${what}`} />
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}

function Arriving({ overview }: { overview: Overview }) {
  const senders = overview.services.filter((service) =>
    SIGNALS.some((signal) => service.signals[signal].lastMinute > 0),
  );
  if (senders.length === 0) {
    return (
      <p class="card-body quiet">
        Nothing in the last minute. This list follows along as soon as something comes.
      </p>
    );
  }
  return (
    <ul class="arriving">
      {senders.map((service) => (
        <li key={service.name}>
          <ServiceChip name={service.name} />
          <span class="quiet">
            {SIGNALS.filter((signal) => service.signals[signal].lastMinute > 0)
              .map((signal) => `${formatCount(service.signals[signal].lastMinute)} ${WORDS[signal]}`)
              .join(" · ")}
          </span>
        </li>
      ))}
    </ul>
  );
}

export function SetupPage() {
  const { resource, again } = useResource("setup", (cancelled) => getOverview(1, cancelled), {
    everyMs: 2000,
  });
  const ports = resource.data?.ports ?? USUAL_PORTS;
  const endpoints = endpointsOf(window.location.origin, window.location.hostname, ports);
  const all = guides(endpoints);
  const chosen = all.find((guide) => guide.id === place.value.params.get("guide")) ?? all[0];
  return (
    <main class="page" id="main">
      <header class="page-head">
        <h1>Setup</h1>
      </header>
      <EndpointTable endpoints={endpoints} />
      <div class="pair pair-wide">
        <section class="card" aria-label="Guides">
          <nav class="tabs" aria-label="Guides">
            {all.map((guide) => (
              <button
                key={guide.id}
                type="button"
                aria-pressed={guide === chosen}
                onClick={() => put(new URLSearchParams({ guide: guide.id }))}
              >
                {guide.title}
              </button>
            ))}
          </nav>
          <ol class="steps">
            {chosen?.steps.map((step) => (
              <li key={step.says}>
                <p>{step.says}</p>
                <Snippet text={step.text} label={step.says} />
              </li>
            ))}
          </ol>
        </section>
        <div>
          <section class="card" aria-label="Arriving now">
            <header class="card-head">
              <h2>Arriving now</h2>
              <span class="quiet">last minute</span>
            </header>
            {resource.data !== undefined && <Arriving overview={resource.data} />}
            {resource.data === undefined && resource.error !== undefined && (
              <Failure error={resource.error} again={again} />
            )}
            {resource.data === undefined && resource.error === undefined && (
              <Loading what="senders" rows={3} />
            )}
          </section>
          <section class="card" aria-label="Environment">
            <header class="card-head">
              <h2>Any SDK, by environment</h2>
            </header>
            <div class="card-body">
              <Snippet text={environment(endpoints)} label="the environment" />
            </div>
          </section>
        </div>
      </div>
    </main>
  );
}
