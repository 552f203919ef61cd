// Looks at every page in a real browser: pictures in both themes and two widths, errors of the console, a walk
// by keyboard, and how smoothly 20,000 spans scroll. Needs `npm run dev` running and a Chromium:
//
//   CHROMIUM=/usr/bin/chromium npm run look [-- name…]
//
// Pictures go to .build/look/. Fails when a page writes an error, is wider than the window, or a key does nothing.
import { mkdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const BASE = process.env.BASE ?? "http://127.0.0.1:5018";
const OUT = fileURLToPath(new URL("../.build/look/", import.meta.url));
const WIDE = `/trace/${"20000".padStart(32, "0")}`;
const only = process.argv.slice(2);
const problems = [];

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--no-sandbox"],
});
await mkdir(OUT, { recursive: true });
const mood = (mode) => fetch(`${BASE}/dev/${mode}`);
await mood("full");
const { traces } = await (await fetch(`${BASE}/api/traces?limit=200`)).json();
const whole = traces.find((trace) => trace.errors === 0);
const failing = traces.find((trace) => trace.errors > 1 && trace.spans > 8);
const partial = traces.find((trace) => trace.isPartial);

const PAGES = [
  ["overview", "/", "full"],
  ["overview-empty", "/", "empty"],
  ["overview-failing", "/", "failing"],
  ["traces", "/traces", "full"],
  [
    "traces-filtered",
    "/traces?service=delivery-api&tag=http.request.method%3DPOST&min=2ms&errors=true&order=longest",
    "full",
  ],
  ["traces-empty", "/traces", "empty"],
  ["trace", `/trace/${whole.traceId}`, "full"],
  ["trace-error", `/trace/${failing.traceId}?find=locked`, "full", async (page) => page.keyboard.press("e")],
  [
    "trace-open",
    `/trace/${failing.traceId}`,
    "full",
    async (page) => {
      await page.keyboard.press("e");
      await page.keyboard.press("e");
      await page.keyboard.press("Enter");
    },
  ],
  ["trace-partial", `/trace/${partial.traceId}`, "full"],
  ["trace-wide", `${WIDE}?view=9000000000-14000000000`, "full"],
  ["trace-missing", `/trace/${"e".repeat(32)}`, "full"],
  ["graph", "/graph", "full"],
  ["graph-tree", "/graph?as=tree", "full"],
  ["graph-table", "/graph?as=table", "full"],
  ["setup", "/setup", "full"],
];

function watch(page, name) {
  page.on("console", (message) => {
    // A refused request is written by the browser itself, and is what some of these pages are about.
    if (["error", "warning"].includes(message.type()) && !/status of (404|503)/.test(message.text())) {
      problems.push(`${name}: ${message.text()}`);
    }
  });
  page.on("pageerror", (error) => problems.push(`${name}: ${error.message}`));
}

async function pictures() {
  for (const scheme of ["dark", "light"]) {
    for (const width of [1280, 400]) {
      const context = await browser.newContext({
        viewport: { width, height: width === 400 ? 800 : 820 },
        colorScheme: scheme,
        reducedMotion: "reduce",
      });
      for (const [name, path, mode, act] of PAGES) {
        if (only.length > 0 && !only.includes(name)) {
          continue;
        }
        await mood(mode);
        const page = await context.newPage();
        watch(page, `${name} ${scheme} ${width}`);
        await page.goto(BASE + path);
        await page.waitForSelector("main:not(:has(.loading))");
        await act?.(page);
        await page.waitForTimeout(250);
        const over = await page.evaluate(() => document.documentElement.scrollWidth - window.innerWidth);
        if (over > 0) {
          problems.push(`${name} ${scheme} ${width}: ${over} pixels wider than the window`);
        }
        await page.screenshot({ path: `${OUT}${name}-${scheme}-${width}.png` });
        await page.close();
      }
      await context.close();
    }
  }
  await mood("full");
}

async function keyboard() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 820 } });
  watch(page, "keyboard");
  const expect = async (what, holds) => {
    await page.waitForTimeout(350);
    if (!(await holds())) {
      problems.push(`keyboard: ${what} (at ${page.url()})`);
    }
  };
  const press = (...keys) =>
    keys.reduce((before, key) => before.then(() => page.keyboard.press(key)), Promise.resolve());
  const at = (text) => async () => page.url().includes(text);
  await page.goto(`${BASE}/`);
  await page.waitForSelector(".flows");
  await press("2");
  await page.waitForSelector(".result");
  await press("j", "j", "k");
  await expect("j and k choose a trace", at("at="));
  await press("Enter");
  await page.waitForSelector(".span-row");
  await expect("Enter opens the trace", at("/trace/"));
  await press("j", "j", "j");
  await expect("j chooses a span", at("span="));
  await press("Enter");
  await expect("Enter opens the details", async () => (await page.$(".detail")) !== null);
  await press("Escape");
  await expect("Escape closes the details", async () => (await page.$(".detail")) === null);
  await press("z");
  await expect("z zooms", at("view="));
  await press("0");
  await expect("0 shows the whole", async () => !page.url().includes("view="));
  const rows = (await page.$$(".span-row")).length;
  await press("x");
  await expect("x closes all", async () => (await page.$$(".span-row")).length < rows);
  await press("x", "f");
  await page.keyboard.type("upsert");
  await press("Enter");
  await expect("find counts its matches", async () =>
    (await page.textContent(".find-count"))?.includes("1 /"),
  );
  await press("Escape");
  await press("?");
  await expect("? shows the keys", async () => (await page.$("dialog[open]")) !== null);
  await page.screenshot({ path: `${OUT}help.png` });
  await press("Escape", "u");
  await expect("u goes back to the search", at("/traces"));
  await page.goBack();
  await expect("back is the trace", at("/trace/"));
  await page.close();
}

