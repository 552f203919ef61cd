// Builds dist/: index.html, hashed scripts, one hashed style sheet, the icon. The page that is open first
// loads the entry; some pages, and what draws plots, are chunks that it loads when they are needed. Fails when
// what any page loads has outgrown the budget. No development server here: that is dev/server.mjs.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** All JavaScript that a page loads, minified, uncompressed. */
const SCRIPT_BYTES_MAX = 200 * 1024;

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;

const result = await build({
  absWorkingDir: root,
  entryPoints: { app: "src/app.tsx" },
  outdir: "dist",
  // The server lets browsers keep for good what begins with `app.`: its name has a hash of its content.
  entryNames: "app.[hash]",
  chunkNames: "app.[name].[hash]",
  bundle: true,
  splitting: true,
  minify: true,
  write: false,
  metafile: true,
  format: "esm",
  target: ["chrome111", "firefox113", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

const { outputs } = result.metafile;
const nameOf = (path) => basename(path);
const entry = Object.keys(outputs).find((path) => outputs[path].entryPoint === "src/app.tsx");

/** A script and all that it cannot do without. */
function loadedWith(path, seen = new Set()) {
  if (!seen.has(path)) {
    seen.add(path);
    for (const { path: next, kind } of outputs[path].imports) {
      if (kind === "import-statement") {
        loadedWith(next, seen);
      }
    }
  }
  return seen;
}
const sum = (paths) => [...paths].reduce((bytes, path) => bytes + outputs[path].bytes, 0);

/** What each page loads: the entry, its own chunk, and the chunks that chunk asks for in its turn. */
const loads = new Map([["first load", loadedWith(entry)]]);
for (const [path, output] of Object.entries(outputs)) {
  const page = /^src\/pages\/([\w-]+)\.tsx$/.exec(output.entryPoint ?? "")?.[1];
  if (page !== undefined) {
    const all = new Set([...loadedWith(entry), ...loadedWith(path)]);
    for (const loaded of [...all].filter((candidate) => !loadedWith(entry).has(candidate))) {
      for (const { path: later, kind } of outputs[loaded].imports) {
        if (kind === "dynamic-import") {
          for (const more of loadedWith(later)) {
            all.add(more);
          }
        }
      }
    }
    loads.set(page, all);
  }
}

const tooLarge = [...loads].filter(([, paths]) => sum(paths) > SCRIPT_BYTES_MAX);
if (tooLarge.length > 0) {
  for (const [page, paths] of tooLarge) {
    const largest = [...paths]
      .flatMap((path) => Object.entries(outputs[path].inputs))
      .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
      .slice(0, 8)
      .map(([name, { bytesInOutput }]) => `  ${bytesInOutput} ${name}`);
    console.error(
      `${page}: ${sum(paths)} bytes of script, over the budget of ${SCRIPT_BYTES_MAX}:\n${largest.join("\n")}`,
    );
  }
  process.exit(1);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
let style;
for (const { path, contents } of result.outputFiles) {
  if (path.endsWith(".css")) {
    // esbuild's hash is of the input's names as well; this one is of what is served.
    style = `app.${createHash("sha256").update(contents).digest("hex").slice(0, 10)}.css`;
  }
  await writeFile(`${dist}/${path.endsWith(".css") ? style : nameOf(path)}`, contents);
}
const page = await readFile(`${root}src/index.html`, "utf8");
await writeFile(
  `${dist}/index.html`,
  page.replace("app.js", nameOf(entry)).replace("app.css", style ?? "app.css"),
);
await writeFile(`${dist}/favicon.svg`, await readFile(`${root}src/favicon.svg`));
const styles = result.outputFiles
  .filter(({ path }) => path.endsWith(".css"))
  .reduce((bytes, { contents }) => bytes + contents.length, 0);
const told = [...loads].map(([what, paths]) => `${what} ${sum(paths)}`).join(", ");
console.log(`script bytes of ${SCRIPT_BYTES_MAX}: ${told}; style ${styles} bytes`);
