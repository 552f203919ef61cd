// Metrics as people know them: a histogram is one, however many series it is stored as.

export type MetricType = "counter" | "gauge" | "histogram" | "summary" | "info" | "stateset" | "unknown";

export interface Metric {
  /** Without `_bucket`, `_count`, `_sum` where it is a histogram or a summary. */
  name: string;
  type: MetricType;
  unit: string;
  help: string;
  /** The names under which its series are stored. */
  stored: string[];
}

export interface Description {
  type: string;
  unit: string;
  help: string;
}

const TYPES: readonly string[] = ["counter", "gauge", "histogram", "summary", "info", "stateset"];
const PARTS = ["_bucket", "_count", "_sum"];
const SUFFIX_UNITS: Record<string, string> = { seconds: "s", bytes: "bytes", ratio: "ratio", celsius: "°C" };

function typeOf(text: string): MetricType {
  const plain = text === "gaugehistogram" ? "histogram" : text;
  return TYPES.includes(plain) ? (plain as MetricType) : "unknown";
}

/** The unit that is told, or else the one that stands in the name. */
function unitFor(name: string, told: string): string {
  const word =
    name
      .replace(/_(total|info)$/, "")
      .split("_")
      .at(-1) ?? "";
  const unit = told !== "" ? told : word in SUFFIX_UNITS ? word : "";
  return SUFFIX_UNITS[unit] ?? unit;
}

/** The metrics that there are, in order of their names. */
export function metricsOf(names: readonly string[], described: ReadonlyMap<string, Description>): Metric[] {
  const present = new Set(names);
  const metrics = new Map<string, Metric>();
  for (const name of names) {
    const base = baseOf(name, present, described);
    const known = described.get(base) ?? described.get(base.replace(/_total$/, "")) ?? described.get(name);
    const found = metrics.get(base);
    if (found !== undefined) {
      found.stored.push(name);
      continue;
    }
    const told = typeOf(known?.type ?? "");
    metrics.set(base, {
      name: base,
      type: told !== "unknown" ? told : guessed(base, name),
      unit: unitFor(base, known?.unit ?? ""),
      help: known?.help ?? "",
      stored: [name],
    });
  }
  return [...metrics.values()].sort((a, b) => (a.name < b.name ? -1 : 1));
}

function baseOf(
  name: string,
  present: ReadonlySet<string>,
  described: ReadonlyMap<string, Description>,
): string {
  const part = PARTS.find((suffix) => name.endsWith(suffix));
  if (part === undefined || described.has(name)) {
    return name;
  }
  const base = name.slice(0, -part.length);
  const type = typeOf(described.get(base)?.type ?? "");
  const isTold = type === "histogram" || type === "summary";
  return isTold || (present.has(`${base}_count`) && present.has(`${base}_sum`)) ? base : name;
}

/** Where nobody has told the type, the name's ending does. */
function guessed(base: string, stored: string): MetricType {
  if (base !== stored) {
    return "histogram";
  }
  return base.endsWith("_total") ? "counter" : base.endsWith("_info") ? "info" : "unknown";
}

export function isClassic({ stored }: Metric): boolean {
  return stored.some((name) => name.endsWith("_bucket"));
}

/** The query that most want of a metric, restricted by a selector such as `{job="api"}`. */
export function queryFor(metric: Metric, selector = ""): string {
  const { name, type } = metric;
  switch (type) {
    case "counter":
      return `rate(${name}${selector}[1m])`;
    case "histogram":
      return isClassic(metric)
        ? `histogram_quantile(0.95, sum by (le) (rate(${name}_bucket${selector}[1m])))`
        : `histogram_quantile(0.95, sum(rate(${name}${selector}[1m])))`;
    case "summary":
      return metric.stored.includes(name) ? `${name}${selector}` : `rate(${name}_count${selector}[1m])`;
    default:
      return `${name}${selector}`;
  }
}

/** Metrics with all of the words in name or help, those with the word in their name first. */
export function findMetrics(metrics: readonly Metric[], text: string, type: string): Metric[] {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const ofType = type === "" ? metrics : metrics.filter((metric) => metric.type === type);
  if (words.length === 0) {
    return [...ofType];
  }
  const inName: Metric[] = [];
  const inHelp: Metric[] = [];
  for (const metric of ofType) {
    const name = metric.name.toLowerCase();
    const all = `${name} ${metric.help.toLowerCase()}`;
    if (words.every((word) => name.includes(word))) {
      inName.push(metric);
    } else if (words.every((word) => all.includes(word))) {
      inHelp.push(metric);
    }
  }
  return [...inName, ...inHelp];
}
