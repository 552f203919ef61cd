// Buttons that put text on the clipboard.
import type { ComponentChildren } from "preact";
import { useEffect, useState } from "preact/hooks";
import type { Request } from "../api/calls.ts";
import { curlOf } from "../api/client.ts";
import { Icon, type IconName } from "./icons.tsx";

/** Also where the page is not a secure context, as over HTTP from another host. */
async function put(text: string): Promise<void> {
  if (navigator.clipboard !== undefined) {
    await navigator.clipboard.writeText(text);
    return;
  }
  const field = document.createElement("textarea");
  field.value = text;
  field.className = "off-screen";
  document.body.append(field);
  field.select();
  const isCopied = document.execCommand("copy");
  field.remove();
  if (!isCopied) {
    throw new Error("the browser forbids it");
  }
}

interface CopyProps {
  /** The text, or what makes it when the button is pressed. */
  text: string | (() => string);
  /** What is copied, for those who do not see the icon. */
  label: string;
  icon?: IconName;
  children?: ComponentChildren;
}

export function Copy({ text, label, icon = "copy", children }: CopyProps) {
  const [outcome, setOutcome] = useState<"" | "done" | "failed">("");
  useEffect(() => {
    const timer = outcome === "" ? undefined : setTimeout(() => setOutcome(""), 1600);
    return () => clearTimeout(timer);
  }, [outcome]);
  const copy = () => {
    put(typeof text === "string" ? text : text()).then(
      () => setOutcome("done"),
      () => setOutcome("failed"),
    );
  };
  const shown = outcome === "done" ? "done" : outcome === "failed" ? "warning" : icon;
  const said = outcome === "done" ? "Copied" : outcome === "failed" ? "Not allowed by the browser" : label;
  return (
    <button
      type="button"
      class={`copy ${children ? "button" : "icon-button"} ${outcome}`}
      title={said}
      aria-label={said}
      onClick={copy}
    >
      <Icon name={shown} size={children ? 16 : 14} />
      {children && <span class="copy-text">{children}</span>}
      <span class="off-screen" role="status">
        {outcome === "" ? "" : said}
      </span>
    </button>
  );
}

export function CopyCurl({ request }: { request: () => Request }) {
  const text = () => {
    const { path, params } = request();
    return curlOf(path, params);
  };
  return (
    <Copy text={text} label="Copy this request as a curl command" icon="terminal">
      curl
    </Copy>
  );
}

/** Text to be pasted elsewhere, with its button. */
export function Snippet({ text, label }: { text: string; label: string }) {
  return (
    <div class="snippet">
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls has to be reachable by keyboard */}
      <pre tabIndex={0}>
        <code>{text}</code>
      </pre>
      <Copy text={text} label={`Copy ${label}`} />
    </div>
  );
}
