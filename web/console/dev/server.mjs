// A server for working on the pages: dist/ and an API with made-up data, under the same content policy as
// the console's. `?state=empty|failing|slow` in MODE, or the cookie-less switch /dev/<mode>, changes its mood.
//
//   npm run dev            http://127.0.0.1:5018
//   UPSTREAM=http://127.0.0.1:5017 npm run dev
//                          the same pages over the APIs of a running console
//   UPSTREAM_PROMETHEUS=http://127.0.0.1:9090 (with --web.route-prefix=/prometheus), the same for one of them
//   PORT=… MODE=empty|failing|slow|full npm run dev
import { readFile } from "node:fs/promises";
import { request as ask, createServer } from "node:http";
import { connect } from "node:net";
import { fileURLToPath } from "node:url";
import { graph, operations, overview, services } from "./answers.mjs";
import { orderTrace, summaryOf, wideTrace } from "./traces.mjs";

const PORT = Number(process.env.PORT ?? 5018);
const DIST = fileURLToPath(new URL("../dist/", import.meta.url));
const TYPES = {
  html: "text/html; charset=utf-8",
  js: "text/javascript",
  css: "text/css",
  svg: "image/svg+xml",
};
let mode = process.env.MODE ?? "full";

const begun = BigInt(Date.now()) * 1_000_000n;
const idOf = (at) => (0x4bf92f3577b34da6n * BigInt(at + 1)).toString(16).padStart(32, "7").slice(-32);
const traces = new Map();
for (let at = 0; at < 200; at += 1) {
  const id = idOf(at);
  const start = begun - BigInt(Math.round((at * 11 + (at % 7) * 2.3) * 1e9)) - 4_000_000_000n;
  const kinds = { isFailing: at % 17 === 3, isConflict: at % 23 === 5, isPartial: at % 41 === 7 };
  traces.set(id, orderTrace(id, start, at + 1, kinds));
}
const WIDE = "20000".padStart(32, "0");
traces.set(WIDE, wideTrace(WIDE, begun - 300_000_000_000n, 20_000));
const summaries = [...traces.values()].map(summaryOf);

const GO_UNITS = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 6e10, h: 3.6e12 };
const durationOf = (text) =>
  [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, value, unit]) => sum + value * GO_UNITS[unit],
    0,
  );

function search(query) {
  const wanted = Object.entries(JSON.parse(query.get("tags") ?? "{}"));
  const matching = summaries.filter((trace) => {
    const { spans, services: named } = traces.get(trace.traceId);
    const service = query.get("service");
    return (
      (!service || trace.services.some(({ name }) => name === service)) &&
      (!query.get("operation") ||
        spans.some((span) => span.name === query.get("operation") && named[span.service].name === service)) &&
      (!query.get("errors") || trace.errors > 0) &&
      (!query.get("minDuration") || Number(trace.duration) >= durationOf(query.get("minDuration"))) &&
      (!query.get("maxDuration") || Number(trace.duration) <= durationOf(query.get("maxDuration"))) &&
      (!query.get("start") || BigInt(trace.start) >= BigInt(query.get("start"))) &&
      (!query.get("end") || BigInt(trace.start) <= BigInt(query.get("end"))) &&
      wanted.every(([key, value]) =>
        spans.some((span) => span.attributes.some((found) => found.key === key && found.value === value)),
      )
    );
  });
  matching.sort((a, b) => (BigInt(a.start) < BigInt(b.start) ? 1 : -1));
  const limit = Number(query.get("limit") ?? 50);
  return { traces: matching.slice(0, limit), truncated: matching.length > limit, elapsedMs: 3.4 };
}

