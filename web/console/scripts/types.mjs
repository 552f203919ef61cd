// Writes src/api/types.ts from src/api/openapi.json, which the server's tests keep current.
// With --check nothing is written: it fails when the types are not what the document says.
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import openapiTS, { astToString } from "openapi-typescript";

const document = new URL("../src/api/openapi.json", import.meta.url);
const target = fileURLToPath(new URL("../src/api/types.ts", import.meta.url));
const header = "// Generated from openapi.json by `npm run types`. Do not edit.\n\n";

const wanted = header + astToString(await openapiTS(document, { alphabetize: true }));
if (process.argv.includes("--check")) {
  const found = await readFile(target, "utf8").catch(() => "");
  if (found !== wanted) {
    console.error("src/api/types.ts is not what src/api/openapi.json says: run `npm run types`");
    process.exit(1);
  }
} else {
  await writeFile(target, wanted);
}
