"""Holds what came out against what an SDK's program says it put in, to the attribute, its type and the
nanosecond.

  compare.py requests EXPECTED.jsonl FOLDER   against raw requests that record.py kept in FOLDER
  compare.py export   EXPECTED.jsonl URL      against a running console's export at URL/api/export

The first reads the requests with OpenTelemetry's own definitions and so proves the expectation itself; it
needs the packages of tests/sdk/python. The second needs Python alone. Prints what differs; succeeds if
nothing does, and only if there was something to compare. README.md says what the lines of EXPECTED mean."""

import gzip
import json
import pathlib
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

from expected import Points, Stored, bound, labels_of, target

SIGNALS = {
    "traces": ("resourceSpans", "scopeSpans", "spans"),
    "logs": ("resourceLogs", "scopeLogs", "logRecords"),
    "metrics": ("resourceMetrics", "scopeMetrics", "metrics"),
}
DIFFERENCES_SHOWN_MAX = 20


# ---- OTLP's JSON, in one form ----

def value(any_value):
    """An AnyValue as (type, value), so that 3 and 3.0, "" and nothing are told apart."""
    if not any_value:
        return ("empty", None)
    (kind, inner), = any_value.items()
    match kind:
        case "intValue":
            return ("int", int(inner))
        case "doubleValue":
            return ("double", repr(float(inner)))
        case "arrayValue":
            return ("array", [value(each) for each in inner.get("values", [])])
        case "kvlistValue":
            return ("map", attributes(inner.get("values", [])))
    return (kind.removesuffix("Value"), inner)


def attributes(pairs):
    found = {pair["key"]: value(pair.get("value")) for pair in pairs or []}
    if len(found) != len(pairs or []):
        found["(keys twice)"] = len(pairs) - len(found)
    return found


def resource_of(resource, schema_url):
    return {"attributes": attributes(resource.get("attributes")), "schemaUrl": schema_url or "",
            "dropped": int(resource.get("droppedAttributesCount", 0))}


def scope_of(scope, schema_url):
    return {"name": scope.get("name", ""), "version": scope.get("version", ""),
            "attributes": attributes(scope.get("attributes")), "schemaUrl": schema_url or "",
            "dropped": int(scope.get("droppedAttributesCount", 0))}


def span(item):
    return {
        **{key: item.get(key, "") for key in ("traceId", "spanId", "parentSpanId", "traceState", "name")},
        **{key: int(item.get(key, 0)) for key in ("kind", "startTimeUnixNano", "endTimeUnixNano", "flags",
                                                  "droppedAttributesCount", "droppedEventsCount", "droppedLinksCount")},
        "attributes": attributes(item.get("attributes")),
        "status": (int(item.get("status", {}).get("code", 0)), item.get("status", {}).get("message", "")),
        "events": [{"time": int(event["timeUnixNano"]), "name": event.get("name", ""),
                    "attributes": attributes(event.get("attributes")),
                    "dropped": int(event.get("droppedAttributesCount", 0))} for event in item.get("events", [])],
        "links": [{**{key: link.get(key, "") for key in ("traceId", "spanId", "traceState")},
                   "flags": int(link.get("flags", 0)), "dropped": int(link.get("droppedAttributesCount", 0)),
                   "attributes": attributes(link.get("attributes"))} for link in item.get("links", [])],
    }


def log(item):
    return {
        **{key: item.get(key, "") for key in ("traceId", "spanId", "severityText", "eventName")},
        **{key: int(item.get(key, 0)) for key in ("timeUnixNano", "observedTimeUnixNano", "severityNumber", "flags",
                                                  "droppedAttributesCount")},
        "body": value(item.get("body")), "attributes": attributes(item.get("attributes")),
    }


def flat(request, signal):
    """Each item of a request with its resource and scope."""
    outer, middle, inner = SIGNALS[signal]
    for group in request.get(outer, []):
        resource = resource_of(group.get("resource", {}), group.get("schemaUrl"))
        for part in group.get(middle, []):
            scope = scope_of(part.get("scope", {}), part.get("schemaUrl"))
            for item in part.get(inner, []):
                yield resource, scope, item


