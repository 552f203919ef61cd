"""What dashboards and alerts ask of the metrics of `made.py`, and expressions at random."""

import random

SELECTORS = [
    "up", "up == 0", "up{job=\"api\"}", "{job=\"odd\"}", "{__name__=~\"node_memory.*\",job!~\"db|web\"}", "absent(up{job=\"none\"})",
    "{__name__=~\"http_.*_total\",code=~\"5..\"}", "http_requests_total{code!=\"200\",path=\"/orders\"}", "late", "early", "sine",
    "deploys_total", "{\"deploys_total\",\"service.name\"=\"caf\u00e9\"}", "odd_values", "only_nan", "constant", "nothing",
    "up offset 10m", "up offset -10m", "sine @ end()", "sine @ start() offset 5m", "build_info", "queue_depth", "temperature_celsius",
]
RATES = [f"{function}({metric}[{width}])"
         for function in ("rate", "increase", "irate", "delta", "idelta", "deriv", "resets", "changes")
         for metric, width in (("http_requests_total{job=\"api\"}", "5m"), ("node_cpu_seconds_total{mode=\"user\"}", "1m"),
                               ("temperature_celsius", "30m"))]
OVER_TIME = [f"{function}_over_time({metric}[{width}])"
             for function in ("avg", "min", "max", "sum", "count", "stddev", "stdvar", "last", "present")
             for metric, width in (("queue_depth", "10m"), ("{__name__=~\"odd_values|sine\"}", "1h"))]
AGGREGATES = [f"{op}{by} ({inner})"
              for op in ("sum", "avg", "min", "max", "count", "group", "stddev", "stdvar")
              for by, inner in ((" by (job)", "http_requests_total"), (" without (instance, path)", "rate(http_requests_total[5m])"))]
