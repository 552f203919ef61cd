#!/usr/bin/env python3
"""Records what a genuine Prometheus answers, for the tests beside this file.

    record.py PROMETHEUS

PROMETHEUS is the program (3.5; bench/peers/prometheus.sh fetches it). It is started on an empty folder, is sent
the samples of `seed()` by remote write, and is asked `requests()`. A second one scrapes a target that this script
serves, and is asked `of_targets()`. What was sent goes to ../golden/prometheus/seed.json and what was answered to
../golden/prometheus/recordings.jsonl, one request a line. Needs nothing but Python's standard library.
"""

import http.client
import http.server
import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse

sys.path.insert(0, os.path.join(os.path.dirname(__file__), *[".."] * 5, "tests", "promql"))
import wire  # noqa: E402

START = 1_700_000_000  # divisible by the step of 20 s, not by a minute
STEP = 15
COUNT = 61
END = START + (COUNT - 1) * STEP

EXPOSED = b"""# HELP jobs_done_total Jobs that were done, with \\\\ and \\n in the text.
# TYPE jobs_done_total counter
jobs_done_total{queue="fast"} 3
jobs_done_total{queue="slow"} 1
# HELP queue_depth Jobs that wait.
# TYPE queue_depth gauge
queue_depth 7
# HELP run_seconds How long jobs run.
# TYPE run_seconds histogram
run_seconds_bucket{le="1"} 2
run_seconds_bucket{le="+Inf"} 4
run_seconds_sum 5.5
run_seconds_count 4
untyped_thing 1
"""


def seed():
    """Series with a value for each step; null is a gap."""
    series = []

    def add(name, labels, value):
        values = [value(number) for number in range(COUNT)]
        shown = [None if it is None else "stale" if it == "stale" else repr(float(it)) for it in values]
        series.append({"labels": {"__name__": name, **labels}, "values": shown})

    for instance in "ab":
        for method in ("GET", "POST"):
            for code in ("200", "500"):
                rate = len(method) * (7 if code == "200" else 1) + (instance == "b")
                # One of them begins again in the middle.
                restart = 30 if instance == "b" else COUNT + 1
                labels = {"job": "api", "instance": instance, "method": method, "code": code}
                add("http_requests_total", labels, lambda n: rate * (n if n < restart else n - restart))
        add("memory_bytes", {"job": "api", "instance": instance}, lambda n: 1e9 + 1e6 * math.floor(50 * math.sin(n / 5)))
        add("up", {"job": "api", "instance": instance},
            lambda n: "stale" if instance == "b" and n == 40 else None if instance == "b" and n > 40 else 1)
        for at, le in enumerate(("0.1", "0.5", "1", "+Inf"), 1):
            add("latency_seconds_bucket", {"job": "api", "instance": instance, "le": le}, lambda n: n * at)
        add("latency_seconds_sum", {"job": "api", "instance": instance}, lambda n: n * 1.25)
        add("latency_seconds_count", {"job": "api", "instance": instance}, lambda n: n * 4)
    add("gappy", {"job": "gaps"}, lambda n: None if 10 <= n < 40 else n)
    add("short_lived", {"job": "gaps"}, lambda n: n if n < 5 else None)
    for kind, value in (("nan", math.nan), ("inf", math.inf), ("minus_inf", -math.inf), ("tiny", 5e-324), ("small", 1.5e-7),
                        ("micro", 1e-6), ("large", 1e21), ("larger", 1.7976931348623157e308), ("wide", 123456789012345680.0),
                        ("minus_zero", -0.0), ("third", 1 / 3), ("below", 999999999999999900000.0)):
        add("odd_values", {"kind": kind}, lambda n: value)
    add("odd_labels", {"text": "a \"quoted\" <b> & \\ back\nslash\u2028\u00e4 \U0001f600"}, lambda n: n)
    for letter in "abcdefghijkl":
        add(f"plain_{letter}", {"job": "plain", "letter": letter}, lambda n: n)
    add("http.server.duration", {"service.name": "checkout", "job": "utf8"}, lambda n: n / 2)
    add("under_score", {"service_name": "__x", "job": "utf8"}, lambda n: 2)
    return series


