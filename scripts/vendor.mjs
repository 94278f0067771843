// Takes what the page loads later from npm's packages: `node vendor.mjs NODE_MODULES OUT`. Called by hatch_build.py.
//
// OUT/lowlight.js colours code. OUT/emoji/LANGUAGE.json has all emoji: a list for each with its group, its name, its short
// names, other words to find it by, and 1 if it has skin tones.

import { mkdir, readFile, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { pathToFileURL } from "node:url";

const [modules, out] = process.argv.slice(2).map((path) => resolve(path));
const { build } = await import(pathToFileURL(join(modules, "esbuild", "lib", "main.js")));

await build({
  bundle: true,
  format: "esm",
  logLevel: "warning",
  minify: true,
  nodePaths: [modules],
  outfile: join(out, "lowlight.js"),
  stdin: { contents: 'export { common, createLowlight } from "lowlight";', resolveDir: modules },
  target: "es2022",
});

/** The languages of the page for which there is data, and the kind of short names in it. */
const LANGUAGES = { de: "cldr", en: "github", es: "cldr", fr: "cldr", hi: "cldr", it: "cldr", ja: "cldr", pl: "cldr", pt: "cldr", zh: "cldr" };

await mkdir(join(out, "emoji"), { recursive: true });
for (const [language, names] of Object.entries(LANGUAGES)) {
  const all = JSON.parse(await readFile(join(modules, "emoji-picker-element-data", language, names, "data.json"), "utf8"));
  const rows = all
    .sort((one, other) => one.order - other.order)
    .map(({ emoji, group, annotation, shortcodes = [], tags = [], skins }) => [emoji, group, annotation, language === "en" ? shortcodes : [], tags, skins ? 1 : 0]);
  await writeFile(join(out, "emoji", `${language}.json`), JSON.stringify(rows));
}
