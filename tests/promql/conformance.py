#!/usr/bin/env python3
"""Runs Prometheus' own scripts of PromQL tests against a server, which it only knows over HTTP.

    conformance.py --program HIGHBEAM [--ledger FILE] [--only TEXT] FILE_OR_FOLDER...
    conformance.py --server COMMAND --base PATH ...

The program's console is started anew, on an empty folder, for each script and for each `clear`. The ledger has a
line for each test that is known to fail, `script: query | reason`, where a `*` at the query's end stands for any
rest; a line of which none fails, and a failure that is not in it, is a fault. COMMAND may be any server that begins at `{port}` and `{data}`, for one Prometheus itself. Tests
that need a switch of Prometheus are run as well and counted apart.
"""

import argparse
import collections
import math
import os
import re
import shlex
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import time

from script import STALE, Eval, Histogram, Load, Wrong, commands
from wire import STALE as STALE_BITS, Server, field, series, varint

CLOSE = 1e-6
SWITCHED = re.compile(r"limitk|limit_ratio|mad_over_time|double_exponential|sort_by_label|\binfo\(|first_over_time|ts_of_|"
                      r"histogram_quantiles|anchored|smoothed|step\(\)|range\(\)|fill|min\(|max\(|start\(\)\s*[-+*/]|</|>/")


def packed(number, values):
    return field(number, b"".join(struct.pack("<d", value) for value in values))


def zigzag(number):
    return varint(number << 1 if number >= 0 else (-number << 1) - 1)


def spans(number, counts):
    """Runs of indexes that follow each other, as offsets and lengths."""
    out, after, indexes = b"", 0, sorted(counts)
    at = 0
    while at < len(indexes):
        end = at
        while end + 1 < len(indexes) and indexes[end + 1] == indexes[end] + 1:
            end += 1
        out += field(number, b"\x08" + zigzag(indexes[at] - after) + b"\x10" + varint(end - at + 1))
        after, at = indexes[end] + 1, end + 1
    return out


def histogram(time_ms, it):
    """The message of a native histogram."""
    def double(number, value):
        return varint(number << 3 | 1) + struct.pack("<d", value)
    in_order = lambda counts: [counts[index] for index in sorted(counts)]
    out = double(2, it.count) + double(3, it.sum) + b"\x20" + zigzag(it.schema) + double(5, it.width) + double(7, it.zero)
    out += spans(8, it.negative) + packed(10, in_order(it.negative)) + spans(11, it.positive) + packed(13, in_order(it.positive))
    out += b"\x70" + varint(it.hint) + b"\x78" + varint(time_ms)
    return out + (packed(16, it.bounds) if it.bounds else b"")


def request(load):
    """What a `load` sends."""
    out = b""
    for labels, points in load.series:
        floats, others, was_histogram = [], b"", False
        for at, point in enumerate(points):
            time_ms = at * load.step_ms
            if isinstance(point, Histogram):
                others, was_histogram = others + field(4, histogram(time_ms, point)), True
            elif point is STALE and was_histogram:
                ended = Histogram()
                ended.sum = STALE_BITS
                others += field(4, histogram(time_ms, ended))
            elif point is not None:
                floats.append((time_ms, STALE_BITS if point is STALE else point))
                was_histogram = False
        one = series(labels, floats)
        if others:
            # The message's own length is before it.
            inner = one[len(one) - length_of(one):] + others
            one = field(1, inner)
        out += one
    return out


def length_of(message):
    """The length that the first field of a message says."""
    length, shift, at = 0, 0, 1
    while True:
        length |= (message[at] & 127) << shift
        if message[at] < 128:
            return length
        shift, at = shift + 7, at + 1


