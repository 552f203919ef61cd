"""A receiver made of OpenTelemetry's own definitions for Python, over gRPC and over HTTP, that takes what
a running highbeam sends for one order and says whether it is what OTLP means. Run by otlp_peer.sh."""

import json
import pathlib
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request
from concurrent import futures
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import grpc
from google.protobuf.unknown_fields import UnknownFieldSet
from opentelemetry.proto.collector.logs.v1 import logs_service_pb2, logs_service_pb2_grpc
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

ORDER = {
    "shopItems": [{"id": "1", "title": "Green tea", "description": "Loose leaf", "quantity": 2, "price": 12.5}],
    "accountEmail": "jane@example.com",
    "deliveryAddress": "12 Main Street",
}
# Name, service, parent's name.
EXPECTED = {
    ("POST /api/orders", "delivery-api", None),
    ("order create", "delivery-api", "POST /api/orders"),
    ("append order", "delivery-api", "order create"),
    ("process ORDER_CREATED", "orders-projector", "order create"),
    ("process ORDER_CREATED", "search-projector", "order create"),
    ("upsert order", "orders-projector", "process ORDER_CREATED"),
    ("index order", "search-projector", "process ORDER_CREATED"),
}


class Received:
    def __init__(self):
        self.lock = threading.Lock()
        self.spans, self.logs, self.unknown = [], [], []

    def take(self, request):
        with self.lock:
            self.unknown += unknown(request)
            for resource in getattr(request, "resource_spans", []):
                service = attributes(resource.resource)["service.name"]
                self.spans += [(service, span) for scope in resource.scope_spans for span in scope.spans]
            for resource in getattr(request, "resource_logs", []):
                service = attributes(resource.resource)["service.name"]
                self.logs += [(service, log) for scope in resource.scope_logs for log in scope.log_records]


def attributes(holder):
    return {pair.key: getattr(pair.value, pair.value.WhichOneof("value")) for pair in holder.attributes}


def unknown(message):
    """The fields, at any depth, that the definitions do not have."""
    found = [f"{message.DESCRIPTOR.full_name}: field {field.field_number}" for field in UnknownFieldSet(message)]
    for descriptor, value in message.ListFields():
        if descriptor.message_type is not None:
            values = value if descriptor.is_repeated else [value]
            found += [fault for one in values for fault in unknown(one)]
    return found


def over_http(received):
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            body = self.rfile.read(int(self.headers["content-length"]))
            kinds = {
                "/v1/traces": trace_service_pb2.ExportTraceServiceRequest,
                "/v1/logs": logs_service_pb2.ExportLogsServiceRequest,
            }
            received.take(kinds[self.path].FromString(body))
            self.send_response(200)
            self.send_header("content-type", "application/x-protobuf")
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"http://127.0.0.1:{server.server_port}"


def over_grpc(received):
    class Traces(trace_service_pb2_grpc.TraceServiceServicer):
        def Export(self, request, _):
            received.take(request)
            return trace_service_pb2.ExportTraceServiceResponse()

    class Logs(logs_service_pb2_grpc.LogsServiceServicer):
        def Export(self, request, _):
            received.take(request)
            return logs_service_pb2.ExportLogsServiceResponse()

    server = grpc.server(futures.ThreadPoolExecutor(4))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(Traces(), server)
    logs_service_pb2_grpc.add_LogsServiceServicer_to_server(Logs(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    over_grpc.keep = server
    return f"http://127.0.0.1:{port}"


def wait_for(ask, what):
    end = time.monotonic() + 60
    while time.monotonic() < end:
        if answer := ask():
            return answer
        time.sleep(0.02)
    raise SystemExit(f"failed: waited in vain for {what}")


def run(binary, protocol, receiver, compression):
    received = Received()
    url = receiver(received)
    with tempfile.TemporaryDirectory() as folder:
        ready = pathlib.Path(folder, "ready.json")
        log = open(pathlib.Path(folder, "log"), "wb")
        process = subprocess.Popen(
            [binary, "up", "--no-traffic", "--no-console", "--port", "0", "--data-dir", folder, "--ready-file", ready]
            + ["--otel-exporter-otlp-endpoint", url, "--otel-exporter-otlp-protocol", protocol]
            + ["--otel-exporter-otlp-compression", compression, "--otel-bsp-schedule-delay", "20"],
            stderr=log, stdout=subprocess.DEVNULL,
        )
        try:
            api = wait_for(lambda: ready.exists() and json.loads(ready.read_text())["api"], "readiness")
            request = urllib.request.Request(
                f"{api}/api/orders", json.dumps(ORDER).encode(), {"content-type": "application/json"})
            answer = urllib.request.urlopen(request)
            trace = bytes.fromhex(answer.headers["traceresponse"].split("-")[1])
            mine = lambda items: [item for item in items if item[1].trace_id == trace]
            wait_for(lambda: len(mine(received.spans)) >= len(EXPECTED), "the spans of the order")
            wait_for(lambda: mine(received.logs), "the log line of the request")
        finally:
            process.terminate()
            process.wait(30)
    return check(received, mine(received.spans), mine(received.logs))


def check(received, spans, logs):
    faults = list(received.unknown)
    names = {span.span_id: span.name for _, span in spans}
    seen = {(span.name, service, names.get(span.parent_span_id)) for service, span in spans}
    if seen != EXPECTED or len(spans) != len(EXPECTED):
        faults.append(f"spans differ: {sorted(map(str, seen ^ EXPECTED))}, {len(spans)} in all")
    for _, span in spans:
        if len(span.trace_id) != 16 or len(span.span_id) != 8 or not span.flags & 1:
            faults.append(f"{span.name}: ids or flags: {span}")
        if not 0 < span.start_time_unix_nano <= span.end_time_unix_nano <= time.time_ns():
            faults.append(f"{span.name}: times: {span}")
    server = next(span for _, span in spans if span.name == "POST /api/orders")
    if attributes(server).get("http.response.status_code") != 201 or server.kind != 2:
        faults.append(f"the request's span: {server}")
    if [log.body.string_value for _, log in logs] != ["request served"] or logs[0][1].span_id != server.span_id:
        faults.append(f"the request's log line: {logs}")
    return faults


def main(binary):
    failed = 0
    for protocol, receiver in [("grpc", over_grpc), ("http/protobuf", over_http)]:
        # Python's HTTP server knows no compression; its gRPC does.
        faults = run(binary, protocol, receiver, "gzip" if protocol == "grpc" else "none")
        print(f"{'failed' if faults else 'ok'}: one order over {protocol}", *faults[:10], sep="\n  ")
        failed += bool(faults)
    print(f"{2 - failed} passed, {failed} failed")
    return failed


sys.exit(main(sys.argv[1]))