def spans_of(requests):
    return [((item["traceId"], item["spanId"]), {"resource": resource, "scope": scope, **span(item)})
            for request in requests for resource, scope, item in flat(request, "traces")]


def logs_of(requests):
    return [(int(item["observedTimeUnixNano"]), {"resource": resource, "scope": scope, **log(item)})
            for request in requests for resource, scope, item in flat(request, "logs")]


def expected_items(lines, signal, form, key):
    return {key(line["item"]): {"resource": resource_of(line["resource"], line["resource"]["schemaUrl"]),
                                "scope": scope_of(line["scope"], line["scope"]["schemaUrl"]), **form(line["item"])}
            for line in lines if line["signal"] == signal}


# ---- Differences ----

def differences(expected, found, path):
    if isinstance(expected, dict) and isinstance(found, dict):
        for key in [*expected, *(key for key in found if key not in expected)]:
            if key not in found:
                yield f"{path}.{key}: missing, expected {expected[key]!r}"
            elif key not in expected:
                yield f"{path}.{key}: not expected: {found[key]!r}"
            else:
                yield from differences(expected[key], found[key], f"{path}.{key}")
    elif isinstance(expected, list) and isinstance(found, list):
        if len(expected) != len(found):
            yield f"{path}: {len(found)} items, expected {len(expected)}"
        for index, (left, right) in enumerate(zip(expected, found)):
            yield from differences(left, right, f"{path}[{index}]")
    elif expected != found:
        yield f"{path}: {found!r}, expected {expected!r}"


def compare_items(name, expected, found_pairs):
    found = dict(found_pairs)
    if len(found) != len(found_pairs):
        yield f"{name}: {len(found_pairs) - len(found)} came more than once"
    for key, item in expected.items():
        if key not in found:
            yield f"{name} {key}: missing"
        else:
            yield from differences(item, found[key], f"{name} {item.get('name') or key}")
    for key in found:
        if key not in expected:
            yield f"{name} {key}: not expected"


# ---- Raw requests ----

def recorded(folder):
    """The requests in a folder of record.py's, by signal, as OTLP's JSON."""
    requests = {signal: [] for signal in SIGNALS}
    for index in sorted(pathlib.Path(folder).glob("*.json")):
        about = json.loads(index.read_text())
        body = index.with_suffix(".bin").read_bytes()
        if about["headers"].get("content-encoding") == "gzip":
            body = gzip.decompress(body)
        signal = next(name for name in SIGNALS if name.rstrip("s") in about["path"].lower())
        if about["headers"].get("content-type", "").startswith("application/json"):
            requests[signal].append(json.loads(body))
        else:
            requests[signal].append(from_protobuf(signal, body))
    return requests


def from_protobuf(signal, body):
    from google.protobuf import json_format
    from opentelemetry.proto.collector.logs.v1 import logs_service_pb2
    from opentelemetry.proto.collector.metrics.v1 import metrics_service_pb2
    from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
    kind = {"traces": trace_service_pb2.ExportTraceServiceRequest, "logs": logs_service_pb2.ExportLogsServiceRequest,
            "metrics": metrics_service_pb2.ExportMetricsServiceRequest}[signal]
    return hexadecimal(json_format.MessageToDict(kind.FromString(body), use_integers_for_enums=True))


def hexadecimal(tree):
    """Protobuf's JSON has ids in base64, OTLP's has them in hexadecimal digits."""
    import base64
    if isinstance(tree, list):
        return [hexadecimal(each) for each in tree]
    if not isinstance(tree, dict):
        return tree
    ids = ("traceId", "spanId", "parentSpanId")
    return {key: base64.b64decode(inner).hex() if key in ids else hexadecimal(inner) for key, inner in tree.items()}


def compare_points(lines, requests):
    """Metric points as they were sent, turn by turn."""
    expected = Points(lines, value, resource_of, scope_of)
    for request in requests:
        for resource, scope, metric in flat(request, "metrics"):
            yield from expected.take(resource, scope, metric, differences)
    yield from expected.missing()


# ---- A console's export ----

