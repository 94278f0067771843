import assert from "node:assert/strict";
import test from "node:test";
import { day, duration, exact, has, list, listPieces, locale, moment, number, pieces, refusalText, t, time, useWords } from "../../src/pychat/assets/js/words.js";

const words = {
  hello: "Hello {name}, {name}!",
  "log.new": { one: "{count} nowa", few: "{count} nowe", many: "{count} nowych", other: "{count} nowej" },
  "error.banned": "You are banned.",
  "error.because": "{text} Reason: {reason}",
};
const speak = (language) => useWords({ language, words });

test("words take values, and leave what is missing", () => {
  speak("en");
  assert.equal(t("hello", { name: "{name}" }), "Hello {name}, {name}!");
  assert.equal(t("hello", { name: 1234.5 }), "Hello 1,234.5, 1,234.5!");
  assert.equal(t("hello"), "Hello {name}, {name}!");
  assert.equal(t("nothing.here"), "nothing.here");
  assert.equal(has("toString"), false);
});

test("plurals are those of the language", () => {
  speak("pl");
  assert.deepEqual([1, 3, 5, 1.5, 2022].map((count) => t("log.new", { count })), ["1 nowa", "3 nowe", "5 nowych", "1,5 nowej", "2022 nowe"]);
});

test("elements stand among the words", () => {
  speak("en");
  const name = { element: true };
  assert.deepEqual(pieces("hello", { name }), ["Hello ", name, ", ", name, "!"]);
  assert.deepEqual(listPieces([name, "Bob", "Cy"]), [name, ", ", "Bob", ", and ", "Cy"]);
});

test("a refusal is in the reader's language if there are words for it, and else in the server's", () => {
  speak("en");
  assert.equal(refusalText({ code: "banned", text: "You are banned until 2030." }), "You are banned until 2030.");
  speak("de");
  assert.equal(refusalText({ code: "banned", text: "You are banned until 2030." }), "You are banned.");
  assert.equal(refusalText({ code: "banned", text: "You are banned (spam)." }), "You are banned. Reason: spam");
  assert.equal(refusalText({ code: "own_hook", text: "Not on Sundays." }), "Not on Sundays.");
});

test("numbers, lists, dates and times are those of the language", () => {
  speak("de");
  const now = new Date(2026, 0, 5, 14, 5);
  assert.equal(locale().split("-")[0], "de");
  assert.equal(number(12_345.5), "12.345,5");
  assert.equal(list(["Ada", "Bob", "Cy"]), "Ada, Bob und Cy");
  assert.equal(time(now), "14:05");
  assert.equal(day(now, now), "Heute");
  assert.equal(day(new Date(2026, 0, 4, 23), now), "Gestern");
  assert.equal(day(new Date(2025, 11, 1), now), "Montag, 1. Dezember 2025");
  assert.equal(moment(now, now), "14:05");
  assert.match(moment(new Date(2026, 2, 1, 9, 30), now), /^1\. März.*09:30$/);
  assert.match(exact(now), /^Montag, 5\. Januar 2026.*14:05:00/);
  assert.deepEqual([1, 120_000, 120_001, 7_200_001].map(duration), ["1 Sek.", "120 Sek.", "3 Min.", "3 Std."]);
});
