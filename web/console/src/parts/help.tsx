// The dialog that lists the keys of the page that is open.
import { useSignal } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { type Group, groups, useShortcuts } from "../state/shortcuts.ts";
import { Icon } from "./icons.tsx";

const NAMES: Record<string, string> = {
  ArrowDown: "↓",
  ArrowUp: "↑",
  ArrowLeft: "←",
  ArrowRight: "→",
  Enter: "Enter",
  Escape: "Esc",
};

/** The page's keys first; what several parts registered under one title, together. */
function merged(): Group[] {
  const titles = [...new Set(groups.value.map(({ title }) => title))].reverse();
  return titles.map((title) => ({
    title,
    shortcuts: groups.value.filter((group) => group.title === title).flatMap(({ shortcuts }) => shortcuts),
  }));
}

export function Help() {
  const isOpen = useSignal(false);
  const dialog = useRef<HTMLDialogElement>(null);
  useShortcuts("Everywhere", [{ keys: ["?"], does: "Show these keys", run: () => (isOpen.value = true) }]);
  useEffect(() => {
    if (isOpen.value) {
      dialog.current?.showModal();
    }
  }, [isOpen.value]);
  const close = () => dialog.current?.close();
  return (
    <>
      <button type="button" class="rail-button" title="Keyboard (?)" onClick={() => (isOpen.value = true)}>
        <Icon name="help" size={18} />
        <span>Keys</span>
      </button>
      {/* biome-ignore lint/a11y/useKeyWithClickEvents: Escape closes a dialog by itself */}
      <dialog
        ref={dialog}
        class="help"
        aria-label="Keyboard"
        onClose={() => (isOpen.value = false)}
        onClick={(event) => event.target === dialog.current && close()}
      >
        <header>
          <h2>Keyboard</h2>
          <button type="button" class="icon-button" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {merged().map((group) => (
          <section key={group.title}>
            <h3>{group.title}</h3>
            <dl>
              {group.shortcuts.map((shortcut) => (
                <div key={shortcut.does}>
                  <dt>
                    {shortcut.keys.map((key) => (
                      <kbd key={key}>{NAMES[key] ?? key}</kbd>
                    ))}
                  </dt>
                  <dd>{shortcut.does}</dd>
                </div>
              ))}
            </dl>
          </section>
        ))}
      </dialog>
    </>
  );
}
