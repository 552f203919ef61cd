"""Holds the dashboards of observability/ to what a reader of them needs: every metric is one that somebody tells (the
registry in semconv/, or a rule that records it), every panel says what bad looks like and has a unit, none overlaps.

    dashboards.py DASHBOARD.json… --known TEXT…

TEXT are files whose words are the known metrics: docs/telemetry/README.md, and rule files.
"""

import json
import re
import sys

# What Prometheus itself makes, and labels and functions that look like metrics.
PROMETHEUS = {"up", "ALERTS"}
WORD = re.compile(r"[a-zA-Z_:][a-zA-Z0-9_:]*")
border = sys.argv.index("--known")
known = {word for path in sys.argv[border + 1 :] for word in WORD.findall(open(path).read())}


def metrics(expression):
    """The names in a query that are followed by a selector, a range, or nothing that makes them something else."""
    bare = re.sub(r'"(\\.|[^"\\])*"', '""', expression)
    bare = re.sub(r"\b(by|without|on|ignoring|group_left|group_right)\s*\([^)]*\)", " ", bare)
    # Of the name and a label's matcher, the name is what stands before the bracket.
    bare = re.sub(r"\{[^}]*\}", " ", bare)
    bare = re.sub(r"\[[^\]]*\]", " ", bare)
    for match in WORD.finditer(bare):
        word, rest = match.group(), bare[match.end() :].lstrip()
        if not rest.startswith("(") and word not in ("and", "or", "unless", "bool", "offset") and not word.isdigit():
            yield word


def base(metric):
    return re.sub(r"_(bucket|count|sum)$", "", metric)


def overlaps(a, b):
    return a["x"] < b["x"] + b["w"] and b["x"] < a["x"] + a["w"] and a["y"] < b["y"] + b["h"] and b["y"] < a["y"] + a["h"]


def findings(board):
    panels = board["panels"]
    for index, panel in enumerate(panels):
        title = panel.get("title", "")
        if "Bad:" not in panel.get("description", ""):
            yield f"{title}: does not say what bad looks like"
        if not panel["fieldConfig"]["defaults"].get("unit"):
            yield f"{title}: has no unit"
        if panel["gridPos"]["x"] + panel["gridPos"]["w"] > 24:
            yield f"{title}: is wider than the page"
        for other in panels[index + 1 :]:
            if overlaps(panel["gridPos"], other["gridPos"]):
                yield f"{title}: overlaps {other['title']}"
        for target in panel["targets"]:
            if target["datasource"]["uid"] != "${prometheus}":
                yield f"{title}: asks {target['datasource']['uid']}, not the chosen data source"
            for metric in metrics(target["expr"]):
                if metric not in known and base(metric) not in known and metric not in PROMETHEUS:
                    yield f"{title}: nobody tells {metric}"
    if len({panel["id"] for panel in panels}) != len(panels):
        yield "panels share an id"


found, uids = [], []
for path in sys.argv[1:border]:
    board = json.load(open(path))
    uids.append(board["uid"])
    found += [f"{path}: {finding}" for finding in findings(board)]
if len(set(uids)) != len(uids):
    found.append("dashboards share an uid")
print("\n".join(found) if found else f"{len(uids)} dashboards")
sys.exit(bool(found))
