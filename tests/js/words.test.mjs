import assert from "node:assert/strict";
import test from "node:test";
import "./english.mjs";
import { action } from "../../src/pychat/assets/js/action.js";
import { hue, initials } from "../../src/pychat/assets/js/colour.js";
import { excerpt } from "../../src/pychat/assets/js/excerpt.js";
import { newId } from "../../src/pychat/assets/js/identity.js";
import { pieces } from "../../src/pychat/assets/js/links.js";
import { Notice } from "../../src/pychat/assets/js/notice.js";
import { People } from "../../src/pychat/assets/js/people.js";
import { duration } from "../../src/pychat/assets/js/words.js";
import { typingWords } from "../../src/pychat/assets/js/typists.js";
import { beginning, matching, mentionPieces } from "../../src/pychat/assets/js/mentions.js";
import { Addresses } from "../../src/pychat/assets/js/page/address.js";
import { titleOf } from "../../src/pychat/assets/js/room-list.js";

const plain = (text) => text.replaceAll(/[\u2068\u2069]/g, "");
const person = (name) => ({ id: name, name });

test("/me tells what somebody does", () => {
  assert.deepEqual(["/me waves", "/me  waves", "/me", "/me ", "/meet", "say /me waves", "/me waves\nand goes"].map(action), [
    "waves",
    "waves",
    "",
    "",
    "",
    "",
    "",
  ]);
});

test("a wait is told in seconds, minutes or hours, never as less than it is", () => {
  assert.deepEqual([1, 42_000, 120_000, 120_001, 7_200_000, 7_200_001].map(duration), ["1 sec", "42 secs", "120 secs", "3 mins", "120 mins", "3 hrs"]);
});

test("addresses are found without what ends the sentence", () => {
  const links = (text) => pieces(text).filter(({ href }) => href).map((piece) => piece.text);
  assert.deepEqual(links("see http://a.test/b, (https://c.test/d_(e)) and https://f.test."), ["http://a.test/b", "https://c.test/d_(e)", "https://f.test"]);
  assert.deepEqual(links("HTTPS://A.TEST/?q=1&r=[2]!"), ["HTTPS://A.TEST/?q=1&r=[2]"]);
  assert.deepEqual(links("javascript:alert(1) ftp://a.test http:// https://u:p@a.test/ xhttp://no"), []);
  assert.deepEqual(links("<http://a.test/>\"http://b.test\""), ["http://a.test/", "http://b.test"]);
  for (const text of ["", "none", "http://a.test", "a http://a.test. b http://b.test c", "http://[::1]:80/x http://%"]) {
    assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
  }
});

test("a text made to be slow to search is not", () => {
  const started = process.cpuUsage();
  for (const text of ["http://" + ")".repeat(2000), "http://a" + ".,".repeat(1000), "http://a/" + "()".repeat(1000), "https://".repeat(250)]) {
    assert.equal(pieces(text).map((piece) => piece.text).join(""), text);
  }
  assert.ok(process.cpuUsage(started).user < 500_000); // microseconds of this process: a busy machine does not count
});

test("initials are whole letters", () => {
  const found = ["Ada", "grace hopper", "Jean-Luc Picard", "😀 Smiley", "😀", "👨‍👩‍👧", "שרה לוי", "雪", "  ", "ßeta", "(x) y"].map(initials);
  assert.deepEqual(found, ["A", "GH", "JP", "S", "😀", "👨‍👩‍👧", "של", "雪", "?", "SS", "XY"]);
});

test("ids spread over all hues", () => {
  const used = new Set();
  for (let i = 0; i < 500; i += 1) {
    const degrees = hue(newId());
    assert.ok(Number.isInteger(degrees) && degrees >= 0 && degrees < 360);
    used.add(degrees);
  }
  assert.equal(used.size, 12);
  assert.equal(hue("x"), hue("x"));
});

test("ids fit the wire and do not repeat", () => {
  const ids = new Set(Array.from({ length: 1000 }, newId));
  assert.equal(ids.size, 1000);
  for (const id of ids) assert.match(id, /^[A-Za-z0-9_-]{22}$/);
});

test("typing is told of few by name, of many by number", () => {
  const words = (...names) => plain(typingWords(names.map(person)));
  assert.deepEqual(
    [words(), words("A"), words("A", "B"), words("A", "B", "C"), words("A", "B", "C", "D")],
    ["", "A is typing", "A and B are typing", "A, B and one other are typing", "A, B and 2 others are typing"],
  );
});

test("comings and goings make one line, and cancel out", () => {
  const notice = new Notice();
  const told = () => plain(notice.text);
  notice.add({ joined: [person("A"), person("B")] });
  assert.equal(told(), "A and B joined");
  notice.add({ joined: [person("C"), person("D"), person("E")], left: [person("Z")] });
  assert.equal(told(), "A, B, C and 2 others joined · Z left");
  notice.add({ joined: [person("Z")], left: ["A", "B", "C", "D"].map(person) });
  assert.equal(told(), "E joined");
  notice.add({ renamed: [{ from: person("E"), to: { id: "E", name: "Eve" } }] });
  assert.equal(told(), "Eve joined");
  notice.add({ left: [{ id: "E", name: "Eve" }], renamed: [{ from: person("X"), to: { id: "X", name: "Y" } }] });
  assert.equal(told(), "X is now Y");
  notice.add({ renamed: [{ from: { id: "X", name: "Y" }, to: person("X") }] });
  assert.equal(told(), "");
});

