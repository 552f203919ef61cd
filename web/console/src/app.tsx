// The frame around the pages: the rail, the router, and what works everywhere.
import { useSignal } from "@preact/signals";
import { render } from "preact";
import { useEffect } from "preact/hooks";
import "./styles/app.css";
import { OverviewPage } from "./pages/overview.tsx";
import { Help } from "./parts/help.tsx";
import { Icon, type IconName, Mark } from "./parts/icons.tsx";
import { lazyPage } from "./parts/lazy.tsx";
import { Empty } from "./parts/states.tsx";
import { withRange } from "./state/kept-range.ts";
import { followLinks, go, place } from "./state/location.ts";
import { listenForKeys, useShortcuts } from "./state/shortcuts.ts";
import { applyTheme, theme, toggleTheme } from "./state/theme.ts";

interface Entry {
  path: string;
  title: string;
  icon: IconName;
}

/** The rail, from top to bottom. A page is added here once it exists. */
const ENTRIES: Entry[] = [
  { path: "/", title: "Overview", icon: "overview" },
  { path: "/traces", title: "Traces", icon: "traces" },
  { path: "/graph", title: "Graph", icon: "graph" },
  { path: "/metrics-explorer", title: "Metrics", icon: "metrics" },
  { path: "/logs", title: "Logs", icon: "logs" },
  { path: "/alerts", title: "Alerts", icon: "alerts" },
  { path: "/setup", title: "Setup", icon: "setup" },
];

// Who looks at a trace does not pay for what draws plots, nor for what lays out the graph.
const TracesPage = lazyPage("Traces", async () => (await import("./pages/traces.tsx")).TracesPage);
const TracePage = lazyPage("Trace", async () => (await import("./pages/trace.tsx")).TracePage);
const SetupPage = lazyPage("Setup", async () => (await import("./pages/setup.tsx")).SetupPage);
const GraphPage = lazyPage("Graph", async () => (await import("./pages/graph.tsx")).GraphPage);
const MetricsPage = lazyPage("Metrics", async () => (await import("./pages/metrics.tsx")).MetricsPage);
const LogsPage = lazyPage("Logs", async () => (await import("./pages/logs.tsx")).LogsPage);
const AlertsPage = lazyPage("Alerts", async () => (await import("./pages/alerts.tsx")).AlertsPage);

const TRACE_PATH = /^\/trace\/([^/]+)$/;
const TRACE_ID = /^[0-9a-f]{32}$/;

function Page({ path }: { path: string }) {
  const trace = TRACE_PATH.exec(path)?.[1];
  if (trace !== undefined) {
    return <TracePage key={trace} traceId={decodeURIComponent(trace)} />;
  }
  switch (path) {
    case "/":
      return <OverviewPage />;
    case "/traces":
      return <TracesPage />;
    case "/graph":
      return <GraphPage />;
    case "/metrics-explorer":
      return <MetricsPage />;
    case "/logs":
      return <LogsPage />;
    case "/alerts":
      return <AlertsPage />;
    case "/setup":
      return <SetupPage />;
    default:
      return (
        <main class="page" id="main">
          <Empty title="There is no such page">
            <p>
              Nothing lives at <code>{path}</code>. <a href="/">To the overview</a>
            </p>
          </Empty>
        </main>
      );
  }
}

function titleOf(path: string): string {
  const entry = ENTRIES.find((candidate) => candidate.path === path);
  return `${entry?.title ?? (TRACE_PATH.test(path) ? "Trace" : "Not found")} · highbeam`;
}

/** Takes a trace id from whatever was pasted: the id itself, a traceparent, a line of a log. */
function traceIdIn(text: string): string | undefined {
  return text.toLowerCase().match(/(?<![0-9a-f])[0-9a-f]{32}(?![0-9a-f])/)?.[0];
}

function JumpToTrace({ onGone }: { onGone: () => void }) {
  const isWrong = useSignal(false);
  return (
    // biome-ignore lint/a11y/useSemanticElements: the search element is too new for the browsers we build for
    <form
      class="jump"
      role="search"
      onSubmit={(event) => {
        event.preventDefault();
        const field = event.currentTarget.elements.namedItem("id") as HTMLInputElement;
        const id = traceIdIn(field.value);
        isWrong.value = id === undefined;
        if (id !== undefined && TRACE_ID.test(id)) {
          field.value = "";
          field.blur();
          onGone();
          go(`/trace/${id}`);
        }
      }}
    >
      <Icon name="search" size={14} />
      <input
        id="jump"
        name="id"
        placeholder="Trace"
        aria-label="Go to a trace by its id"
        aria-invalid={isWrong.value}
        aria-describedby={isWrong.value ? "jump-wrong" : undefined}
        autocomplete="off"
        spellcheck={false}
        onInput={() => (isWrong.value = false)}
      />
      {isWrong.value && (
        <p id="jump-wrong" role="alert">
          No trace id in there: 32 of 0-9 and a-f, also within a traceparent or a log line.
        </p>
      )}
    </form>
  );
}

function Rail() {
  const isOpen = useSignal(false);
  const { path } = place.value;
  const isHere = (entry: Entry) => path === entry.path || (entry.path === "/traces" && TRACE_PATH.test(path));
  useShortcuts("Everywhere", [
    ...ENTRIES.map((entry, at) => ({
      keys: [String(at + 1)],
      does: `To ${entry.title}`,
      run: () => go(withRange(entry.path)),
    })),
    { keys: ["/"], does: "Go to a trace by its id", run: () => document.getElementById("jump")?.focus() },
    { keys: ["t"], does: "Dark or light", run: toggleTheme },
  ]);
  const other = theme.value === "dark" ? "light" : "dark";
  return (
    <header class={`rail ${isOpen.value ? "open" : ""}`}>
      <button type="button" class="skip" onClick={skip}>
        To the content
      </button>
      <a class="brand" href="/" aria-label="highbeam, to the overview">
        <Mark />
        <span>highbeam</span>
      </a>
      <button
        type="button"
        class="rail-menu icon-button"
        aria-expanded={isOpen.value}
        aria-controls="rail-all"
        aria-label="Menu"
        onClick={() => (isOpen.value = !isOpen.value)}
      >
        <Icon name={isOpen.value ? "close" : "menu"} size={20} />
      </button>
      <div class="rail-all" id="rail-all">
        <nav aria-label="Pages">
          {ENTRIES.map((entry) => (
            <a
              key={entry.path}
              href={withRange(entry.path)}
              aria-current={isHere(entry) ? "page" : undefined}
              onClick={() => (isOpen.value = false)}
            >
              <Icon name={entry.icon} size={19} />
              <span>{entry.title}</span>
            </a>
          ))}
        </nav>
        <JumpToTrace onGone={() => (isOpen.value = false)} />
        <div class="rail-foot">
          <Help />
          <button type="button" class="rail-button" onClick={toggleTheme} title={`Switch to ${other} (t)`}>
            <Icon name={theme.value === "dark" ? "sun" : "moon"} size={18} />
            <span>{other === "dark" ? "Dark" : "Light"}</span>
          </button>
        </div>
      </div>
    </header>
  );
}

function skip(): void {
  const main = document.getElementById("main");
  main?.setAttribute("tabindex", "-1");
  main?.focus();
}

function App() {
  const { path } = place.value;
  useEffect(() => {
    document.title = titleOf(path);
  }, [path]);
  return (
    <>
      <Rail />
      <Page path={path} />
    </>
  );
}

applyTheme();
followLinks();
listenForKeys();
const root = document.getElementById("app");
if (root !== null) {
  render(<App />, root);
}
