// Builds dist/: index.html, one hashed script, one hashed style sheet, the icon. Fails when the script
// has outgrown its budget. No development server here: that is dev/server.mjs.
import { createHash } from "node:crypto";
import { mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

/** All JavaScript, minified, uncompressed. */
const SCRIPT_BYTES_MAX = 200 * 1024;

const root = fileURLToPath(new URL("..", import.meta.url));
const dist = `${root}dist`;

const result = await build({
  absWorkingDir: root,
  entryPoints: { app: "src/app.tsx" },
  outdir: "dist",
  bundle: true,
  minify: true,
  write: false,
  metafile: true,
  format: "iife",
  target: ["chrome111", "firefox113", "safari16.4"],
  jsx: "automatic",
  jsxImportSource: "preact",
  legalComments: "none",
  logLevel: "warning",
});

const outputs = result.outputFiles.map((file) => ({
  ending: file.path.endsWith(".css") ? "css" : "js",
  bytes: file.contents,
}));
const hashed = (bytes) => createHash("sha256").update(bytes).digest("hex").slice(0, 10);
const names = Object.fromEntries(
  outputs.map(({ ending, bytes }) => [ending, `app.${hashed(bytes)}.${ending}`]),
);
const size = (ending) =>
  outputs.filter((file) => file.ending === ending).reduce((sum, file) => sum + file.bytes.length, 0);

if (size("js") > SCRIPT_BYTES_MAX) {
  const inputs = Object.values(result.metafile.outputs).find((output) => output.entryPoint)?.inputs ?? {};
  const largest = Object.entries(inputs)
    .sort(([, a], [, b]) => b.bytesInOutput - a.bytesInOutput)
    .slice(0, 8)
    .map(([name, { bytesInOutput }]) => `  ${bytesInOutput} ${name}`);
  console.error(
    `app.js is ${size("js")} bytes, over the budget of ${SCRIPT_BYTES_MAX}:\n${largest.join("\n")}`,
  );
  process.exit(1);
}

await rm(dist, { recursive: true, force: true });
await mkdir(dist, { recursive: true });
for (const { ending, bytes } of outputs) {
  await writeFile(`${dist}/${names[ending]}`, bytes);
}
const page = await readFile(`${root}src/index.html`, "utf8");
await writeFile(`${dist}/index.html`, page.replace("app.js", names.js).replace("app.css", names.css));
await writeFile(`${dist}/favicon.svg`, await readFile(`${root}src/favicon.svg`));
console.log(
  `dist/${names.js} ${size("js")} bytes of ${SCRIPT_BYTES_MAX}, dist/${names.css} ${size("css")} bytes`,
);
