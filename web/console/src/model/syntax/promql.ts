// The words of PromQL, as Prometheus' documentation names them.
import type { Described, Vocabulary } from "./complete.ts";

/** `name(arguments)` a line; for aggregations without the grouping that may stand before or after. */
const FUNCTIONS = `
abs(v) absent(v) absent_over_time(v[range]) acos(v) acosh(v) asin(v) asinh(v) atan(v) atanh(v)
avg_over_time(v[range]) ceil(v) changes(v[range]) clamp(v, min, max) clamp_max(v, max) clamp_min(v, min)
cos(v) cosh(v) count_over_time(v[range]) day_of_month(v) day_of_week(v) day_of_year(v) days_in_month(v)
deg(v) delta(v[range]) deriv(v[range]) double_exponential_smoothing(v[range], sf, tf) exp(v)
first_over_time(v[range]) floor(v) histogram_avg(v) histogram_count(v) histogram_fraction(lower, upper, v)
histogram_quantile(φ, v) histogram_stddev(v) histogram_stdvar(v) histogram_sum(v) hour(v)
idelta(v[range]) increase(v[range]) info(v, {selector}) integral(v[range], strategy) irate(v[range])
label_join(v, dst, separator, src, …) label_replace(v, dst, replacement, src, regex) last_over_time(v[range])
ln(v) log10(v) log2(v)
mad_over_time(v[range]) max_over_time(v[range]) min_over_time(v[range]) minute(v) month(v) pi()
predict_linear(v[range], seconds) present_over_time(v[range]) quantile_over_time(φ, v[range]) rad(v)
rate(v[range]) resets(v[range]) round(v, to) scalar(v) sgn(v) sin(v) sinh(v) sort(v)
sort_by_label(v, label, …) sort_by_label_desc(v, label, …) sort_desc(v) sqrt(v) stddev_over_time(v[range])
stdvar_over_time(v[range]) sum_over_time(v[range]) tan(v) tanh(v) time() timestamp(v)
ts_of_first_over_time(v[range]) ts_of_last_over_time(v[range]) ts_of_max_over_time(v[range])
ts_of_min_over_time(v[range]) vector(s) year(v)
avg(v) bottomk(k, v) count(v) count_values(label, v) group(v) limitk(k, v) limit_ratio(r, v) max(v) min(v)
quantile(φ, v) stddev(v) stdvar(v) sum(v) topk(k, v)`;

const WORDS: readonly Described[] = [
  { name: "by", detail: "keep these labels" },
  { name: "without", detail: "drop these labels" },
  { name: "on", detail: "match on these labels" },
  { name: "ignoring", detail: "match on all but these" },
  { name: "group_left", detail: "many to one" },
  { name: "group_right", detail: "one to many" },
  { name: "and", detail: "what is on both sides" },
  { name: "or", detail: "what is on either side" },
  { name: "unless", detail: "what is not on the right" },
  { name: "offset", detail: "look back from then" },
  { name: "bool", detail: "0 or 1 instead of a filter" },
  { name: "atan2", detail: "an operator" },
  { name: "inf", detail: "a number" },
  { name: "nan", detail: "a number" },
];

/** Cuts the table above into names and their signatures. */
export function describedFrom(table: string): Described[] {
  return [...table.matchAll(/([a-z0-9_]+)(\([^)]*\))/g)].map(([, name = "", detail = ""]) => ({
    name,
    detail,
  }));
}

const described = describedFrom(FUNCTIONS);

export const PROMQL: Vocabulary = {
  described,
  words: WORDS,
  stages: [],
  functions: new Set(described.map(({ name }) => name)),
  keywords: new Set(WORDS.map(({ name }) => name)),
  operators: ["==", "!=", "=~", "!~", ">=", "<=", "=", ">", "<", "+", "-", "*", "/", "%", "^", "@", ":"],
};
