// Changes to a query of LogQL that keep the rest of it as it is written.
import { type FieldKind, fieldName } from "../logs.ts";
import { quoted } from "../samples.ts";
import { lex, meaningful, type Token } from "./lexer.ts";
import { LOGQL } from "./logql.ts";

/** Whether a query gives numbers, not lines: lines are asked for by a selector that nothing is around. */
export function isMetricQuery(query: string): boolean {
  const first = meaningful(lex(query, LOGQL)).find(({ text }) => text !== "(");
  return first !== undefined && first.text !== "{";
}

export type Sign = "=" | "!=";

interface Matcher {
  name: string;
  operator: string;
  value: string;
  /** Places in the query, from the name to the end of the value. */
  from: number;
  to: number;
}

function unquoted(text: string): string {
  if (text.startsWith("`")) {
    return text.slice(1, -1);
  }
  try {
    return String(JSON.parse(text.startsWith('"') ? text : `"${text.slice(1, -1)}"`));
  } catch {
    return text.slice(1, -1);
  }
}

/** The first selector: the places of its braces and what is between them. */
export function selectorIn(query: string): { open: Token; close: Token; matchers: Matcher[] } | undefined {
  const tokens = meaningful(lex(query, LOGQL));
  const at = tokens.findIndex(({ text }) => text === "{");
  const end = tokens.findIndex(({ text }, index) => index > at && text === "}");
  const [open, close] = [tokens[at], tokens[end]];
  if (at < 0 || open === undefined || close === undefined) {
    return undefined;
  }
  const matchers: Matcher[] = [];
  for (let index = at + 1; index + 2 < end + 1; index += 4) {
    const [name, operator, value] = tokens.slice(index, index + 3);
    if (name !== undefined && operator !== undefined && value?.kind === "string") {
      matchers.push({
        name: name.text,
        operator: operator.text,
        value: unquoted(value.text),
        from: name.from,
        to: value.to,
      });
    }
  }
  return { open, close, matchers };
}

/** Filters of fields after the selector, each a stage of its own: `| key="value"`. */
function fieldFilters(query: string): Matcher[] {
  const tokens = meaningful(lex(query, LOGQL));
  const found: Matcher[] = [];
  for (const [at, bar] of tokens.entries()) {
    const [name, operator, value] = tokens.slice(at + 1, at + 4);
    const after = tokens[at + 4];
    const isAlone =
      after === undefined || after.text.startsWith("|") || after.text === "!=" || after.text === "!~";
    if (
      bar.text === "|" &&
      name !== undefined &&
      operator !== undefined &&
      value?.kind === "string" &&
      ["=", "!="].includes(operator.text) &&
      isAlone
    ) {
      found.push({
        name: name.text,
        operator: operator.text,
        value: unquoted(value.text),
        from: bar.from,
        to: value.to,
      });
    }
  }
  return found;
}

function cut(query: string, from: number, to: number, instead = ""): string {
  return `${query.slice(0, from)}${instead}${query.slice(to)}`.replaceAll(/[ \t]{2,}/g, " ").trim();
}

/** A filter within the braces, which the store can use to read less. */
function withLabel(query: string, name: string, sign: Sign, value: string): string {
  const selector = selectorIn(query);
  if (selector === undefined) {
    return `{${name}${sign}${quoted(value)}}`;
  }
  const { open, close, matchers } = selector;
  const text = `${name}${sign}${quoted(value)}`;
  const same = matchers.find(
    (matcher) =>
      matcher.name === name && (matcher.value === value || (sign === "=" && matcher.operator === "=")),
  );
  // "Any value" is what the narrower one takes the place of.
  const any = matchers.find(
    (matcher) => matcher.name === name && matcher.operator === "=~" && [".+", ".*"].includes(matcher.value),
  );
  const replaced = same ?? (sign === "=" ? any : undefined);
  if (replaced !== undefined) {
    return cut(query, replaced.from, replaced.to, text);
  }
  const isEmpty = matchers.length === 0 && query.slice(open.to, close.from).trim() === "";
  const before = query.slice(0, close.from).trimEnd();
  return `${before}${isEmpty || before.endsWith(",") ? "" : ", "}${text}${query.slice(close.from)}`;
}

function withField(query: string, name: string, sign: Sign, value: string): string {
  const text = `| ${name}${sign}${quoted(value)}`;
  const same = fieldFilters(query).find((filter) => filter.name === name && filter.value === value);
  if (same !== undefined) {
    return cut(query, same.from, same.to, text);
  }
  return `${query.trimEnd()} ${text}`;
}

/**
 * The query with a filter more: only lines with the value, or only those without. The opposite filter, if there
 * is one, gives way. A field that so far was only read here asks for the stage that finds it.
 */
export function withFilter(query: string, kind: FieldKind, key: string, sign: Sign, value: string): string {
  const name = fieldName(key);
  if (kind === "label") {
    return withLabel(query, name, sign, value);
  }
  const hasParser = meaningful(lex(query, LOGQL)).some(({ text }) => text === "json");
  const parsed = kind === "json" && !hasParser ? `${query.trimEnd()} | json` : query;
  return withField(parsed, name, sign, value);
}

/** Whether the query holds lines to this value, or keeps them from it. */
export function filterOf(query: string, key: string, value: string): Sign | undefined {
  const name = fieldName(key);
  const all = [...(selectorIn(query)?.matchers ?? []), ...fieldFilters(query)];
  const found = all.find(
    (matcher) => matcher.name === name && matcher.value === value && ["=", "!="].includes(matcher.operator),
  );
  return found?.operator as Sign | undefined;
}

/** The query without a filter of this value. */
export function withoutFilter(query: string, key: string, value: string): string {
  const name = fieldName(key);
  const field = fieldFilters(query).find((filter) => filter.name === name && filter.value === value);
  if (field !== undefined) {
    return cut(query, field.from, field.to);
  }
  const selector = selectorIn(query);
  const matcher = selector?.matchers.find((one) => one.name === name && one.value === value);
  if (selector === undefined || matcher === undefined) {
    return query;
  }
  if (selector.matchers.length === 1) {
    // A selector has to hold lines to something.
    return cut(query, matcher.from, matcher.to, `${name}=~".+"`);
  }
  const rest = selector.matchers
    .filter((one) => one !== matcher)
    .map(({ from, to }) => query.slice(from, to))
    .join(", ");
  return cut(query, selector.open.to, selector.close.from, rest);
}

const PARSERS = new Set(["json", "logfmt", "pattern", "regexp", "unpack", "unwrap"]);

/** How many lines there are by level, in steps. Lines that a stage could not read are counted with the others. */
export function volumeQuery(query: string, stepSeconds: number): string {
  const isParsed = meaningful(lex(query, LOGQL)).some(({ text }) => PARSERS.has(text));
  const lines = isParsed ? `${query} | drop __error__, __error_details__` : query;
  return `sum by (detected_level, level) (count_over_time(${lines} [${stepSeconds}s]))`;
}
