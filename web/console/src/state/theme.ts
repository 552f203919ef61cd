// Dark or light: as the system says, until somebody chooses.
import { computed, effect, signal } from "@preact/signals";

export type Choice = "system" | "light" | "dark";

const KEY = "highbeam.theme";
const systemIsDark = window.matchMedia("(prefers-color-scheme: dark)");
const system = signal(systemIsDark.matches);
const choice = signal<Choice>(stored());

/** The theme in force. Whoever paints on a canvas reads it, to paint anew. */
export const theme = computed<"light" | "dark">(() => {
  if (choice.value === "system") {
    return system.value ? "dark" : "light";
  }
  return choice.value;
});

function stored(): Choice {
  try {
    const value = window.localStorage.getItem(KEY);
    return value === "light" || value === "dark" ? value : "system";
  } catch {
    return "system";
  }
}

export function toggleTheme(): void {
  const wanted = theme.peek() === "dark" ? "light" : "dark";
  choice.value = wanted === (system.peek() ? "dark" : "light") ? "system" : wanted;
  try {
    window.localStorage.setItem(KEY, choice.peek());
  } catch {
    // Storage is forbidden: the choice lasts as long as the page.
  }
}

export function applyTheme(): void {
  systemIsDark.addEventListener("change", (event) => {
    system.value = event.matches;
  });
  effect(() => {
    document.documentElement.dataset["theme"] = theme.value;
  });
}
