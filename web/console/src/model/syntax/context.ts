// What is being written at a place in a query, so that what fits there can be offered.
import { type Language, lex, meaningful, type Token } from "./lexer.ts";

interface Written {
  /** What stands already of the word that is being written. */
  prefix: string;
  /** Where that word begins; what is chosen takes its place up to the caret. */
  from: number;
}

export type Context = Written &
  (
    | { what: "expression" }
    | { what: "label"; metric: string }
    | { what: "value"; metric: string; label: string; quote: string; isClosed: boolean }
    | { what: "grouping"; metric: string }
    | { what: "range" }
    /** LogQL: a stage after `|`. */
    | { what: "stage"; selector: string }
    | { what: "nothing" }
  );

const GROUPING = new Set(["by", "without", "on", "ignoring", "group_left", "group_right"]);
const MATCHING = new Set(["=", "!=", "=~", "!~"]);

/** Brackets that are open at the end of the pieces, with the piece before each. */
function openBrackets(tokens: readonly Token[]): { at: number; before: Token | undefined }[] {
  const open: { at: number; before: Token | undefined }[] = [];
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "open") {
      open.push({ at, before: tokens[at - 1] });
    } else if (token.kind === "close") {
      open.pop();
    }
  }
  return open;
}

/** Metrics that are named in a query, in order: names that no bracket or quote makes into something else. */
export function metricNames(text: string, language: Language): string[] {
  const tokens = meaningful(lex(text, language));
  const names: string[] = [];
  let labels = 0;
  let grouping = false;
  for (const [at, token] of tokens.entries()) {
    if (token.kind === "open") {
      const before = tokens[at - 1];
      if (token.text === "{") {
        labels += 1;
      }
      grouping ||= token.text === "(" && before !== undefined && GROUPING.has(before.text.toLowerCase());
    } else if (token.kind === "close") {
      labels -= token.text === "}" ? 1 : 0;
      grouping &&= token.text !== ")";
    } else if (token.kind === "name" && labels === 0 && !grouping && tokens[at + 1]?.text !== "(") {
      names.push(token.text);
    }
  }
  return names;
}

/** The stream selector that a pipeline at the end of these pieces belongs to, as it is written. */
function selectorOf(text: string, tokens: readonly Token[]): string {
  const close = tokens.findLastIndex(({ text: sign }) => sign === "}");
  const open = tokens.findLastIndex(({ text: sign }, at) => at < close && sign === "{");
  const [from, to] = [tokens[open]?.from, tokens[close]?.to];
  return from === undefined || to === undefined ? "" : text.slice(from, to);
}

/** What may be written at the caret. */
export function contextAt(text: string, caret: number, language: Language): Context {
  const all = lex(text.slice(0, caret), language);
  const last = all.at(-1);
  if (last?.kind === "comment") {
    return { what: "nothing", prefix: "", from: caret };
  }
  const isWord =
    last !== undefined && ["name", "keyword", "function"].includes(last.kind) && last.to === caret;
  const isString = last?.kind === "string" && last.isOpen;
  const tokens = meaningful(isWord || isString ? all.slice(0, -1) : all);
  const written = {
    prefix: isWord ? last.text : isString ? last.text.slice(1) : "",
    from: isWord ? last.from : isString ? last.from + 1 : caret,
  };
  const bracket = openBrackets(tokens).at(-1);
  const sign = bracket === undefined ? "" : tokens[bracket.at]?.text;
  if (sign === "{") {
    return inBraces(text, caret, tokens, bracket?.before, written, isString ? last : undefined);
  }
  if (isString) {
    return { what: "nothing", ...written };
  }
  if (sign === "[") {
    return { what: "range", ...written };
  }
  if (sign === "(" && bracket?.before !== undefined && GROUPING.has(bracket.before.text.toLowerCase())) {
    return { what: "grouping", metric: metricNames(text, language)[0] ?? "", ...written };
  }
  if (language.operators.includes("|=") && isStage(tokens)) {
    return { what: "stage", selector: selectorOf(text, tokens), ...written };
  }
  const before = tokens.at(-1);
  const isOperand = before !== undefined && ["name", "number", "close", "string"].includes(before.kind);
  return isOperand && written.prefix === ""
    ? { what: "nothing", ...written }
    : { what: "expression", ...written };
}

/** After a `|`, or within a stage that has not ended: a label filter's next part, say. */
function isStage(tokens: readonly Token[]): boolean {
  const before = tokens.at(-1);
  return before?.text === "|" || before?.text === "and" || before?.text === "or";
}

function inBraces(
  text: string,
  caret: number,
  tokens: readonly Token[],
  metric: Token | undefined,
  written: Written,
  string: Token | undefined,
): Context {
  const name = metric?.kind === "name" ? metric.text : "";
  const before = tokens.at(-1);
  const isAfterOperator = before !== undefined && MATCHING.has(before.text);
  if (string !== undefined) {
    const label = isAfterOperator ? (tokens.at(-2)?.text ?? "") : "";
    const quote = string.text[0] ?? '"';
    return { what: "value", metric: name, label, quote, isClosed: text[caret] === quote, ...written };
  }
  if (isAfterOperator) {
    const label = tokens.at(-2)?.text ?? "";
    return { what: "value", metric: name, label, quote: "", isClosed: false, ...written };
  }
  const isStart = before === undefined || before.kind === "comma" || before.text === "{";
  return isStart ? { what: "label", metric: name, ...written } : { what: "nothing", ...written };
}
