// The graph as two tables: the same, for those who read better than they look.
import type { ComponentChildren } from "preact";
import { formatCount, formatRate, formatShare } from "../../model/count.ts";
import { health, type ServiceGraph } from "../../model/graph.ts";
import { formatLength } from "../../model/time.ts";
import { ServiceChip } from "../../parts/service.tsx";
import type { GraphAddress } from "../../state/addresses.ts";
import { HealthMark } from "./legend.tsx";
import { tracesOfEdge, tracesOfService } from "./links.ts";

function Head({ names }: { names: string[] }) {
  return (
    <thead>
      <tr>
        {names.map((name, at) => (
          <th key={name} scope="col" class={at < names.length - 4 ? "" : "number"}>
            {name}
          </th>
        ))}
      </tr>
    </thead>
  );
}

function Rate({ errorRate }: { errorRate: number }) {
  return (
    <td class="number" data-label="Errors">
      <span class={`with-health health-${health(errorRate)}`}>
        <HealthMark health={health(errorRate)} />
        {formatShare(errorRate)}
      </span>
    </td>
  );
}

function Cell({ label, children }: { label: string; children: ComponentChildren }) {
  return (
    <td class="number" data-label={label}>
      {children}
    </td>
  );
}

export function Tables({ graph, address }: { graph: ServiceGraph; address: GraphAddress }) {
  const nodes = [...graph.nodes].sort((a, b) => b.errorRate - a.errorRate || b.spans - a.spans);
  const edges = [...graph.edges].sort((a, b) => b.errorRate - a.errorRate || b.calls - a.calls);
  return (
    <div class="tables">
      <section class="card" aria-label="Services">
        <header class="card-head">
          <h2>Services</h2>
        </header>
        <table class="table">
          <Head names={["Service", "Spans", "Rate", "Errors", "p95"]} />
          <tbody>
            {nodes.map((node) => (
              <tr key={node.service}>
                <th scope="row">
                  <a class="plain" href={tracesOfService(node.service, false, address.range)}>
                    <ServiceChip name={node.service} />
                  </a>
                </th>
                <Cell label="Spans">{formatCount(node.spans)}</Cell>
                <Cell label="Rate">{formatRate(node.perSecond)}</Cell>
                <Rate errorRate={node.errorRate} />
                <Cell label="p95">{formatLength(node.p95)}</Cell>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
      <section class="card" aria-label="Connections">
        <header class="card-head">
          <h2>Connections</h2>
        </header>
        <table class="table">
          <Head names={["From and to", "How", "Calls", "Rate", "Errors", "p95"]} />
          <tbody>
            {edges.map((edge) => (
              <tr key={`${edge.from} ${edge.to} ${edge.kind}`}>
                <th scope="row">
                  <a class="plain edge-names" href={tracesOfEdge(edge, address.range)}>
                    <ServiceChip name={edge.from} /> → <ServiceChip name={edge.to} />
                  </a>
                </th>
                <td data-label="How">{edge.kind === "async" ? "asynchronous" : "the caller waits"}</td>
                <Cell label="Calls">{formatCount(edge.calls)}</Cell>
                <Cell label="Rate">{formatRate(edge.perSecond)}</Cell>
                <Rate errorRate={edge.errorRate} />
                <Cell label="p95">{formatLength(edge.p95)}</Cell>
              </tr>
            ))}
          </tbody>
        </table>
      </section>
    </div>
  );
}
