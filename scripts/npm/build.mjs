// Makes the npm package: `node build.mjs OUT VERSION`, called by `make npm`. The element's style sheet is in the script,
// because bundlers do not follow an address that is fetched; languages and markup come from the server.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const assets = join(root, "src/pychat/assets");
const out = resolve(process.argv[2]);
const version = process.argv[3];
const options = { absWorkingDir: assets, bundle: true, legalComments: "inline", logLevel: "warning", target: "es2022" };

const sheet = await build({ ...options, entryPoints: ["css/element.css"], minify: true, write: false });
const FETCHED = 'await text(new URL("../../css/element.css", import.meta.url))';

const withSheet = {
  name: "sheet",
  setup({ onLoad }) {
    onLoad({ filter: /element[\\/]styles\.js$/ }, async ({ path }) => {
      const source = await readFile(path, "utf8");
      if (!source.includes(FETCHED)) throw new Error(`${path} does not load its style sheet as expected`);
      return { contents: source.replace(FETCHED, () => JSON.stringify(sheet.outputFiles[0].text)) };
    });
  },
};

await rm(out, { recursive: true, force: true });
await mkdir(out, { recursive: true });
await build({
  ...options,
  chunkNames: "parts/[name]-[hash]",
  entryNames: "[name]",
  entryPoints: { element: "js/element/element.js", unread: "js/element/unread.js", client: "js/client.js" },
  format: "esm",
  minify: true,
  outdir: out,
  plugins: [withSheet],
  splitting: true,
});
for (const name of ["client.d.ts", "element.d.ts", "unread.d.ts", "react.d.ts", "README.md"]) await cp(join(here, name), join(out, name));
await cp(join(root, "LICENSE"), join(out, "LICENSE"));
const told = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
await writeFile(join(out, "package.json"), `${JSON.stringify({ ...told, version }, null, 2)}\n`);
