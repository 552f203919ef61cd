// Made-up traces for development: what the console's API would answer, in its own shapes.
// Nothing here is random from run to run: a seed makes the same traces each time.
import { criticalPath } from "./critical.mjs";

const MS = 1_000_000;

/** A small generator of numbers in [0, 1), by Mulberry32. */
export function dice(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const attribute = (key, value) => ({
  key,
  type: typeof value === "number" ? "int" : typeof value === "boolean" ? "bool" : "string",
  value: String(value),
});

const hex = (roll, digits) =>
  Array.from({ length: digits }, () => Math.floor(roll() * 16).toString(16)).join("");

/** Collects spans in pre-order with numbers for times; `finish` makes the answer. */
class Builder {
  constructor(traceId, startNs, roll) {
    Object.assign(this, { traceId, startNs, roll, services: [], spans: [], evicted: [], missingSpans: 0 });
  }

  add(parent, service, name, kind, start, duration, more = {}) {
    let at = this.services.findIndex((known) => known.name === service);
    if (at < 0) {
      at = this.services.push({ name: service, spans: 0 }) - 1;
    }
    this.services[at].spans += 1;
    const span = {
      spanId: hex(this.roll, 16),
      parentId: parent?.spanId ?? null,
      parent,
      depth: parent ? parent.depth + 1 : 0,
      service: at,
      resource: at,
      scope: 0,
      name,
      kind,
      start: Math.round(start),
      duration: Math.max(1, Math.round(duration)),
      status: "unset",
      statusMessage: "",
      isAsync: false,
      isMissingParent: false,
      children: 0,
      criticalPath: [],
      attributes: [],
      droppedAttributes: 0,
      events: [],
      links: [],
      traceState: "",
      ...more,
    };
    if (parent) {
      parent.children += 1;
    }
    this.spans.push(span);
    return span;
  }

  finish() {
    const duration = Math.max(...this.spans.map((span) => span.start + span.duration));
    criticalPath(this.spans, duration);
    return {
      traceId: this.traceId,
      start: String(this.startNs),
      duration: String(duration),
      isTruncated: false,
      missingSpans: this.missingSpans,
      evicted: this.evicted,
      errors: this.spans.filter((span) => span.status === "error").length,
      services: this.services,
      resources: this.services.map(({ name }, at) => ({
        service: at,
        attributes: [
          attribute("service.name", name),
          attribute("service.version", "0.1.0"),
          attribute("service.instance.id", `${name}-1`),
          attribute("deployment.environment.name", "laptop"),
          attribute("telemetry.sdk.language", "rust"),
        ],
      })),
      scopes: [{ name: "highbeam", version: "0.1.0", attributes: [] }],
      spans: this.spans.map(({ parent: _, ...span }) => ({
        ...span,
        start: String(span.start),
        duration: String(span.duration),
        selfTime: String(span.selfTime),
        criticalPath: span.criticalPath.map((piece) => ({
          start: String(piece.start),
          duration: String(piece.duration),
        })),
        events: span.events.map((event) => ({ ...event, time: String(event.time) })),
      })),
    };
  }
}

function projection(builder, append, { service, target, event, after, isFailing }) {
  const { roll } = builder;
  const start = append.start + append.duration + after;
  const work = (1.2 + roll() * 2.5) * MS;
  const process = builder.add(
    append,
    service,
    `process ${event}`,
    "consumer",
    start,
    work * (isFailing ? 2.4 : 1.25),
    {
      isAsync: true,
      attributes: [
        attribute("event.type", event),
        attribute("event.position", 41_200 + Math.floor(roll() * 900)),
        attribute("projection", service.replace("-projector", "")),
      ],
    },
  );
  const call = builder.add(process, service, target.name, "client", start + 0.15 * MS, work, {
    attributes: [attribute("db.system.name", "sqlite"), attribute("db.operation.name", target.operation)],
  });
  if (isFailing) {
    call.status = "error";
    call.statusMessage = "database is locked";
    call.attributes.push(attribute("error.type", "unavailable"));
    call.events.push({
      time: call.start + work * 0.9,
      name: "exception",
      attributes: [
        attribute("exception.type", "sqlite::Error"),
        attribute("exception.message", "database is locked"),
        attribute(
          "exception.stacktrace",
          Array.from(
            { length: 14 },
            (_, at) =>
              `  ${at}: sqlite::projection::documents::apply_${at}\n      at src/projection/documents.rs:${120 + at * 7}`,
          ).join("\n"),
        ),
      ],
    });
    process.status = "error";
    process.statusMessage = "parked after 3 attempts";
    builder.add(process, service, `${target.name} (retry)`, "client", call.start + work * 1.2, work * 0.8, {
      attributes: [attribute("db.system.name", "sqlite"), attribute("failures", 2)],
    });
  }
  builder.add(process, service, "save checkpoint", "client", call.start + work, 0.18 * MS, {
    attributes: [attribute("db.system.name", "sqlite"), attribute("db.operation.name", "save_checkpoint")],
  });
}

const COMMANDS = [
  ["POST", "/api/orders", "order create", "ORDER_CREATED"],
  ["PUT", "/api/orders/pay/{id}", "order pay", "ORDER_PAID"],
  ["PUT", "/api/orders/submit/{id}", "order submit", "ORDER_SUBMITTED"],
  ["PUT", "/api/orders/cart/{id}", "order change cart", "SHOPPING_CART_UPDATED"],
  ["POST", "/api/orders/complete/{id}", "order complete", "ORDER_COMPLETED"],
];

/** One order command: the request, the append, and both projections after it. */
export function orderTrace(
  traceId,
  startNs,
  seed,
  { isFailing = false, isConflict = false, isPartial = false } = {},
) {
  const roll = dice(seed);
  const builder = new Builder(traceId, startNs, roll);
  const [method, route, command, event] = COMMANDS[Math.floor(roll() * COMMANDS.length)];
  const slow = roll() < 0.08 ? 12 : 1;
  const write = (2 + roll() * 5) * MS * slow;
  const server = builder.add(undefined, "delivery-api", `${method} ${route}`, "server", 0, write + 1.6 * MS, {
    attributes: [
      attribute("http.request.method", method),
      attribute("http.route", route),
      attribute("http.response.status_code", isConflict ? 409 : method === "POST" ? 201 : 200),
      attribute("url.scheme", "http"),
      attribute("url.path", route.replace("{id}", "5e0b0d6e-4c1c-4a2b-9a39-0de8c33b7a10")),
      attribute("network.protocol.version", "1.1"),
    ],
  });
  const order = builder.add(server, "delivery-api", command, "internal", 0.3 * MS, write + 0.9 * MS, {
    attributes: [
      attribute("command", command),
      attribute("order.id", "5e0b0d6e-4c1c-4a2b-9a39-0de8c33b7a10"),
    ],
  });
  builder.add(order, "delivery-api", "read order stream", "client", 0.45 * MS, 0.4 * MS, {
    attributes: [attribute("db.system.name", "sqlite"), attribute("stream", "order-5e0b0d6e")],
  });
  const append = builder.add(order, "delivery-api", "append order", "client", 0.95 * MS, write, {
    attributes: [
      attribute("db.system.name", "sqlite"),
      attribute("db.operation.name", "append"),
      attribute("events", 1),
    ],
    events: [
      {
        time: 0.95 * MS + write * 0.2,
        name: "queued for group commit",
        attributes: [attribute("batch.size", 7)],
      },
    ],
  });
  if (isConflict) {
    for (const span of [append, order]) {
      span.status = "error";
      span.statusMessage = "expected revision 4, found 5";
    }
    return builder.finish();
  }
  projection(builder, append, {
    service: "orders-projector",
    target: { name: "upsert order", operation: "upsert" },
    event,
    after: (1 + roll() * 4) * MS,
  });
  projection(builder, append, {
    service: "search-projector",
    target: { name: "index order", operation: "index" },
    event,
    after: (2 + roll() * 9) * MS,
    isFailing,
  });
  builder.spans[5].links.push({
    traceId: "b".repeat(32),
    spanId: "c".repeat(16),
    attributes: [attribute("reason", "rebuild")],
    isHere: false,
  });
  if (isPartial) {
    builder.evicted.push({ at: String(startNs + 60_000_000_000n), service: "orders-projector" });
    builder.missingSpans = 1;
    const lost = builder.add(
      undefined,
      "search-projector",
      "refresh index",
      "internal",
      write + 9 * MS,
      2 * MS,
      {
        isMissingParent: true,
        parentId: "dead".repeat(4),
      },
    );
    lost.depth = 0;
  }
  return builder.finish();
}

const WIDE_SERVICES = [
  "gateway",
  "checkout",
  "inventory",
  "pricing",
  "payments",
  "ledger",
  "shipping",
  "mailer",
  "fraud",
  "catalog",
  "users",
  "stock-db",
];

/** A trace with so many spans, in a tree that is as deep and as broad as real ones. */
export function wideTrace(traceId, startNs, count) {
  const roll = dice(7);
  const builder = new Builder(traceId, startNs, roll);
  const root = builder.add(undefined, "gateway", "POST /batch/import", "server", 0, 42_000 * MS);
  const grow = (parent, depth, from, to) => {
    let at = from;
    while (at < to && builder.spans.length < count) {
      const length = Math.max(0.02 * MS, (to - from) * (0.02 + roll() * roll() * 0.5));
      const service = WIDE_SERVICES[(depth + Math.floor(roll() * 3)) % WIDE_SERVICES.length];
      const end = Math.min(to, at + length);
      const span = builder.add(
        parent,
        service,
        `${["load", "store", "check", "apply", "query"][Math.floor(roll() * 5)]} ${service}`,
        roll() < 0.4 ? "client" : "internal",
        at,
        end - at,
        {
          attributes: [
            attribute("batch.item", builder.spans.length),
            attribute("db.system.name", "postgresql"),
            attribute("shard", Math.floor(roll() * 16)),
          ],
        },
      );
      if (roll() < 0.004) {
        span.status = "error";
        span.statusMessage = "timed out waiting for shard";
      }
      if (depth < 9 && roll() < 0.78 && end - at > 0.3 * MS) {
        grow(span, depth + 1, at + (end - at) * 0.04, end - (end - at) * 0.04);
      }
      at = end + (to - from) * 0.004 * roll();
    }
  };
  for (let turn = 0; builder.spans.length < count; turn += 1) {
    const from = 100 * MS + ((turn * 977) % 41_000) * MS;
    grow(root, 1, from, Math.min(41_900 * MS, from + 900 * MS));
  }
  return builder.finish();
}

export function summaryOf(trace) {
  const shares = trace.services.map(({ name, spans }, at) => ({
    name,
    spans,
    errors: trace.spans.filter((span) => span.service === at && span.status === "error").length,
  }));
  return {
    traceId: trace.traceId,
    rootService: trace.services[0].name,
    rootName: trace.spans[0].name,
    start: trace.start,
    duration: trace.duration,
    spans: trace.spans.length,
    errors: trace.errors,
    services: shares,
    isPartial: trace.missingSpans > 0 || trace.evicted.length > 0,
    missingRoot: false,
  };
}
