#!/usr/bin/env python3
"""Asks a genuine Prometheus and the console the same of the same samples, and tells where they differ.

    differential.py GENUINE CONSOLE [--random SECONDS] [--seed NUMBER] [--verbose]

GENUINE and CONSOLE are base URLs, such as http://localhost:9090 and http://localhost:5017/prometheus, of servers
that are empty. Equal is: the same kind of answer, the same series, the same times, values within 1e-6, the same
warnings and infos, and for what has no answer the same kind of error. Exits with 1 if anything differs.
"""

import argparse
import math
import re
import sys
import time

from expressions import AtRandom, all_of_them
from made import HOURS, Fleet
from wire import Server

CLOSE = 1e-6


def close(a, b):
    a, b = float(a), float(b)
    if math.isnan(a) or math.isnan(b):
        return math.isnan(a) and math.isnan(b)
    return a == b or abs(a - b) <= CLOSE * max(abs(a), abs(b)) or abs(a - b) < 1e-12


def series_of(data):
    """Values by labels, whatever the kind of answer."""
    if data["resultType"] in ("scalar", "string"):
        return {(): [data["result"]]}
    def points(item):
        return [item["value"]] if "value" in item else item.get("values", [])
    return {tuple(sorted(item["metric"].items())): points(item) for item in data["result"]}


def order_of(query, data):
    """Where the order of an instant vector counts, its labels in order."""
    if data["resultType"] != "vector" or not query.startswith(("sort", "topk(", "bottomk(")):
        return None
    # What is equal, or no number, may be in any order.
    values = [float(item["value"][1]) for item in data["result"]]
    if len(set(values)) != len(values) or any(map(math.isnan, values)):
        return None
    return [sorted(item["metric"].items()) for item in data["result"]]


# What later versions say, as the console does, and 3.5 does not.
LATER = ("sort is ineffective for range queries",)
# Where answers are those of later versions, whose scripts the evaluator follows: what is in the query, and in the
# difference. Expressions that are made up at random come upon them now and then.
KNOWN = (
    # Between infinities a quantile is no longer NaN.
    (r"quantile", r"is NaN at .*, here [-+]?(Inf|\d)"),
    (r"quantile.*odd_values", r"^\d+ series, here \d+|has \d+ values, here \d+"),
    # An aggregation's parameter is asked at every step; there once, where its vector stands still.
    (r"(quantile|topk|bottomk|limitk|limit_ratio)\((scalar|time\().*( @ |vector\([-+\w.]+\))", r""),
    # Of an offset beside `@`, timestamp() there forgets where the lookback begins.
    (r"timestamp\(\w+({[^}]*})? @ \S+ offset", r""),
    # Of a subquery with one value it is told that its metric is no counter.
    (r"\[\w+:\w*\]", r"^infos None, here .*might not be a counter"),
    # A second match is found also where its comparison gives nothing.
    (r"on \(|ignoring|scalar|==|>|<", r"^success '', here error 'multiple matches for labels"),
)


def notes(answer, key, is_exact):
    """Notes, but for those of other versions. Where there are more than ten, it is chance which are told; and only
    their kinds, where it is chance for which steps and series they are told."""
    told = {note.replace(' for metric name ""', "") for note in answer.get(key, []) if not any(text in note for text in LATER)}
    if not is_exact:
        return {re.sub(r"got \S+|\(\d+:\d+\)", "", note) for note in told if "annotations omitted" not in note}
    return len(told) if len(told) > 10 else told


def difference(query, genuine, own, is_exact):
    """What differs, or nothing."""
    if genuine["status"] != own["status"]:
        return f"{genuine['status']} {genuine.get('error', '')!r}, here {own['status']} {own.get('error', '')!r}"
    if genuine["status"] == "error":
        kinds = genuine["errorType"], own["errorType"]
        return None if kinds[0] == kinds[1] else f"{kinds[0]} {genuine['error']!r}, here {kinds[1]} {own['error']!r}"
    a, b = genuine["data"], own["data"]
    if a["resultType"] != b["resultType"]:
        return f"{a['resultType']}, here {b['resultType']}"
    theirs, ours = series_of(a), series_of(b)
    if theirs.keys() != ours.keys():
        missing = [dict(key) for key in theirs.keys() - ours.keys()][:2]
        extra = [dict(key) for key in ours.keys() - theirs.keys()][:2]
        return f"{len(theirs)} series, here {len(ours)}: without {missing}, with {extra}"
    for key, points in theirs.items():
        if len(points) != len(ours[key]):
            lost = sorted({at for at, _ in points} ^ {at for at, _ in ours[key]})[:3]
            return f"{dict(key)} has {len(points)} values, here {len(ours[key])}, for one at {lost}"
        for (at, value), (own_at, own_value) in zip(points, ours[key]):
            if at != own_at or (value != own_value and not close(value, own_value)):
                return f"{dict(key)} is {value} at {at}, here {own_value} at {own_at}"
    if order_of(query, a) != order_of(query, b):
        return "another order"
    for key in ("warnings", "infos"):
        if notes(genuine, key, is_exact) != notes(own, key, is_exact):
            return f"{key} {genuine.get(key)}, here {own.get(key)}"
    return None


