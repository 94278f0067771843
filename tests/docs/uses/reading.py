"""What the pages on unread counts and direct rooms promise."""

from __future__ import annotations

from pychat import Refused, User
from tests.docs.stage import Stage
from tests.room.visiting import enter


async def tells_what_is_unread(stage: Stage, argument: str) -> None:
    """A room appears with what came after the user left, and is gone when it was read."""
    names = await stage.run()
    chat = names["chat"]
    async with chat:
        room = await chat.open("project-42")
        ada = await enter(chat, "project-42", User("ada", "Ada"))
        await ada.drop()
        assert await names["badges"]("ada") == {}
        await room.post("Done.", author="bot")
        assert await names["badges"]("ada") == {"project-42": 1}
        ada = await enter(chat, "project-42", User("ada", "Ada"))
        await ada.command("read", {"seq": 1})
        assert await names["badges"]("ada") == {}
        await ada.close()


async def writes_directly(stage: Stage, argument: str) -> None:
    """Both find the message, and nobody else can enter."""
    names = await stage.run()
    chat = names["chat"]
    async with chat:
        address = await names["introduce"]("7", "8")
        name = address.removeprefix("/chat/rooms/")
        for user in ("7", "8"):
            assert (await chat.unread(user))[name].messages == 1
            await (await enter(chat, name, User(user, f"User {user}"))).close()
        try:
            await enter(chat, name, User("9", "User 9"))
        except Refused as refused:
            assert refused.code == "unknown_room"
        else:
            raise AssertionError("a stranger entered")


async def blocks_somebody(stage: Stage, argument: str) -> None:
    """Who is blocked cannot write there any more."""
    names = await stage.run()
    chat = names["chat"]
    async with chat:
        room = await chat.direct("7", "8")
        eve = await enter(chat, room.name, User("8", "Eve"))
        assert (await eve.say("hi"))["ok"]
        await names["never_again"]("7", "8")
        assert (await eve.say("hi?"))["error"]["code"] == "blocked"
        await eve.close()
