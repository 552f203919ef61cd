// Walks through the console's pages in a real browser, as a person does after `make start`: the first order's
// trace, its spans, the service graph, and what the pages say when the console is gone. What a page computes
// is tested beside its code; here is only what needs a browser and the running program.
//
// CHROMIUM names the browser, HIGHBEAM the program (the debug build otherwise). Where there is no browser it
// says "skipped: ..." and succeeds, unless BROWSER_REQUIRED=1. The screenshots are left in target/browser.

import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { accessSync, constants, existsSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { delimiter, dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

const root = resolve(dirname(fileURLToPath(import.meta.url)), "../..");
const target = process.env.CARGO_TARGET_DIR ?? join(root, "target");
const PATIENCE_MS = 60_000;
/** From the first order to its trace on the screen: what the pages promise. */
const TRACE_SHOWN_MS = 10_000;

function find(names) {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    for (const name of names) {
      try {
        accessSync(join(folder, name), constants.X_OK);
        return join(folder, name);
      } catch {
        // Not there; the next folder may have it.
      }
    }
  }
}

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(process.env.BROWSER_REQUIRED === "1" ? 1 : 0);
}

const browser = process.env.CHROMIUM ?? find(["chromium", "chromium-browser", "google-chrome"]);
if (browser === undefined) {
  skip("no Chromium is on the path (on Debian: apt-get install --no-install-recommends chromium)");
}
const program = process.env.HIGHBEAM ?? join(target, "debug/highbeam");
assert(existsSync(program), `${program} is not there; cargo build makes it`);
const { chromium } = await import(join(root, "web/console/node_modules/playwright-core/index.mjs"));

const shots = join(target, "browser");
mkdirSync(shots, { recursive: true });
const folder = mkdtempSync(join(target, "browser-data-"));

async function until(what, ask) {
  const end = Date.now() + PATIENCE_MS;
  for (;;) {
    const answer = await ask();
    if (answer !== undefined && answer !== false) {
      return answer;
    }
    assert(Date.now() < end, `waited in vain for ${what}`);
    await new Promise((done) => setTimeout(done, 20));
  }
}

/** Starts everything in one process on free ports. */
async function start(...more) {
  const ready = join(folder, "ready.json");
  rmSync(ready, { force: true });
  const ports = ["--port", "--console-port", "--otlp-grpc-port", "--otlp-http-port"].flatMap((port) => [port, "0"]);
  const child = spawn(program, ["up", ...ports, "--data-dir", join(folder, "data"), "--ready-file", ready, ...more], {
    stdio: ["ignore", "ignore", openSync(join(folder, "log"), "a")],
  });
  const ended = new Promise((done) => child.once("exit", done));
  process.once("exit", () => child.kill("SIGKILL"));
  const addresses = await until("readiness", () => {
    assert.equal(child.exitCode, null, readFileSync(join(folder, "log"), "utf8").slice(-2_000));
    return existsSync(ready) && JSON.parse(readFileSync(ready, "utf8"));
  });
  return { ...addresses, stop: () => (child.kill("SIGTERM"), ended) };
}

/** A page that notes what a person would find in the browser's own console. */
async function open(context, faults) {
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  page.on("pageerror", (error) => faults.push(`error in the page: ${error.message}`));
  page.on("console", (message) => {
    if (message.type() === "error" || message.type() === "warning") {
      faults.push(`${message.type()} in the console: ${message.text()}`);
    }
  });
  return page;
}

