// Matchers of labels as people write them.
import { type Matcher, writeMatchers } from "./alerts.ts";
import { selectorIn } from "./syntax/edit.ts";

/** Reads what `writeMatchers` writes, with or without braces; nothing when it is not that. */
export function parseMatchers(text: string): Matcher[] | undefined {
  const inner = text.trim().replace(/^\{/, "").replace(/\}$/, "").replace(/,\s*$/, "");
  const found = selectorIn(`{${inner}}`)?.matchers ?? [];
  const matchers = found.map(({ name, operator, value }) => ({
    name,
    value,
    isRegex: operator.endsWith("~"),
    isEqual: operator.startsWith("="),
  }));
  // What was not understood would be left out, and a silence be wider than it was meant.
  const isWhole = squeezed(writeMatchers(matchers)) === squeezed(inner.replaceAll(/'([^'"]*)'/g, '"$1"'));
  const isAllowed = found.every(({ operator }) => ["=", "!=", "=~", "!~"].includes(operator));
  return matchers.length > 0 && isWhole && isAllowed ? matchers : undefined;
}

function squeezed(text: string): string {
  return text.replaceAll(/\s+/g, "");
}
