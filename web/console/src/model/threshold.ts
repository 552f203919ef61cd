// What an alert's expression compares, taken apart for drawing: the series, and the line they must not cross.
// `a > 0.5` is `a` and a line at 0.5; `(a > 1) and (b > 2)` is two such. What cannot be taken apart with
// certainty is left whole: it is drawn as it is, without a line.
import { lex, meaningful, type Token } from "./syntax/lexer.ts";
import { PROMQL } from "./syntax/promql.ts";

export interface Compared {
  /** What to draw. */
  query: string;
  threshold: { value: number; operator: string } | undefined;
}

const COMPARISONS = new Set([">", "<", ">=", "<=", "==", "!="]);
const JOINS = new Set(["and", "or", "unless"]);
const FLIPPED: Record<string, string> = { ">": "<", "<": ">", ">=": "<=", "<=": ">=" };
const MATCHING = new Set(["bool", "on", "ignoring", "group_left", "group_right"]);
const PARTS_MAX = 4;
const DEPTH_MAX = 40;

/** The pieces without brackets that enclose all of them. */
function bare(tokens: readonly Token[]): readonly Token[] {
  let inner = tokens;
  while (inner[0]?.text === "(" && closeOf(inner, 0) === inner.length - 1) {
    inner = inner.slice(1, -1);
  }
  return inner;
}

function closeOf(tokens: readonly Token[], open: number): number {
  let depth = 0;
  for (let at = open; at < tokens.length; at += 1) {
    depth += tokens[at]?.kind === "open" ? 1 : tokens[at]?.kind === "close" ? -1 : 0;
    if (depth === 0) {
      return at;
    }
  }
  return -1;
}

/** Places of pieces outside all brackets for which it holds. */
function outermost(tokens: readonly Token[], holds: (token: Token) => boolean): number[] {
  const places: number[] = [];
  let depth = 0;
  for (const [at, token] of tokens.entries()) {
    depth += token.kind === "open" ? 1 : token.kind === "close" ? -1 : 0;
    if (depth === 0 && holds(token)) {
      places.push(at);
    }
  }
  return places;
}

/** Skips `bool`, `on (…)` and their like after an operator. */
function afterMatching(tokens: readonly Token[], from: number): number {
  let at = from;
  while (MATCHING.has(tokens[at]?.text.toLowerCase() ?? "")) {
    at = tokens[at + 1]?.text === "(" && tokens[at]?.text !== "bool" ? closeOf(tokens, at + 1) + 1 : at + 1;
    if (at <= 0) {
      return tokens.length;
    }
  }
  return at;
}

class Arithmetic {
  private at = 0;

  constructor(private readonly tokens: readonly Token[]) {}

  /** The number that the pieces come to; nothing when they are not a number's. */
  static of(tokens: readonly Token[]): number | undefined {
    const reading = new Arithmetic(tokens);
    const value = tokens.length === 0 ? undefined : reading.sum(0);
    return reading.at === tokens.length && value !== undefined && Number.isFinite(value) ? value : undefined;
  }

  private peek(): string {
    return this.tokens[this.at]?.text ?? "";
  }

  private sum(depth: number): number | undefined {
    return this.chain(["+", "-"], () => this.product(depth));
  }

  private product(depth: number): number | undefined {
    return this.chain(["*", "/", "%"], () => this.power(depth));
  }

  private chain(signs: readonly string[], next: () => number | undefined): number | undefined {
    let value = next();
    while (value !== undefined && signs.includes(this.peek())) {
      const sign = this.peek();
      this.at += 1;
      const right = next();
      value = right === undefined ? undefined : apply(sign, value, right);
    }
    return value;
  }

  private power(depth: number): number | undefined {
    const base = this.one(depth);
    if (base === undefined || this.peek() !== "^") {
      return base;
    }
    this.at += 1;
    const exponent = depth < DEPTH_MAX ? this.power(depth + 1) : undefined;
    return exponent === undefined ? undefined : base ** exponent;
  }

  private one(depth: number): number | undefined {
    const token = this.tokens[this.at];
    if (token === undefined || depth > DEPTH_MAX) {
      return undefined;
    }
    this.at += 1;
    if (token.kind === "number") {
      return Number(token.text);
    }
    if (token.text === "-" || token.text === "+") {
      // A sign binds less than a power: -2 ^ 2 is -4.
      const value = this.power(depth + 1);
      return value === undefined ? undefined : token.text === "-" ? -value : value;
    }
    if (token.text !== "(") {
      return undefined;
    }
    const value = this.sum(depth + 1);
    const isClosed = this.peek() === ")";
    this.at += 1;
    return isClosed ? value : undefined;
  }
}

function apply(sign: string, left: number, right: number): number {
  switch (sign) {
    case "+":
      return left + right;
    case "-":
      return left - right;
    case "*":
      return left * right;
    case "/":
      return left / right;
    default:
      return left % right;
  }
}

function textOf(text: string, tokens: readonly Token[]): string {
  const [first, last] = [tokens[0], tokens.at(-1)];
  return first === undefined || last === undefined ? "" : text.slice(first.from, last.to);
}

function comparedIn(text: string, tokens: readonly Token[]): Compared {
  const inner = bare(tokens);
  const [place, ...more] = outermost(inner, (token) => COMPARISONS.has(token.text));
  if (place === undefined || more.length > 0) {
    return { query: textOf(text, inner), threshold: undefined };
  }
  const operator = inner[place]?.text ?? "";
  const left = inner.slice(0, place);
  const right = inner.slice(afterMatching(inner, place + 1));
  const limit = Arithmetic.of(right);
  if (limit !== undefined) {
    return { query: textOf(text, bare(left)), threshold: { value: limit, operator } };
  }
  const first = Arithmetic.of(left);
  if (first !== undefined) {
    const threshold = { value: first, operator: FLIPPED[operator] ?? operator };
    return { query: textOf(text, bare(right)), threshold };
  }
  return { query: textOf(text, bare(left)), threshold: undefined };
}

/** The parts of an expression that are compared with something, as they are to be drawn. */
export function comparedParts(text: string): Compared[] {
  const tokens = bare(meaningful(lex(text, PROMQL)));
  const joins = outermost(tokens, (token) => JOINS.has(token.text.toLowerCase()));
  const parts: Compared[] = [];
  let from = 0;
  for (const place of [...joins, tokens.length]) {
    const part = tokens.slice(from, place);
    if (part.length > 0) {
      parts.push(comparedIn(text, part));
    }
    from = afterMatching(tokens, place + 1);
  }
  const [first] = parts;
  if (first === undefined || parts.length > PARTS_MAX) {
    return [{ query: text, threshold: undefined }];
  }
  const seen = new Set<string>();
  return parts.filter(({ query, threshold }) => {
    const key = `${query} ${threshold?.value}`;
    const isNew = !seen.has(key);
    seen.add(key);
    return isNew && query !== "";
  });
}
