"""What metric points come of the measurements that an SDK's program says it made: an aggregation of our own,
to judge the SDKs' by, and the series that a Prometheus would keep of them. It reads no requests."""

import json
import math
import re

UNITS = {"s": "seconds", "ms": "milliseconds", "By": "bytes", "Cel": "celsius"}
# With a preference for delta, OTLP keeps these cumulative.
ALWAYS_CUMULATIVE = ("upDownCounter", "observableUpDownCounter")
DELTA, CUMULATIVE = 1, 2


class Series:
    """One set of attributes of one metric: what was measured, by turn."""

    def __init__(self):
        self.turns = {}

    def add(self, turn, line, measurement):
        self.turns.setdefault(turn, []).append((line, measurement))


def plain(pairs):
    return json.dumps(sorted((pair["key"], pair["value"]) for pair in pairs), ensure_ascii=False)


def split(line, measurement):
    """The attributes that a view leaves on the point, and those that go to the exemplar."""
    kept = line["metric"].get("keepAttributes")
    on_point = [pair for pair in measurement["attributes"] if kept is None or pair["key"] in kept]
    return on_point, [pair for pair in measurement["attributes"] if pair not in on_point]


def number(line, measurement):
    return int(measurement["value"]) if line["metric"]["number"] == "int" else float(measurement["value"])


def collect(lines):
    """(metric's name, attributes) -> Series; with the attributes as they were given."""
    found, given = {}, {}
    for line in lines:
        for measurement in line["measurements"]:
            on_point, _ = split(line, measurement)
            key = (line["metric"]["name"], plain(on_point))
            found.setdefault(key, Series()).add(line["round"], line, measurement)
            given[key] = on_point
    return found, given


def is_delta(metric):
    return metric["temporality"] == "delta" and metric["instrument"] not in ALWAYS_CUMULATIVE


def measured_until(series, turn, delta):
    """The measurements that a point of this turn covers."""
    return [pair for at, pairs in series.turns.items() if (at == turn if delta else at <= turn) for pair in pairs]


def point_number(series, turn, metric, delta):
    own = [number(line, each) for line, each in series.turns.get(turn, [])]
    if metric["instrument"] in ("gauge", "observableGauge", "observableUpDownCounter"):
        return own[-1]
    if metric["instrument"] == "observableCounter":
        before = [number(line, each) for line, each in series.turns.get(turn - 1, [])] if delta else []
        return own[-1] - (before[-1] if before else 0)
    return sum(number(line, each) for line, each in measured_until(series, turn, delta))


