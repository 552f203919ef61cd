"""Reads scripts in Prometheus' language for tests of PromQL (promql/promqltest/README.md there): `load`, `clear`
and `eval`. What is done with them is not known here."""

import math
import re

STALE = "stale"
UNITS = {"ms": 1, "s": 1_000, "m": 60_000, "h": 3_600_000, "d": 86_400_000, "w": 604_800_000, "y": 31_536_000_000}
CUSTOM = -53


class Wrong(Exception):
    """What is no script, or says what a server cannot be told."""


def duration_ms(text):
    parts = re.findall(r"(\d+)(ms|[smhdwy])", text)
    if "".join(number + unit for number, unit in parts) != text:
        if re.fullmatch(r"\d+(\.\d+)?", text):
            return round(float(text) * 1_000)
        raise Wrong(f"no duration: {text!r}")
    return sum(int(number) * UNITS[unit] for number, unit in parts)


class Histogram:
    """A native histogram: counts by index, above zero and below."""

    HINTS = {"unknown": 0, "reset": 1, "not_reset": 2, "gauge": 3}

    def __init__(self, schema=0, bounds=()):
        self.schema, self.bounds, self.hint = schema, list(bounds), 0
        self.count = self.sum = self.zero = self.width = 0.0
        self.positive, self.negative = {}, {}

    @classmethod
    def read(cls, text):
        own, begin, counts = cls(), {"": 0, "n_": 0}, {"": [], "n_": []}
        for key, value in re.findall(r"(\w+):\s*(\[[^\]]*\]|\S+)", text):
            numbers = lambda: [float(it) for it in value.strip("[]").split()]
            if key in ("schema",):
                own.schema = int(value)
            elif key in ("sum", "count"):
                setattr(own, key, float(value))
            elif key == "z_bucket":
                own.zero = float(value)
            elif key == "z_bucket_w":
                own.width = float(value)
            elif key == "custom_values":
                own.bounds = numbers()
            elif key in ("buckets", "n_buckets"):
                counts[key[:-7]] = numbers()
            elif key in ("offset", "n_offset"):
                begin[key[:-6]] = int(value)
            elif key == "counter_reset_hint":
                own.hint = cls.HINTS[value]
            else:
                raise Wrong(f"no part of a histogram: {key!r}")
        own.positive = {begin[""] + at: count for at, count in enumerate(counts[""])}
        own.negative = {begin["n_"] + at: count for at, count in enumerate(counts["n_"])}
        return own

    def plus(self, other, sign):
        """The sum, in this one's resolution, which must not be the finer one."""
        if (self.width, self.bounds) != (other.width, other.bounds) or self.schema > other.schema:
            raise Wrong("histograms of another form")
        out = Histogram(self.schema, self.bounds)
        out.width, out.hint = self.width, self.hint
        for part in ("count", "sum", "zero"):
            setattr(out, part, getattr(self, part) + sign * getattr(other, part))
        shift = other.schema - self.schema
        for part in ("positive", "negative"):
            counts = dict(getattr(self, part))
            for index, count in getattr(other, part).items():
                index = ((index - 1) >> shift) + 1 if shift else index
                counts[index] = counts.get(index, 0.0) + sign * count
            setattr(out, part, counts)
        return out

    def bound(self, index):
        """The upper bound of a bucket above zero."""
        if self.schema == CUSTOM:
            return -math.inf if index < 0 else self.bounds[index] if index < len(self.bounds) else math.inf
        try:
            return 2.0 ** (index * 2.0 ** -self.schema)
        except OverflowError:
            return math.inf

    def told(self):
        """Buckets as the API tells them: lower and upper bound, count."""
        clamp = lambda value: max(value, self.width) if value > 0 else value
        below = [(-self.bound(at), -clamp(self.bound(at - 1)), count) for at, count in sorted(self.negative.items(), reverse=True)]
        above = [(clamp(self.bound(at - 1)), self.bound(at), count) for at, count in sorted(self.positive.items())]
        middle = [(-self.width, self.width, self.zero)] if self.zero > 0 else []
        return [bucket for bucket in below + middle + above if bucket[2] != 0]