class Running:
    """A server on an empty folder."""

    def __init__(self, options):
        self.folder = tempfile.mkdtemp()
        with socket.socket() as taken:
            taken.bind(("127.0.0.1", 0))
            port = taken.getsockname()[1]
        command = options.server or (f"{shlex.quote(options.program)} console --console-port {{port}} --otlp-grpc-port 0 "
                                     "--otlp-http-port 0 --data-dir {data}")
        command = command.replace("{port}", str(port)).replace("{data}", self.folder)
        environment = {**os.environ, "RETENTION_AGE": "0"}
        self.process = subprocess.Popen(shlex.split(command), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, env=environment)
        self.server = Server("the server", f"http://127.0.0.1:{port}{options.base}")
        deadline = time.monotonic() + 60
        while True:
            try:
                if self.server.request("GET", "/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            if time.monotonic() > deadline or self.process.poll() is not None:
                raise SystemExit(f"does not start: {command}")
            time.sleep(0.02)

    def end(self):
        self.process.kill()
        self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def close(a, b):
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    if a == b:
        return True
    least = sys.float_info.min
    if a == 0 or b == 0 or abs(a) + abs(b) < least:
        return abs(a - b) < CLOSE * least
    return abs(a - b) / min(abs(a) + abs(b), sys.float_info.max) < CLOSE


def same_value(expected, got):
    if isinstance(expected, Histogram) != isinstance(got, dict):
        return False
    if not isinstance(expected, Histogram):
        return expected is not STALE and close(expected, float(got))
    if not (close(expected.count, float(got["count"])) and close(expected.sum, float(got["sum"]))):
        return False
    told, buckets = expected.told(), got.get("buckets", [])
    return len(told) == len(buckets) and all(
        all(close(a, float(b)) for a, b in zip(bucket, other[1:])) for bucket, other in zip(told, buckets))


def points_of(item):
    """All values of a series by their times, milliseconds."""
    single = [item[key] for key in ("value", "histogram") if key in item]
    return {round(at * 1_000): value for at, value in single + item.get("values", []) + item.get("histograms", [])}


def expected_points(it, points):
    start, _, step = it.points or (it.start_ms, it.end_ms, it.step_ms)
    return {start + at * step: value for at, value in enumerate(points) if value is not None}


def wrong_result(it, data):
    kind, result = data["resultType"], data["result"]
    if it.string is not None:
        return None if kind == "string" and result[1] == it.string else f"{kind} {result}"
    if it.scalar is not None and not it.expected:
        if kind == "matrix":
            got = points_of(result[0]) if len(result) == 1 else {}
            return None if got and all(same_value(it.scalar, value) for value in got.values()) else f"{kind} {result}"
        return None if kind == "scalar" and close(it.scalar, float(result[1])) else f"{kind} {result}"
    if kind == "scalar":
        result = [{"metric": {}, "value": result}]
    key = lambda labels: tuple(sorted(labels.items()))
    got = {key(item["metric"]): points_of(item) for item in result}
    expected = {key(labels): expected_points(it, points) for labels, points in it.expected}
    expected = {labels: points for labels, points in expected.items() if points}
    if got.keys() != expected.keys():
        return f"has {[dict(labels) for labels in got][:3]}, not {[dict(labels) for labels in expected][:3]}"
    for labels, points in expected.items():
        if points.keys() != got[labels].keys():
            return f"{dict(labels)} has values at {sorted(got[labels])[:6]}, not {sorted(points)[:6]}"
        for at, value in points.items():
            if not same_value(value, got[labels][at]):
                shown = value.__dict__ if isinstance(value, Histogram) else value
                return f"{dict(labels)} is {got[labels][at]} at {at}, not {shown}"
    if it.is_ordered and list(got) != [key(labels) for labels, _ in it.expected]:
        return "in another order"
    return None


def fits(how, text, told):
    """Whether a message is the expected one, with or without the position at its end."""
    without = re.sub(r" \(\d+:\d+\)$", "", told)
    if how == "msg":
        return text in (told, without)
    return how != "regex" or bool(re.search(text, told) or re.search(text, without))


def wrong_notes(it, answer):
    for kind, key in (("warn", "warnings"), ("info", "infos")):
        told = answer.get(key, [])
        wanted = [(how, text) for name, how, text in it.notes if name == kind]
        if any(name == f"no_{kind}" for name, _, _ in it.notes) and told:
            return f"{key} {told}"
        if wanted and not told:
            return f"no {key}"
        for how, text in wanted:
            if not any(fits(how, text, one) for one in told):
                return f"{key} {told}, not {text!r}"
        if wanted and not all(any(fits(how, text, one) for how, text in wanted) for one in told):
            return f"more {key} than expected: {told}"
    return None


def fault(it, server):
    """What is wrong with the answer, if anything is."""
    if it.is_range:
        answer = server.ask("/api/v1/query_range", query=it.query, start=it.start_ms / 1_000, end=it.end_ms / 1_000,
                            step=it.step_ms / 1_000)
    else:
        answer = server.ask("/api/v1/query", query=it.query, time=it.start_ms / 1_000)
    if it.fails:
        if answer["status"] != "error":
            return f"has an answer: {str(answer['data'])[:200]}"
        # What the API puts before an error of the evaluation is not of the script.
        told = re.sub(r'^invalid parameter "query": ', "", answer["error"])
        bare = re.sub(r"^\d+:\d+: parse error: ", "", told)
        wrong = [text for how, text in it.fails if not fits(how, text, told) and not fits(how, text, bare)]
        return f"{told!r}, not {wrong[0]!r}" if wrong else None
    if answer["status"] != "success":
        return answer["error"]
    return wrong_result(it, answer["data"]) or wrong_notes(it, answer)


class Run:
    def __init__(self, options):
        self.options, self.counts, self.failed, self.left_out = options, collections.Counter(), [], []

    def script(self, path):
        name = os.path.basename(path)
        running = Running(self.options)
        has_histograms = is_used = False
        broken = None
        try:
            for at, command in commands(open(path, encoding="utf-8").read()):
                if command is None:
                    if is_used:
                        running.end()
                        running = Running(self.options)
                    has_histograms, is_used, broken = False, False, None
                    continue
                it = None
                try:
                    it = command()
                    if isinstance(it, Load):
                        is_used = True
                        has_histograms |= any(isinstance(point, Histogram) for _, points in it.series for point in points)
                        running.server.write(request(it))
                        continue
                except (Wrong, SystemExit, IndexError, KeyError, ValueError) as error:
                    if not isinstance(it, Eval):
                        broken = str(error)
                    self.left_out.append(f"{name}:{at}: {error}")
                    continue
                if broken:
                    self.left_out.append(f"{name}:{at}: after what could not be loaded")
                    continue
                self.one(name, at, it, running.server, has_histograms)
        finally:
            running.end()

    def one(self, name, at, it, server, has_histograms):
        if self.options.only and self.options.only not in it.query:
            return
        tag = "experimental" if SWITCHED.search(it.query) else "native-histogram" if has_histograms else "core"
        try:
            told = fault(it, server)
        except (OSError, ValueError, KeyError) as error:
            told = f"no answer that can be read: {error!r}"
        self.counts[tag, told is None] += 1
        if told:
            self.failed.append((tag, f"{name}: {it.query}", f"{name}:{at}: {it.query}\n    {told}"))


def ledger(path):
    """What is known to fail, with the reason."""
    known = {}
    for line in open(path, encoding="utf-8") if path else []:
        if line.strip() and not line.startswith("#"):
            test, _, reason = line.rpartition(" | ")
            known[test.strip()] = reason.strip()
    return known


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--program")
    parser.add_argument("--server")
    parser.add_argument("--base", default="/prometheus")
    parser.add_argument("--ledger")
    parser.add_argument("--only")
    parser.add_argument("paths", nargs="+")
    options = parser.parse_args()
    paths = []
    for path in options.paths:
        here = sorted(os.listdir(path)) if os.path.isdir(path) else None
        paths += [path] if here is None else [os.path.join(path, name) for name in here if name.endswith(".test")]
    run = Run(options)
    for path in paths:
        run.script(path)
    known = ledger(options.ledger)
    tests = {test for _, test, _ in run.failed}
    covers = lambda line, test: test.startswith(line[:-1]) if line.endswith("*") else test == line
    covered = {test for test in tests if any(covers(line, test) for line in known)}
    new = [(tag, told) for tag, test, told in run.failed if test not in covered]
    stale = [] if options.only else sorted(line for line in known if not any(covers(line, test) for test in tests))
    for tag, told in new:
        print(f"[{tag}] {told}")
    for test in stale:
        print(f"the ledger has what passes, or is not there: {test}")
    for text in run.left_out:
        print(f"left out: {text}")
    for tag in ("core", "native-histogram", "experimental"):
        passed, failed = run.counts[tag, True], run.counts[tag, False]
        print(f"{tag}: {passed} passed, {failed} failed")
    print(f"{len(run.failed) - len(new)} failures are in the ledger, {len(run.left_out)} tests were left out")
    sys.exit(1 if new or stale else 0)


if __name__ == "__main__":
    main()
