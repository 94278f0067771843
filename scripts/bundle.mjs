// Bundles the page's scripts and styles: `node bundle.mjs ASSETS NODE_MODULES OUT`. Called by hatch_build.py.
//
// OUT is laid out as ASSETS is: js/page/page.js there has all that it needs at once, js/parts what is shared or comes later.

import { readFile, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { brotliCompressSync } from "node:zlib";

const [assets, modules, out] = process.argv.slice(2).map((path) => resolve(path));
const { build } = await import(pathToFileURL(join(modules, "esbuild", "lib", "main.js")));

/**
 * What is bundled together, and what its later parts find loaded. A page of ours has neither an element nor the bare
 * client: by itself it is smaller, and comes in fewer files.
 */
const BUNDLES = [
  { entries: ["js/page/page.js", "js/page/boot.js", "css/page.css", "css/plain.css", "css/element.css"], loaded: ["js/page/page.js"] },
  { entries: ["js/element/element.js", "js/element/unread.js", "js/client.js"], loaded: ["js/client.js", "js/view/view.js"] },
];

/**
 * Parts that are loaded later name what is loaded already. esbuild makes a file for each set of modules that are needed
 * together: without this, each later part would split what the page needs at once into more files.
 * @param {string[]} loaded
 */
const later = (loaded) => ({
  name: "later",
  setup({ onResolve, onLoad }) {
    // What is large and needed by few is in one file for both, which is in the vendor folder already.
    onResolve({ filter: /^\.\.\/\.\.\/vendor\/lowlight\.js$/ }, ({ path }) => ({ path, external: true }));
    onResolve({ filter: /^\./ }, ({ kind, path, resolveDir }) =>
      kind === "dynamic-import" ? { path: join(resolveDir, path), pluginData: { later: true } } : undefined,
    );
    onLoad({ filter: /\.js$/ }, async ({ path, pluginData }) => {
      if (!pluginData?.later) return undefined;
      const imports = loaded.map((name) => `import ${JSON.stringify(join(assets, name))};`);
      return { contents: `${await readFile(path, "utf8")}\n${imports.join("\n")}\n`, resolveDir: dirname(path) };
    });
  },
});

const outputs = {};
/** What a script imports, one behind the other: those who load it ask for all at once. A later part of the page is named by its source. */
const imports = {};
const path = (output) => relative(out, join(assets, output)).split(sep).join("/");
for (const { entries, loaded } of BUNDLES) {
  const { metafile } = await build({
    absWorkingDir: assets,
    bundle: true,
    charset: "utf8",
    chunkNames: "js/parts/[name]-[hash]",
    entryPoints: entries,
    format: "esm",
    logLevel: "warning",
    metafile: true,
    minify: true,
    nodePaths: [modules],
    outbase: assets,
    outdir: out,
    plugins: [later(loaded)],
    splitting: true,
    target: "es2022",
  });
  for (const [output, { entryPoint }] of Object.entries(metafile.outputs)) if (entryPoint && entryPoint !== path(output)) imports[entryPoint] ??= [path(output)];
  Object.assign(outputs, metafile.outputs);
}

// Browsers load a service worker from one file, and not all of them as a module.
await build({ absWorkingDir: assets, bundle: true, entryPoints: ["js/worker.js"], format: "iife", logLevel: "warning", minify: true, outfile: join(out, "js", "worker.js"), target: "es2022" });

for (const [output, { imports: found }] of Object.entries(outputs)) {
  const file = join(assets, output);
  await writeFile(`${file}.br`, brotliCompressSync(await readFile(file)));
  imports[path(output)] = found.filter(({ kind, external }) => kind === "import-statement" && !external).map((one) => path(one.path));
}
await writeFile(join(out, "imports.json"), JSON.stringify(imports, null, 1));