EXEMPLARS = [
    ({"__name__": "http_requests_total", "job": "api", "instance": "a", "method": "GET", "code": "200"},
     {"trace_id": "0af7651916cd43dd8448eb211c80319c", "span_id": "b7ad6b7169203331"}, 10, 0.25),
    ({"__name__": "http_requests_total", "job": "api", "instance": "a", "method": "GET", "code": "200"},
     {"trace_id": "0af7651916cd43dd8448eb211c80319d", "user": "x\"y"}, 20, 1e-7),
    ({"__name__": "latency_seconds_bucket", "job": "api", "instance": "b", "le": "0.5"},
     {"trace_id": "1af7651916cd43dd8448eb211c80319c"}, 30, 0.5),
]


def get(path, **parameters):
    return ("GET", path + ("?" + urllib.parse.urlencode(parameters, doseq=True) if parameters else ""), None, None)


def post(path, **parameters):
    return ("POST", path, urllib.parse.urlencode(parameters, doseq=True), "application/x-www-form-urlencoded")


def requests():
    at = START + 600
    window = {"start": START, "end": END}
    q, r = "/api/v1/query", "/api/v1/query_range"
    yield from instants(q, at)
    yield from ranges(r)
    yield from listings(window)
    yield from about_expressions()
    yield from others(window, at)


def instants(q, at):
    for query in ("up", "1+1", "\"text\"", "sum by (code) (rate(http_requests_total[5m]))", "http_requests_total[1m]",
                  "odd_values", "odd_labels", "{\"http.server.duration\"}", "absent(nothing)", "nothing", "vector(1)",
                  "histogram_quantile(0.9, sum by (le) (rate(latency_seconds_bucket[5m])))", "rate(memory_bytes[5m])",
                  "histogram_quantile(2, latency_seconds_bucket)", "sort_desc(http_requests_total)", "sort(memory_bytes)",
                  "topk(3, http_requests_total)", "http_requests_total offset 1m", "-up", "up == bool 1",
                  "count_values(\"v\", up)", "label_replace(up, \"a\", \"$1\", \"instance\", \"(.*)\")", "up or memory_bytes",
                  "max_over_time(http_requests_total{instance=\"b\"}[10m:1m])", "time()", "quantile(0.5, up)"):
        yield get(q, query=query, time=at)
    yield post(q, query="up", time=at)
    yield get(q, query="up", time="2023-11-14T22:23:20Z")
    yield get(q, query="up", time="2023-11-14T23:23:20.5+01:00")
    yield get(q, query="up", time=f"{at}.123")
    yield get(q, query="up", time=f"{at}.1234567")
    yield get(q, query="http_requests_total", time=at, limit=2)
    yield get(q, query="http_requests_total", time=at, limit=0)
    yield get(q, query="http_requests_total", time=at, limit=100)
    yield get(q, query="http_requests_total[1m]", time=at, limit=1)
    yield get(q, query="1", time=at, limit=1)
    yield get(q, query="gappy", time=START + 390)
    yield get(q, query="gappy", time=START + 600, lookback_delta="10m")
    yield get(q, query="gappy", time=START + 600, lookback_delta="600")
    yield get(q, query="up", time=at, timeout="10s")
    yield get(q, query="rate(up[5m])[5m:1m]", time=at)
    yield get(q, query="rate({__name__=~\"plain_.+\"}[5m])", time=at)
    yield get(q, query="histogram_quantile(2, rate({__name__=~\"plain_.+\"}[5m]))", time=at)
    yield get(q, query="1", time=4)
    yield get(q, query="1", time=-1)
    # What is wrong.
    yield get(q)
    yield get(q, query="")
    yield get(q, query="up{", time=at)
    yield get(q, query="sum(", time=at)
    yield get(q, query="up{a=~\"(\"}", time=at)
    yield get(q, query="{a=\"\"}", time=at)
    yield get(q, query="nofunction(1)", time=at)
    yield get(q, query="rate(up)", time=at)
    yield get(q, query="up", time="yesterday")
    yield get(q, query="1", time="")
    yield get(q, query="up", time="1e400")
    yield get(q, query="up", time="NaN")
    yield get(q, query="up", time="99999999999999999")
    yield get(q, query="up", time=at, timeout="long")
    yield get(q, query="up", time=at, timeout="0s")
    yield get(q, query="up", time=at, timeout="-1s")
    yield get(q, query="up", time=at, limit="x")
    yield get(q, query="up", time=at, limit="-1")
    yield get(q, query="up", time=at, lookback_delta="x")
    yield get(q, query="up", time=at, lookback_delta="-1m")
    yield get(q, query="up + on(job) memory_bytes", time=at)
    yield get(q, query="label_replace(http_requests_total, \"code\", \"\", \"\", \"\")", time=at)
    yield get(q, query="count_values(\"\\xff\", up)", time=at)
    yield ("POST", q, "query=up", "text/plain")
    yield ("POST", q, "query=%zz", "application/x-www-form-urlencoded")
    yield ("POST", q + f"?time={at}&query=1", "query=2", "application/x-www-form-urlencoded")
    yield ("PUT", q, "query=up", "application/x-www-form-urlencoded")
    yield ("DELETE", q, None, None)
    yield ("OPTIONS", q, None, None)
    yield ("HEAD", q + f"?query=1&time={at}", None, None)


