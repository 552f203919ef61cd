"""Sends tests/sdk/content.json through OpenTelemetry's SDK for Python to where the OTEL_* variables say, and
prints what it handed to the SDK, one JSON line each. What the SDK cannot express is left out of the lines
and named in the first one. ../README.md says what the lines mean."""

import json
import os
import pathlib
import time

BASE = int(os.environ.get("SDK_BASE_TIME_NS", "1795600000123456789"))


class Clock:
    """The SDK reads time.time_ns alone; it is replaced before the SDK takes it."""

    now = BASE


time.time_ns = lambda: Clock.now

from opentelemetry import context, trace  # noqa: E402
from opentelemetry._logs import SeverityNumber  # noqa: E402
from opentelemetry._logs import LogRecord  # noqa: E402
from opentelemetry.metrics import Observation  # noqa: E402
from opentelemetry.sdk import metrics, version  # noqa: E402
from opentelemetry.sdk._logs import LoggerProvider, LogRecordLimits  # noqa: E402
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor  # noqa: E402
from opentelemetry.sdk.metrics.export import MetricExportResult, PeriodicExportingMetricReader  # noqa: E402
from opentelemetry.sdk.metrics.view import ExponentialBucketHistogramAggregation, View  # noqa: E402
from opentelemetry.sdk.resources import Resource  # noqa: E402
from opentelemetry.sdk.trace import SpanLimits, TracerProvider  # noqa: E402
from opentelemetry.sdk.trace.export import BatchSpanProcessor  # noqa: E402
from opentelemetry.sdk.trace.id_generator import IdGenerator  # noqa: E402
from opentelemetry.trace.span import TraceState  # noqa: E402