class Comparison:
    def __init__(self, genuine, own, end, is_exact=True):
        self.genuine, self.own, self.end, self.is_exact = genuine, own, end, is_exact
        self.asked, self.differing, self.errors, self.noted, self.texts, self.later = 0, [], 0, 0, [], 0

    def ask(self, query, path, **parameters):
        theirs = self.genuine.ask(path, query=query, **parameters)
        ours = self.own.ask(path, query=query, **parameters)
        self.asked += 1
        self.errors += theirs["status"] == "error"
        self.noted += "warnings" in theirs or "infos" in theirs
        told = difference(query, theirs, ours, self.is_exact)
        if told and not self.is_exact and any(re.search(a, query) and re.search(b, told) for a, b in KNOWN):
            self.later += 1
        elif told:
            self.differing.append((query, path, parameters, told))
        elif theirs["status"] == "error" and theirs["error"] != ours["error"]:
            self.texts.append((query, theirs["error"], ours["error"]))

    def expression(self, query):
        """At three times, and over two ranges."""
        end = self.end
        for at in (end, end - 3_600 * HOURS // 2 - 7, end - 3_600 * HOURS + 1_234.567):
            self.ask(query, "/api/v1/query", time=at)
        self.ask(query, "/api/v1/query_range", start=end - 3_600, end=end, step=15)
        self.ask(query, "/api/v1/query_range", start=end - 3_600 * HOURS, end=end, step="2m")

    def at_random(self, seconds, seed):
        until, made, count = time.monotonic() + seconds, AtRandom(seed), 0
        while time.monotonic() < until:
            query, count = made.next(), count + 1
            self.ask(query, "/api/v1/query", time=self.end - made.random.randrange(0, 20_000))
            start = self.end - made.random.randrange(1_800, 20_000)
            self.ask(query, "/api/v1/query_range", start=start, end=start + 1_800, step=made.random.choice([13, 60, 300]))
        return count

    def tell(self, what, verbose):
        print(f"{what}: {self.asked} requests, of which {self.errors} have no answer and {self.noted} have notes; "
              f"{len(self.differing)} differ, {self.later} are answered as by later versions, {len(self.texts)} errors are in "
              "other words")
        for query, path, parameters, told in self.differing[:None if verbose else 25]:
            print(f"  {query}\n    {path.rsplit('/', 1)[1]} {parameters}: {told}")
        if verbose:
            for query, theirs, ours in self.texts:
                print(f"  {query}\n    {theirs!r}\n    {ours!r}")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("genuine")
    parser.add_argument("console")
    parser.add_argument("--random", type=float, default=0, metavar="SECONDS")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--verbose", action="store_true")
    options = parser.parse_args()
    servers = genuine, own = Server("the genuine one", options.genuine), Server("the console", options.console)
    # Long enough ago that what the console says of itself is in no answer.
    end = int(time.time()) // 60 * 60 - 900
    count, samples = Fleet().send(servers, (end - 3_600 * HOURS) * 1_000)
    expressions = all_of_them()
    print(f"{count} series, {samples} samples, {len(expressions)} expressions")
    compared = Comparison(genuine, own, end)
    for query in expressions:
        compared.expression(query)
    compared.tell("expressions", options.verbose)
    failed = bool(compared.differing)
    if options.random:
        compared = Comparison(genuine, own, end, is_exact=False)
        many = compared.at_random(options.random, options.seed)
        compared.tell(f"{many} expressions at random (seed {options.seed})", options.verbose)
        failed |= bool(compared.differing)
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