def ranges(r):
    window = {"start": START + 300, "end": START + 420, "step": 30}
    for query in ("up", "1", "sum by (code) (rate(http_requests_total[2m]))", "odd_values{kind=~\"nan|inf\"}", "nothing",
                  "up{instance=\"b\"} offset -5m", "time()", "rate(memory_bytes[2m])",
                  "histogram_quantile(0.5, rate(latency_seconds_bucket[2m]))"):
        yield get(r, query=query, **window)
    yield post(r, query="up", **window)
    yield get(r, query="up", start="2023-11-14T22:18:20Z", end="2023-11-14T22:20:20Z", step="1m")
    yield get(r, query="up", start=f"{START}.5", end=f"{START + 60}.75", step="0.5m")
    yield get(r, query="up", start=f"{START}.5", end=f"{START + 60}.75", step="15.5")
    yield get(r, query="http_requests_total", limit=3, **window)
    yield get(r, query="gappy", start=START + 300, end=START + 400, step=50, lookback_delta="2m30s")
    yield get(r, query="up", start=START, end=START, step=1)
    yield get(r, query="1", start=START, end=START + 10_999, step=1, limit=1)
    # What is wrong.
    yield get(r, query="up", start=START, end=START + 11_000, step=1)
    yield get(r, query="up", start=START, end=START + 11_001, step=1)
    yield get(r, query="up", start=START + 1, end=START, step=1)
    yield get(r, query="up", start=START, end=END, step=0)
    yield get(r, query="up", start=START, end=END, step=-1)
    yield get(r, query="up", start=START, end=END, step="x")
    yield get(r, query="up", start=START, end=END)
    yield get(r, query="up", start=START, step=1)
    yield get(r, query="up", end=START, step=1)
    yield get(r, query="up", start="x", end=END, step=1)
    yield get(r, query="up", start=START, end="x", step=1)
    yield get(r, query="up[1m]", **window)
    yield get(r, query="\"text\"", **window)
    yield get(r, query="sum(", **window)
    yield get(r, query="up", timeout="x", **window)
    yield get(r, query="up", step="1e30", start=START, end=END)
    yield get(r)