class Points:
    """Takes metrics as they were sent and says what is wrong with them."""

    def __init__(self, lines, value, resource_of, scope_of):
        self.value, self.resource_of, self.scope_of = value, resource_of, scope_of
        self.lines = {(line["metric"]["name"], int(line["timeUnixNano"])): line for line in lines}
        self.series, self.given = collect(lines)
        self.awaited = {(line["metric"]["name"], line["round"], key[1]) for line in lines for key in self.series
                        if key[0] == line["metric"]["name"] and self.is_reported(key, line)}

    def is_reported(self, key, line):
        turns = self.series[key].turns
        if is_delta(line["metric"]) or "observable" in line["metric"]["instrument"]:
            return line["round"] in turns
        return min(turns) <= line["round"]

    def attributes(self, pairs):
        return {pair["key"]: self.value(pair.get("value")) for pair in pairs or []}

    def missing(self):
        for name, turn, attributes in sorted(self.awaited):
            yield f"metric {name}, turn {turn}: no point for {attributes}"

    def take(self, resource, scope, metric, differences):
        name, kinds = metric["name"], ("gauge", "sum", "histogram", "exponentialHistogram")
        kind = next(kind for kind in kinds if kind in metric)
        for point in metric[kind]["dataPoints"]:
            line = self.lines.get((name, int(point["timeUnixNano"])))
            if line is None:
                yield f"metric {name}: a point at {point['timeUnixNano']}, where none was taken"
                continue
            found_attributes = self.attributes(point.get("attributes"))
            keys = [key for key in self.series if key[0] == name and self.attributes(self.given[key]) == found_attributes]
            if not keys or (name, line["round"], keys[0][1]) not in self.awaited:
                yield f"metric {name}, turn {line['round']}: not expected: {found_attributes}"
                continue
            self.awaited.discard((name, line["round"], keys[0][1]))
            expected = self.expected(line, keys[0])
            found = self.found(resource, scope, metric, kind, point)
            if kind == "exponentialHistogram":
                recorded = [number(*pair) for pair in measured_until(self.series[keys[0]], line["round"], is_delta(line["metric"]))]
                expected["buckets"] = buckets_at_scale(recorded, found["buckets"]["scale"], line["metric"]["exponential"])
            where = f"metric {name}, turn {line['round']}, {keys[0][1]}"
            yield from differences(expected, found, where)
            yield from self.times(line, point, where)
            yield from self.exemplars(line, keys[0], point, where, differences)

    def expected(self, line, key):
        metric, series, turn = line["metric"], self.series[key], line["round"]
        delta = is_delta(metric)
        about = {"resource": self.resource_of(line["resource"], line["resource"]["schemaUrl"]),
                 "scope": self.scope_of(line["scope"], line["scope"]["schemaUrl"]),
                 "unit": metric["unit"], "description": metric["description"]}
        if "auge" in metric["instrument"]:
            return {**about, "kind": "gauge", **typed(metric, point_number(series, turn, metric, delta))}
        about["temporality"] = DELTA if delta else CUMULATIVE
        if metric["instrument"] != "histogram":
            return {**about, "kind": "sum", "monotonic": "UpDown" not in metric["instrument"] and "upDown" not in metric["instrument"],
                    **typed(metric, point_number(series, turn, metric, delta))}
        values = [number(*pair) for pair in measured_until(series, turn, delta)]
        about |= {"count": len(values), "sum": math.fsum(values), "min": float(min(values)), "max": float(max(values))}
        if "exponential" in metric:
            return {**about, "kind": "exponentialHistogram"}
        bounds = metric["boundaries"]
        counts = [0] * (len(bounds) + 1)
        for each in values:
            counts[sum(each > bound for bound in bounds)] += 1
        return {**about, "kind": "histogram", "bounds": bounds, "counts": counts}

    def found(self, resource, scope, metric, kind, point):
        about = {"resource": resource, "scope": scope, "unit": metric.get("unit", ""),
                 "description": metric.get("description", ""), "kind": kind}
        if kind in ("gauge", "sum"):
            about["number"] = ("int", int(point["asInt"])) if "asInt" in point else ("double", float(point["asDouble"]))
        if kind == "sum":
            about["monotonic"] = metric["sum"].get("isMonotonic", False)
        if kind != "gauge":
            about["temporality"] = metric[kind]["aggregationTemporality"]
        if "istogram" in kind:
            about |= {"count": int(point["count"]), **{name: float(point[name]) if name in point else None for name in ("sum", "min", "max")}}
        if kind == "histogram":
            about |= {"bounds": [float(each) for each in point["explicitBounds"]],
                      "counts": [int(each) for each in point["bucketCounts"]]}
        if kind == "exponentialHistogram":
            about["buckets"] = {"scale": int(point.get("scale", 0)), "zero": int(point.get("zeroCount", 0)),
                                "positive": counted(point.get("positive", {})), "negative": counted(point.get("negative", {}))}
        return about

    def times(self, line, point, where):
        """When a series starts is each SDK's own matter; deltas must not overlap."""
        start, end = int(point.get("startTimeUnixNano", 0)), int(point["timeUnixNano"])
        if "auge" not in line["metric"]["instrument"] and not 0 < start <= end:
            yield f"{where}: starts at {start}, ends at {end}"
        ends = sorted(at for name, at in self.lines if name == line["metric"]["name"] and at < end)
        is_gauge = "auge" in line["metric"]["instrument"]
        if is_delta(line["metric"]) and not is_gauge and ends and start < ends[-1]:
            yield f"{where}: starts at {start}, before the end of the turn before, {ends[-1]}"

    def exemplars(self, line, key, point, where, differences):
        """Each measurement within a span leaves an exemplar, in its turn at least."""
        expected, allowed = [], []
        for measured, each in measured_until(self.series[key], line["round"], is_delta(line["metric"])):
            if each["span"] and line["exemplars"]:
                (expected if measured is line else allowed).append({
                    "time": measured["measuredUnixNano"] and int(measured["measuredUnixNano"]), **each["span"], **typed(measured["metric"], number(measured, each)),
                    "attributes": self.attributes(split(measured, each)[1])})
        # A program that cannot set the time of an exemplar says so by null.
        is_set = line["measuredUnixNano"] is not None
        found = [{"time": int(each["timeUnixNano"]) if is_set else None, "traceId": each.get("traceId", ""), "spanId": each.get("spanId", ""),
                  "number": ("int", int(each["asInt"])) if "asInt" in each else ("double", float(each["asDouble"])),
                  "attributes": self.attributes(each.get("filteredAttributes"))} for each in point.get("exemplars", [])]
        yield from differences(expected, [each for each in found if each not in allowed], f"{where}: exemplars")


