/** Gives the modules under test the English words. */

import { readFileSync } from "node:fs";
import { useWords } from "../../src/pychat/assets/js/words.js";

const catalogue = new URL("../../src/pychat/assets/languages/en.json", import.meta.url);
useWords({ language: "en-GB", words: JSON.parse(readFileSync(catalogue, "utf8")) });