def listings(window):
    s, l = "/api/v1/series", "/api/v1/labels"
    yield get(s, **{"match[]": "up"}, **window)
    yield post(s, **{"match[]": ["up", "memory_bytes{instance=\"a\"}", "up{instance=\"a\"}"]}, **window)
    yield get(s, **{"match[]": "up"}, limit=1, **window)
    yield get(s, **{"match[]": ["up", "memory_bytes"]}, limit=1, **window)
    yield get(s, **{"match[]": ["up", "memory_bytes"]}, limit=0, **window)
    yield get(s, **{"match[]": "{__name__!=\"\",job=\"gaps\"}"}, **window)
    yield get(s, **{"match[]": "short_lived"}, start=START + 300, end=END)
    yield get(s, **{"match[]": "nothing"})
    yield get(s, **{"match[]": "odd_labels"})
    yield get(s, **{"match[]": "{\"http.server.duration\",\"service.name\"=\"checkout\"}"})
    yield get(s)
    yield get(s, **{"match[]": ""})
    yield get(s, **{"match[]": "{}"})
    yield get(s, **{"match[]": "{a=\"\"}"})
    yield get(s, **{"match[]": "{a=~\".*\"}"})
    yield get(s, **{"match[]": "up["})
    yield get(s, **{"match[]": "sum(up)"})
    yield get(s, **{"match[]": "up[5m]"})
    yield get(s, **{"match[]": "up", "start": "x"})
    yield get(s, **{"match[]": "up", "start": END, "end": START})
    yield get(s, **{"match[]": "up", "limit": "x"})
    yield get(s, **{"match[]": "up", "limit": "-1"})
    yield ("DELETE", s + "?match[]=up", None, None)
    yield get(l, **window)
    yield post(l, **window)
    yield get(l, limit=3, **window)
    yield get(l, limit=0, **window)
    yield get(l, **{"match[]": "up"}, **window)
    yield get(l, **{"match[]": ["up", "http_requests_total"]}, **window)
    yield get(l, **{"match[]": "nothing"})
    yield get(l, **{"match[]": "{}"})
    yield get(l, **{"match[]": "sum("})
    yield get(l, start="x")
    yield get(l, limit="x")
    yield get(l, start=END, end=START)
    values = "/api/v1/label/{}/values".format
    yield get(values("__name__"), **{"match[]": "{job=\"api\"}"}, **window)
    yield get(values("job"), **window)
    yield get(values("job"), limit=2, **window)
    yield get(values("instance"), **{"match[]": ["up", "memory_bytes"]}, **window)
    yield get(values("nothing"))
    yield get(values("U__service_2e_name"))
    yield get(values("U__job"), **window)
    yield get(values("U__under__score"))
    yield get(values("U__a_zz_b"))
    yield get(values("service_name"))
    yield get(values("service.name"))
    yield get(values("%C3%A4"))
    yield get(values("%FF"))
    yield get(values("1a"))
    yield get(values("job"), **{"match[]": "{}"})
    yield get(values("job"), **{"match[]": "x("})
    yield get(values("job"), start="x")
    yield get(values("job"), limit="x")
    yield get(values("job"), start=END, end=START)
    yield ("POST", values("job"), "", "application/x-www-form-urlencoded")


EXPRESSIONS = (
    "up", "1", "-1.5e3", "NaN", "-Inf", "0x1f", "\"a\\\"b\"", "'single'", "`raw\\`", "up{a=\"b\",c!=\"d\",e=~\"f.*\",g!~\"h|i\"}",
    "{__name__=\"x y\",a=\"b\"}", "{\"quoted.name\",\"l.l\"=\"v\"}", "up[5m]", "up[1h30m] offset -5m", "up @ 1.5", "up @ start()",
    "rate(up[5m] @ end() offset 1m)", "max_over_time(rate(up[1m])[10m:30s] offset 2m)", "x[5m:]", "(a)", "-a", "+a", "a + b * c ^ d % e / f - g",
    "a and b or c unless d", "a == bool b", "a >= on (x) b", "a * on (x, y) group_left (z) b", "a / ignoring (x) group_right () b",
    "a atan2 b", "sum(a)", "sum by (x) (a)", "sum without (x, y) (a)", "topk(5, a)", "count_values(\"v\", a)", "quantile by (x) (0.9, a)",
    "time()", "label_replace(up, \"a\", \"$1\", \"b\", \"(.*)\")", "absent_over_time(x{a=\"b\"}[1h])", "sum by () (a)",
    "sum by (\"l.l\") (a)", "histogram_quantile(0.9, sum by (le, job) (rate(some_very_long_metric_name_bucket{job=\"api\", code=~\"5..\"}[5m])))",
    "sum(rate(some_very_long_metric_name_total{job=\"api\", instance=~\"a|b|c\"}[5m])) / sum(rate(another_very_long_metric_name_total[5m])) > 0.05",
    "some_long_metric_name_number_one{with=\"labels\", that=\"are long\"} + on (instance, job) group_left (version) some_long_metric_name_number_two",
    "max_over_time(sum by (instance) (rate(some_quite_long_metric_name_total{label=\"value\"}[5m]))[1h:5m] offset 10m) unless up == 0",
    "((a + b) * (c + d)) / -(some_rather_long_metric_name_with_many_words{a=\"b\"} - another_rather_long_metric_name{c=\"d\"})",
    "label_join(some_rather_long_metric_name_with_many_words{a=\"b\"}, \"destination\", \"-\", \"first_source\", \"second_source\", \"third\")",
    "count(up) # what is after this is for people", "x offset 1d", "x[1w]", "x[90s]", "x[1500ms]", "1 + 2 > bool 3", "pi()", "hour()", "limitk(2, a)",
)


