// Cuts a query of PromQL or LogQL into pieces: enough to colour it, to know what is being written at a place,
// and to change it with care. It takes any text and judges none: what is wrong the server says.

export type Kind =
  | "space"
  | "comment"
  | "string"
  | "number"
  | "duration"
  | "name"
  | "keyword"
  | "function"
  | "operator"
  | "open"
  | "close"
  | "comma"
  | "other";

export interface Token {
  kind: Kind;
  text: string;
  /** Its place in the text. */
  from: number;
  to: number;
  /** A string without its closing quote. */
  isOpen: boolean;
}

export interface Language {
  functions: ReadonlySet<string>;
  keywords: ReadonlySet<string>;
  /** Longest first. */
  operators: readonly string[];
}

const SPACE = /\s+/y;
const COMMENT = /#[^\n]*/y;
const DURATION = /\d+(\.\d+)?(ns|us|µs|ms|[smhdwy])(\d+(\.\d+)?(ns|us|µs|ms|[smhdwy]))*(?![\w.])/y;
const NUMBER = /(0x[0-9a-fA-F]+|\d+(\.\d*)?([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?)/y;
const NAME = /[A-Za-z_:][A-Za-z0-9_:]*/y;

function matchAt(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

/** The end of a string that begins at `at`, and whether it lacks its closing quote. */
function stringEnd(text: string, at: number): { to: number; isOpen: boolean } {
  const quote = text[at];
  for (let to = at + 1; to < text.length; to += 1) {
    if (text[to] === "\\" && quote !== "`") {
      to += 1;
    } else if (text[to] === quote) {
      return { to: to + 1, isOpen: false };
    }
  }
  return { to: text.length, isOpen: true };
}

function wordKind(word: string, language: Language): Kind {
  const lower = word.toLowerCase();
  if (language.keywords.has(lower)) {
    return "keyword";
  }
  return language.functions.has(lower) ? "function" : "name";
}

/** The piece that begins at `at`. */
function tokenAt(text: string, at: number, language: Language): Token {
  const sign = text[at] ?? "";
  const piece = (kind: Kind, length: number): Token => ({
    kind,
    text: text.slice(at, at + length),
    from: at,
    to: at + length,
    isOpen: false,
  });
  if (sign === '"' || sign === "'" || sign === "`") {
    const { to, isOpen } = stringEnd(text, at);
    return { ...piece("string", to - at), isOpen };
  }
  for (const [kind, pattern] of [
    ["space", SPACE],
    ["comment", COMMENT],
    ["duration", DURATION],
    ["number", NUMBER],
  ] as const) {
    const found = matchAt(pattern, text, at);
    if (found !== undefined) {
      return piece(kind, found.length);
    }
  }
  const word = matchAt(NAME, text, at);
  if (word !== undefined) {
    return piece(wordKind(word, language), word.length);
  }
  if ("([{".includes(sign)) {
    return piece("open", 1);
  }
  if (")]}".includes(sign)) {
    return piece("close", 1);
  }
  if (sign === ",") {
    return piece("comma", 1);
  }
  const operator = language.operators.find((candidate) => text.startsWith(candidate, at));
  return operator === undefined ? piece("other", 1) : piece("operator", operator.length);
}

/** All pieces; together they are the text. */
export function lex(text: string, language: Language): Token[] {
  const tokens: Token[] = [];
  for (let at = 0; at < text.length; ) {
    const token = tokenAt(text, at, language);
    tokens.push(token);
    at = token.to;
  }
  return tokens;
}

/** The pieces that mean something. */
export function meaningful(tokens: readonly Token[]): Token[] {
  return tokens.filter(({ kind }) => kind !== "space" && kind !== "comment");
}
