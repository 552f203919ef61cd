// The words of LogQL, as Loki's documentation names them.
import type { Described, Vocabulary } from "./complete.ts";
import { describedFrom } from "./promql.ts";

const FUNCTIONS = `
rate({…}[range]) rate_counter({…} unwrap[range]) count_over_time({…}[range]) bytes_rate({…}[range])
bytes_over_time({…}[range]) absent_over_time({…}[range]) sum_over_time({…} unwrap[range])
avg_over_time({…} unwrap[range]) max_over_time({…} unwrap[range]) min_over_time({…} unwrap[range])
first_over_time({…} unwrap[range]) last_over_time({…} unwrap[range]) stdvar_over_time({…} unwrap[range])
stddev_over_time({…} unwrap[range]) quantile_over_time(φ, {…} unwrap[range])
sum(v) avg(v) max(v) min(v) count(v) stddev(v) stdvar(v) topk(k, v) bottomk(k, v) approx_topk(k, v) sort(v)
sort_desc(v) vector(s) label_replace(v, dst, replacement, src, regex)`;

const WORDS: readonly Described[] = [
  { name: "by", detail: "keep these labels" },
  { name: "without", detail: "drop these labels" },
  { name: "on", detail: "match on these labels" },
  { name: "ignoring", detail: "match on all but these" },
  { name: "group_left", detail: "many to one" },
  { name: "group_right", detail: "one to many" },
  { name: "and", detail: "both" },
  { name: "or", detail: "either" },
  { name: "unless", detail: "what is not on the right" },
  { name: "offset", detail: "look back from then" },
  { name: "bool", detail: "0 or 1 instead of a filter" },
];

const STAGES: readonly Described[] = [
  { name: "json", detail: "fields of JSON" },
  { name: "logfmt", detail: "fields of logfmt" },
  { name: "pattern", detail: "fields by a pattern" },
  { name: "regexp", detail: "fields by a regular expression" },
  { name: "unpack", detail: "what was packed" },
  { name: "line_format", detail: "write the line anew" },
  { name: "label_format", detail: "rename or write labels" },
  { name: "unwrap", detail: "a field as the sample" },
  { name: "decolorize", detail: "without colour codes" },
  { name: "drop", detail: "without these labels" },
  { name: "keep", detail: "only these labels" },
];

const described = describedFrom(FUNCTIONS);

export const LOGQL: Vocabulary = {
  described,
  words: WORDS,
  stages: STAGES,
  functions: new Set(described.map(({ name }) => name)),
  keywords: new Set([...WORDS, ...STAGES].map(({ name }) => name)),
  operators: [
    "|=",
    "|~",
    "|>",
    "!=",
    "!~",
    "!>",
    "=~",
    "==",
    ">=",
    "<=",
    "|",
    "=",
    ">",
    "<",
    "+",
    "-",
    "*",
    "/",
    "%",
    "^",
  ],
};
