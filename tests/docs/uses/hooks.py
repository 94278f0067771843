"""How programs with hooks and posts are tested."""

from __future__ import annotations

import asyncio
import contextlib
import io
import json
import re
from datetime import UTC, datetime
from pathlib import Path
from unittest import mock

from aiohttp import web

from pychat import ChatRoom, User
from pychat.testing import Person, RecordingConnection
from tests.docs.stage import Stage
from tests.docs.uses.waiting import until
from tests.servers import aiohttp_server


async def refuses_shouting(stage: Stage, argument: str) -> None:
    """The hook of the program refuses capitals, with its own code, and nothing else."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    assert (await person.say("HELLO"))["error"]["code"] == "shouting"
    assert (await person.say("Hello"))["ok"]
    await person.close()


async def bot_spoke(stage: Stage, argument: str) -> None:
    """The bot's words are the first of the room."""
    await stage.serve()
    first = (await (await stage.run())["room"].history())[0]
    assert (first.author.name, first.text) == ("bot", "The room is open.")


async def throws_dice(stage: Stage, argument: str) -> None:
    """A member who asks for dice gets a throw, with their name."""
    person = await Person.enter((await stage.run())["room"])
    await person.join("Grace")
    await person.say("!dice")
    told = await person.event("message")
    assert told["author"]["name"] == "dice"
    assert re.fullmatch(r"Grace throws a [1-6]\.", told["text"])
    await person.close()


async def is_there_tomorrow(stage: Stage, argument: str) -> None:
    """The program runs, and its message is in its file afterwards."""
    await stage.run()
    assert stage.main is not None
    await stage.main
    assert list(Path().glob("*.db"))
    room = ChatRoom("lobby", store="sqlite:chat.db")
    assert [message.text for message in await room.history()] == ["This will be here tomorrow."]
    await room.aclose()


async def said(stage: Stage, *texts: str) -> list[str]:
    """For each text, what the room got, or the code of the refusal."""
    room = (await stage.run())["room"]
    person, other = await Person.enter(room), await Person.enter(room)
    await person.join("Grace")
    fates = []
    for text in texts:
        answer = await person.say(text)
        fates.append((await other.event("message"))["text"] if answer["ok"] else answer["error"]["code"])
    await person.close()
    await other.close()
    return fates


async def mutes(stage: Stage, argument: str) -> None:
    """Links are refused; a muted member is refused everything."""
    assert await said(stage, "hello", "see http://example.com") == ["hello", "no_links"]
    names = await stage.run()
    person = await Person.enter(names["room"])
    names["muted"].add((await person.join("Eve"))["member"]["id"])
    assert (await person.say("hello"))["error"]["code"] == "muted"
    await person.close()


async def changes_words(stage: Stage, argument: str) -> None:
    """Others get the text as the hook changed it."""
    assert await said(stage, "a :coffee:, please") == ["a ☕, please"]


async def decides_about_changes(stage: Stage, argument: str) -> None:
    """Old messages are not edited, announcements are not deleted, and thumbs go up."""
    room = (await stage.run())["room"]
    person = await Person.enter(room)
    await person.join("Grace")
    await person.say("Announcement: tea")
    assert (await person.command("edit", {"target": 1, "text": "Announcement: coffee"}))["ok"]
    assert (await person.command("delete", {"target": 1}))["error"]["code"] == "kept"
    assert (await person.command("react", {"target": 1, "emoji": "👎"}))["ok"]
    assert (await room.message(1)).reactions[0][0] == "👍"
    later = datetime.now(UTC).timestamp() + 8 * 24 * 60 * 60
    with mock.patch("time.time", return_value=later):
        assert (await person.command("edit", {"target": 1, "text": "tea"}))["error"]["code"] == "too_old"


async def whispers(stage: Stage, argument: str) -> None:
    """Who joins is welcomed, and nobody else hears it."""
    room = (await stage.run())["room"]
    grace, eve = await Person.enter(room), await Person.enter(room)
    await grace.join("Grace")
    assert (await grace.event("whisper"))["text"] == "Welcome, Grace! Type /me waves to wave."
    assert all(name != "whisper" for name, _ in eve.connection.events)


async def mails_the_mentioned(stage: Stage, argument: str) -> None:
    """Ada has a mail when she is away, and none while she is here."""
    room, printed = (await stage.run())["room"], io.StringIO()
    with contextlib.redirect_stdout(printed):
        ada = await room.connect(RecordingConnection(), user=User("42", "Ada"))
        await room.post("@Ada, are you here?", author="bot")
        await room.backend.core.hooks.aclose()  # waits for them
        await ada.close(left=True)
        await room.post("@ada: tea!", author="bot")
        await room.aclose()
    assert printed.getvalue() == "To ada@example.org: bot in lobby: @ada: tea!\n"


async def asks_somebody(stage: Stage, argument: str) -> None:
    """The judge's verdict counts; without a judge nothing passes."""

    async def judge(request: web.Request) -> web.Response:
        return web.json_response({"fine": "fool" not in (await request.json())["text"]})

    app = web.Application()
    app.router.add_post("/judge", judge)
    async with aiohttp_server(app) as url:
        await stage.run(url.removeprefix("http://"))
        assert await said(stage, "hello", "you fool") == ["hello", "unkind"]
    assert await said(stage, "hello") == ["internal"]


async def decides_about_names(stage: Stage, argument: str) -> None:
    """Some names are refused, one is replaced, and those reserved need no hook."""
    person = await Person.enter((await stage.run())["room"])
    assert (await person.join("Botticelli"))["error"]["code"] == "name_of_bot"
    assert (await person.join("Moderator"))["error"]["code"] == "name_reserved"
    assert (await person.join("anonymous"))["member"]["name"].startswith("Guest ")
    assert (await person.join("Grace"))["member"]["name"] == "Grace"
    await person.close()


async def logs_what_happens(stage: Stage, argument: str) -> None:
    """What happens is in the file, in order, and the terminal says goodbye."""
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        assert await said(stage, "hello") == ["hello"]
        await until(lambda: "gone" in printed.getvalue())
    log = stage.folder / "chat.log"
    await until(lambda: log.exists() and log.read_text("utf-8").count("\n") == 2)
    lines = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    assert lines == [{"joined": "Grace"}, {"seq": 1, "name": "Grace", "text": "hello"}]
    assert printed.getvalue() == "Grace has gone.\n"


async def gives_roles(stage: Stage, argument: str) -> None:
    """Grace may delete what another said; nobody else may."""
    room = (await stage.run())["room"]
    grace, eve = await Person.enter(room), await Person.enter(room)
    assert (await grace.join("Grace"))["member"]["roles"] == ["moderator"]
    assert "roles" not in (await eve.join("Eve"))["member"]
    seq = (await eve.say("rude"))["seq"]
    assert (await grace.command("delete", {"target": seq}))["ok"]


async def posts_from_a_thread(stage: Stage, argument: str) -> None:
    """The thread's words are in the room."""
    names = await stage.run()
    await names["room"].start()
    printed = io.StringIO()
    with contextlib.redirect_stdout(printed):
        await asyncio.to_thread(names["begin"]().join)
    assert [message.text for message in await names["room"].history()] == ["The backup is done."]
    assert printed.getvalue() == "That was message number 1; 0 were here to read it.\n"
