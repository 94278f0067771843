"""Moderation over HTTP: moderators and programs keep order, and nobody reads a room that they may not enter."""

from __future__ import annotations

import pytest

from pychat import ChatRoom, Request, User
from tests.clients import WebSocketPerson

TOKEN = "a-token-of-the-server"
ADA = {"X-Login": "ada"}


def by_header(request: Request) -> User | None:
    """Ada is a moderator; other logins are not."""
    login = request.headers.get("x-login")
    return None if login is None else User(login, login.title(), roles=("moderator",) if login == "ada" else ())


async def test_a_moderator_needs_no_stream(mounted) -> None:
    """A login with the role moderates by plain requests, and nobody sees them come and go."""
    site = await mounted(authenticate=by_header)
    bob = await WebSocketPerson.enter(site.url)
    joined = await bob.command("join", {"name": "Bob"})
    fields = {"action": "ban", "member": joined["member"]["id"], "reason": "Caps.", "seconds": 60}
    done = await site.ask("POST", "/moderation", json=fields, headers=ADA)
    assert (done.status, done.told) == (200, {"ok": True})
    assert (await bob.event("error"))["code"] == "banned"
    assert (await bob.event("bye"))["code"] == 4014
    state = (await site.ask("GET", "/moderation", headers=ADA)).told
    assert state["bans"][0]["name"] == "Bob"
    (entry,) = (await site.ask("GET", "/audit", headers=ADA)).told["entries"]
    assert (entry["action"], entry["by"]["id"], entry["name"]) == ("ban", "user:ada", "Bob")
    assert site.room.member_count == 0
    token = joined["token"]
    for method, path, options in (
        ("GET", "/messages", {}),
        ("GET", "/members", {}),
        ("POST", "/read", {"json": {"seq": 1}}),
        ("POST", "/messages", {"json": {"text": "back"}}),
        ("POST", "/reports", {"json": {"target": 1}}),
        ("GET", "/moderation", {}),
        ("POST", "/moderation", {"json": {"action": "unban", "member": joined["member"]["id"]}}),
    ):
        refused = await site.ask(method, path, token=token, **options)
        assert (refused.status, refused.code) == (403, "banned"), path
        assert refused.told["error"]["until"] == state["bans"][0]["until"]
    await bob.close()


async def test_a_program_outranks_everybody(mounted) -> None:
    """A token of the server may do all, under the name that it gives; a name that cannot be one is refused."""
    site = await mounted(authenticate=by_header, api_tokens=TOKEN)
    done = await site.ask("POST", "/moderation", json={"action": "set", "topic": "Tea", "author": "bot"}, token=TOKEN)
    assert done.told == {"ok": True}
    await site.ask("POST", "/moderation", json={"action": "role", "member": "user:eve", "role": "owner"}, token=TOKEN)
    entries = (await site.ask("GET", "/audit?limit=1&before=2", token=TOKEN)).told
    assert (entries["entries"][0]["by"], entries["more"]) == ({"id": "post:bot", "name": "bot"}, False)
    assert (await site.ask("GET", "/audit?limit=1", token=TOKEN)).told["more"] is True
    assert (await site.ask("GET", "/moderation", token=TOKEN)).told["settings"]["topic"] == "Tea"
    for author in (7, "", "x" * 1000, "\x00"):
        body = {"action": "set", "topic": "x", "author": author}
        assert (await site.ask("POST", "/moderation", json=body, token=TOKEN)).status in (400, 422)


@pytest.mark.parametrize("path", ["/moderation", "/audit"])
async def test_others_see_nothing_of_it(mounted, path: str) -> None:
    """Without a token: unauthorized. With that of a visitor, or a login without the role: forbidden."""
    site = await mounted(authenticate=by_header)
    assert (await site.ask("GET", path)).code == "unauthorized"
    assert (await site.ask("GET", path, token="made.up")).code == "unauthorized"
    assert (await site.ask("GET", path, headers={"X-Login": "eve"})).code == "forbidden"
    token = (await site.ask("POST", "/token")).told["token"]
    assert (await site.ask("GET", path, token=token)).code == "forbidden"
    body = {"action": "set", "topic": "x"}
    assert (await site.ask("POST", "/moderation", json=body, token=token)).code == "forbidden"
    assert (await site.ask("POST", "/moderation", json=body)).code == "unauthorized"
    assert (await site.room.moderation.state())["settings"]["topic"] == ""