test("the list of people follows what is told, into a crowd and out of it", () => {
  const people = new People();
  people.reset({ here: 3, members: [person("A"), person("B")] });
  assert.equal(people.guests, 1);
  people.apply({ here: 3, joined: [person("C")], left: ["A"], renamed: [{ id: "B", name: "Bee" }], listed: true });
  assert.deepEqual(people.members.map(({ name }) => name), ["Bee", "C"]);
  people.apply({ here: 400, listed: false });
  assert.deepEqual([people.members, people.here, people.guests, people.listed], [[], 400, 0, false]);
  const news = people.apply({ here: 2, members: [person("C"), person("D")], listed: true });
  assert.deepEqual([people.members.length, news.joined.length], [2, 0]);
});

test("an excerpt shows the words that were looked for, marked, and nothing that was not written", () => {
  const marked = (text, words) => excerpt(text, words).map((piece) => (piece.found ? `[${piece.text}]` : piece.text)).join("");
  assert.equal(marked("See you at the Station", "station see"), "[See] you at the [Station]");
  assert.equal(marked("a.b (c) a+b", "a.b (c)"), "[a.b] [(c)] a+b");
  assert.equal(marked("nothing here", ""), "nothing here");
  assert.equal(marked("one\n\ntwo", "two"), "one [two]");
  const long = marked(`${"before ".repeat(50)}needle${" after".repeat(50)}`, "needle");
  assert.match(long, /^…\u2060before .*\[needle\] after.*…$/);
  assert.ok(long.length < 180);
  for (const text of [`${"x".repeat(300)}needle`, `${"😀".repeat(300)}needle`, "needle".repeat(60), "😀".repeat(300)]) {
    const plain = excerpt(text, "needle").map((piece) => piece.text).join("");
    assert.ok(text.includes(plain.replaceAll(/…\u2060?/g, "")));
    assert.ok(plain.isWellFormed?.() ?? true);
  }
});

test("mentions are marked whole, never inside a word, the longest name first", () => {
  const marked = (text, ...names) => mentionPieces(text, names).map(({ text: piece, name }) => (name === undefined ? piece : `[${piece}]`)).join("");
  assert.equal(marked("hi @Ada, and @ada!", "Ada"), "hi [@Ada], and [@ada]!");
  assert.equal(marked("@Ada Lovelace and @Adam", "Ada", "Ada Lovelace"), "[@Ada Lovelace] and @Adam");
  assert.equal(marked("mail ada@Ada.org", "Ada"), "mail ada@Ada.org");
  assert.equal(marked("@C++ (a name)", "C++"), "[@C++] (a name)");
  assert.equal(marked("@here", "here"), "[@here]");
  assert.deepEqual(mentionPieces("nobody @Ada", []), [{ text: "nobody @Ada" }]);
});

test("what is typed after an @ is a name that begins, and nothing else", () => {
  const at = (text, caret = text.length) => beginning(text, caret, 32)?.query;
  assert.equal(at("hi @A"), "A");
  assert.equal(at("@"), "");
  assert.equal(at("(@ada l"), "ada l");
  assert.equal(at("a@b"), undefined);
  assert.equal(at("@ada\nx"), undefined);
  assert.equal(at("@ x"), undefined);
  assert.equal(at("@ada  x"), undefined);
  assert.equal(at(`@${"x".repeat(33)}`), undefined);
  assert.equal(at("@ada and more", 3), "ad");
});

test("names that begin like the query come before names with a word that does", () => {
  const members = ["Grace", "Mary Grant", "Ada", "gray"].map((name) => ({ id: name, name }));
  assert.deepEqual(matching(members, "GR", 6).map(({ name }) => name), ["Grace", "gray", "Mary Grant"]);
  assert.equal(matching(members, "", 2).length, 2);
});

test("rooms have addresses, whatever their names, and the first room may have the site's own", () => {
  const addresses = new Addresses(new URL("https://x.org/chat/"), "lobby");
  assert.equal(addresses.of("lobby"), "https://x.org/chat/");
  assert.equal(addresses.of("project-42"), "https://x.org/chat/rooms/project-42");
  for (const name of ["project-42", "a b", "ü/ö", "lobby"]) assert.equal(addresses.room(addresses.of(name)), name);
  assert.equal(new Addresses(new URL("https://x.org/"), "").room("https://x.org/?q=1"), "");
  assert.equal(addresses.room("https://x.org/chat/rooms/%zz"), "");
});

test("a direct room has the names of the others", () => {
  const direct = [{ id: "a", name: "Ada" }, { id: "b", name: "Ben" }, { id: "c", name: "" }];
  assert.equal(titleOf({ name: "d", title: "", direct }, "a"), "Ben, Deleted person");
  assert.equal(titleOf({ name: "d", title: "The den" }, "a"), "The den");
  assert.equal(titleOf({ name: "d", title: "" }, "a"), "d");
});