async function pointer() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 820 } });
  watch(page, "pointer");
  const expect = async (what, holds) => {
    await page.waitForTimeout(350);
    if (!(await holds())) {
      problems.push(`pointer: ${what} (at ${page.url()})`);
    }
  };
  const drag = async (selector, from, to) => {
    const box = await page.locator(selector).boundingBox();
    await page.mouse.move(box.x + box.width * from[0], box.y + box.height * from[1]);
    await page.mouse.down();
    await page.mouse.move(box.x + box.width * to[0], box.y + box.height * to[1], { steps: 6 });
    await page.mouse.up();
  };
  await page.goto(`${BASE}/traces`);
  await page.waitForSelector(".result");
  await drag(".scatter", [0.5, 0.3], [0.95, 0.9]);
  await expect(
    "a drag over the dots narrows the search",
    async () => /from=.*to=/.test(page.url()) && page.url().includes("max="),
  );
  await page.goto(`${BASE}/trace/${whole.traceId}`);
  await page.waitForSelector(".span-row");
  await drag(".minimap", [0.2, 0.5], [0.5, 0.5]);
  await expect("a drag over the minimap looks at a part", async () => page.url().includes("view="));
  const first = page.url();
  await drag(".minimap", [0.35, 0.5], [0.45, 0.5]);
  await expect("the part is moved", async () => page.url() !== first);
  await page.dblclick(".minimap");
  await expect("a double click shows the whole", async () => !page.url().includes("view="));
  await page.click(".opener");
  await expect("a click closes a span", async () => (await page.$$(".span-row")).length === 1);
  await page.click(".span-row");
  await expect("a click opens the details", async () => (await page.$(".detail")) !== null);
  await page.click('.rail-button:has-text("Dark")');
  await expect("the theme is toggled", () =>
    page.evaluate(() => document.documentElement.dataset.theme === "dark"),
  );
  await page.goto(`${BASE}/graph`);
  await page.click(".node >> nth=1");
  await expect("a node leads to its traces", async () => page.url().includes("/traces?service="));
  await page.fill("#jump", `traceparent: 00-${whole.traceId}-00f067aa0ba902b7-01`);
  await page.keyboard.press("Enter");
  await expect("a pasted traceparent leads to its trace", async () => page.url().includes(whole.traceId));
  await page.setViewportSize({ width: 400, height: 800 });
  await page.click(".rail-menu");
  await page.click('.rail nav a:has-text("Setup")');
  await expect("the menu opens and leads on", async () => page.url().endsWith("/setup"));
  await page.close();
}

/** Frames while the wheel turns through all of it. */
async function scrolling() {
  const page = await browser.newPage({ viewport: { width: 1280, height: 820 } });
  watch(page, "scrolling");
  const begun = Date.now();
  await page.goto(BASE + WIDE);
  await page.waitForSelector(".span-row");
  const ready = Date.now() - begun;
  const measured = await page.evaluate(async () => {
    const box = document.querySelector(".spans");
    const frames = [];
    let last = performance.now();
    for (let step = 0; step < 180; step += 1) {
      box.scrollTop += step % 60 === 59 ? 90_000 : 420;
      await new Promise((resolve) => requestAnimationFrame(resolve));
      const now = performance.now();
      frames.push(now - last);
      last = now;
    }
    frames.sort((a, b) => a - b);
    return {
      median: frames[90],
      p95: frames[171],
      worst: frames[179],
      rows: document.querySelectorAll(".span-row").length,
    };
  });
  const timed = async (what, act) => {
    const from = Date.now();
    await act();
    await page.evaluate(
      () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))),
    );
    console.log(`  ${what}: ${Date.now() - from} ms`);
  };
  const round = (value) => value.toFixed(1);
  console.log(
    `20,000 spans: first row after ${ready} ms; frames median ${round(measured.median)} ms, p95 ${round(measured.p95)}, worst ${round(measured.worst)}; ${measured.rows} rows in the document`,
  );
  await timed("find", () => page.fill("#find", "timed out"));
  await timed("find once more", () => page.fill("#find", "shard=3"));
  await page.evaluate(() => document.activeElement.blur());
  await timed("close all", () => page.keyboard.press("x"));
  await timed("open all", () => page.keyboard.press("x"));
  await page.close();
}

await pictures();
if (only.length === 0) {
  await keyboard();
  await pointer();
  await scrolling();
}
await browser.close();
for (const problem of problems) {
  console.error(problem);
}
console.log(problems.length === 0 ? "no problems" : `${problems.length} problems`);
process.exit(problems.length === 0 ? 0 : 1);
