import assert from "node:assert/strict";
import test from "node:test";
import "./english.mjs";
import { solve } from "../../src/pychat/assets/js/entry/challenge.js";
import { ending, lasting } from "../../src/pychat/assets/js/moderation/durations.js";
import { overview } from "../../src/pychat/assets/js/moderation/overview.js";
import { outranks, rolesToGive } from "../../src/pychat/assets/js/moderation/ranks.js";
import { People } from "../../src/pychat/assets/js/people.js";
import { barredTitle, farewell, wayBack } from "../../src/pychat/assets/js/view/farewell-words.js";
import { silenceText } from "../../src/pychat/assets/js/view/silence.js";
import { moment } from "../../src/pychat/assets/js/words.js";

const DATE = "2026-01-31T11:00:00.000Z";
const NOW = new Date(2026, 0, 31, 12, 0);
const later = (minutes) => new Date(NOW.getTime() + minutes * 60_000).toISOString();

/** Made by the library altcha 2.3 with 10 rounds; the counter is 37. */
const CHALLENGE = {
  parameters: {
    algorithm: "PBKDF2/SHA-256", cost: 10, keyLength: 32, keyPrefix: "bdbd87c1c0ce7d1213f5d067c09ab8b3",
    nonce: "1953b69aa5ba820e4f50cc250b29cabb", salt: "e7c86a7002704ef1d75ae44df6d00269", expiresAt: 4_000_000_000, data: { room: "lobby" },
  },
  signature: "s",
};

test("a challenge is solved as the server's library solves it", async () => {
  const steps = [];
  const { challenge, solution } = await solve(CHALLENGE, { progress: (done) => steps.push(done) });
  assert.equal(challenge, CHALLENGE);
  assert.deepEqual(solution, { counter: 37, derivedKey: "bdbd87c1c0ce7d1213f5d067c09ab8b35adc064dd9cc86364b3d3709089d2a88" });
  assert.ok(steps.length > 0 && steps.every((step) => step > 0 && step < 1));
});

test("a challenge can be cancelled, and one of another kind is refused in words", async () => {
  const stop = new AbortController();
  stop.abort();
  await assert.rejects(solve(CHALLENGE, { signal: stop.signal }), { code: "aborted" });
  const other = { parameters: { ...CHALLENGE.parameters, algorithm: "ARGON2ID" } };
  await assert.rejects(solve(other), { code: "unsupported", message: /Load the page again/ });
});

test("nobody who was put out is led back in before the time", () => {
  const kicked = { name: "refused", code: "kicked", text: "A moderator has removed you.", until: later(1) };
  assert.equal(wayBack(kicked, NOW, true), null);
  assert.deepEqual(wayBack(kicked, new Date(NOW.getTime() + 61_000), true), { label: "Enter again" });
  assert.deepEqual(wayBack({ code: "kicked" }, NOW, true), { label: "Enter again" });
  assert.equal(wayBack({ code: "banned" }, NOW, true), null);
  assert.equal(wayBack({ code: "banned", until: later(60) }, NOW, true), null);
  assert.deepEqual(wayBack({ code: "room_closed" }, NOW, true), { label: "Try again" });
  assert.deepEqual(wayBack({ code: "login_ended" }, NOW, true), { label: "Log in again", reload: true });
  assert.deepEqual(wayBack({ code: "login_ended" }, NOW, false), { label: "Connect again" });
});

test("the end of a ban stands in the reader's own time", () => {
  const until = later(65);
  const utc = `${until.slice(0, 16).replace("T", " ")} UTC`;
  assert.equal(farewell({ text: `You are banned until ${utc} (spam).`, until }, NOW), "You are banned until 13:05 (spam).");
  assert.equal(farewell({ text: "Out.", until }, NOW), "Out. You can come back at 13:05.");
  assert.equal(farewell({ text: "Out.", until: later(-1) }, NOW), "Out. You can come back now.");
  const past = later(-1);
  const over = `Out (spam). You can come back at ${past.slice(0, 16).replace("T", " ")} UTC.`;
  assert.equal(farewell({ text: over, until: past }, NOW), "Out (spam). You can come back now.");
  assert.equal(farewell({ text: "Out." }, NOW), "Out.");
  assert.equal(farewell({ code: "kicked", text: "You have had too much." }, NOW), "You were removed from this room. You have had too much.");
  assert.equal(farewell({ code: "kicked", text: "You were disconnected by the server." }, NOW), "You were disconnected by the server.");
  assert.equal(barredTitle("entry_required"), "This room is not open to everyone");
  assert.equal(barredTitle("whatever"), "You cannot enter this room");
});