SERVICE = os.environ.get("OTEL_SERVICE_NAME", "sdk-python")
RUN = os.environ.get("SDK_RUN", "5d000001")
PROTOCOL = os.environ.get("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

if PROTOCOL == "grpc":
    from opentelemetry.exporter.otlp.proto.grpc._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.grpc.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
elif PROTOCOL == "http/protobuf":
    from opentelemetry.exporter.otlp.proto.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
elif PROTOCOL == "http/json":
    from opentelemetry.exporter.otlp.json.http._log_exporter import OTLPLogExporter
    from opentelemetry.exporter.otlp.json.http.metric_exporter import OTLPMetricExporter
    from opentelemetry.exporter.otlp.json.http.trace_exporter import OTLPSpanExporter
else:
    raise SystemExit(f"OTEL_EXPORTER_OTLP_PROTOCOL is {PROTOCOL!r}: grpc, http/protobuf or http/json")


def say(line):
    print(json.dumps(line, ensure_ascii=False))


def native(value):
    """What the SDK takes for one AnyValue of OTLP's JSON."""
    if not value:
        return None
    (kind, inner), = value.items()
    if kind == "intValue":
        return int(inner)
    if kind == "bytesValue":
        import base64
        return base64.b64decode(inner)
    if kind == "arrayValue":
        return [native(each) for each in inner["values"]]
    if kind == "kvlistValue":
        return attributes(inner["values"])
    return inner


def attributes(pairs):
    return {pair["key"]: native(pair["value"]) for pair in pairs}


def limited(items, limit):
    """Python's SDK keeps the newest of too many."""
    return items[-limit:], max(0, len(items) - limit)


def span_context(trace_id, span_id, state="", remote=False):
    return trace.SpanContext(int(trace_id, 16), int(span_id, 16), remote, trace.TraceFlags(1),
                             TraceState.from_header([state] if state else []))


def within(trace_id, span_id, state="", remote=False):
    return trace.set_span_in_context(trace.NonRecordingSpan(span_context(trace_id, span_id, state, remote)), context.Context())


def flags(remote):
    """The SDK says whether the other span's place is known and whether it is remote, not whether it is sampled."""
    return 0x300 if remote else 0x100


class Ids(IdGenerator):
    next = {}

    def generate_trace_id(self):
        return int(self.next["traceId"], 16)

    def generate_span_id(self):
        return int(self.next["spanId"], 16)


def send_spans(content, resource, scope_of, where):
    limits = content["limits"]
    provider = TracerProvider(resource=resource, id_generator=Ids(), shutdown_on_exit=False, span_limits=SpanLimits(
        max_span_attributes=limits["attributes"], max_events=limits["events"], max_links=limits["links"]))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    for item in content["spans"]:
        Ids.next = item
        tracer = provider.get_tracer(*scope_of(item))
        parent = context.Context()
        if item["parentSpanId"]:
            parent = within(item["traceId"], item["parentSpanId"], item["traceState"], item["parentIsRemote"])
        span = tracer.start_span(
            item["name"], parent, trace.SpanKind(item["kind"] - 1), attributes(item["attributes"]),
            [trace.Link(span_context(link["traceId"], link["spanId"], link["traceState"], link["isRemote"]),
                        attributes(link["attributes"])) for link in item["links"]],
            BASE + item["startOffset"])
        for event in item["events"]:
            span.add_event(event["name"], attributes(event["attributes"]), BASE + event["offset"])
        if item["status"]:
            span.set_status(trace.StatusCode(item["status"]["code"]), item["status"].get("message"))
        span.end(BASE + item["endOffset"])
        kept, dropped = limited(item["attributes"], limits["attributes"])
        events, dropped_events = limited(item["events"], limits["events"])
        links, dropped_links = limited(item["links"], limits["links"])
        say({"signal": "traces", **where(item), "item": {
            "traceId": item["traceId"], "spanId": item["spanId"], "parentSpanId": item["parentSpanId"],
            "traceState": item["traceState"], "flags": flags(item["parentIsRemote"]),
            "name": item["name"], "kind": item["kind"],
            "startTimeUnixNano": str(BASE + item["startOffset"]), "endTimeUnixNano": str(BASE + item["endOffset"]),
            "attributes": kept, "droppedAttributesCount": dropped,
            "events": [{"timeUnixNano": str(BASE + event["offset"]), "name": event["name"],
                        "attributes": event["attributes"]} for event in events], "droppedEventsCount": dropped_events,
            "links": [{**{key: link[key] for key in ("traceId", "spanId", "attributes")},
                       "flags": flags(link["isRemote"])} for link in links],
            "droppedLinksCount": dropped_links, "status": item["status"]}})
    provider.force_flush()
    provider.shutdown()


def send_logs(content, resource, scope_of, where):
    limit = content["limits"]["attributes"]
    provider = LoggerProvider(resource, shutdown_on_exit=False,
                              log_record_limits=LogRecordLimits(max_log_record_attributes=limit))
    provider.add_log_record_processor(BatchLogRecordProcessor(OTLPLogExporter()))
    for item in content["logs"]:
        moment = None if item["offset"] is None else BASE + item["offset"]
        provider.get_logger(*scope_of(item)).emit(LogRecord(
            timestamp=moment, observed_timestamp=BASE + item["observedOffset"],
            context=within(item["traceId"], item["spanId"]) if item["spanId"] else context.Context(),
            severity_number=SeverityNumber(item["severityNumber"]) if item["severityNumber"] else None,
            severity_text=item["severityText"] or None, body=native(item["body"]),
            attributes=attributes(item["attributes"]), event_name=item["eventName"] or None))
        kept, dropped = limited(item["attributes"], limit)
        say({"signal": "logs", **where(item), "item": {
            "timeUnixNano": str(moment or 0), "observedTimeUnixNano": str(BASE + item["observedOffset"]),
            "severityNumber": item["severityNumber"], "severityText": item["severityText"], "body": item["body"],
            "attributes": kept, "droppedAttributesCount": dropped, "traceId": item["traceId"],
            "spanId": item["spanId"], "flags": 1 if item["spanId"] else 0, "eventName": item["eventName"]}})
    provider.force_flush()
    provider.shutdown()


def number(metric, measurement):
    return int(measurement["value"]) if metric["number"] == "int" else float(measurement["value"])


class Instruments:
    """Makes the instruments of one set and records its rounds with them."""

    def __init__(self, provider, scope_of, content):
        self.round, self.content = 0, content
        self.synchronous = []
        for metric in content["set"]:
            meter = provider.get_meter(*scope_of(metric))
            texts = {"unit": metric["unit"], "description": metric["description"]}
            observe = lambda _, metric=metric: [Observation(number(metric, each), attributes(each["attributes"]))
                                                for each in metric["rounds"][self.round]]
            name = metric["name"]
            match metric["instrument"]:
                case "counter":
                    self.add(metric, meter.create_counter(name, **texts).add)
                case "upDownCounter":
                    self.add(metric, meter.create_up_down_counter(name, **texts).add)
                case "gauge":
                    self.add(metric, meter.create_gauge(name, **texts).set)
                case "histogram":
                    self.add(metric, meter.create_histogram(
                        name, **texts, explicit_bucket_boundaries_advisory=metric.get("boundaries")).record)
                case "observableCounter":
                    meter.create_observable_counter(name, [observe], **texts)
                case "observableUpDownCounter":
                    meter.create_observable_up_down_counter(name, [observe], **texts)
                case "observableGauge":
                    meter.create_observable_gauge(name, [observe], **texts)

    def add(self, metric, record):
        self.synchronous.append((metric, record))

    def record(self, number_of_round):
        self.round = number_of_round
        for metric, record in self.synchronous:
            for each in metric["rounds"][number_of_round]:
                around = context.Context()
                if "span" in each:
                    span = self.content["spans"][each["span"]]
                    around = within(span["traceId"], span["spanId"])
                record(number(metric, each), attributes(each["attributes"]), around)


def views(metric_set):
    for metric in metric_set:
        if "exponential" in metric:
            yield View(instrument_name=metric["name"], aggregation=ExponentialBucketHistogramAggregation(
                metric["exponential"]["maxSize"], metric["exponential"]["maxScale"]))
        elif "keepAttributes" in metric:
            yield View(instrument_name=metric["name"], attribute_keys=set(metric["keepAttributes"]))


class Exporter(OTLPMetricExporter):
    """Shutting down collects once more, which is not wanted here."""

    is_open = True

    def export(self, *given, **named):
        return super().export(*given, **named) if self.is_open else MetricExportResult.SUCCESS


def send_metrics(content, resource, scope_of, where):
    times = content["metrics"]
    for temporality in ("cumulative", "delta"):
        os.environ["OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE"] = temporality
        metric_set = times[temporality]
        Clock.now = BASE
        exporter = Exporter()
        reader = PeriodicExportingMetricReader(exporter, export_interval_millis=float("inf"))
        provider = metrics.MeterProvider([reader], resource, shutdown_on_exit=False, views=list(views(metric_set)))
        instruments = Instruments(provider, scope_of, {**content, "set": metric_set})
        for turn, (measured, collected) in enumerate(zip(times["measuredOffsets"], times["roundEndOffsets"])):
            Clock.now = BASE + measured
            instruments.record(turn)
            Clock.now = BASE + collected
            provider.force_flush()
            for metric in metric_set:
                about = {key: value for key, value in metric.items() if key not in ("rounds", "scope")}
                say({"signal": "metrics", **where(metric), "metric": {**about, "temporality": temporality},
                     "exemplars": True, "round": turn, "timeUnixNano": str(BASE + collected),
                     "measuredUnixNano": str(BASE + measured), "measurements": [
                         {**each, "span": where_is(content, each)} for each in metric["rounds"][turn]]})
        exporter.is_open = False
        provider.shutdown()


def where_is(content, measurement):
    if "span" not in measurement:
        return None
    span = content["spans"][measurement["span"]]
    return {"traceId": span["traceId"], "spanId": span["spanId"]}


def main():
    content_file = os.environ.get("SDK_CONTENT", pathlib.Path(__file__).parent.parent / "content.json")
    text = pathlib.Path(content_file).read_text(encoding="utf-8")
    content = json.loads(text.replace("{run}", RUN).replace("{service}", SERVICE))
    resource = Resource(attributes(content["resource"]["attributes"]), content["resource"]["schemaUrl"])

    def scope_of(item):
        scope = content["scopes"][item["scope"]]
        return scope["name"], scope["version"], scope["schemaUrl"], attributes(scope["attributes"])

    def where(item):
        return {"resource": content["resource"], "scope": content["scopes"][item["scope"]]}

    say({"signal": "sdk", "language": "python", "version": version.__version__, "protocol": PROTOCOL,
         "notExpressed": ["links[].traceState: the exporter leaves it out", "flags: no sampled bit",
                          "of too many attributes the newest are kept, in logs too"]})
    send_spans(content, resource, scope_of, where)
    send_logs(content, resource, scope_of, where)
    send_metrics(content, resource, scope_of, where)


main()