@pytest.mark.parametrize(
    "body",
    [
        "[]",
        "{}",
        '{"action": NaN}',
        '{"action": "ban", "member": 1e999}',
        '{"action": "__proto__"}',
        '{"action": {"ban": 1}}',
        '{"action": "ban", "member": "x", "seconds": -1}',
        '{"action": "ban", "member": "x", "seconds": 1.5}',
        '{"action": "ban", "member": "x", "seconds": 1e300}',
        '{"action": "ban", "network": "0.0.0.0/0"}',
        '{"action": "ban", "network": "127.0.0.1"}',
        '{"action": "ban", "network": "::1"}',
        '{"action": "ban", "network": "no address"}',
        '{"action": "role", "member": "x", "role": "god"}',
        '{"action": "set", "title": "' + "x" * 101 + '"}',
        '{"action": "set", "topic": "\\ud800"}',
    ],
)
async def test_what_is_malformed_is_refused(mounted, body: str) -> None:
    """Nothing changes, and nothing fails."""
    site = await mounted(api_tokens=TOKEN)
    done = await site.ask("POST", "/moderation", data=body, headers={"Content-Type": "application/json"}, token=TOKEN)
    assert (done.status, done.code) == (400, "bad_request")
    assert (await site.ask("GET", "/audit", token=TOKEN)).told["entries"] == []


async def test_a_room_for_members_cannot_be_read_from_outside(mounted) -> None:
    """Its messages and members are for those who may enter; programs may read it."""
    room = ChatRoom("lobby")
    site = await mounted(room, authenticate=by_header, api_tokens=TOKEN)
    await room.post("a secret", author="bot")
    assert (await site.ask("GET", "/messages")).status == 200
    await room.moderation.set(entry="members")
    for path in ("/messages", "/messages/1", "/members"):
        refused = await site.ask("GET", path)
        assert (refused.status, refused.code) == (403, "entry_required")
        assert (await site.ask("GET", path, headers={"X-Login": "eve"})).status == 200
        assert (await site.ask("GET", path, token=TOKEN)).status == 200
    await room.moderation.set(entry="closed")
    assert (await site.ask("GET", "/messages", headers={"X-Login": "eve"})).code == "room_closed"
    assert (await site.ask("GET", "/messages", headers=ADA)).status == 200


async def test_a_message_is_reported(mounted) -> None:
    """A visitor reports without joining; moderators find it in the queue."""
    site = await mounted(authenticate=by_header)
    await site.room.post("Buy pills", author="bot")
    assert (await site.ask("POST", "/reports", json={"target": 1})).code == "unauthorized"
    token = (await site.ask("POST", "/token")).told["token"]
    assert (await site.ask("POST", "/reports", json={"target": 1, "reason": "Spam"}, token=token)).told == {"ok": True}
    assert (await site.ask("POST", "/reports", json={"target": 99}, token=token)).code == "not_found"
    for wrong in ({}, {"target": "x"}, {"target": 1, "reason": 7}, {"target": [1]}):
        assert (await site.ask("POST", "/reports", json=wrong, token=token)).code == "bad_request"
    (report,) = (await site.ask("GET", "/moderation", headers=ADA)).told["reports"]
    assert (report["target"], report["text"], report["reason"]) == (1, "Buy pills", "Spam")
    done = await site.ask("POST", "/moderation", json={"action": "resolve", "item": report["item"]}, headers=ADA)
    assert done.told == {"ok": True}
    assert (await site.ask("GET", "/moderation", headers=ADA)).told["reports"] == []