def typed(metric, value):
    return {"number": (metric["number"], value)}


def counted(buckets):
    offset = int(buckets.get("offset", 0))
    counts = [int(each) for each in buckets.get("bucketCounts", [])]
    return {offset + index: count for index, count in enumerate(counts) if count}


def buckets_at_scale(values, scale, limits):
    """What an exponential histogram of this scale must hold. Bucket i is over (base^i, base^(i+1)], with
    base 2^(2^-scale). A scale finer than was asked for, or more buckets than were asked for, is a fault."""
    positive = {}
    for value in values:
        if value > 0:
            mantissa, exponent = math.frexp(value)
            # A power of two belongs to the bucket that it ends: the logarithm alone may miss it by rounding.
            index = (exponent - 1) * 2.0 ** scale - 1 if mantissa == 0.5 else math.ceil(math.log2(value) * 2.0 ** scale) - 1
            index = math.floor(index)
            positive[index] = positive.get(index, 0) + 1
    spread = max(positive) - min(positive) + 1
    fits = scale <= limits["maxScale"] and spread <= limits["maxSize"]
    return {"scale": scale if fits else f"at most {limits['maxScale']}, in {limits['maxSize']} buckets",
            "zero": sum(value == 0 for value in values), "positive": positive, "negative": {}}


# ---- The series of a Prometheus ----

def metric_name(metric):
    name = re.sub(r"[^a-zA-Z0-9:]+", "_", metric["name"]).strip("_")
    unit = metric["unit"]
    if unit == "1":
        suffix = "ratio" if "auge" in metric["instrument"] else ""
    else:
        suffix = "" if unit.startswith("{") else UNITS.get(unit, unit)
    if suffix and not name.endswith(f"_{suffix}"):
        name = f"{name}_{suffix}"
    return f"{name}_total" if metric["instrument"] in ("counter", "observableCounter") else name


def prometheus_type(metric):
    if metric["instrument"] in ("counter", "observableCounter", "histogram"):
        return metric["instrument"].removeprefix("observable").lower()
    return "gauge"


def label_name(key):
    return re.sub(r"[^a-zA-Z0-9_]", "_", key)


def label_value(any_value):
    (kind, inner), = any_value.items()
    match kind:
        case "boolValue":
            return str(inner).lower()
        case "arrayValue":
            return json.dumps([next(iter(each.values())) for each in inner["values"]], separators=(",", ":"), ensure_ascii=False)
    return str(inner)


def labels_of(**labels):
    """A label without a value is none."""
    return frozenset((name, text) for name, text in labels.items() if text)


def bound(number):
    """A bucket's bound, whether it was written as 5 or as 5.0."""
    return repr(float(number))


def milliseconds(line):
    return int(line["timeUnixNano"]) // 1_000_000


