"""Asks the console in LogQL and Prometheus in PromQL the same about the same data; see logql_metrics.sh."""

import argparse
import json
import math
import os
import random
import signal
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request

TOLERANCE = 1e-9
APPS = ("shop", "cart", "mail")
LEVELS = ("info", "error")
RANGES = ("45s", "5m", "30m")
SECONDS = {"45s": 45, "5m": 300, "30m": 1800}
SPAN_S = 2 * 3600


def made(now_ms):
    """Lines with their series, times of their own, and numbers; no time is a whole number of seconds."""
    chance = random.Random(5017)
    lines = []
    for app in APPS:
        for level in LEVELS:
            count = 1500 if level == "info" else 200
            offsets = sorted(chance.sample(range(1, SPAN_S * 1000), count))
            counter = 0
            for offset in offsets:
                at = now_ms - SPAN_S * 1000 + offset
                at += 1 if at % 1000 == 0 else 0
                if chance.random() < 0.01:
                    counter = 0
                counter += chance.randrange(1, 9)
                number = round(chance.lognormvariate(3, 1.2), 3)
                text = f"n={number} c={counter} pad={'x' * chance.randrange(40)}"
                lines.append((app, level, at, number, counter, text))
    # Two lines of a series at the same time would be one sample.
    seen, unique = set(), []
    for line in lines:
        if line[:3] not in seen:
            seen.add(line[:3])
            unique.append(line)
    return unique


def push(url, lines):
    """In batches, the oldest first."""
    for app in APPS:
        for level in LEVELS:
            values = [[str(at * 1_000_000), text] for a, l, at, _, _, text in lines if (a, l) == (app, level)]
            body = {"streams": [{"stream": {"app": app, "level": level}, "values": values}]}
            request = urllib.request.Request(
                f"{url}/loki/api/v1/push", json.dumps(body).encode(), {"Content-Type": "application/json"}
            )
            assert urllib.request.urlopen(request, timeout=60).status == 204


def load(promtool, folder, lines):
    """Makes blocks of the lines' numbers, counters and lengths."""
    path = os.path.join(folder, "samples.om")
    with open(path, "w", encoding="utf-8") as out:
        for name, value in (("line", 3), ("counted", 4), ("length", None)):
            out.write(f"# TYPE {name} gauge\n")
            for line in lines:
                app, level, at = line[:3]
                shown = len(line[5].encode()) if value is None else line[value]
                out.write(f'{name}{{app="{app}",level="{level}"}} {shown} {at / 1000:.3f}\n')
        out.write("# EOF\n")
    data = os.path.join(folder, "prometheus")
    subprocess.run(
        [promtool, "tsdb", "create-blocks-from", "openmetrics", path, data], check=True, stdout=subprocess.DEVNULL
    )
    return data