MORE = [
    # What dashboards show.
    "sum by (job) (rate(http_requests_total[5m]))",
    "sum by (job, code) (increase(http_requests_total[1h]))",
    "sum by (job) (rate(http_requests_total{code=~\"5..\"}[5m])) / sum by (job) (rate(http_requests_total[5m]))",
    "histogram_quantile(0.5, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.95, sum by (le, job) (rate(http_request_duration_seconds_bucket[5m])))",
    "histogram_quantile(0.99, sum by (le, instance) (increase(http_request_duration_seconds_bucket[30m])))",
    "histogram_quantile(0.9, rate(http_request_duration_seconds_bucket[10m]))",
    "histogram_quantile(1.5, rate(http_request_duration_seconds_bucket{job=\"db\"}[10m]))",
    "histogram_quantile(-1, http_request_duration_seconds_bucket{job=\"db\"})",
    "histogram_quantile(0.5, http_requests_total)",
    "rate(http_request_duration_seconds_sum[5m]) / rate(http_request_duration_seconds_count[5m])",
    "sum(rate(http_request_duration_seconds_sum[5m])) by (job) / sum(rate(http_request_duration_seconds_count[5m])) by (job)",
    "100 * (1 - avg by (instance) (rate(node_cpu_seconds_total{mode=\"idle\"}[5m])))",
    "1 - node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes",
    "(node_filesystem_size_bytes - node_filesystem_avail_bytes) / node_filesystem_size_bytes * 100",
    "sum(kube_pod_info) by (namespace)", "count(kube_pod_info) by (node)", "count(count by (pod) (kube_pod_info))",
    "sum by (namespace) (container_memory_working_set_bytes)",
    "sum by (node) (container_memory_working_set_bytes * on (namespace, pod) group_left (node) kube_pod_info)",
    "topk(3, sum by (instance) (rate(http_requests_total[5m])))", "bottomk(2, node_memory_MemAvailable_bytes)",
    "topk by (job) (1, node_memory_MemAvailable_bytes)", "bottomk(1, container_memory_working_set_bytes)",
    "quantile(0.9, queue_depth)", "quantile by (job) (0.5, rate(http_requests_total[5m]))", "quantile(1.1, queue_depth)",
    "count_values(\"version\", build_info)", "count by (version) (build_info)", "count_values by (job) (\"value\", up)",
    "sum by (job, version) (up * on (job, instance) group_left (version) build_info)",
    "label_replace(up, \"host\", \"$1\", \"instance\", \"(.*):.*\")", "label_join(up, \"both\", \"/\", \"job\", \"instance\")",
    "sort_desc(sum by (instance) (http_requests_total))", "sort(node_memory_MemAvailable_bytes)",
    "time() - process_start_time_seconds", "time() - timestamp(up)", "timestamp(sine)", "(time() - process_start_time_seconds) / 3600",
    "max_over_time(sum by (job) (rate(http_requests_total[1m]))[30m:1m])", "avg_over_time(sine[1h:30s])",
    "min_over_time(rate(http_requests_total{job=\"db\"}[5m])[20m:])", "sum_over_time(up[10m:1m] offset 5m)",
    "quantile_over_time(0.9, queue_depth[15m])", "quantile_over_time(2, queue_depth[15m])",
    "predict_linear(node_filesystem_avail_bytes[1h], 4 * 3600)", "predict_linear(sine[10m], 600)", "deriv(sine[10m])",
    "holt_winters(sine[10m], 0.5, 0.5)", "clamp(sine, -0.5, 0.5)", "clamp_max(queue_depth, 10)", "clamp_min(temperature_celsius, 0)",
    "clamp(sine, 1, -1)", "abs(temperature_celsius)", "ceil(sine * 10)", "floor(sine * 10)", "round(sine, 0.25)", "round(temperature_celsius)",
    "exp(sine)", "ln(queue_depth)", "log2(queue_depth + 1)", "log10(constant)", "sqrt(temperature_celsius)", "sgn(sine)",
    "sin(sine)", "cos(sine)", "tan(sine)", "asin(sine)", "acos(sine * 2)", "atan(sine)", "sinh(sine)", "cosh(sine)", "tanh(sine)",
    "asinh(sine)", "acosh(constant)", "atanh(sine)", "deg(sine)", "rad(constant)", "pi()",
    "hour()", "minute(process_start_time_seconds)", "day_of_week()", "day_of_month(vector(time()))", "day_of_year()", "days_in_month()",
    "month()", "year(vector(1e9))", "hour(timestamp(up))",
    "vector(time())", "scalar(constant)", "scalar(up)", "vector(scalar(sine))", "1 + 2 * 3 ^ 2 % 5", "-1 ^ 2", "1 == bool 2", "5 > bool 3",
    "sine > 0", "sine > bool 0", "0 < sine", "sine != sine", "sine == sine", "constant >= 42", "constant <= bool 41", "2 ^ sine", "sine % 0.3",
    "constant / 0", "-constant / 0", "0 / (constant - 42)", "sine atan2 constant", "-sine", "+sine", "sine * on () constant",
    # Sets.
    "up == 1 and on (job, instance) queue_depth > 10", "up unless on (instance) (queue_depth > 25)",
    "sum by (job) (up) or sum by (job) (constant)", "late or early or constant", "sine and late", "constant unless late",
    "vector(0) or up{job=\"none\"}", "absent(late)", "absent(sine)", "absent(up{job=\"none\",instance=~\".+\"})",
    "absent_over_time(late[5m])", "absent_over_time(nothing{a=\"b\"}[5m])", "absent(sum(nothing))", "present_over_time(early[1h])",
    # What alerts ask.
    "up{job=\"api\"} == 0", "sum by (job) (up == 0) / count by (job) (up) > 0.3", "changes(process_start_time_seconds[1h]) > 1",
    "sum by (job) (rate(http_requests_total{code=\"500\"}[5m])) / sum by (job) (rate(http_requests_total[5m])) > 0.05",
    "(sum(rate(http_requests_total{code=\"500\"}[1h])) / sum(rate(http_requests_total[1h])) > 0.01) and "
    "(sum(rate(http_requests_total{code=\"500\"}[5m])) / sum(rate(http_requests_total[5m])) > 0.01)",
    "histogram_quantile(0.99, sum by (le) (rate(http_request_duration_seconds_bucket[5m]))) > 0.5",
    "predict_linear(node_filesystem_avail_bytes[1h], 24 * 3600) < 0", "node_memory_MemAvailable_bytes / node_memory_MemTotal_bytes < 0.5",
    "increase(kube_pod_container_status_restarts_total[15m]) > 0", "delta(queue_depth[10m]) > 20", "deriv(queue_depth[10m]) > 0",
    "avg_over_time(up[10m]) < 0.9", "rate(deploys_total[2h]) > 0", "resets(http_requests_total{path=\"/\"}[6h]) > 0",
    "count(up == 1) < count(up)", "sum(up) / count(up) < 1", "stddev(rate(http_requests_total[5m])) > 1",
    "max(abs(sine - sine offset 10m)) > 0.1", "(queue_depth > 40) * 2", "sum(queue_depth) > sum(queue_depth offset 1h)",
    "avg(http_requests_total - http_requests_total offset 5m)", "sum(rate(http_requests_total[5m] offset 1h))",
    "sum(rate(http_requests_total[5m] @ end()))", "max_over_time(up[5m] @ start())", "rate(sine[5m] offset -2m)",
    # What is said beside an answer, and what has none.
    "rate(temperature_celsius[5m])", "increase(sine[5m])", "rate({__name__=~\"sine|constant\"}[5m])", "sum(rate(queue_depth[5m]))",
    "http_requests_total + on (job) up", "up * on (job) group_left () build_info", "label_replace(http_requests_total, \"code\", \"x\", \"code\", \".*\")",
    "http_requests_total * on (instance) http_requests_total", "up + on (instance) group_right () build_info", "sum({__name__=~\"sine|up\"})",
    "ceil({__name__=~\"sine|constant\"})", "label_replace(up, \"~\", \"x\", \"job\", \"(\")", "count_values(\"a b\", up)", "up[5m]", "\"text\"", "sum(",
    "rate(up)", "up{", "nofunction(up)", "sum by (job) up", "up +", "1 + \"a\"", "topk(up, sine)", "quantile(\"a\", sine)", "sine and 1",
]


