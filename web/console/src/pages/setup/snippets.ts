// What to paste where, so that telemetry arrives. Text only.
import type { Ports } from "../../model/overview.ts";

export interface Endpoints {
  grpc: string;
  http: string;
  write: string;
  push: string;
}

/** The host is the one this page came from. */
export function endpointsOf(origin: string, hostname: string, ports: Ports): Endpoints {
  const host = hostname.includes(":") && !hostname.startsWith("[") ? `[${hostname}]` : hostname;
  return {
    grpc: `http://${host}:${ports.otlpGrpc}`,
    http: `http://${host}:${ports.otlpHttp}`,
    write: `${origin}/prometheus/api/v1/write`,
    push: `${origin}/loki/api/v1/push`,
  };
}

export interface Guide {
  id: string;
  title: string;
  steps: { says: string; text: string }[];
}

export function environment({ http }: Endpoints): string {
  return `export OTEL_SERVICE_NAME=my-service
export OTEL_EXPORTER_OTLP_ENDPOINT=${http}
export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf
export OTEL_TRACES_EXPORTER=otlp
export OTEL_METRICS_EXPORTER=otlp
export OTEL_LOGS_EXPORTER=otlp`;
}

/** One span, sent by hand: the quickest proof that something arrives. The time is the shell's. */
export function trySpan({ http }: Endpoints): string {
  return `now=$(date +%s)000000000
curl -sS ${http}/v1/traces -H 'content-type: application/json' -d '{
  "resourceSpans": [{
    "resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "hello"}}]},
    "scopeSpans": [{"spans": [{
      "traceId": "'$(openssl rand -hex 16)'", "spanId": "'$(openssl rand -hex 8)'",
      "name": "say hello", "kind": 1,
      "startTimeUnixNano": "'$now'", "endTimeUnixNano": "'$now'"
    }]}]
  }]
}'`;
}

export function guides(endpoints: Endpoints): Guide[] {
  const { http, write, push } = endpoints;
  const set = `OTEL_SERVICE_NAME=my-service OTEL_EXPORTER_OTLP_ENDPOINT=${http}`;
  return [
    {
      id: "python",
      title: "Python",
      steps: [
        {
          says: "Install the SDK and the instrumentation of the libraries you use.",
          text: "pip install opentelemetry-distro opentelemetry-exporter-otlp-proto-http\nopentelemetry-bootstrap -a install",
        },
        {
          says: "Run your program through it; nothing in your code changes.",
          text: `${set} \\\nOTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf \\\n  opentelemetry-instrument python app.py`,
        },
      ],
    },
    {
      id: "node",
      title: "Node.js",
      steps: [
        {
          says: "Install the API and the automatic instrumentation.",
          text: "npm install @opentelemetry/api @opentelemetry/auto-instrumentations-node",
        },
        {
          says: "Load it before your program.",
          text: `${set} \\\nNODE_OPTIONS="--require @opentelemetry/auto-instrumentations-node/register" \\\n  node app.js`,
        },
      ],
    },
    {
      id: "go",
      title: "Go",
      steps: [
        {
          says: "Add the SDK and the exporter.",
          text: "go get go.opentelemetry.io/otel/sdk \\\n  go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp",
        },
        {
          says: "Set it up once, in main. The exporter reads the environment.",
          text: `exporter, err := otlptracehttp.New(ctx)
if err != nil {
	log.Fatal(err)
}
provider := sdktrace.NewTracerProvider(sdktrace.WithBatcher(exporter))
defer provider.Shutdown(ctx)
otel.SetTracerProvider(provider)
otel.SetTextMapPropagator(propagation.TraceContext{})`,
        },
        { says: "Run it.", text: `${set} \\\n  go run .` },
      ],
    },
    {
      id: "java",
      title: "Java",
      steps: [
        {
          says: "Fetch the agent.",
          text: "curl -sSLO https://github.com/open-telemetry/opentelemetry-java-instrumentation/releases/latest/download/opentelemetry-javaagent.jar",
        },
        {
          says: "Start your program with it.",
          text: `${set} \\\n  java -javaagent:opentelemetry-javaagent.jar -jar app.jar`,
        },
      ],
    },
    {
      id: "collector",
      title: "Collector",
      steps: [
        {
          says: "Add an exporter and name it in your pipelines.",
          text: `exporters:
  otlphttp/highbeam:
    endpoint: ${http}
service:
  pipelines:
    traces: { exporters: [otlphttp/highbeam] }
    metrics: { exporters: [otlphttp/highbeam] }
    logs: { exporters: [otlphttp/highbeam] }`,
        },
      ],
    },
    {
      id: "prometheus",
      title: "Prometheus",
      steps: [
        {
          says: "Send what Prometheus scrapes on to the console, in prometheus.yml.",
          text: `remote_write:\n  - url: ${write}`,
        },
      ],
    },
    {
      id: "loki",
      title: "Loki clients",
      steps: [
        { says: "Promtail, in its configuration.", text: `clients:\n  - url: ${push}` },
        {
          says: "Grafana Alloy.",
          text: `loki.write "highbeam" {\n  endpoint {\n    url = "${push}"\n  }\n}`,
        },
        {
          says: "One line, by hand.",
          text: `curl -sS ${push} -H 'content-type: application/json' -d '{
  "streams": [{"stream": {"service_name": "hello"},
    "values": [["'$(date +%s)000000000'", "hello from curl"]]}]
}'`,
        },
      ],
    },
  ];
}
