// Keys and what they do on the page that is open. The help dialog lists what is registered here.
import { signal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";

export interface Shortcut {
  /** As in `KeyboardEvent.key`; several for the same deed. */
  keys: string[];
  does: string;
  run: () => void;
}

export interface Group {
  title: string;
  shortcuts: Shortcut[];
}

export const groups = signal<Group[]>([]);

function isTyping(target: EventTarget | null): boolean {
  const element = target as HTMLElement | null;
  return element?.closest?.("input, textarea, select, [contenteditable]") != null;
}

/** Enter and space on something that can be pressed belong to it. */
function belongsToControl(event: KeyboardEvent): boolean {
  const isPress = event.key === "Enter" || event.key === " ";
  return isPress && (event.target as Element | null)?.closest?.("a, button, summary") != null;
}

export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || isTyping(event.target) || belongsToControl(event)) {
      return;
    }
    if (document.querySelector("dialog[open]") !== null) {
      return;
    }
    for (const group of groups.value.toReversed()) {
      const found = group.shortcuts.find((shortcut) => shortcut.keys.includes(event.key));
      if (found !== undefined) {
        event.preventDefault();
        found.run();
        return;
      }
    }
  });
}

/** Keys that work as long as the component is there. */
export function useShortcuts(title: string, shortcuts: Shortcut[]): void {
  const latest = useRef(shortcuts);
  latest.current = shortcuts;
  useEffect(() => {
    // What a key does is looked up when it is pressed: it may depend on what is shown by then.
    const stable = shortcuts.map((shortcut, at) => ({ ...shortcut, run: () => latest.current[at]?.run() }));
    const group = { title, shortcuts: stable };
    groups.value = [...groups.peek(), group];
    return () => {
      groups.value = groups.peek().filter((other) => other !== group);
    };
  }, []);
}