class Stored:
    """What a Prometheus would keep of the measurements: series (frozenset of labels, __name__ among them ->
    [(time in ms, value)]), what exponential histograms measured, whose bounds are a console's own choice, and
    exemplars (name of the series, trace, span, value, time in ms, if it can be set), and metadata (name ->
    (type, description))."""

    def __init__(self, lines):
        self.series, self.exponential, self.exemplars, self.metadata = {}, {}, set(), {}
        # Series made of deltas: each begins with a zero where its first delta begins, for rate() to see that
        # one; whether it must. Python has an observed counter's first delta begin where it ends.
        self.of_deltas = {}
        self.measured, self.given = collect(lines)
        for line in lines:
            self.take(line)
        resource = {pair["key"]: label_value(pair["value"]) for pair in lines[0]["resource"]["attributes"]}
        identifying = ("service.name", "service.namespace", "service.instance.id")
        self.target = labels_of(__name__="target_info", **target(lines[0]), **{
            label_name(key): value for key, value in resource.items() if key not in identifying})

    def take(self, line):
        metric = line["metric"]
        self.metadata[metric_name(metric)] = (prometheus_type(metric), metric["description"])
        for key, one in self.measured.items():
            is_due = line["round"] in one.turns or not is_delta(metric) and min(one.turns) < line["round"]
            if key[0] != metric["name"] or not is_due:
                continue
            if metric["instrument"] != "histogram":
                self.add(line, key, "", point_number(one, line["round"], metric, False))
            else:
                self.take_histogram(line, key, [number(*pair) for pair in measured_until(one, line["round"], False)])
            for measured, each in one.turns.get(line["round"], []):
                if each["span"] and line["exemplars"]:
                    time = line["measuredUnixNano"] and int(line["measuredUnixNano"]) // 1_000_000
                    self.exemplars.add((metric_name(metric), each["span"]["traceId"], each["span"]["spanId"],
                                        float(number(measured, each)), time))

    def take_histogram(self, line, key, values):
        self.add(line, key, "_count", len(values))
        self.add(line, key, "_sum", math.fsum(values))
        if "exponential" in line["metric"]:
            self.exponential.setdefault(self.labels(line, key, "_bucket"), {})[milliseconds(line)] = values
            return
        for each in line["metric"]["boundaries"]:
            self.add(line, key, "_bucket", sum(value <= each for value in values), le=bound(each))
        self.add(line, key, "_bucket", len(values), le=bound("inf"))

    def labels(self, line, key, suffix, **more):
        scope = line["scope"]
        return labels_of(
            __name__=metric_name(line["metric"]) + suffix, **target(line), otel_scope_name=scope["name"],
            otel_scope_version=scope["version"], otel_scope_schema_url=scope["schemaUrl"],
            **{f"otel_scope_{label_name(pair['key'])}": label_value(pair["value"]) for pair in scope["attributes"]},
            **{label_name(pair["key"]): label_value(pair["value"]) for pair in self.given[key]}, **more)

    def add(self, line, key, suffix, value, **more):
        labels = self.labels(line, key, suffix, **more)
        self.series.setdefault(labels, []).append((milliseconds(line), float(value)))
        if is_delta(line["metric"]) and "auge" not in line["metric"]["instrument"]:
            self.of_deltas[labels] = not line["metric"]["instrument"].startswith("observable")

    def compare(self, found, exemplars, metadata):
        """Says what differs from series, exemplars and metadata of the same form."""
        for name, about in self.metadata.items():
            if metadata.get(name) != about:
                yield f"metadata of {name}: {metadata.get(name)}, expected {about}"
        left = dict(found)
        for labels, samples in self.series.items():
            got = left.pop(labels, None)
            if got is None:
                yield f"series {told(labels)}: missing"
                continue
            got = sorted(got)
            begins = got[0][1] == 0 and got[0][0] < samples[0][0]
            if begins and labels in self.of_deltas:
                got = got[1:]
            elif self.of_deltas.get(labels):
                yield f"series {told(labels)}: begins with {got[0]}, expected a zero where its first delta begins"
            if got != samples:
                yield f"series {told(labels)}: {got}, expected {samples}"
        if any(value != 1 for _, value in left.pop(self.target, [(0, 0)])):
            yield f"series {told(self.target)}: missing, or not 1"
        buckets = {}
        for labels in list(left):
            le = dict(labels).get("le")
            base = labels - {("le", le)}
            if base in self.exponential:
                buckets[base] = buckets.get(base, 0) + 1
                yield from self.compare_bucket(base, labels, float(le), left.pop(labels))
        for base in self.exponential:
            # With one, all would be well and nothing said.
            if buckets.get(base, 0) < 4:
                yield f"series {told(base)}: only {buckets.get(base, 0)} buckets"
        for labels in left:
            yield f"series {told(labels)}: not expected"
        if any(time is None for *_, time in self.exemplars):
            exemplars = {(*each, None) for *each, _ in exemplars}
        for missing in self.exemplars - exemplars:
            yield f"exemplar {missing}: missing"
        for other in exemplars - self.exemplars:
            yield f"exemplar {other}: not expected"

    def compare_bucket(self, base, labels, le, samples):
        """Whatever a bucket's bound is, it counts what was measured up to there."""
        for time, value in samples:
            turns = self.exponential[base]
            values = turns.get(time, [] if time < min(turns) else None)
            if values is None or value != sum(each <= le for each in values):
                yield f"series {told(labels)}: {value} at {time}, of {values}"


def target(line):
    resource = {pair["key"]: pair["value"].get("stringValue") for pair in line["resource"]["attributes"]}
    return {"job": f"{resource['service.namespace']}/{resource['service.name']}", "instance": resource["service.instance.id"]}


def told(labels):
    return dict(sorted(labels))