NUMBER = r"(?:\d+\.?\d*(?:[eE][+-]?\d+)?|\.\d+(?:[eE][+-]?\d+)?|[iI]nf|[nN]a[nN])"
ITEM = re.compile(rf"(?:(?P<gap>_)|(?P<stale>stale)|(?P<value>[+-]?{NUMBER})(?P<step>[+-]{NUMBER}(?=x))?|"
                  r"\{\{(?P<of>.*?)\}\}(?:(?P<sign>[+-])\{\{(?P<by>.*?)\}\})?)(?:x(?P<times>\d+))?(?=\s|$)")


def number(text):
    return float(text)


def values(text):
    """What follows a series: numbers, histograms, `stale`, `None` for a gap."""
    out, at = [], 0
    while at < len(text):
        if text[at].isspace():
            at += 1
            continue
        item = ITEM.match(text, at)
        if not item:
            raise Wrong(f"no values: {text[at:at + 40]!r}")
        at, times = item.end(), int(item["times"] or 0)
        if item["gap"]:
            out += [None] * max(times, 1)
        elif item["stale"]:
            out += [STALE] * (times + 1)
        elif item["of"] is not None:
            value = Histogram.read(item["of"])
            step = Histogram.read(item["by"]) if item["by"] is not None else None
            for _ in range(times + 1):
                out.append(value)
                value = value.plus(step, 1 if item["sign"] == "+" else -1) if step else value
        else:
            value, step = number(item["value"]), number(item["step"] or "0")
            for _ in range(times + 1):
                out.append(value)
                value += step
    return out


ESCAPES = {"n": "\n", "t": "\t", "r": "\r", "\\": "\\", '"': '"', "'": "'", "a": "\a", "b": "\b", "f": "\f", "v": "\v"}


def string(text, at):
    """The string that begins there, and where it ends."""
    quote, out, at = text[at], "", at + 1
    while text[at] != quote:
        if text[at] == "\\" and quote != "`":
            kind = text[at + 1]
            if kind in ESCAPES:
                out, at = out + ESCAPES[kind], at + 2
                continue
            width = {"x": 2, "u": 4, "U": 8}.get(kind)
            if width is None or kind == "x" and int(text[at + 2:at + 4], 16) > 127:
                raise Wrong("bytes that are no text cannot be sent")
            out, at = out + chr(int(text[at + 2:at + 2 + width], 16)), at + 2 + width
        else:
            out, at = out + text[at], at + 1
    return out, at + 1


def metric(line):
    """The labels at the beginning of a line, and the rest."""
    labels = {}
    name = re.match(r"[a-zA-Z_:][a-zA-Z0-9_:]*", line)
    at = name.end() if name else 0
    if name:
        labels["__name__"] = name.group()
    rest = line[at:].lstrip()
    if rest.startswith("{") and not rest.startswith("{{"):
        at = len(line) - len(rest) + 1
        while line[at] != "}":
            if line[at] in " \t,":
                at += 1
                continue
            if line[at] in "\"'`":
                key, at = string(line, at)
            else:
                found = re.compile(r"[a-zA-Z_][a-zA-Z0-9_:]*").match(line, at)
                if not found:
                    raise Wrong(f"no label: {line!r}")
                key, at = found.group(), found.end()
            at += len(line[at:]) - len(line[at:].lstrip())
            if line[at] == "=":
                at += 1 + len(line[at + 1:]) - len(line[at + 1:].lstrip())
                labels[key], at = string(line, at)
            else:
                labels["__name__"] = key
        rest = line[at + 1:]
    elif not name:
        raise Wrong(f"no series: {line!r}")
    return {key: value for key, value in labels.items() if value}, rest


class Load:
    def __init__(self, line, lines):
        words = line.split()
        self.step_ms = duration_ms(words[1])
        self.series = []
        for text in lines:
            labels, rest = metric(text)
            if "@st" in rest:
                raise Wrong("times of a start cannot be sent")
            self.series.append((labels, values(rest)))
        # Of two lines for one series the later one counts.
        self.series = list({tuple(sorted(labels.items())): (labels, points) for labels, points in self.series}.values())
        if words[0] == "load_with_nhcb":
            self.series += custom_buckets(self.series)


