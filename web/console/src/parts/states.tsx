// What a view says when it has nothing to show, not yet, not all, or not at all; and what to do about it.
import type { ComponentChildren } from "preact";
import type { ApiError } from "../api/client.ts";
import { Icon, type IconName } from "./icons.tsx";

interface StateProps {
  icon: IconName;
  title: string;
  children?: ComponentChildren;
  tone?: "plain" | "error";
}

function State({ icon, title, children, tone = "plain" }: StateProps) {
  return (
    <div class={`state state-${tone}`} role={tone === "error" ? "alert" : "status"}>
      <span class="state-icon">
        <Icon name={icon} size={22} />
      </span>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Empty({
  title,
  children,
  icon = "search",
}: {
  title: string;
  children?: ComponentChildren;
  icon?: IconName;
}) {
  return (
    <State icon={icon} title={title}>
      {children}
    </State>
  );
}

const TITLES: Record<ApiError["trouble"], string> = {
  unreachable: "The console cannot be reached",
  slow: "That took too long",
  refused: "The console did not accept this request",
  missing: "There is no such thing here",
  broken: "The console could not answer",
  unreadable: "The answer cannot be read",
};

export function Failure({
  error,
  again,
  title,
  children,
}: {
  error: ApiError;
  again?: () => void;
  title?: string;
  children?: ComponentChildren;
}) {
  return (
    <State icon="error" title={title ?? TITLES[error.trouble]} tone="error">
      <p class="state-message">{error.message}</p>
      <div class="state-actions">
        {again !== undefined && (
          <button type="button" class="button primary" onClick={again}>
            <Icon name="again" /> Try again
          </button>
        )}
        {children}
      </div>
    </State>
  );
}

/** Grey bars in the shape of what is to come. */
export function Loading({ what, rows = 8 }: { what: string; rows?: number }) {
  return (
    <div class="loading" role="status" aria-label={`Loading ${what}`}>
      {Array.from({ length: rows }, (_, at) => (
        <span key={at} class={`loading-bar loading-${at % 5}`} />
      ))}
    </div>
  );
}

/** A line above a view: something about it that the reader has to know. */
export function Notice({
  tone = "info",
  children,
}: {
  tone?: "info" | "warning" | "error";
  children: ComponentChildren;
}) {
  return (
    <div class={`notice notice-${tone}`} role={tone === "error" ? "alert" : "note"}>
      <Icon name={tone} />
      <div>{children}</div>
    </div>
  );
}

/** An answer is shown, and the next one failed. */
export function Stale({ error, again }: { error: ApiError | undefined; again: () => void }) {
  if (error === undefined) {
    return null;
  }
  return (
    <Notice tone="error">
      This is the last good answer; the latest request failed: {error.message}{" "}
      <button type="button" class="link" onClick={again}>
        Try again
      </button>
    </Notice>
  );
}