def about_expressions():
    for path in ("/api/v1/format_query", "/api/v1/parse_query"):
        for query in EXPRESSIONS:
            yield get(path, query=query)
        yield post(path, query="sum(up)")
        for wrong in ("", "sum(", "up{a=b}", "rate(up)", "1 +", "a b", "foo{a=~\"(\"}", "{}", "sum by (x (a)", "\"open"):
            yield get(path, query=wrong)
        yield get(path)


def others(window, at):
    e = "/api/v1/query_exemplars"
    yield get(e, query="http_requests_total", **window)
    yield post(e, query="rate(http_requests_total{instance=\"a\"}[1m]) + latency_seconds_bucket", **window)
    yield get(e, query="http_requests_total", start=START, end=START + 200)
    yield get(e, query="nothing", **window)
    yield get(e, query="1", **window)
    yield get(e, query="test", start=START * 1000, end=END * 1000)
    yield get(e, query="sum(", **window)
    yield get(e, **window)
    yield get(e, query="up", start="x", end=END)
    yield get(e, query="up", start=END, end=START)
    yield get(e, query="up")
    for what in ("buildinfo", "runtimeinfo", "tsdb", "flags", "walreplay", "nothing"):
        yield get("/api/v1/status/" + what)
    yield get("/api/v1/status/tsdb", limit=2)
    yield get("/api/v1/status/tsdb", limit="x")
    yield get("/api/v1/status/tsdb", limit=0)
    yield get("/api/v1/notifications")
    yield get("/api/v1/features")
    yield get("/api/v1/nothing")
    yield get("/api/v1/query/nothing")
    yield get("/-/ready")
    yield get("/-/healthy")
    yield ("HEAD", "/-/ready", None, None)
    yield ("POST", "/-/ready", "", None)
    yield ("POST", "/api/v1/metadata", "", "application/x-www-form-urlencoded")
    yield ("POST", "/api/v1/status/buildinfo", "", "application/x-www-form-urlencoded")
    yield ("POST", "/api/v1/admin/tsdb/delete_series?match[]=up", "", None)
    yield ("PUT", "/api/v1/admin/tsdb/snapshot", "", None)
    yield get("/api/v1/query", query="up", time=at, stats="1")
    yield get("/api/v1/query", query="sum(rate(http_requests_total[5m]))", time=at, stats="all")
    yield get("/api/v1/query_range", query="up", start=START, end=START + 60, step=30, stats="all")


def of_targets():
    m = "/api/v1/metadata"
    yield get(m)
    yield get(m, metric="jobs_done_total")
    yield get(m, metric="run_seconds")
    yield get(m, metric="nothing")
    yield get(m, limit=0)
    yield get(m, limit=-1)
    yield get(m, limit=1000, limit_per_metric=1)
    yield get(m, limit_per_metric=0)
    yield get(m, limit="x")
    yield get(m, limit_per_metric="x")
    t = "/api/v1/targets"
    for state in ("active", "dropped", "any", "odd", ""):
        yield get(t, state=state)
    yield get(t)
    yield get(t, scrapePool="scraped")
    yield get(t, scrapePool="nothing")
    yield get("/api/v1/scrape_pools")
    yield get("/api/v1/targets/metadata")
    yield get("/api/v1/targets/metadata", metric="queue_depth")
    yield get("/api/v1/targets/metadata", metric="nothing")
    yield get("/api/v1/targets/metadata", match_target="{job=\"scraped\"}", limit=2)
    yield get("/api/v1/targets/metadata", match_target="{job=\"nothing\"}")
    yield get("/api/v1/targets/metadata", match_target="{")
    yield get("/api/v1/targets/metadata", limit="x")
    yield get("/api/v1/status/config")