async function walk(chrome, system) {
  const faults = [];
  const context = await chrome.newContext({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
  const page = await open(context, faults);
  const shoot = (name) => page.screenshot({ path: join(shots, `${name}.png`) });

  // An order of our own, so that it is known when it was made and which trace is its.
  const answer = await fetch(`${system.api}/api/orders`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({
      shopItems: [{ id: "1", title: "Green tea", description: "Loose leaf", quantity: 2, price: 12.5 }],
      accountEmail: "jane@example.com",
      deliveryAddress: "12 Main Street",
    }),
  });
  assert.equal(answer.status, 201);
  const made = Date.now();
  const trace = answer.headers.get("traceresponse").split("-")[1];

  // The overview has the three services, each with spans.
  await page.goto(system.console);
  for (const service of ["delivery-api", "orders-projector", "search-projector"]) {
    await page.getByText(service, { exact: true }).first().waitFor();
  }
  await shoot("overview-dark");

  // Search finds the order by its route, in all services; Enter on the row opens it.
  await page.goto(`${system.console}/traces?tags=${encodeURIComponent(JSON.stringify({ "http.route": "/api/orders" }))}`);
  const row = page.locator(`.result[href*="${trace}"], [data-trace="${trace}"] , a[href*="${trace}"]`).first();
  await until("the order's trace in the search", async () => {
    if ((await row.count()) > 0) {
      return true;
    }
    await page.getByRole("button", { name: "Search" }).click();
    await page.waitForTimeout(200);
    return false;
  });
  await row.click();
  await page.waitForURL(`**/trace/${trace}**`);

  // The waterfall runs through all three services, over asynchronous hops.
  const names = async () => await page.locator('[role="treeitem"]').allInnerTexts();
  await until("the whole waterfall", async () => {
    const told = (await names()).join("\n");
    if (["POST /api/orders", "append order", "upsert order", "index order"].every((name) => told.includes(name))) {
      return true;
    }
    await page.reload();
    await page.locator('[role="treeitem"]').first().waitFor();
    return false;
  });
  const took = Date.now() - made;
  assert(took < TRACE_SHOWN_MS, `the trace was on the screen ${took} ms after the order`);
  assert.equal(await page.locator(".hop-mark").count(), 2, "two hops are asynchronous");
  assert((await page.locator(".critical").count()) > 0, "the critical path is marked");
  await shoot("trace-dark");

  // By keyboard: down, open the details, and what the span says is there and in the URL.
  await page.locator('[role="tree"]').focus();
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Enter");
  await page.getByLabel("Span", { exact: true }).waitFor();
  await page.waitForURL(/[?&]span=[0-9a-f]{16}/);
  await shoot("span-dark");
  const address = page.url();
  await page.goto("about:blank");
  await page.goto(address);
  await page.getByLabel("Span", { exact: true }).waitFor();

  // The graph has the asynchronous edges, told in words as well as by dashes.
  await page.goto(`${system.console}/graph`);
  await page.locator(".edge-async").nth(1).waitFor();
  const nodes = (await page.locator(".node-name").allTextContents()).join(" ");
  for (const service of ["delivery-api", "orders-projector", "search-projector"]) {
    assert(nodes.includes(service), `${service} is in the graph: ${nodes}`);
  }
  await shoot("graph-dark");

  await walkMetrics(page, system, shoot);
  await walkLogs(page, system, trace, shoot);
  await walkAlerts(page, system, shoot);

  // What there is no trace of, and what is no query, is said so.
  const quiet = faults.length;
  await page.goto(`${system.console}/trace/00000000000000000000000000000abc`);
  await page.getByRole("alert").first().waitFor();
  await page.goto(`${system.console}/metrics-explorer?query=${encodeURIComponent("sum(up))")}`);
  await page.locator(".editor .code-wrong").first().waitFor();
  await page.getByRole("alert").first().waitFor();
  faults.length = quiet; // The browser's own lines about the 404 and the 400.
  await context.close();

  // Light, and as narrow as a phone: everything fits.
  for (const [width, scheme] of [[1280, "light"], [400, "light"], [400, "dark"]]) {
    const other = await chrome.newContext({ viewport: { width, height: 800 }, colorScheme: scheme });
    const narrow = await open(other, faults);
    for (const [name, path, sign] of [
      ["overview", "/", "text=delivery-api"],
      ["traces", "/traces", '[role="option"]'],
      ["trace", `/trace/${trace}`, '[role="treeitem"]'],
      ["graph", "/graph", ".edge-async, main table"],
      ["metrics-cards", "/metrics-explorer", ".metric-card"],
      ["metrics", `/metrics-explorer?last=5m&query=${encodeURIComponent(RATE)}`, ".plot canvas"],
      ["logs", "/logs", ".line"],
      ["alerts", "/alerts", ".rule-row"],
      ["setup", "/setup", "text=OTEL_EXPORTER_OTLP_ENDPOINT"],
    ]) {
      await narrow.goto(`${system.console}${path}`);
      await narrow.locator(sign).first().waitFor({ state: "attached" });
      const beyond = await narrow.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
      assert(beyond <= 0, `${name} is ${beyond} px wider than ${width}`);
      await narrow.screenshot({ path: join(shots, `${name}-${scheme}-${width}.png`) });
    }
    await other.close();
  }
  assert.deepEqual(faults, []);
  return took;
}

const RATE = "rate(http_server_request_duration_seconds_count[1m])";

/** Cards lead to a query, the editor completes, and a dot of the plot to the trace that it is an exemplar of. */
async function walkMetrics(page, system, shoot) {
  await page.goto(`${system.console}/metrics-explorer`);
  await until("the metric's card", async () => {
    await page.getByLabel("Find a metric").fill("http_server_request_duration");
    if ((await page.locator(".metric-card").count()) > 0) {
      return true;
    }
    await page.reload();
    await page.getByLabel("Find a metric").waitFor();
    await page.waitForTimeout(500);
    return false;
  });
  await shoot("metrics-cards-dark");
  await page.locator(".metric-name").first().click();
  await page.waitForURL(/[?&]query=/);

  const editor = page.getByLabel("Query in PromQL");
  await editor.fill("");
  await editor.pressSequentially("rate(http_server_request_duration_seconds_c");
  await page.locator(".candidate").first().waitFor();
  await page.keyboard.press("Enter");
  await editor.pressSequentially("[1m])");
  await page.keyboard.press("Enter");
  await until("the query in the address", () => new URL(page.url()).searchParams.get("query") === RATE);
  const dot = page.locator(".exemplar").first();
  await until("a plot with an exemplar", async () => {
    await page.goto(`${system.console}/metrics-explorer?last=5m&query=${encodeURIComponent(RATE)}`);
    await page.locator(".plot canvas, .state").first().waitFor();
    await page.waitForTimeout(500);
    return (await dot.count()) > 0;
  });
  assert((await page.locator(".plot-legend li").count()) > 0, "the plot has a legend");
  await shoot("metrics-dark");
  const href = await dot.getAttribute("href");
  assert.match(href, /^\/trace\/[0-9a-f]{32}/);
  await dot.focus();
  await page.keyboard.press("Enter");
  await page.waitForURL(`**${href.split("?")[0]}**`);
  await page.locator('[role="treeitem"]').first().waitFor();
}

/** The lines of the order's trace, from the trace and back, and lines as they come. */
async function walkLogs(page, system, trace, shoot) {
  await page.goto(`${system.console}/trace/${trace}`);
  await page.getByRole("main").getByRole("link", { name: "Logs", exact: true }).click();
  await page.waitForURL("**/logs?**");
  const line = page.locator(".line").first();
  await until("the lines of the trace", async () => {
    if ((await line.count()) > 0) {
      return true;
    }
    await page.reload();
    await page.locator(".line, .state").first().waitFor();
    return false;
  });
  await line.click();
  const detail = page.getByLabel("Line", { exact: true });
  await detail.getByText(trace).first().waitFor();
  await shoot("logs-dark");
  await page.keyboard.press("o");
  await page.waitForURL(`**/trace/${trace}?**`);
  await page.locator('[role="treeitem"]').first().waitFor();

  await page.goto(`${system.console}/logs?live=true`);
  await page.locator(".live-open").waitFor();
  await line.waitFor();
  await shoot("logs-live-dark");
  await page.getByRole("button", { name: "End live" }).click();
  await page.locator(".volume rect").first().waitFor();
}

/** Rules by state; one of them in full; a silence made and ended. */
async function walkAlerts(page, system, shoot) {
  await page.goto(`${system.console}/alerts`);
  const rule = page.locator(".rule-row").first();
  await rule.waitFor();
  await rule.click();
  await page.locator(".rule-detail .timeline").waitFor();
  await shoot("alerts-dark");
  await page.locator(".rule-detail").getByRole("button", { name: "Silence", exact: true }).first().click();
  const form = page.getByRole("form", { name: "New silence" });
  await form.getByLabel("Your name").fill("The test");
  await form.getByLabel("Why").fill("To see that it can be done");
  await form.getByRole("button", { name: "Silence" }).click();
  await page.getByText("To see that it can be done").waitFor();
  await page.getByRole("button", { name: "Expire" }).click();
  await page.getByText("ended just now").waitFor();
}

/** A console that goes away is noticed. */
async function lose(chrome, system) {
  const context = await chrome.newContext();
  const page = await open(context, []);
  await page.goto(system.console);
  await page.getByText("delivery-api", { exact: true }).first().waitFor();
  await system.stop();
  await page.getByRole("alert").first().waitFor();
  await context.close();
}

const chrome = await chromium.launch({ executablePath: browser, args: process.getuid?.() === 0 ? ["--no-sandbox"] : [] });
let system;
try {
  system = await start();
  const took = await walk(chrome, system);
  await lose(chrome, system);
  console.log(`browser: ok (an order's trace was on the screen after ${took} ms)`);
} finally {
  await chrome.close();
  await system?.stop();
  rmSync(folder, { recursive: true, force: true });
}