test("who cannot write is told why and until when", () => {
  const room = { muted: null, writing: "all", role: "guest" };
  assert.equal(silenceText({ ...room, muted: { until: later(10), reason: "spam" } }, NOW), "You are muted until 12:10: spam");
  assert.equal(silenceText({ ...room, muted: { reason: "" } }, NOW), "You are muted here.");
  assert.equal(silenceText({ ...room, writing: "members" }, NOW), "Only members can write now.");
  assert.equal(silenceText({ ...room, writing: "moderators", role: "member" }, NOW), "Only moderators can write now.");
  assert.match(silenceText({ ...room, role: "reader" }, NOW), /^You can only read this room/);
  assert.equal(silenceText(room, NOW), "Only some people can write in this room.");
});

test("a day other than today is named", () => {
  assert.match(moment(new Date(2026, 1, 1, 9, 5), NOW), /^1 February.*09:05$/);
  assert.match(moment(new Date(2027, 1, 1, 9, 5), NOW), /^1 February 2027.*09:05$/);
  assert.equal(ending(undefined, NOW), "for ever");
  assert.equal(ending(later(5), NOW), "until 12:05");
  assert.equal(lasting(3600), "for 1 hour");
  assert.equal(lasting(null), "for ever");
});

function room(role, roles = {}, moderates = true) {
  const people = new People();
  people.reset({ here: 9, members: Object.entries(roles).map(([id, role]) => ({ id, name: id, roles: [role] })) });
  return { role, people, moderates, me: { id: "me" } };
}

test("actions are offered on people of lower roles only", () => {
  const mod = room("moderator", { other: "moderator", boss: "owner", cook: "cook" });
  assert.deepEqual(["guest", "other", "boss", "cook", "me"].map((id) => outranks(mod, id)), [true, false, false, true, false]);
  assert.deepEqual(rolesToGive(mod, "guest"), ["reader", "guest", "member"]);
  assert.deepEqual(rolesToGive(mod, "other"), []);
  const owner = room("owner", { other: "moderator", boss: "owner" });
  assert.deepEqual(["other", "boss"].map((id) => outranks(owner, id)), [true, false]);
  assert.equal(rolesToGive(owner, "boss").length, 5);
  assert.equal(outranks(room("guest"), "x"), true, "whom the application lets moderate has no role in the room");
  assert.equal(outranks(room("member", {}, false), "x"), false);
});

test("the records of a room become rows: one for a person with their addresses", () => {
  const bans = [
    { member: "e", name: "Eve", reason: "spam", by: "g", until: later(60) },
    { network: "198.51.100.7", member: "e", name: "Eve", reason: "spam", by: "g", until: later(60) },
    { network: "203.0.113.0/24", reason: "", by: "x" },
  ];
  const roles = [{ member: "g", role: "moderator", name: "Grace" }, { member: "n", role: "member" }];
  const reports = [{ item: "r1", target: 3, member: "m", name: "Mal", text: "boo", by: "b", by_name: "Ben", reason: "rude", date: DATE }];
  const asking = [{ item: "a1", member: "q", name: "Nadia", text: "hi", date: DATE }];
  const seen = overview({ settings: { slow: 5 }, roles, bans, reports, asking, invites: [{ invite: "i", role: "member", by: "g" }] }, (id) => (id === "n" ? "Nina" : undefined));
  assert.deepEqual(seen.bans.map(({ key, member, name, networks, by }) => [key, member, name, networks, by]), [
    ["e", "e", "Eve", ["198.51.100.7"], "Grace"],
    ["203.0.113.0/24", undefined, undefined, ["203.0.113.0/24"], "x"],
  ]);
  assert.deepEqual(seen.roles.map(({ member, name }) => [member, name]), [["g", "Grace"], ["n", "Nina"]]);
  assert.deepEqual(seen.reports, [{ item: "r1", target: 3, text: "boo", reason: "rude", author: { id: "m", name: "Mal" }, by: "Ben", date: DATE }]);
  assert.deepEqual(seen.asking, [{ item: "a1", name: "Nadia", text: "hi", date: DATE }]);
  assert.deepEqual(seen.invitations.map(({ invite, by }) => [invite, by]), [["i", "Grace"]]);
  assert.deepEqual(overview({}, () => undefined).bans, []);
});