def pairs():
    """A question in LogQL, and the same in PromQL."""
    everything = '{app=~".+"}'
    for span in RANGES:
        seconds = SECONDS[span]
        for offset in ("", " offset 10m"):
            window = f"[{span}]{offset}"
            for by in ("app", "level", "app, level", ""):
                group = f"by ({by})"
                yield f"sum {group} (count_over_time({everything}{window}))", f"sum {group} (count_over_time(line{window}))"
                yield f"sum {group} (rate({everything}{window}))", f"sum {group} (count_over_time(line{window})) / {seconds}"
                yield f"sum {group} (bytes_over_time({everything}{window}))", f"sum {group} (sum_over_time(length{window}))"
                yield f"sum {group} (bytes_rate({everything}{window}))", f"sum {group} (sum_over_time(length{window})) / {seconds}"
            unwrapped = f"({everything} | logfmt | unwrap n {window})"
            for function in ("avg", "min", "max", "stddev", "stdvar", "last"):
                yield (
                    f"{function}_over_time{unwrapped} by (app, level)",
                    f"sum by (app, level) ({function}_over_time(line{window}))",
                )
            yield f"sum by (app) (sum_over_time{unwrapped})", f"sum by (app) (sum_over_time(line{window}))"
            yield f"sum by (app) (rate{unwrapped})", f"sum by (app) (sum_over_time(line{window})) / {seconds}"
            for quantile in ("0", "0.5", "0.9", "0.99", "1"):
                yield (
                    f"quantile_over_time({quantile}, {everything} | logfmt | unwrap n {window}) by (app, level)",
                    f"sum by (app, level) (quantile_over_time({quantile}, line{window}))",
                )
            yield (
                f"sum by (app, level) (rate_counter({everything} | logfmt | keep app, level, c | unwrap c {window}))",
                f"sum by (app, level) (rate(counted{window}))",
            )
    count = "sum by (app, level) (count_over_time({}[5m]))"
    log, prom = count.format(everything), count.format("line")
    for aggregation in ("avg", "min", "max", "count", "stddev", "stdvar", "sum"):
        for by in ("by (app)", "by (level)", "without (app)", "by ()"):
            yield f"{aggregation} {by} ({log})", f"{aggregation} {by} ({prom})"
    # Which of equal ones are chosen is nowhere said: numbers that differ tell who is chosen, sums tell what of.
    sums = "sum by (app, level) (sum_over_time({}[5m]))"
    sums_log, sums_prom = sums.format(f"{everything} | logfmt | unwrap n "), sums.format("line")
    for k in (1, 2, 4):
        for choice in ("topk", "bottomk"):
            yield f"{choice}({k}, {sums_log})", f"{choice}({k}, {sums_prom})"
            yield f"{choice}({k}, {sums_log}) by (level)", f"{choice}({k}, {sums_prom}) by (level)"
            yield f"sum({choice}({k}, {log}))", f"sum({choice}({k}, {prom}))"
            yield f"sum by (level) ({choice}({k}, {log}) by (level))", f"sum by (level) ({choice}({k}, {prom}) by (level))"
    for operator in ("+", "-", "*", "/", "%", "^", "> bool", "== bool", "<=", "!=", ">"):
        yield f"{log} {operator} 2", f"{prom} {operator} 2"
        yield f"100 {operator} {log}", f"100 {operator} {prom}"
        # A power of counts by counts leaves the numbers that 1e-9 can be told of.
        if operator != "^":
            yield f"{log} {operator} ({log})", f"{prom} {operator} ({prom})"
    error = 'sum by (app) (count_over_time({app=~".+", level="error"}[30m]))'
    all_of = 'sum by (app) (count_over_time({app=~".+"}[30m]))'
    error_prom = 'sum by (app) (count_over_time(line{level="error"}[30m]))'
    all_prom = "sum by (app) (count_over_time(line[30m]))"
    yield f"{error} / {all_of}", f"{error_prom} / {all_prom}"
    yield f"{log} / on (app) group_left {all_of}", f"{prom} / on (app) group_left {all_prom}"
    yield f"{log} / ignoring (level) group_left {all_of}", f"{prom} / ignoring (level) group_left {all_prom}"
    yield f"{all_of} - on (app) group_right {log}", f"{all_prom} - on (app) group_right {prom}"
    yield f"{all_of} and {error} > 20", f"{all_prom} and {error_prom} > 20"
    yield f"{all_of} unless {error} > 55", f"{all_prom} unless {error_prom} > 55"
    yield f"{error} > 55 or {all_of}", f"{error_prom} > 55 or {all_prom}"
    yield "vector(1) + vector(2)", "vector(1) + vector(2)"
    yield "2 * 3 ^ 2 ^ 0.5 - 7 % 4", "2 * 3 ^ 2 ^ 0.5 - 7 % 4"
    yield 'absent_over_time({app="none", level=~"x.*"}[5m])', 'absent_over_time(line{app="none", level=~"x.*"}[5m])'
    yield f'sum(count_over_time({{app="none"}}[5m])) or vector(0)', 'sum(count_over_time(line{app="none"}[5m])) or vector(0)'
    replace = 'label_replace({}, "first", "$1", "app", "(.).*")'
    yield replace.format(log), replace.format(prom)


def ask(url, path, parameters):
    address = f"{url}{path}?{urllib.parse.urlencode(parameters)}"
    try:
        with urllib.request.urlopen(address, timeout=60) as answer:
            return json.load(answer)["data"]
    except urllib.error.HTTPError as error:
        return {"resultType": "error", "result": error.read().decode()[:300]}


def normal(data):
    """Series with their numbers by time."""
    kind, result = data["resultType"], data["result"]
    if kind == "error":
        return result
    if kind == "scalar":
        return {"{}": {result[0]: float(result[1])}}
    series = {}
    for one in result:
        labels = {name: value for name, value in one["metric"].items() if name != "__name__"}
        points = one["values"] if kind == "matrix" else [one["value"]]
        series[json.dumps(labels, sort_keys=True)] = {float(at): float(value) for at, value in points}
    return series


