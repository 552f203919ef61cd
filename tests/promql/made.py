"""Six hours of made-up metrics of a small fleet: counters that begin anew, gaps, series that end with a mark and
without one, pods that come and go, values that are no numbers. The same seed gives the same samples."""

import math
import random

from wire import STALE, series

STEP_MS = 15_000
HOURS = 6
STEPS = HOURS * 3_600_000 // STEP_MS + 1


class Fleet:
    """All series, as a list of labels and of a value for each step, `None` for none."""

    def __init__(self, seed=7):
        self.random = random.Random(seed)
        self.all = []
        for job, instances in (("api", 3), ("web", 2), ("db", 1)):
            for number in range(instances):
                self.instance(job, f"{job}-{number}:9090")
        self.pods()
        self.odd()

    def add(self, name, values, **labels):
        self.all.append(({"__name__": name, **labels}, values))

    def instance(self, job, instance):
        chance = self.random
        # It is away now and then, and begins anew with all of its counters.
        away = set()
        restarts = sorted(chance.sample(range(100, STEPS - 100), 2))
        for restart in restarts:
            away.update(range(restart - chance.randrange(1, 60), restart))
        own = {"job": job, "instance": instance}
        self.add("up", [0.0 if step in away else 1.0 for step in range(STEPS)], **own)
        self.add("process_start_time_seconds", self.ended(away, [1.7e9 + max([0] + [r for r in restarts if r <= step]) * 15
                                                                 for step in range(STEPS)]), **own)
        for method in ("GET", "POST"):
            for code in ("200", "404", "500"):
                for path in ("/", "/orders"):
                    rate = chance.expovariate(0.2) * (20 if code == "200" else 1)
                    self.add("http_requests_total", self.counter(away, restarts, rate), method=method, code=code, path=path,
                             **own)
        self.histogram("http_request_duration_seconds", away, restarts, own, ("0.005", "0.05", "0.25", "1", "5", "+Inf"))
        for cpu in ("0", "1"):
            for mode in ("idle", "user", "system"):
                self.add("node_cpu_seconds_total", self.counter(away, restarts, chance.uniform(0.5, 12), whole=False),
                         cpu=cpu, mode=mode, **own)
        self.add("node_memory_MemTotal_bytes", self.ended(away, [8.0 * 2 ** 30] * STEPS), **own)
        self.add("node_memory_MemAvailable_bytes", self.ended(away, self.walk(4e9, 5e7, 1e8)), **own)
        self.add("node_filesystem_avail_bytes", self.ended(away, [5e10 - step * chance.uniform(2e6, 3e6) for step in range(STEPS)]),
                 mountpoint="/", device="sda1", **own)
        self.add("node_filesystem_size_bytes", self.ended(away, [6e10] * STEPS), mountpoint="/", device="sda1", **own)
        self.add("temperature_celsius", self.gaps(self.walk(-2, 1.5, -60)), **own)
        self.add("queue_depth", self.gaps([float(chance.randrange(0, 50)) for _ in range(STEPS)]), **own)
        middle = chance.randrange(300, STEPS - 300)
        for version, steps in (("1.2.3", range(0, middle)), ("1.3.0", range(middle, STEPS))):
            self.add("build_info", self.ended(away, [1.0 if step in steps else None for step in range(STEPS)]), version=version,
                     **own)

    def counter(self, away, restarts, rate, whole=True):
        values, value = [], 0.0
        for step in range(STEPS):
            if step in restarts:
                value = 0.0
            value += self.random.uniform(0, 2 * rate)
            values.append(float(math.floor(value)) if whole else value)
        return self.ended(away, values)

    def histogram(self, name, away, restarts, own, bounds):
        counts, total = {bound: [] for bound in bounds}, []
        now, summed = {bound: 0 for bound in bounds}, 0.0
        for step in range(STEPS):
            if step in restarts:
                now, summed = {bound: 0 for bound in bounds}, 0.0
            for _ in range(self.random.randrange(0, 12)):
                took = self.random.lognormvariate(-2.5, 1.4)
                summed += took
                for bound in bounds:
                    now[bound] += took <= float(bound)
            for bound in bounds:
                counts[bound].append(float(now[bound]))
            total.append(summed)
        for bound in bounds:
            self.add(f"{name}_bucket", self.ended(away, counts[bound]), le=bound, **own)
        self.add(f"{name}_sum", self.ended(away, total), **own)
        self.add(f"{name}_count", self.ended(away, counts["+Inf"]), **own)

    def walk(self, value, by, least):
        values = []
        for _ in range(STEPS):
            value = max(least, value + self.random.uniform(-by, by))
            values.append(value)
        return values

    def gaps(self, values):
        """Without some, alone and many at a time."""
        for _ in range(12):
            begin = self.random.randrange(STEPS)
            for step in range(begin, min(STEPS, begin + self.random.choice((1, 3, 25, 60)))):
                values[step] = None
        return values

    def ended(self, away, values):
        """With the mark of an end where a scrape failed, and nothing after it."""
        out = []
        for step, value in enumerate(values):
            before = out[-1] if out else None
            is_mark = before is not None and before == "stale"
            if step in away or value is None:
                out.append("stale" if before is not None and not is_mark else None)
            else:
                out.append(value)
        return out

    def pods(self):
        """Half of them end with a mark, the others just end."""
        for number in range(24):
            begin = number * STEPS // 26
            end = begin + self.random.randrange(80, 200)
            labels = {"namespace": "shop" if number % 3 else "kube-system", "pod": f"pod-{number}", "node": f"node-{number % 4}"}
            mark = ["stale"] if number % 2 else [None]
            lives = [1.0] * (min(end, STEPS) - begin)
            values = ([None] * begin + lives + mark + [None] * STEPS)[:STEPS]
            self.add("kube_pod_info", values, **labels)
            use = [None if it != 1.0 else self.random.uniform(1e7, 9e8) for it in values]
            self.add("container_memory_working_set_bytes", use, container="main", **labels)
            restarts = [None if it != 1.0 else float(step // 97) for step, it in enumerate(values)]
            self.add("kube_pod_container_status_restarts_total", restarts, container="main", **labels)

    def odd(self):
        for kind, value in (("nan", math.nan), ("inf", math.inf), ("minus_inf", -math.inf), ("tiny", 1e-300), ("huge", 1e300)):
            self.add("odd_values", [value if step % 7 else float(step) for step in range(STEPS)], kind=kind)
        self.add("only_nan", [math.nan] * STEPS)
        self.add("constant", [42.0] * STEPS, job="odd")
        self.add("sine", [math.sin(step / 40) for step in range(STEPS)], job="odd")
        self.add("late", [None] * (STEPS - 30) + [1.0] * 30, job="odd")
        self.add("early", [1.0] * 30 + [None] * (STEPS - 30), job="odd")
        self.add("deploys_total", [float(step // 400) for step in range(STEPS)], job="odd", **{"service.name": "caf\u00e9"})

    def send(self, servers, start_ms):
        """All samples, an hour at a time, for nobody takes what is older by much than what is there."""
        hour = 3_600_000 // STEP_MS
        # A scrape is never on the second.
        shifts = [self.random.randrange(0, STEP_MS) for _ in self.all]
        count = 0
        for begin in range(0, STEPS, hour):
            data = b""
            for (labels, values), shift in zip(self.all, shifts):
                some = [(start_ms + step * STEP_MS + shift, STALE if values[step] == "stale" else values[step])
                        for step in range(begin, min(STEPS, begin + hour)) if values[step] is not None]
                count += len(some)
                if some:
                    data += series(labels, some)
            for server in servers:
                server.write(data)
        return len(self.all), count
