// Makes the npm package: `node build.mjs OUT VERSION`, called by `make npm`. The style sheet and the names of emoji are
// scripts, because bundlers do not follow an address that is fetched; languages and markup come from the server.

import { cp, mkdir, readFile, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { build } from "esbuild";

const here = dirname(fileURLToPath(import.meta.url));
const root = resolve(here, "../..");
const assets = join(root, "src/pychat/assets");
const out = resolve(process.argv[2]);
const version = process.argv[3];
const options = { absWorkingDir: assets, bundle: true, charset: "utf8", legalComments: "inline", logLevel: "warning", target: "es2022" };

const sheet = await build({ ...options, entryPoints: ["css/element.css"], minify: true, write: false });
/** What the sources fetch from beside them is imported here: by file, the words that fetch it, and what replaces them. */
const FETCHED = {
  "element/styles.js": [/await text\(new URL\("[^"]+", import\.meta\.url\)\)/, JSON.stringify(sheet.outputFiles[0].text)],
  "writing/emoji.js": [/const response = await fetch\(new URL.*?return response\.json\(\);/s, "return (await import(`../../vendor/emoji/${language}.json`)).default;"],
};

const imported = {
  name: "imported",
  setup({ onLoad }) {
    for (const [name, [fetched, instead]] of Object.entries(FETCHED)) {
      onLoad({ filter: new RegExp(`${name.replace("/", "[\\\\/]").replace(".", "\\.")}$`) }, async ({ path }) => {
        const source = await readFile(path, "utf8");
        if (!fetched.test(source)) throw new Error(`${path} does not fetch as expected`);
        return { contents: source.replace(fetched, () => instead), resolveDir: dirname(path) };
      });
    }
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
  plugins: [imported],
  splitting: true,
});
for (const name of ["client.d.ts", "element.d.ts", "unread.d.ts", "react.d.ts", "README.md"]) await cp(join(here, name), join(out, name));
await cp(join(root, "LICENSE"), join(out, "LICENSE"));
const told = JSON.parse(await readFile(join(here, "package.json"), "utf8"));
await writeFile(join(out, "package.json"), `${JSON.stringify({ ...told, version }, null, 2)}\n`);