def write(port, data):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    headers = {"Content-Encoding": "snappy", "Content-Type": "application/x-protobuf",
               "X-Prometheus-Remote-Write-Version": "0.1.0"}
    connection.request("POST", "/api/v1/write", wire.literal(data), headers)
    answer = connection.getresponse()
    assert answer.status // 100 == 2, answer.read()


def ask(port, method, path, body, content_type):
    connection = http.client.HTTPConnection("127.0.0.1", port)
    connection.request(method, path, body, {"Content-Type": content_type} if content_type else {})
    answer = connection.getresponse()
    text = answer.read().decode()
    recorded = {"method": method, "path": path}
    if body is not None:
        recorded["body"] = body
    if content_type:
        recorded["sent"] = content_type
    recorded["status"] = answer.status
    recorded["type"] = answer.getheader("Content-Type", "")
    for name in ("Allow", "Retry-After"):
        if answer.getheader(name):
            recorded[name.lower()] = answer.getheader(name)
    recorded["answer"] = text
    return recorded


def free_port():
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


class Target(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.end_headers()
        self.wfile.write(EXPOSED)

    def log_message(self, *_):
        pass


def running(program, folder, target_port=None):
    """A Prometheus that is ready, and its port."""
    config = "{}" if target_port is None else (
        "scrape_configs: [{job_name: scraped, scrape_interval: 1s, static_configs: "
        f"[{{targets: ['127.0.0.1:{target_port}']}}]}}]")
    with open(os.path.join(folder, "prometheus.yml"), "w") as out:
        out.write(config + "\n")
    port = free_port()
    process = subprocess.Popen(
        [program, f"--config.file={folder}/prometheus.yml", f"--storage.tsdb.path={folder}/data",
         f"--web.listen-address=127.0.0.1:{port}", "--web.enable-remote-write-receiver", "--log.level=error",
         "--enable-feature=exemplar-storage", "--storage.tsdb.retention.time=100y",
         "--storage.tsdb.min-block-duration=20d", "--storage.tsdb.max-block-duration=20d"])
    until(lambda: ask(port, "GET", "/-/ready", None, None)["status"] == 200)
    return process, port


def until(is_so):
    for _ in range(100):
        try:
            if is_so():
                return
        except OSError:
            pass
        time.sleep(0.1)
    raise SystemExit("waited in vain")


def write_seed(port, golden):
    series = seed()
    data = b""
    for one in series:
        samples = [((START + STEP * at) * 1000, wire.STALE if value == "stale" else float(value))
                   for at, value in enumerate(one["values"]) if value is not None]
        own = [(labels, at, value) for of, labels, at, value in EXEMPLARS if of == one["labels"]]
        one["exemplars"] = own
        data += wire.series(one["labels"], samples, [(labels, (START + STEP * at) * 1000, value) for labels, at, value in own])
    write(port, data)
    with open(os.path.join(golden, "seed.json"), "w") as out:
        rows = ",\n".join(json.dumps(one) for one in series)
        out.write(json.dumps({"start": START, "step": STEP})[:-1] + ", \"series\": [\n" + rows + "\n]}\n")


def main():
    golden = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "golden", "prometheus")
    os.makedirs(golden, exist_ok=True)
    target = http.server.HTTPServer(("127.0.0.1", 0), Target)
    threading.Thread(target=target.serve_forever, daemon=True).start()
    with open(os.path.join(golden, "recordings.jsonl"), "w") as out:
        for asked, target_port in ((requests, None), (of_targets, target.server_port)):
            folder = tempfile.mkdtemp()
            process, port = running(sys.argv[1], folder, target_port)
            try:
                if target_port is None:
                    write_seed(port, golden)
                else:
                    until(lambda: "queue_depth" in ask(port, "GET", "/api/v1/metadata", None, None)["answer"])
                for request in asked():
                    # Where it was recorded is nobody's business.
                    out.write(json.dumps(ask(port, *request)).replace(os.getcwd(), "/prometheus") + "\n")
            finally:
                process.terminate()
                process.wait()
                shutil.rmtree(folder)


if __name__ == "__main__":
    main()
