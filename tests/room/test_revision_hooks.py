"""The hooks `edit`, `delete` and `react`: they are asked before a change of a message is stored."""

from __future__ import annotations

from dataclasses import replace

from pychat import ChatRoom, Deleted, Edited, Message, Reacted, Refused, User
from pychat.testing import Person, RecordingConnection
from pychat.transports.commands import execute


async def written(room: ChatRoom, text: str) -> Person:
    """Ada, who has written message number 1."""
    ada = await Person.enter(room)
    await ada.join("Ada")
    await ada.say(text)
    return ada


async def test_an_edit_can_be_changed_and_refused() -> None:
    """The hook gets the edit and the message as it stands; what it returns is held to the rules of the room."""
    room = ChatRoom("tea")

    @room.on("edit")
    def check(edited: Edited, message: Message) -> Edited | None:
        assert (message.seq, message.room, edited.author.name) == (1, "tea", "Ada")
        if edited.text.startswith("no"):
            raise Refused("no_edit", f"It stays “{message.text}”.")
        return replace(edited, text=edited.text.replace("coffee", "tea"), target=99)

    ada = await written(room, "tea!")
    answer = await ada.command("edit", {"target": 1, "text": "no tea"})
    assert answer["error"] == {"code": "no_edit", "text": "It stays “tea!”."}
    assert (await ada.command("edit", {"target": 1, "text": "coffee?"}))["ok"]
    assert (await ada.event("edited"))["text"] == "tea?"
    room.on("edit", lambda edited, _: replace(edited, text=" "))
    assert (await ada.command("edit", {"target": 1, "text": "x"}))["error"]["code"] == "text_empty"
    room.on("edit", lambda edited, _: "wrong")  # type: ignore[call-overload]  # the mistake
    assert (await ada.command("edit", {"target": 1, "text": "x"}))["error"]["code"] == "internal"
    assert (await room.message(1)).text == "tea?"


async def test_the_hook_for_messages_is_asked_for_edits_too_and_first() -> None:
    """`message` gets the message with its new text; `edit` gets the edit as `message` has changed it."""
    room, asked = ChatRoom(), list[tuple[str, str]]()

    @room.on("message")
    async def shout(message: Message) -> Message:
        asked.append(("message", message.text))
        return replace(message, text=message.text.upper())

    @room.on("edit")
    async def note(edited: Edited, message: Message) -> None:
        asked.append((message.text, edited.text))

    ada = await written(room, "one")
    await ada.command("edit", {"target": 1, "text": "two"})
    assert asked == [("message", "one"), ("message", "two"), ("ONE", "TWO")]
    assert (await room.message(1)).text == "TWO"


async def test_a_deletion_can_be_refused() -> None:
    """The hook sees who deletes, with the present roles, and what."""
    room, asked = ChatRoom(), list[tuple[str, tuple[str, ...], str]]()

    @room.on("delete")
    def keep(deleted: Deleted, message: Message) -> None:
        asked.append((deleted.author.id, deleted.author.roles, message.text))
        if "moderator" not in deleted.author.roles:
            raise Refused("kept", "Messages stay here.")

    ada = await written(room, "minutes")
    assert (await ada.command("delete", {"target": 1}))["error"]["code"] == "kept"
    connection = RecordingConnection()
    grace = await room.connect(connection, user=User("1", "Grace", roles=("moderator",)))
    assert (await execute(grace, "delete", {"target": 1}))["ok"]
    assert [each[1:] for each in asked] == [((), "minutes"), (("moderator",), "minutes")]
    assert (await room.message(1)).deleted
    assert (await execute(grace, "delete", {"target": 1}))["ok"]  # it is deleted already: no hook is asked
    assert len(asked) == 2


async def test_a_reaction_can_be_changed_and_refused() -> None:
    """Also its removal; another emoji is held to the rules."""
    room = ChatRoom()

    @room.on("react")
    async def nicer(reacted: Reacted, message: Message) -> Reacted | None:
        if not reacted.on:
            raise Refused("stays", "A reaction stays.")
        return replace(reacted, emoji="👍") if reacted.emoji == "👎" else None

    ada = await written(room, "tea?")
    assert (await ada.command("react", {"target": 1, "emoji": "👎"}))["ok"]
    assert (await ada.event("reacted"))["emoji"] == "👍"
    assert (await ada.command("react", {"target": 1, "emoji": "👍", "on": False}))["error"]["code"] == "stays"
    room.on("react", lambda reacted, _: replace(reacted, emoji="x"))
    assert (await ada.command("react", {"target": 1, "emoji": "🎉"}))["error"]["code"] == "emoji_invalid"


async def test_a_message_that_changes_while_hooks_run_is_decided_again() -> None:
    """What has been deleted meanwhile is not edited, whatever the hook says."""
    room = ChatRoom()

    @room.on("edit")
    async def slow(edited: Edited, message: Message) -> None:
        await room.delete(message.seq)

    ada = await written(room, "tea?")
    assert (await ada.command("edit", {"target": 1, "text": "coffee?"}))["error"]["code"] == "not_found"


async def test_code_changes_messages_without_asking() -> None:
    """`room.edit` and `room.delete` are the app's own: its hooks are not asked."""
    room = ChatRoom()
    room.on("edit", lambda *_: 1 / 0)  # type: ignore[call-overload]  # would refuse
    room.on("delete", lambda *_: 1 / 0)  # type: ignore[call-overload]  # would refuse
    await room.post("one", author="bot")
    assert (await room.edit(1, "two")).text == "two"
    await room.delete(1)
    assert (await room.message(1)).deleted
