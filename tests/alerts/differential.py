"""Has a genuine Prometheus and the console evaluate the same rules over the same samples, each notifying an
Alertmanager that is this script, and compares states and notifications of every alert in their order."""

import http.server
import json
import os
import sys
import threading
import time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), "..", "promql"))
import wire  # noqa: E402

SECONDS = 45
# Seconds, and the level of each instance from then on; None ends the series, a missing one goes on.
SCRIPT = [
    (0, {"a": 1, "b": 1, "c": 1}),
    (6, {"a": 7}),
    (8, {"b": 6}),
    (10, {"b": 1}),
    (16, {"a": 9}),
    (20, {"c": None}),
    (26, {"a": 2}),
    (34, {"c": 3, "a": 8}),
]


class Alertmanager:
    """What one server said of alerts: for each its states in order, with what was told with them."""

    def __init__(self):
        told = self.told = {}

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                for alert in body:
                    is_over = alert["endsAt"] < alert_time()
                    labels = json.dumps(alert["labels"], sort_keys=True)
                    annotations = json.dumps(alert.get("annotations") or {}, sort_keys=True)
                    link = alert["generatorURL"].split("/graph?")[-1]
                    entry = ("resolved" if is_over else "firing", annotations, link)
                    known = told.setdefault(labels, [])
                    if not known or known[-1] != entry:
                        known.append(entry)
                self.send_response(200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.port = self.server.server_port
        threading.Thread(target=self.server.serve_forever, daemon=True).start()


def alert_time():
    # Ends in the future stand for "fires until somebody says more".
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(time.time() + 1))


class States:
    """The states of each alert as the API tells them, one after the other."""

    def __init__(self, server):
        self.server, self.seen, self.rules = server, {}, {}

    def look(self):
        data = self.server.get("/api/v1/rules")["data"]
        for group in data["groups"]:
            for rule in group["rules"]:
                key = (group["name"], rule["name"])
                for alert in rule.get("alerts") or []:
                    self.note(json.dumps(alert["labels"], sort_keys=True), alert["state"])
                standing = {json.dumps(alert["labels"], sort_keys=True) for alert in rule.get("alerts") or []}
                for labels in list(self.seen):
                    if json.loads(labels)["alertname"] == rule["name"] and labels not in standing:
                        self.note(labels, "inactive")
                told = {name: rule.get(name) for name in
                        ("query", "duration", "keepFiringFor", "labels", "annotations", "health", "type", "name")}
                # The order in which series are listed is arbitrary there.
                told["error"] = (rule.get("lastError") or "").split(": [")[0]
                self.rules[key] = told

    def note(self, labels, state):
        known = self.seen.setdefault(labels, [])
        if not known or known[-1] != state:
            known.append(state)


def feed(servers, stop):
    began, levels = time.time(), {}
    sent = -1
    while not stop.is_set():
        second = int(time.time() - began)
        if second == sent:
            time.sleep(0.02)
            continue
        sent = second
        now_ms = int(time.time() * 1000)
        data = b""
        for at, change in SCRIPT:
            if at == second:
                levels.update(change)
        for instance, level in list(levels.items()):
            value = wire.STALE if level is None else level
            data += wire.series({"__name__": "level", "instance": instance}, [(now_ms, value)])
            if level is None:
                del levels[instance]
        requests = 30 if second < 12 else 60 if second < 30 else 10
        data += wire.series({"__name__": "requests", "job": "shop", "instance": "a"}, [(now_ms, requests)])
        for server in servers:
            server.write(data)


def different(what, genuine, own):
    faults = []
    for key in sorted(set(genuine) | set(own), key=str):
        if genuine.get(key) != own.get(key):
            faults.append(f"{what} {key}\n  genuine: {genuine.get(key)}\n  own:     {own.get(key)}")
    return faults


def recorded(server, now):
    found = {}
    for query in ("last_over_time(ALERTS[2m])", "last_over_time(job:requests:doubled[2m])",
                  "count_over_time(ALERTS_FOR_STATE[2m]) > bool 0", "last_over_time(too_many[2m])", "same"):
        answer = server.get("/api/v1/query", query=query, time=str(now))
        for item in answer["data"]["result"]:
            found[query + json.dumps(item["metric"], sort_keys=True)] = item["value"][1]
    return found


def wait_for_alertmanager(server):
    deadline = time.time() + 60
    while not server.get("/api/v1/alertmanagers")["data"]["activeAlertmanagers"]:
        if time.time() > deadline:
            sys.exit(f"{server} has found no Alertmanager within a minute")
        time.sleep(0.1)


def main():
    manager_of = {"genuine": Alertmanager(), "own": Alertmanager()}
    print(manager_of["genuine"].port, manager_of["own"].port, flush=True)
    bases = sys.stdin.readline().split()
    servers = [wire.Server("genuine", bases[0]), wire.Server("own", bases[1])]
    # Until it knows its Alertmanager, Prometheus drops what it would tell, and does not tell it later.
    wait_for_alertmanager(servers[0])
    # Both have evaluated a few times before anything comes, so that both remember from then on.
    time.sleep(4)
    # What was told until now depends on which of them was there first.
    for manager in manager_of.values():
        manager.told.clear()
    stop = threading.Event()
    feeder = threading.Thread(target=feed, args=(servers, stop))
    states = [States(wire.Server("genuine", bases[0])), States(wire.Server("own", bases[1]))]
    feeder.start()
    began = time.time()
    while time.time() - began < SECONDS:
        for one in states:
            one.look()
        time.sleep(0.15)
    stop.set()
    feeder.join()
    now = time.time()
    faults = different("states of", states[0].seen, states[1].seen)
    faults += different("notifications of", manager_of["genuine"].told, manager_of["own"].told)
    faults += different("rule", states[0].rules, states[1].rules)
    faults += different("recorded", recorded(servers[0], now), recorded(servers[1], now))
    count = sum(len(told) for told in manager_of["genuine"].told.values())
    print(f"{len(states[0].seen)} alerts, {sum(map(len, states[0].seen.values()))} states, {count} notifications, "
          f"{len(states[0].rules)} rules: {len(faults)} differences")
    print("\n".join(faults))
    # Nothing to compare would be no agreement.
    sys.exit(1 if faults or count < 10 else 0)


main()
