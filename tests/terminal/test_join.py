"""`pychat join` on a screen of Textual's, against a real server: what people see, and what their keys do."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from textual.pilot import Pilot

from pychat import ChatRoom, Client, Close, User, aiohttp_app
from pychat.client.address import Address
from pychat.terminal.join.app import ChatApp
from pychat.terminal.join.bar import Bar
from pychat.terminal.join.naming import Naming
from pychat.terminal.token_store import TokenStore
from pychat.testing import Person
from tests.client.cable import cable
from tests.servers import aiohttp_server

KEYS = {" ": "space", "/": "slash", "+": "plus", "\n": "ctrl+j", "!": "exclamation_mark", ":": "colon"}


class Screen:
    """One person at a terminal."""

    def __init__(self, app: ChatApp, pilot: Pilot[None]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def log(self) -> str:
        """What stands in the log."""
        return "\n".join(strip.text.rstrip() for _, strip in self.app._messages._lines)

    @property
    def seen(self) -> str:
        """The part of it that is in sight."""
        widget = self.app._messages
        return "\n".join(widget.render_line(y).text.rstrip() for y in range(widget.size.height))

    def bar(self, name: str) -> str:
        """The line at the top, or the one above the composer."""
        bar = self.app.query_one(f"#{name}", Bar)
        return f"{bar.left.plain}|{bar.right.plain}"

    async def type(self, text: str, *keys: str) -> None:
        """Type this, then press these keys."""
        await self.pilot.press(*(KEYS.get(letter, letter) for letter in text), *keys)

    async def say(self, text: str) -> None:
        """Type it, and send it."""
        await self.type(text, "enter")

    async def until(self, it_is_so: Callable[[], bool]) -> None:
        """Wait for what the screen shows."""
        try:
            async with asyncio.timeout(15):
                while not it_is_so():
                    await self.pilot.pause(0.02)
        except TimeoutError:
            raise AssertionError(f"{self.bar('top')}\n{self.log}\n{self.bar('status')}") from None

    async def sees(self, *texts: str) -> None:
        """Wait until all of this stands in the log."""
        await self.until(lambda: all(text in self.log for text in texts))


@pytest.fixture
async def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby", title="The lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room)) as address:
        yield address


@pytest.fixture
async def bob(room: ChatRoom) -> AsyncIterator[Person]:
    """Somebody else who is there."""
    person = await Person.enter(room)
    await person.join("Bob")
    yield person
    await person.close()


@contextlib.asynccontextmanager
async def screen(
    url: str, folder: Path, name: str | None = "Ada", size: tuple[int, int] = (80, 24)
) -> AsyncIterator[Screen]:
    """Somebody joins."""
    app = ChatApp(TokenStore(folder / "members.json"), Address.parse(url), name)
    async with Client(url, on_state=app.turn) as app.chat, app.run_test(size=size) as pilot:
        yield Screen(app, pilot)


async def test_two_talk(url: str, bob: Person, room: ChatRoom, tmp_path: Path) -> None:
    """What is typed is in the room; what others say is on the screen; who is here is told at the top."""
    async with screen(url, tmp_path) as ada:
        await ada.until(lambda: ada.bar("top") == "The lobby  Ada|2 here")
        await ada.say("hello Bob")
        assert (await bob.event("message"))["text"] == "hello Bob"
        await bob.command("typing", {"on": True})
        await ada.until(lambda: "Bob is typing" in ada.bar("status"))
        await bob.say("hi Ada")
        await ada.sees("Ada you  ", "  hello Bob\n\n  Bob  ", "\n▌ hi Ada")
        await ada.until(lambda: "typing" not in ada.bar("status"))
    while "left" not in await bob.event("presence"):
        pass
    assert [member.name for member in room.members] == ["Bob"]


async def test_what_people_do(url: str, bob: Person, tmp_path: Path) -> None:
    """`/me waves` is said as it is, and shown as a deed, of oneself and of others."""
    async with screen(url, tmp_path) as ada:
        await ada.say("/me waves")
        assert (await bob.event("message"))["text"] == "/me waves"
        await ada.sees("  * Ada waves")
        await bob.say("/me bows")
        await ada.sees("  * Bob bows")


async def test_a_whisper_is_shown_to_its_member_alone(url: str, bob: Person, room: ChatRoom, tmp_path: Path) -> None:
    """It says who whispers, and that nobody else sees it."""
    async with screen(url, tmp_path) as ada:
        await ada.until(lambda: len(room.members) == 2)
        await room.whisper(room.members[1], "psst", author="guide")
        await ada.sees("guide (only to you): psst")
    assert all(name != "whisper" for name, _ in bob.connection.events)


async def test_more_than_one_line(url: str, bob: Person, tmp_path: Path) -> None:
    """Ctrl+J (and Alt+Enter) begin a new line, a paste brings several, and nothing is sent before Enter."""
    async with screen(url, tmp_path) as ada:
        await ada.type("one\ntwo")
        from textual.events import Paste

        ada.app._composer.post_message(Paste("\r\nthree\x1b[2J\tx"))
        await ada.pilot.pause()
        await ada.pilot.press("enter")
        assert (await bob.event("message"))["text"] == "one\ntwo\nthree\\x1b[2J    x"
        assert ada.app._composer.text == ""


async def test_what_was_written_before(url: str, bob: Person, tmp_path: Path) -> None:
    """Up and down go through it, and back to the draft."""
    async with screen(url, tmp_path) as ada:
        for text in ("first", "second"):
            await ada.say(text)
        await ada.type("draft", "up")
        assert ada.app._composer.text == "second"
        await ada.pilot.press("up", "up")
        assert ada.app._composer.text == "first"
        await ada.pilot.press("down", "down")
        assert ada.app._composer.text == "draft"


async def test_names_and_commands_are_completed(url: str, bob: Person, tmp_path: Path) -> None:
    """With Tab."""
    async with screen(url, tmp_path) as ada:
        await ada.until(lambda: len(ada.app.chat.members) == 2)
        await ada.type("bo", "tab")
        assert ada.app._composer.text == "Bob: "
        await ada.type("", "ctrl+c")
        await ada.type("/sea", "tab")
        assert ada.app._composer.text == "/search "


async def test_replies_reactions_edits_and_deletions(url: str, bob: Person, room: ChatRoom, tmp_path: Path) -> None:
    """By command, to the last message that fits, or the one that is selected; all of it is shown."""
    async with screen(url, tmp_path, size=(100, 40)) as ada:
        await bob.say("question")
        await ada.sees("question")
        await ada.say("/reply answer")
        await ada.sees("╭ Bob: question", "answer")
        await ada.say("/edit")
        assert ada.app._composer.text == "answer"
        await ada.say("!")
        await ada.sees("answer! (edited)")
        await ada.pilot.press("alt+up", "alt+up")
        await ada.say("/react +1")
        await ada.sees("question\n  👍 1")
        await ada.pilot.press("alt+up", "alt+up")
        await ada.say("/react +1")
        await ada.until(lambda: "👍" not in ada.log)
        await ada.say("/delete")
        await ada.sees("deleted")
        stored = await room.history()
        assert [(each.text, each.deleted) for each in stored] == [("question", False), ("", True)]
        await ada.pilot.press("alt+up", "alt+up")
        await ada.say("/reply")
        await ada.say("second answer")
        await ada.until(lambda: ada.log.count("╭ Bob: question") == 2 or "second answer" in ada.log)
        assert (await room.history())[-1].reply is not None


async def test_commands_that_tell(url: str, bob: Person, room: ChatRoom, tmp_path: Path) -> None:
    """Help, who is here, search, another name; and what is wrong is told, and kept to be put right."""
    await room.post("the needle in the hay", author="bot")
    async with screen(url, tmp_path, size=(80, 60)) as ada:
        await ada.say("/help")
        await ada.sees("/search WORDS", "Alt+Enter")
        await ada.say("/who")
        await ada.sees("2 here: Bob, Ada")
        await ada.say("/search NEEDLE")
        await ada.sees("“NEEDLE” is in 1 message:", "bot: the needle in the hay")
        await ada.say("/nick Countess")
        await ada.until(lambda: ada.bar("top").startswith("The lobby  Countess|"))
        await ada.say("/nick Bob")
        await ada.sees("! Somebody here has the name “Bob”")
        await ada.say("/nonsense")
        await ada.sees("! There is no command /nonsense.")
        assert ada.app._composer.text == "/nonsense"
        assert len(await room.history()) == 1


async def test_who_comes_and_goes(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """A wide screen lists the people; their comings and goings share a line."""
    async with screen(url, tmp_path, size=(120, 30)) as ada:
        for name in ("Bob", "Eve"):
            person = await Person.enter(room)
            await person.join(name)
            await ada.sees(f"{name} joined")
            await person.close()
            await ada.sees(f"{name} left")
        await ada.sees("· Bob joined, Bob left, Eve joined, Eve left")
        assert ada.app.query_one("People").display
        await ada.pilot.press("f2")
        assert not ada.app.query_one("People").display
        await ada.pilot.resize_terminal(50, 20)
        await ada.sees("Eve left")


async def test_older_messages_come_as_one_scrolls(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """Up to the first; what one reads stays in sight, also while others talk; and the way back is shown."""
    for number in range(170):
        await room.post(f"number {number}", author="bot")
    async with screen(url, tmp_path) as ada:
        await ada.until(lambda: "number 169" in ada.seen)
        while "number 0\n" not in ada.seen:
            before = ada.seen
            await ada.pilot.press("ctrl+home")
            await ada.until(lambda before=before: ada.seen != before or "number 0\n" in ada.seen)  # type: ignore[misc]
        lines = [line.strip() for line in ada.log.split("\n") if line.strip().startswith("number")]
        assert lines == [f"number {number}" for number in range(170)]
        before = ada.seen
        await room.post("new", author="bot")
        await ada.sees("new")
        assert ada.seen == before
        await ada.until(lambda: "↓ 1 new" in ada.bar("status"))
        await ada.pilot.press("ctrl+end")
        await ada.until(lambda: "─── new ─" in ada.seen and "↓" not in ada.bar("status"))


async def test_a_name_is_asked_for(url: str, bob: Person, tmp_path: Path) -> None:
    """Until one can be had; what is wrong is told beside it."""
    async with screen(url, tmp_path, name=None) as ada:
        await ada.until(lambda: isinstance(ada.app.screen, Naming))
        await ada.say("Bob")
        await ada.until(lambda: "Somebody here has the name" in str(ada.app.screen.query_one(".wrong").render()))
        await ada.say("by")
        await ada.until(lambda: ada.bar("top").startswith("The lobby  Bobby|"))
        assert not isinstance(ada.app.screen, Naming)
        await ada.say("hi")
        assert (await bob.event("message"))["author"]["name"] == "Bobby"


async def test_the_name_of_a_login_stays(room: ChatRoom, tmp_path: Path) -> None:
    """Who asks for another with `--name` is told so, and is in the room."""
    app = aiohttp_app(room, authenticate=lambda _: User("7", "Ada"))
    async with aiohttp_server(app) as address, screen(address, tmp_path, name="Countess") as ada:
        await ada.sees("Your name here is “Ada”: it comes with your login.")
        assert ada.bar("top").startswith("The lobby  Ada")


async def test_the_same_person_comes_back(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """A later run under the same name may change what an earlier one wrote."""
    for text in ("hello", "/edit hello again"):
        async with screen(url, tmp_path) as ada:
            await ada.say(text)
            await ada.sees("hello")
            await ada.until(lambda: "…" not in ada.log)
            if text.startswith("/"):
                await ada.sees("hello again (edited)")
    assert ["hello again"] == [message.text for message in await room.history()]


async def test_an_outage(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """It is shown at the top; what is written meanwhile waits, and goes out; what was missed follows."""
    async with cable(url) as laid, screen(laid.url, tmp_path) as ada:
        await ada.say("before")
        await ada.until(lambda: "before" in ada.log and "…" not in ada.log)
        laid.unplugged = True
        laid.cut()
        await ada.until(lambda: "connecting again" in ada.bar("top"))
        await ada.say("meanwhile")
        await ada.sees("meanwhile …")
        await room.post("missed", author="bot")
        laid.unplugged = False
        await ada.sees("missed")
        await ada.until(lambda: "meanwhile" in ada.log and "…" not in ada.log)
        await ada.until(lambda: ada.bar("top").endswith("|only you"))
        assert ["before", "missed", "meanwhile"] == [message.text for message in await room.history()]


async def test_an_event_while_the_screen_closes(url: str, tmp_path: Path) -> None:
    """What arrives after the widgets are gone is not drawn, and nothing fails."""
    async with screen(url, tmp_path) as ada:
        await ada.say("hello")
        await ada.sees("hello")
    ada.app._redraw()
    ada.app._show()


async def test_the_end(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """Sent out, one can read on, and is told why; Ctrl+C empties the line, then leaves."""
    async with screen(url, tmp_path) as ada:
        await ada.say("hello")
        await ada.sees("hello")
        room.dismiss(Close.KICKED)
        await ada.sees(f"! {Close.KICKED.text}")
        assert ada.bar("top").endswith("|disconnected")
        assert ada.app.ended == Close.KICKED.text
        await ada.say("more")
        await ada.sees("Not sent:")
        await ada.type("x", "ctrl+c")
        assert ada.app._composer.text == ""
        await ada.pilot.press("ctrl+c")
        await ada.until(lambda: not ada.app.is_running)
