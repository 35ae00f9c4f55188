// Prints what the scripts weigh on the wire, and fails beyond the budget.
import { readdir, stat } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

const budget = 70 * 1000; // bytes of gzipped JavaScript, everything that is loaded late included
const assets = join(fileURLToPath(new URL(".", import.meta.url)), "../dist/assets");

let total = 0;
for (const name of (await readdir(assets)).sort()) {
  if (!/\.(js|css)\.gz$/.test(name)) continue;
  const { size } = await stat(join(assets, name));
  if (name.endsWith(".js.gz")) total += size;
  console.log(`${String(size).padStart(7)}  ${name}`);
}
console.log(`${String(total).padStart(7)}  JavaScript in all; the budget is ${budget}`);
if (total > budget) process.exit(1);