function answer(path, query) {
  if (mode === "failing") {
    return [
      503,
      {
        error: {
          message:
            "the store did not answer within 2 s: its disk is full (data/console); free some space or lower --console-bytes",
        },
      },
    ];
  }
  const isEmpty = mode === "empty";
  if (path === "/api/overview") {
    return [200, overview(Number(query.get("minutes") ?? 15), mode)];
  }
  if (path === "/api/services") {
    return [200, { services: isEmpty ? [] : services() }];
  }
  if (path === "/api/operations") {
    return [200, { operations: operations([...traces.values()], query.get("service")) }];
  }
  if (path === "/api/traces") {
    return [200, isEmpty ? { traces: [], truncated: false, elapsedMs: 0.2 } : search(query)];
  }
  if (path === "/api/graph") {
    return [200, isEmpty ? { nodes: [], edges: [], since: "0", truncated: false, elapsedMs: 0.2 } : graph()];
  }
  const id = /^\/api\/traces\/([0-9a-f]+)$/.exec(path)?.[1];
  const trace = traces.get(id);
  if (trace !== undefined && !isEmpty) {
    return [200, trace];
  }
  if (id === "e".repeat(32)) {
    return [
      404,
      {
        error: {
          message: `trace ${id} was evicted at 14:32:07 to stay within 1 GiB; raise --console-bytes to keep traces longer`,
        },
      },
    ];
  }
  return [
    404,
    {
      error: {
        message: `no trace ${id ?? path} was seen; ids are 32 hexadecimal digits, e.g. 4bf92f3577b34da6a3ce929d0e0e4736`,
      },
    },
  ];
}

async function file(path) {
  const name = path === "/" || !path.includes(".") ? "index.html" : path.slice(1);
  if (!/^[\w.-]+$/.test(name)) {
    return undefined;
  }
  const body = await readFile(DIST + name).catch(() => undefined);
  return body && { body, type: TYPES[name.split(".").at(-1)] ?? "application/octet-stream" };
}

/** Whose API a path is, where it is not ours: an address to pass it on to. */
function upstreamOf(path) {
  const [, api] = /^\/(api|jaeger|prometheus|loki|alertmanager)\//.exec(path) ?? [];
  return api && (process.env[`UPSTREAM_${api.toUpperCase()}`] ?? process.env.UPSTREAM);
}

function passOn(request, response, upstream) {
  const { host: _, origin: __, ...headers } = request.headers;
  const asked = ask(new URL(request.url, upstream), { method: request.method, headers }, (answered) => {
    response.writeHead(answered.statusCode, answered.headers);
    answered.pipe(response);
  });
  asked.on("error", (error) => response.writeHead(502).end(String(error)));
  request.pipe(asked);
}

const server = createServer(async (request, response) => {
  const { pathname, searchParams } = new URL(request.url, "http://localhost");
  const upstream = upstreamOf(pathname);
  if (upstream !== undefined) {
    passOn(request, response, upstream);
    return;
  }
  const policy = { "content-security-policy": "default-src 'self'", "x-content-type-options": "nosniff" };
  const mood = /^\/dev\/(full|empty|failing|slow)$/.exec(pathname)?.[1];
  if (mood !== undefined) {
    mode = mood;
    response.writeHead(204).end();
  } else if (pathname.startsWith("/api/")) {
    if (mode === "slow") {
      await new Promise((resolve) => setTimeout(resolve, 2500));
    }
    const [status, body] = answer(pathname, searchParams);
    response.writeHead(status, { ...policy, "content-type": "application/json" }).end(JSON.stringify(body));
  } else {
    const found = await file(pathname);
    response
      .writeHead(found ? 200 : 404, { ...policy, "content-type": found?.type ?? "text/plain" })
      .end(found?.body ?? "not found");
  }
});
// WebSockets are passed on as they are.
server.on("upgrade", (request, socket) => {
  const upstream = upstreamOf(request.url);
  if (upstream === undefined) {
    socket.end("HTTP/1.1 404 Not Found\r\n\r\n");
    return;
  }
  const { hostname, port, host } = new URL(upstream);
  const other = connect(Number(port), hostname, () => {
    const headers = { ...request.headers, host, origin: upstream };
    const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}`);
    other.write(`GET ${request.url} HTTP/1.1\r\n${lines.join("\r\n")}\r\n\r\n`);
    other.pipe(socket);
    socket.pipe(other);
  });
  other.on("error", () => socket.destroy());
  socket.on("error", () => other.destroy());
});

server.listen(PORT, "127.0.0.1", () =>
  console.log(`http://127.0.0.1:${server.address().port} (${mode}), 20,000 spans at /trace/${WIDE}`),
);