def all_of_them():
    """Each once, in order."""
    return list(dict.fromkeys(SELECTORS + RATES + OVER_TIME + AGGREGATES + MORE))


class AtRandom:
    """Expressions that are well typed, of a bounded depth."""

    VECTORS = ["up", "sine", "queue_depth", "temperature_celsius", "http_requests_total{job=\"api\"}", "constant", "odd_values",
               "kube_pod_info", "http_requests_total", "build_info", "late", "early", "node_memory_MemAvailable_bytes", "only_nan"]
    WIDTHS = ["30s", "1m", "5m", "17m", "1h"]
    LABELS = ["job", "instance", "code", "pod", "kind", "version"]

    def __init__(self, seed):
        self.random = random.Random(seed)

    def vector(self, depth):
        pick = self.random.choice
        if depth <= 0:
            at = pick(["", "", "", "", " offset 3m", " offset -90s", " @ end()", " @ start() offset 1m"])
            return pick(self.VECTORS) + at
        kind = self.random.randrange(9)
        if kind == 0:
            function = pick(["abs", "ceil", "floor", "sgn", "exp", "sqrt", "timestamp", "sort", "absent", "round", "deg", "ln"])
            return f"{function}({self.vector(depth - 1)})"
        if kind in (1, 2):
            function = pick(["rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets", "avg_over_time",
                             "min_over_time", "max_over_time", "sum_over_time", "count_over_time", "last_over_time",
                             "stddev_over_time", "stdvar_over_time", "present_over_time", "absent_over_time"])
            return f"{function}({self.matrix(depth - 1)})"
        if kind == 3:
            return f"quantile_over_time({self.scalar()}, {self.matrix(depth - 1)})"
        if kind in (4, 5):
            op = pick(["sum", "avg", "min", "max", "count", "group", "stddev", "stdvar"])
            by = pick(["", " by", " without"])
            labels = f" ({', '.join(self.random.sample(self.LABELS, self.random.randrange(1, 3)))})" if by else ""
            return f"{op}{by}{labels} ({self.vector(depth - 1)})"
        if kind == 6:
            op = pick(["+", "-", "*", "/", "%", "^", ">", "<", "==", "!=", ">= bool", "atan2"])
            # What is left of a number that was computed hangs on its last digits, in which no two libraries agree.
            depth = 1 if op == "%" else depth
            return pick([f"({self.vector(depth - 1)} {op} {self.scalar()})", f"({self.scalar()} {op} {self.vector(depth - 1)})"])
        if kind == 7:
            op = pick(["+", "-", "*", "/", ">", "== bool", "and", "or", "unless"])
            on = pick(["", " on (job)", " on (instance)", " ignoring (code)", " on ()"])
            return f"({self.vector(depth - 1)} {op}{on} {self.vector(depth - 1)})"
        return pick([f"clamp({self.vector(depth - 1)}, 0, {self.scalar()})", f"vector({self.scalar()})",
                     f"quantile({self.scalar()}, {self.vector(depth - 1)})", f"label_replace({self.vector(depth - 1)}, \"a\", \"$1\", \"job\", \"(.).*\")",
                     f"histogram_quantile({self.scalar()}, rate(http_request_duration_seconds_bucket[{pick(self.WIDTHS)}]))"])

    def matrix(self, depth):
        width = self.random.choice(self.WIDTHS)
        if depth <= 0 or self.random.random() < 0.6:
            return f"{self.random.choice(self.VECTORS)}[{width}]"
        return f"{self.vector(depth - 1)}[{width}:{self.random.choice(['', '15s', '1m', '7m'])}]"

    def scalar(self):
        return self.random.choice(["0", "1", "0.5", "2", "-1", "100", "1e10", "0.99", "scalar(sine)", "time()", "NaN", "Inf"])

    def next(self):
        return self.vector(self.random.randrange(1, 4))
