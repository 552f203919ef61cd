// The address as the one place of a view's state. Knows the browser's history, and no page.
import { signal } from "@preact/signals";

export interface Place {
  path: string;
  params: URLSearchParams;
}

function read(): Place {
  return { path: window.location.pathname, params: new URLSearchParams(window.location.search) };
}

export const place = signal<Place>(read());

export function address(path: string, params?: URLSearchParams): string {
  const query = params?.toString() ?? "";
  return query === "" ? path : `${path}?${query}`;
}

/** Browsers refuse to have their history rewritten at each key that is held or pixel that is dragged. */
const REPLACE_AFTER_MS = 200;
let waiting: ReturnType<typeof setTimeout> | undefined;

function writeNow(): void {
  if (waiting !== undefined) {
    clearTimeout(waiting);
    waiting = undefined;
    const { path, params } = place.peek();
    window.history.replaceState(null, "", address(path, params));
  }
}

/** Goes somewhere. With `replace`, going back skips where we were: for what is typed or dragged. */
export function go(to: string, how: "push" | "replace" = "push"): void {
  const { path, params } = place.peek();
  if (to === address(path, params)) {
    return;
  }
  const target = new URL(to, window.location.origin);
  if (how === "push") {
    writeNow();
    window.history.pushState(null, "", to);
  } else {
    clearTimeout(waiting);
    waiting = setTimeout(writeNow, REPLACE_AFTER_MS);
  }
  place.value = { path: target.pathname, params: target.searchParams };
}

/** Changes the state of the page we are on. */
export function put(params: URLSearchParams, how: "push" | "replace" = "replace"): void {
  go(address(place.peek().path, params), how);
}

/** Follows links within the console without a new page; leaves all others to the browser. */
export function followLinks(): void {
  window.addEventListener("popstate", () => {
    clearTimeout(waiting);
    waiting = undefined;
    place.value = read();
  });
  window.addEventListener("pagehide", writeNow);
  document.addEventListener("click", (event) => {
    const isPlain =
      event.button === 0 && !event.metaKey && !event.ctrlKey && !event.shiftKey && !event.altKey;
    const anchor = (event.target as Element | null)?.closest?.("a");
    if (
      !isPlain ||
      event.defaultPrevented ||
      !anchor ||
      anchor.target !== "" ||
      anchor.hasAttribute("download")
    ) {
      return;
    }
    const target = new URL(anchor.href, window.location.href);
    if (target.origin === window.location.origin && !target.pathname.startsWith("/api/")) {
      event.preventDefault();
      const isNewPage = target.pathname !== place.peek().path;
      go(target.pathname + target.search);
      if (isNewPage) {
        window.scrollTo(0, 0);
      }
    }
  });
}
