"""How the programs about filters, moderation hooks and who gets in are tested."""

from __future__ import annotations

import contextlib
import io
import json

import aiohttp
from aiohttp import web

from pychat import Access, ChatRoom, Member
from pychat.room.entry import Applicant, EntryDesk
from pychat.room.grant import Grant
from pychat.room.rate_limiter import RateLimiter
from pychat.testing import Person
from tests.docs.stage import ADDRESS, Stage
from tests.docs.uses.http import run, serving
from tests.servers import aiohttp_server


async def fates(room: ChatRoom, *texts: str) -> list[str]:
    """For each text of a guest: `sent`, `held`, or the code of the refusal."""
    person, found = await Person.enter(room), []
    await person.join("Grace")
    for text in texts:
        answer = await person.say(text)
        found.append(("held" if answer.get("held") else "sent") if answer["ok"] else answer["error"]["code"])
    await person.close()
    return found


async def filters_words(stage: Stage, argument: str) -> None:
    """Some words are refused, some wait for a moderator, and the others are sent."""
    room = (await stage.run())["room"]
    assert await fates(room, "hello", "SPAMWORD!", "the ＣＡＳＩＮＯ", "casinos") == [
        "sent",
        "language",
        "held",
        "sent",
    ]
    (held,) = (await room.moderation.state())["held"]
    assert held["reason"] == "It has the words: casino"
    await room.moderation.approve(held["key"])
    assert [each.text for each in await room.history()] == ["hello", "casinos", "the ＣＡＳＩＮＯ"]
    await room.aclose()


async def filters_links(stage: Stage, argument: str) -> None:
    """A guest's links wait; those of a member are sent."""
    room = (await stage.run())["room"]
    assert await fates(room, "hello", "see https://example.com", "buy at example.com") == ["sent", "held", "held"]
    person = await Person.enter(room)
    member = (await person.join("Ada"))["member"]
    await room.moderation.role(member["id"], "member")
    assert (await person.say("see https://example.com"))["seq"]
    await person.close()
    await room.aclose()


async def filters_by_a_classifier(stage: Stage, argument: str) -> None:
    """The score decides; without an answer, the message waits."""

    async def classify(request: web.Request) -> web.Response:
        text = (await request.json())["text"]
        return web.json_response({"toxicity": 0.99 if "fool" in text else 0.8 if "silly" in text else 0.1})

    app = web.Application()
    app.router.add_post("/classify", classify)
    async with aiohttp_server(app) as url:
        await stage.run(url.removeprefix("http://"))
        room = (await stage.run())["room"]
        assert await fates(room, "hello", "you fool", "silly you") == ["sent", "unkind", "held"]
    assert await fates(room, "hello") == ["held"]
    assert [each["reason"] for each in (await room.moderation.state())["held"]] == [
        "Perhaps unkind (80%)",
        "The classifier did not answer",
    ]
    await room.aclose()


async def hears_about_moderation(stage: Stage, argument: str) -> None:
    """A report is mailed, and what a moderator does is printed."""
    room, printed = (await stage.run())["room"], io.StringIO()
    with contextlib.redirect_stdout(printed):
        person = await Person.enter(room)
        await person.join("Eve")
        seq = (await person.say("rude"))["seq"]
        await room.moderation.report(seq, "It is rude.", by=Member("guest", "Ada"))
        (report,) = (await room.moderation.state())["report"]
        await room.moderation.resolve(report["key"])
        await person.close()
        await room.aclose()
    assert printed.getvalue().splitlines() == [
        "To moderators@example.org: Ada reported Eve: rude (It is rude.)",
        "app: resolve Eve ",
    ]


async def gets_in_by_a_password(stage: Stage, argument: str) -> None:
    """The room has the password, as a hash."""
    room = await _after_main(stage)
    assert (await room.moderation.state())["settings"]["password"] is True
    await room.aclose()
    assert b"sesame" not in (stage.folder / "chat.db").read_bytes()


async def gets_in_by_an_invitation(stage: Stage, argument: str) -> None:
    """The printed link opens the room twenty times."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        room = await _after_main(stage)
    token = printed.getvalue().strip().partition("https://chat.example.com/rooms/lobby#invite=")[2]
    desk, who = EntryDesk(RateLimiter(room.clock)), Applicant(None, None, Grant(Access.WRITE))
    assert (await desk.enter(room.backend, who, {"invite": token})).role.label == "member"
    assert (await room.moderation.state())["invite"][0]["uses"] == 19
    await room.aclose()


async def lets_people_ask(stage: Stage, argument: str) -> None:
    """Somebody whom the program knows is let in, and another waits."""
    names = await stage.run()
    room = names["room"]
    await room.moderation.set(entry="ask")
    desk = EntryDesk(RateLimiter(room.clock))
    for name in ("Ada", "Eve"):
        who = Applicant(name.lower(), None, Grant(Access.WRITE))
        assert (await desk.enter(room.backend, who, {"ask": {"name": name}})).waiting
    await _after_main(stage)
    assert [each["name"] for each in (await room.moderation.state())["asking"]] == ["Eve"]
    await room.aclose()


async def asks_for_a_challenge(stage: Stage, argument: str) -> None:
    """Guests get one from then on."""
    room = await _after_main(stage)
    assert (await EntryDesk(RateLimiter(room.clock)).challenge(room.backend))["signature"]
    await room.aclose()


async def gets_in_as_owner(stage: Stage, argument: str) -> None:
    """The printed link has the token, and the token makes an owner."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        url = await stage.serve()
    token = printed.getvalue().strip().partition("#owner=")[2]
    async with aiohttp.ClientSession() as http:
        address = f"{url}/chat/api/rooms/lobby/entry"
        async with http.post(address, json={"owner": token}) as response:
            assert (await response.json())["role"] == "owner"


async def is_asked_by_curl(stage: Stage, argument: str) -> None:
    """The answer is a token."""
    async with serving() as (room, address):
        await room.moderation.set(password="open sesame")
        told = json.loads(
            (await run("sh", "-c", stage.code.replace(ADDRESS, address), address=address, code="")).splitlines()[-1]
        )
        assert (told["ok"], told["role"]) == (True, "member")


async def _after_main(stage: Stage) -> ChatRoom:
    """The room of the program, after its `main`."""
    names = await stage.run()
    assert stage.main is not None
    await stage.main
    room: ChatRoom = names["room"]
    return room