def custom_buckets(series):
    """The histograms with listed bounds that classic ones make."""
    groups = {}
    for labels, points in series:
        name = labels["__name__"]
        for ending in ("_bucket", "_sum", "_count"):
            if name.endswith(ending):
                key = {**labels, "__name__": name[:-len(ending)]}
                bound = key.pop("le", None)
                group = groups.setdefault(tuple(sorted(key.items())), {})
                group[float(bound) if ending == "_bucket" else ending] = points
    out = []
    for key, group in groups.items():
        bounds = sorted(it for it in group if isinstance(it, float))
        if not bounds:
            continue
        points = []
        for step in range(max(map(len, group.values()))):
            at = lambda of: group[of][step] if of in group and step < len(group[of]) else None
            counts = [at(bound) for bound in bounds]
            if any(not isinstance(it, float) for it in counts):
                points.append(None)
                continue
            made = Histogram(CUSTOM, [bound for bound in bounds if bound != math.inf])
            made.count = at("_count") if isinstance(at("_count"), float) else counts[-1]
            made.sum = at("_sum") if isinstance(at("_sum"), float) else 0.0
            before = 0.0
            for index, count in enumerate(counts):
                made.positive[index], before = count - before, count
            if bounds[-1] != math.inf and made.count > before:
                made.positive[len(bounds)] = made.count - before
            points.append(made)
        out.append((dict(key), points))
    return out


EVAL = re.compile(r"eval(?:_(fail|warn|ordered|info))?\s+(?:instant\s+at\s+(\S+)|range\s+from\s+(\S+)\s+to\s+(\S+)\s+step\s+(\S+))\s+(.+)", re.S)


class Eval:
    def __init__(self, line, lines):
        found = EVAL.fullmatch(line)
        if not found:
            raise Wrong(f"no eval: {line!r}")
        old, at, start, end, step, self.query = found.groups()
        self.is_range = at is None
        self.start_ms, self.end_ms, self.step_ms = (
            (duration_ms(start), duration_ms(end), duration_ms(step)) if self.is_range else (duration_ms(at), duration_ms(at), 0))
        self.expected, self.scalar, self.string, self.points = [], None, None, None
        self.is_ordered, self.fails, self.notes = old == "ordered", [("", "")] if old == "fail" else [], []
        if old in ("warn", "info"):
            self.notes.append((old, "", ""))
        for text in lines:
            self.line(text)

    def line(self, text):
        said = re.match(r"expect\s+(\w+)(?:\s+(.*))?$", text, re.S)
        if text.startswith("expected_fail_"):
            kind, rest = text.split(None, 1)
            self.fails.append(("msg" if kind.endswith("message") else "regex", rest.strip()))
        elif said:
            self.expect(said[1], said[2] or "")
        elif re.fullmatch(rf"[+-]?(?:{NUMBER}|0x[0-9a-fA-F]+)", text):
            self.scalar = float(int(text, 16)) if "0x" in text else number(text)
        else:
            labels, rest = metric(text)
            self.expected.append((labels, values(rest)))

    def expect(self, kind, rest):
        how = re.match(r"(msg|regex):\s*(.*)$", rest, re.S)
        text = how[2].strip() if how else ""
        how = (how[1], text[1:-1] if len(text) > 1 and text[0] == text[-1] == '"' else text) if how else ("", "")
        if kind == "fail":
            self.fails.append(how)
        elif kind == "ordered":
            self.is_ordered = True
        elif kind == "string":
            self.string = string(rest, 0)[0]
        elif kind == "range":
            start, end, step = re.match(r"vector from (\S+) to (\S+) step (\S+)", rest).groups()
            self.points = duration_ms(start), duration_ms(end), duration_ms(step)
        elif kind in ("warn", "info", "no_warn", "no_info"):
            self.notes.append((kind, *how))
        else:
            raise Wrong(f"expect {kind} is not known")


def commands(text):
    """The commands of a script, each with the number of its line; `None` for `clear`."""
    lines = [(at, line.strip()) for at, line in enumerate(text.split("\n"), 1)]
    lines = [(at, line) for at, line in lines if not line.startswith("#")]
    position = 0
    while position < len(lines):
        at, line = lines[position]
        position += 1
        if not line:
            continue
        if line == "clear":
            yield at, None
            continue
        below = []
        while position < len(lines) and lines[position][1] and not re.match(r"(load|clear|eval)", lines[position][1]):
            below.append(lines[position][1])
            position += 1
        if line.startswith("load"):
            yield at, lambda line=line, below=below: Load(line, below)
        elif line.startswith("eval"):
            yield at, lambda line=line, below=below: Eval(line, below)
        elif line != "ignore" and line != "resume":
            yield at, lambda line=line: (_ for _ in ()).throw(Wrong(f"no command: {line!r}"))
