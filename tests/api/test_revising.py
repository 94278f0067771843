"""Messages after they were said: found, edited, deleted by who wrote them."""

from __future__ import annotations

TOKEN = "a-token-of-the-server"


async def test_an_author_edits_and_deletes(mounted) -> None:
    """With the token of the answer; a mark remains; nobody else can."""
    site = await mounted()
    said = (await site.post({"text": "tea?", "author": "Ada"})).told
    other = (await site.post({"text": "hm", "author": "Bob"})).told["token"]
    done = await site.ask("PATCH", "/messages/1", token=said["token"], json={"text": "coffee?"})
    assert (done.status, done.told["text"], "edited" in done.told) == (200, "coffee?", True)
    assert (await site.ask("PATCH", "/messages/1", token=other, json={"text": "x"})).code == "not_yours"
    assert (await site.ask("DELETE", "/messages/1", token=other)).status == 403
    assert (await site.ask("DELETE", "/messages/1")).status == 401
    done = await site.ask("DELETE", "/messages/1", token=said["token"])
    assert (done.status, done.told["text"], done.told["deleted"]) == (200, "", True)
    assert (await site.ask("GET", "/messages/1")).told == done.told
    for missing in ("99", "x", "0", "1" * 30):
        assert (await site.ask("GET", f"/messages/{missing}")).code == "not_found"


async def test_a_program_changes_what_programs_wrote(mounted) -> None:
    """And leaves people's messages alone."""
    site = await mounted(api_tokens=TOKEN)
    await site.post({"text": "50 %", "author": "build"}, token=TOKEN)
    visitor = (await site.ask("POST", "/token")).told["token"]
    await site.post({"text": "nice", "author": "Ada"}, token=visitor)
    assert (await site.ask("PATCH", "/messages/1", token=TOKEN, json={"text": "done"})).told["text"] == "done"
    assert (await site.ask("PATCH", "/messages/2", token=TOKEN, json={"text": "x"})).code == "not_yours"
    assert (await site.ask("DELETE", "/messages/2", token=TOKEN)).status == 403
    assert (await site.ask("DELETE", "/messages/1", token=TOKEN)).told["deleted"] is True


async def test_rooms_and_who_is_in_them(mounted) -> None:
    """The list, one room, its members."""
    site = await mounted()
    await site.room.post("hi", author="bot")
    async with site.http.get(f"{site.url}/api/rooms") as response:
        told = await response.json()
    room = {"name": "lobby", "title": "lobby", "here": 0, "seq": 1}
    assert told == {"ok": True, "rooms": [room]}
    assert (await site.ask("GET", "")).told == {"ok": True, **room}
    assert (await site.ask("GET", "/members")).told == {"ok": True, "here": 0, "members": []}
    assert (await site.ask("HEAD", "/members")).status == 200