def exported(url, signal, lines):
    """One signal of the service that the lines are about, over the time they cover."""
    moments = [int(text) for line in lines for text in moments_of(line)]
    second = 1_000_000_000
    if any(line.get("measuredUnixNano", "") is None for line in lines):
        # Exemplars have the times of the machine's clock, then.
        moments.append(time.time_ns())
    # A series knows its service as its job.
    service = target(lines[0])["job"]
    if signal != "metrics":
        service = service.split("/")[-1]
    query = urllib.parse.urlencode({"signal": signal, "service": service, "start": min(moments) - second,
                                    "end": max(moments) + second, "limit": 10_000})
    try:
        with urllib.request.urlopen(f"{url}/api/export?{query}", timeout=30) as answer:
            if answer.headers["x-truncated"]:
                raise SystemExit(f"failed: /api/export?{query}: truncated")
            return json.load(answer)
    except urllib.error.HTTPError as error:
        raise SystemExit(f"failed: /api/export?{query}: {error.code} {error.read().decode(errors='replace')}")


def moments_of(line):
    item = line.get("item", line)
    return [item[key] for key in ("startTimeUnixNano", "endTimeUnixNano", "observedTimeUnixNano", "timeUnixNano")
            if item.get(key, "0") != "0"]


def compare_series(lines, export):
    """Metrics as a console keeps them: Prometheus' names and labels, cumulative, floats, milliseconds."""
    found, exemplars, metadata = {}, set(), {}
    for _, _, metric in flat(export, "metrics"):
        # Metadata comes as metrics without points.
        for pair in metric.get("metadata", []):
            if pair["key"] == "prometheus.type":
                metadata[metric["name"]] = (pair["value"]["stringValue"], metric.get("description", ""))
        for point in metric["gauge"].get("dataPoints", []):
            labels = {pair["key"]: pair["value"]["stringValue"] for pair in point.get("attributes", [])}
            if "le" in labels:
                labels["le"] = bound(labels["le"])
            key = labels_of(__name__=metric["name"], **labels)
            found.setdefault(key, []).append((int(point["timeUnixNano"]) // 1_000_000, float(point["asDouble"])))
            name = metric["name"].removesuffix("_bucket") if "le" in labels else metric["name"]
            exemplars |= {(name, each["traceId"], each["spanId"], float(each["asDouble"]), int(each["timeUnixNano"]) // 1_000_000)
                          for each in point.get("exemplars", [])}
    yield from Stored(lines).compare(found, exemplars, metadata)


def main(what, expected_file, where):
    lines = [json.loads(line) for line in pathlib.Path(expected_file).read_text(encoding="utf-8").splitlines()]
    about, lines = lines[0], lines[1:]
    if what == "requests":
        got = recorded(where)
    else:
        got = {signal: [exported(where, signal, [line for line in lines if line["signal"] == signal])]
               for signal in SIGNALS}
    spans = expected_items(lines, "traces", span, lambda item: (item["traceId"], item["spanId"]))
    logs = expected_items(lines, "logs", log, lambda item: int(item["observedTimeUnixNano"]))
    points = [line for line in lines if line["signal"] == "metrics"]
    if not (spans and logs and points):
        raise SystemExit(f"failed: {expected_file} holds no spans, no log records or no metrics")
    faults = [*compare_items("span", spans, spans_of(got["traces"])), *compare_items("log", logs, logs_of(got["logs"])),
              *(compare_points(points, got["metrics"]) if what == "requests" else compare_series(points, got["metrics"][0]))]
    print(f"{'failed' if faults else 'ok'}: {about['language']} {about['version']} over {pathlib.Path(expected_file).parent.name}, {what}: "
          f"{len(spans)} spans, {len(logs)} log records, {sum(len(line['measurements']) for line in points)} measurements")
    for fault in faults[:DIFFERENCES_SHOWN_MAX]:
        print(f"  {fault}")
    if len(faults) > DIFFERENCES_SHOWN_MAX:
        print(f"  and {len(faults) - DIFFERENCES_SHOWN_MAX} more")
    return bool(faults)


if __name__ == "__main__":
    if len(sys.argv) != 4 or sys.argv[1] not in ("requests", "export"):
        raise SystemExit(__doc__)
    sys.exit(main(*sys.argv[1:]))