def differ(left, right):
    """What is not the same, in words; nothing if all is."""
    if isinstance(left, str) or isinstance(right, str):
        return f"{left if isinstance(left, str) else 'an answer'} | {right if isinstance(right, str) else 'an answer'}"
    if left.keys() != right.keys():
        return f"series {sorted(left)[:4]} | {sorted(right)[:4]}"
    for labels, points in left.items():
        others = right[labels]
        if points.keys() != others.keys():
            return f"{labels}: {len(points)} points | {len(others)}: {sorted(points.keys() ^ others.keys())[:3]}"
        for at, value in points.items():
            other = others[at]
            if math.isnan(value) and math.isnan(other) or value == other:
                continue
            if not abs(value - other) <= TOLERANCE * max(abs(value), abs(other), 1):
                return f"{labels} at {at}: {value!r} | {other!r}"
    return None


def wait_for(url, process):
    for _ in range(600):
        try:
            urllib.request.urlopen(url, timeout=2)
            return
        except OSError:
            if process.poll() is not None:
                sys.exit(f"failed: {process.args[0]} ended with {process.returncode}")
            time.sleep(0.1)
    sys.exit(f"failed: {url} does not answer")


def main():
    arguments = argparse.ArgumentParser()
    for name in ("console", "prometheus", "promtool", "folder"):
        arguments.add_argument(f"--{name}", required=True)
    options = arguments.parse_args()
    now_ms = int(time.time() * 1000)
    lines = made(now_ms)
    ready = os.path.join(options.folder, "ready.json")
    environment = {**os.environ, "CONSOLE_PORT": "0", "OTLP_GRPC_PORT": "0", "OTLP_HTTP_PORT": "0"}
    log = open(os.path.join(options.folder, "log"), "w", encoding="utf-8")
    console = subprocess.Popen(
        [options.console, "console", "--port", "0", "--data-dir", options.folder, "--ready-file", ready],
        env=environment, stdout=log, stderr=log,
    )
    data = load(options.promtool, options.folder, lines)
    configuration = os.path.join(options.folder, "prometheus.yml")
    with open(configuration, "w", encoding="utf-8") as out:
        out.write("global: {}\n")
    port = 20000 + os.getpid() % 9000
    prometheus = subprocess.Popen(
        [
            options.prometheus, f"--config.file={configuration}", f"--storage.tsdb.path={data}",
            f"--web.listen-address=127.0.0.1:{port}", "--storage.tsdb.retention.time=1y", "--log.level=error",
        ],
        stdout=log, stderr=log,
    )
    try:
        for _ in range(600):
            if os.path.exists(ready):
                break
            time.sleep(0.1)
        with open(ready, encoding="utf-8") as file:
            url = json.load(file)["console"]
        push(url, lines)
        peer = f"http://127.0.0.1:{port}"
        wait_for(f"{peer}/-/ready", prometheus)
        end = now_ms // 1000
        compared, failures = 0, []
        for log_query, prom_query in pairs():
            asked = []
            for ago in (0, 1800, 5400):
                at = end - ago
                asked.append((
                    ask(url, "/loki/api/v1/query", {"query": log_query, "time": at * 10**9}),
                    ask(peer, "/api/v1/query", {"query": prom_query, "time": at}),
                ))
            for step in (60, 171):
                times = {"start": end - 5400, "end": end, "step": step}
                asked.append((
                    ask(url, "/loki/api/v1/query_range", {"query": log_query, **times}),
                    ask(peer, "/api/v1/query_range", {"query": prom_query, **times}),
                ))
            for ours, theirs in asked:
                compared += 1
                told = differ(normal(ours), normal(theirs))
                if told:
                    failures.append(f"{log_query}\n  {prom_query}\n  {told}")
                    break
        for failure in failures[:20]:
            print(failure)
        questions = sum(1 for _ in pairs())
        print(f"{questions} questions, {compared} answers over {len(lines)} lines: {len(failures)} questions differ")
        sys.exit(1 if failures else 0)
    finally:
        for process in (console, prometheus):
            process.send_signal(signal.SIGTERM)
            process.wait(30)


if __name__ == "__main__":
    main()
