// Builds the pages into ../dist: hashed names, each file also compressed, and
// the document that names them. What is there from before goes first, except
// the placeholder, which is kept in the repository.
import { build } from "esbuild";
import { readFile, readdir, rm, writeFile, mkdir } from "node:fs/promises";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";
import { createHash } from "node:crypto";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

const here = fileURLToPath(new URL(".", import.meta.url));
const dist = join(here, "../dist");
const assets = join(dist, "assets");

const common = { bundle: true, minify: true, write: true, metafile: true, target: ["es2022"], outdir: assets, absWorkingDir: here, legalComments: "none" };

async function main() {
  await rm(assets, { recursive: true, force: true });
  await rm(join(dist, "index.html"), { force: true });
  await mkdir(assets, { recursive: true });
  const app = await build({
    ...common, entryPoints: { main: "src/main.tsx" }, format: "esm", splitting: true,
    entryNames: "[name]-[hash]", chunkNames: "[name]-[hash]", jsx: "automatic", jsxImportSource: "preact",
  });
  // Runs before the first paint, so it can't be a module.
  const theme = await build({ ...common, entryPoints: { theme: "src/theme-early.ts" }, format: "iife", entryNames: "[name]-[hash]" });
  const styles = await build({ ...common, entryPoints: { styles: "src/styles.css" }, entryNames: "[name]-[hash]" });
  const licenses = await collectLicenses();
  const page = await readFile(join(here, "src/index.html"), "utf8");
  // What the pages import is asked for together with them, not after them.
  const chunks = app.metafile.outputs[outputPath(app, "main.tsx")].imports.filter((i) => i.kind === "import-statement").map((i) => basename(i.path));
  const preloads = chunks.map((name) => `<link rel="modulepreload" href="/assets/${name}">\n`).join("");
  const named = { MAIN: output(app, "main.tsx"), THEME: output(theme, "theme-early.ts"), STYLES: output(styles, "styles.css"), LICENSES: licenses };
  await compress();
  // Last: a document is there only when everything that it names is.
  await writeFile(join(dist, "index.html"), page.replace("{{PRELOADS}}", preloads).replace(/\{\{(\w+)\}\}/g, (_, key) => `/assets/${named[key]}`));
}

const output = (result, entry) => basename(outputPath(result, entry));

function outputPath(result, entry) {
  return Object.entries(result.metafile.outputs).find(([, o]) => o.entryPoint?.endsWith(entry))[0];
}

// The licences of what is bundled ask for their text to be handed on.
async function collectLicenses() {
  const texts = await Promise.all(["@preact/signals", "@preact/signals-core", "preact", "uplot"].map(async (name) => {
    const folder = join(here, "node_modules", name);
    const file = (await readdir(folder)).find((f) => /^licen[cs]e/i.test(f));
    return `${name}\n\n${await readFile(join(folder, file), "utf8")}`;
  }));
  const text = texts.join("\n\n----\n\n");
  const name = `licenses-${createHash("sha256").update(text).digest("hex").slice(0, 8)}.txt`;
  await writeFile(join(assets, name), text);
  return name;
}

async function compress() {
  for (const name of await readdir(assets)) {
    const body = await readFile(join(assets, name));
    await writeFile(join(assets, `${name}.gz`), gzipSync(body, { level: 9 }));
    await writeFile(join(assets, `${name}.br`), brotliCompressSync(body, { params: { [constants.BROTLI_PARAM_QUALITY]: 11 } }));
  }
}

await main();
