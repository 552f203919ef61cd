// Candidates for what is being written: which of the words that are known fit, best first.
import type { Context } from "./context.ts";
import type { Language } from "./lexer.ts";

export interface Candidate {
  /** As it is shown. */
  text: string;
  /** What is put in the place of what was written, where that is not the same. */
  insert?: string;
  /** How far back the caret goes from the end of what was inserted. */
  back?: number;
  kind: "function" | "keyword" | "metric" | "label" | "value" | "duration";
  /** A signature, a type, a word of help. */
  detail?: string;
  /** More is to be chosen right after: a value after a label. */
  goesOn?: boolean;
}

export interface Described {
  name: string;
  detail: string;
}

export interface Vocabulary extends Language {
  /** Functions with their signatures. */
  described: readonly Described[];
  /** Words that may stand where an expression does. */
  words: readonly Described[];
  /** Stages after a `|`; none in PromQL. */
  stages: readonly Described[];
}

export const CANDIDATES_MAX = 60;
const DURATIONS = ["30s", "1m", "5m", "10m", "30m", "1h", "6h", "1d"];

/** How well a word fits what was written: less is better, nothing when it does not. */
export function fit(word: string, prefix: string): number | undefined {
  if (prefix === "") {
    return 0;
  }
  const [low, wanted] = [word.toLowerCase(), prefix.toLowerCase()];
  if (low.startsWith(wanted)) {
    return word.startsWith(prefix) ? 0 : 1;
  }
  const at = low.indexOf(wanted);
  if (at > 0) {
    return "_:.-/ ".includes(low[at - 1] ?? "") ? 2 : 3;
  }
  let from = 0;
  for (const letter of wanted) {
    from = low.indexOf(letter, from) + 1;
    if (from === 0) {
      return undefined;
    }
  }
  return 4;
}

/** Those that fit, the best first; equals stay in their order. */
export function ranked(candidates: readonly Candidate[], prefix: string): Candidate[] {
  return candidates
    .map((candidate) => ({ candidate, score: fit(candidate.text, prefix) }))
    .filter((entry): entry is { candidate: Candidate; score: number } => entry.score !== undefined)
    .sort((a, b) => a.score - b.score)
    .slice(0, CANDIDATES_MAX)
    .map(({ candidate }) => candidate);
}

/** What the names of metrics, labels and values are asked for by. */
export interface Names {
  metrics: () => Promise<readonly Described[]>;
  labels: (metric: string) => Promise<readonly string[]>;
  values: (metric: string, label: string) => Promise<readonly string[]>;
  /** LogQL: fields that lines of a selector have. */
  fields: (selector: string) => Promise<readonly string[]>;
}

const functionsOf = (vocabulary: Vocabulary): Candidate[] =>
  vocabulary.described.map(({ name, detail }) => ({
    text: name,
    insert: `${name}(`,
    kind: "function",
    detail,
  }));

/** All that fit the context. Names that cannot be had are left out: what is known without them is offered. */
export async function candidatesFor(
  context: Context,
  vocabulary: Vocabulary,
  names: Names,
): Promise<Candidate[]> {
  const had = async <T>(asked: Promise<readonly T[]>): Promise<readonly T[]> => asked.catch(() => []);
  const { prefix } = context;
  switch (context.what) {
    case "expression": {
      const metrics = (await had(names.metrics())).map(
        ({ name, detail }): Candidate => ({ text: name, kind: "metric", detail }),
      );
      const words = vocabulary.words.map(
        ({ name, detail }): Candidate => ({ text: name, kind: "keyword", detail }),
      );
      return ranked([...metrics, ...functionsOf(vocabulary), ...words], prefix);
    }
    case "label": {
      const found = await had(names.labels(context.metric));
      return ranked(
        found.map((text) => ({ text, insert: `${text}=""`, back: 1, kind: "label", goesOn: true })),
        prefix,
      );
    }
    case "grouping":
      return ranked(
        (await had(names.labels(context.metric))).map((text) => ({ text, kind: "label" })),
        prefix,
      );
    case "value": {
      const { quote, isClosed } = context;
      const found = await had(names.values(context.metric, context.label));
      const around = (text: string) => {
        const safe = quote === "`" ? text : text.replaceAll("\\", "\\\\").replaceAll('"', '\\"');
        return quote === "" ? `"${safe}"` : isClosed ? safe : `${safe}${quote}`;
      };
      return ranked(
        found.map((text) => ({ text, insert: around(text), kind: "value" })),
        prefix,
      );
    }
    case "range":
      return ranked(
        DURATIONS.map((text) => ({ text, kind: "duration" })),
        prefix,
      );
    case "stage": {
      const fields = (await had(names.fields(context.selector))).map(
        (text): Candidate => ({ text, kind: "label", detail: "field" }),
      );
      const stages = vocabulary.stages.map(
        ({ name, detail }): Candidate => ({ text: name, kind: "keyword", detail }),
      );
      return ranked([...stages, ...fields], prefix);
    }
    default:
      return [];
  }
}

/** Where the server says a query is wrong, as a place in the text; nothing when it does not say. */
export function placeIn(message: string, text: string): number | undefined {
  const found =
    /(?:^|[^\d])(\d+):(\d+): parse error/.exec(message) ??
    /line (\d+), col(?:umn)? (\d+)/.exec(message) ??
    /\((\d+):(\d+)\)\s*$/.exec(message);
  if (found === null) {
    return undefined;
  }
  const [line, column] = [Number(found[1]), Number(found[2])];
  const lines = text.split("\n");
  if (line < 1 || line > lines.length) {
    return undefined;
  }
  const before = lines.slice(0, line - 1).reduce((sum, { length }) => sum + length + 1, 0);
  // Columns are counted in bytes of UTF-8, from one.
  const bytes = new TextEncoder().encode(lines[line - 1] ?? "");
  const within = new TextDecoder().decode(bytes.slice(0, Math.max(0, column - 1))).length;
  return Math.min(text.length, before + within);
}
