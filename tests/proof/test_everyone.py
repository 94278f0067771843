"""One room, and everyone at once: a page, curl, WeeChat, `pychat join` and `tail`, a bot, and a page of 2013."""

from __future__ import annotations

import asyncio
import contextlib
import json
import re
import shutil
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest

import pychat
from tests.browser.chromium import chromium
from tests.browser.window import Window
from tests.conftest import NodeClient
from tests.irc.weechat import WeeChat, weechat
from tests.servers import pychat_process
from tests.terminal.running import running
from tests.terminal.test_join_pty import Terminal

_TIMEOUT = 20.0
#: What everybody says in this test: a name and a number. Nothing else on a screen looks like it.
_SAID = re.compile(r"\b(?:ada|carl|wanda|theo|robo|olga)-[0-9]+\b")
#: What WeeChat writes into each channel when the connection to its server breaks.
_DISCONNECTED = "disconnected from server"


class Person:
    """Somebody in the room."""

    #: Whether their own words stand where they stand in the room; else among the others' words, wherever they were typed,
    placed = True
    #: or nowhere, for a page that would draw them by itself.
    shows_own = True

    def __init__(self, name: str) -> None:
        self.name = name
        #: What they heard, in their order. Those who look at a screen look there.
        self.ears: list[str] = []
        #: What listens, for those who do not look at a screen.
        self.reading: asyncio.Task[None] | None = None

    async def close(self) -> None:
        """Listen no more."""
        if self.reading is not None:
            self.reading.cancel()
            await asyncio.wait([self.reading])

    async def say(self, number: int) -> None:
        """Say one thing."""
        raise NotImplementedError

    async def heard(self) -> list[str]:
        """All that was said, as they see it."""
        return self.ears

    async def hears(self, log: list[str]) -> None:
        """Wait until they see exactly the `log`."""

        async def it_is_so() -> bool:
            heard = await self.heard()
            if self.placed:
                return log == heard
            own = self._own(log) if self.shows_own else []
            return (self._of_others(log), own) == (self._of_others(heard), self._own(heard))

        try:
            await _until(it_is_so, self.complaint)
        except AssertionError as error:
            error.add_note(f"The room has {log}")
            raise

    async def complaint(self) -> str:
        """What they saw."""
        return f"{self.name} saw {await self.heard()}"

    def _own(self, texts: list[str]) -> list[str]:
        return [text for text in texts if text.startswith(f"{self.name}-")]

    def _of_others(self, texts: list[str]) -> list[str]:
        return [text for text in texts if not text.startswith(f"{self.name}-")]


class AtThePage(Person):
    """In Chromium."""

    def __init__(self, window: Window) -> None:
        super().__init__("ada")
        self._window = window

    async def say(self, number: int) -> None:
        """Write it and press Enter."""
        await self._window.say(f"ada-{number}")

    async def heard(self) -> list[str]:
        """The texts on the page, but for those on their way."""
        sent = self._window.root.locator('.message:not([data-state="pending"]) .text')
        return [text.strip() for text in await sent.all_inner_texts()]


class WithCurl(Person):
    """Two curls: one reads the stream, and one is run for each message."""

    def __init__(self, url: str) -> None:
        super().__init__("carl")
        self._room = f"{url}/api/rooms/lobby"
        self._token = ""
        self._offset = ""
        self._stream: Process | None = None
        self.recovered: list[bool] = []

    async def listen(self) -> None:
        """Open a stream, where the one before it ended."""
        if not self._token:
            self._token = json.loads(await _output("curl", "-s", "-X", "POST", f"{self._room}/token"))["token"]
        since = ["-H", f"Last-Event-ID: {self._offset}"] if self._offset else []
        address = f"{self._room}/events?name=carl&token={self._token}"
        self._stream = await asyncio.create_subprocess_exec("curl", "-sN", *since, address, stdout=PIPE)
        assert self._stream.stdout is not None
        joined = asyncio.Event()
        self.reading = asyncio.create_task(self._read(self._stream.stdout, joined))
        async with asyncio.timeout(_TIMEOUT):
            await joined.wait()

    async def _read(self, stream: asyncio.StreamReader, joined: asyncio.Event) -> None:
        async for line in stream:
            field, _, value = line.decode().rstrip("\n").partition(": ")
            if field == "id":
                self._offset = value
            if field != "data":
                continue
            told = json.loads(value)
            if told["type"] == "welcome":
                self.recovered.append(told["recovered"])
                self.ears += [message["text"] for message in told["messages"]]
            elif told["type"] == "ack":
                assert told["ok"], told
                joined.set()
            elif told["type"] == "message":
                self.ears.append(told["text"])

    async def say(self, number: int) -> None:
        """Run a curl."""
        bearer = ("-H", f"Authorization: Bearer {self._token}")
        answer = json.loads(await _output("curl", "-s", *bearer, "-d", f"carl-{number}", f"{self._room}/messages"))
        assert answer["ok"], answer

    async def ended(self) -> None:
        """Wait until the stream has ended, as that of a server that is gone."""
        assert self._stream is not None
        assert self.reading is not None
        async with asyncio.timeout(_TIMEOUT):
            await self._stream.wait()
            await self.reading

    async def close(self) -> None:
        """Switch it off."""
        if self._stream is not None:
            with contextlib.suppress(ProcessLookupError):
                self._stream.kill()
            await self.ended()
        await super().close()


class WithWeeChat(Person):
    """In WeeChat; versions before 4 know no `echo-message`, and draw what one types at once."""

    def __init__(self, program: WeeChat) -> None:
        super().__init__("wanda")
        self.program = program
        self._before = 0

    async def say(self, number: int) -> None:
        """Type it."""
        self.program.types(f"wanda-{number}")

    async def heard(self) -> list[str]:
        """The lines of the window."""
        return [found[0] for _, said in self._lines() if (found := _SAID.search(said))]

    def _lines(self) -> list[tuple[str, str]]:
        return self.program.log("chat.#lobby")[self._before :]

    def _has_joined(self) -> bool:
        return any(who == "-->" and said.startswith("wanda ") for who, said in self._lines())

    async def joins(self) -> None:
        """Wait until they are in the room."""
        await self.program.until(self._has_joined)
        self.placed = any("enabled: " in said and "echo-message" in said for _, said in self.program.log("server.chat"))

    def _disconnections(self) -> list[int]:
        lines = enumerate(self.program.log("chat.#lobby"))
        return [number for number, (who, said) in lines if who == "--" and _DISCONNECTED in said]

    async def loses_the_server(self) -> None:
        """Wait for the line that WeeChat writes when the connection breaks, and read from there.

        IRC cannot resume, so the room shows its newest page again after the next join.
        """
        await self.program.until(lambda: bool(self._disconnections()))
        self._before = self._disconnections()[-1] + 1


class AtTheTerminal(Person):
    """In `pychat join`."""

    def __init__(self, terminal: Terminal) -> None:
        super().__init__("theo")
        self.terminal = terminal

    async def say(self, number: int) -> None:
        """Type it, and press Enter when it stands there."""
        self.terminal.type(f"theo-{number}")
        await self.terminal.shows(f"theo-{number}")
        self.terminal.type("\r")

    async def heard(self) -> list[str]:
        """What the screen shows."""
        return _SAID.findall(self.terminal.shown)


class RecentEvents(Person):
    """`pychat tail --json`, who says nothing."""

    def __init__(self, process: Process) -> None:
        super().__init__("tail")
        self._process = process
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._process.stdout is not None
        async for line in self._process.stdout:
            told = json.loads(line)
            assert told["type"] == "message", told
            self.ears.append(told["text"])


class Bot(Person):
    """A program with `pychat.Client`."""

    def __init__(self, client: pychat.Client) -> None:
        super().__init__("robo")
        self._client = client
        self.entered = 0
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        async for event in self._client:
            if isinstance(event, pychat.RoomSnapshot):
                self.entered += 1
            elif isinstance(event, pychat.Message):
                self.ears.append(event.text)

    async def say(self, number: int) -> None:
        """Wait until it is stored."""
        assert (await self._client.say(f"robo-{number}")).text == f"robo-{number}"


class OfTwentyThirteen(Person):
    """npm's client with the words of 2013; it shows its own words by itself, so it is not told them."""

    placed = shows_own = False

    def __init__(self, client: NodeClient) -> None:
        super().__init__("olga")
        self._client = client
        self._answers: asyncio.Queue[dict[str, Any]] = asyncio.Queue()
        self.connected: asyncio.Queue[bool] = asyncio.Queue()
        self.reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._client._process.stdout is not None
        async for line in self._client._process.stdout:
            name, *arguments = json.loads(line)
            if name == "(connect)":
                self.connected.put_nowait(arguments[1])
            elif name == "answer":
                self._answers.put_nowait(arguments[0])
            elif name == "message":
                self.ears.append(arguments[0]["message"])

    async def _call(self, *words: str) -> None:
        await self._client.do("call", *words)
        async with asyncio.timeout(_TIMEOUT):
            answer = await self._answers.get()
        assert answer["ok"], answer

    async def join(self) -> None:
        """Take a name."""
        await self._call("setPseudo", self.name)

    async def say(self, number: int) -> None:
        """Wait until it is stored."""
        await self._call("message", f"olga-{number}")


async def _until(it_is_so: Callable[[], Awaitable[bool]], complaint: Callable[[], Awaitable[str]]) -> None:
    """Wait for what other programs show, and have no event for."""
    try:
        async with asyncio.timeout(_TIMEOUT):
            while not await it_is_so():
                await asyncio.sleep(0.02)
    except TimeoutError:
        raise AssertionError(await complaint()) from None


async def _output(*command: str) -> str:
    process = await asyncio.create_subprocess_exec(*command, stdout=PIPE)
    async with asyncio.timeout(_TIMEOUT):
        return (await process.communicate())[0].decode()


async def _log(url: str) -> list[str]:
    """What was said, in the room's order."""
    told = json.loads(await _output("curl", "-s", f"{url}/api/rooms/lobby/messages?limit=100"))
    return [message["text"] for message in told["messages"]]


async def _talk(people: list[Person], numbers: range) -> None:
    """All at the same time, each one thing after the other."""

    async def talk(person: Person) -> None:
        for number in numbers:
            await person.say(number)

    await asyncio.gather(*(talk(person) for person in people))


def _all(people: list[Person], numbers: range) -> list[str]:
    return sorted(f"{person.name}-{number}" for person in people for number in numbers)


async def _agree(url: str, people: list[Person], said: list[str]) -> list[str]:
    """Wait until all of that is `said`, and everyone sees it in the room's order, nothing missing, nothing twice."""

    async def all_is_said() -> bool:
        return len(await _log(url)) >= len(said)

    async def complaint() -> str:
        return f"only these were said: {await _log(url)}"

    await _until(all_is_said, complaint)
    log = await _log(url)
    assert sorted(said) == sorted(log)
    for person in people:
        assert [text for text in log if text.startswith(f"{person.name}-")] == sorted(
            (text for text in said if text.startswith(f"{person.name}-")), key=lambda text: int(text.rpartition("-")[2])
        )
    await asyncio.gather(*(person.hears(log) for person in people))
    return log


@contextlib.asynccontextmanager
async def _terminal(url: str, home: Path) -> AsyncIterator[Terminal]:
    terminal = Terminal(["join", "--name", "theo", url], home, 100, 120)
    try:
        yield terminal
    finally:
        terminal.close()


@pytest.mark.timeout(120)
@pytest.mark.slow
async def test_all_see_all_messages_in_the_same_order_and_a_killed_server_loses_none(tmp_path: Path) -> None:
    """Six talk at once and seven listen, each in their own way; SIGKILL in the middle: they come back and go on."""
    assert shutil.which("curl"), "this test needs curl; `make test` brings it"
    options = ("--store", f"sqlite:{tmp_path / 'chat.db'}", "--quiet")
    for folder in ("weechat", "theo", "tail"):
        (tmp_path / folder).mkdir()
    async with contextlib.AsyncExitStack() as everything:
        served = everything.enter_context(pychat_process(*options, "--irc-port", "0"))
        irc_port = served.line(event="irc")["port"]
        url = served.url

        carl = WithCurl(url)
        everything.push_async_callback(carl.close)
        come = (
            f"/server add chat 127.0.0.1/{irc_port} -nicks=wanda -password=a-long-secret -autojoin=#lobby",
            "/set irc.server.chat.autoreconnect_delay 1",
            "/connect chat",
        )
        wanda = WithWeeChat(await everything.enter_async_context(weechat(tmp_path / "weechat", *come)))
        theo = AtTheTerminal(await everything.enter_async_context(_terminal(url, tmp_path / "theo")))
        tail = RecentEvents(await everything.enter_async_context(running(tmp_path / "tail", "tail", "--json", url)))
        robo = Bot(await everything.enter_async_context(pychat.Client(url, name="robo")))
        node = await NodeClient.start(url)
        everything.push_async_callback(node.end)
        olga = OfTwentyThirteen(node)
        for listener in (tail, robo, olga):
            everything.push_async_callback(listener.close)
        browser = await everything.enter_async_context(chromium())
        window = await Window(await browser.new_page(), url).open()
        await window.join("ada")
        ada = AtThePage(window)
        await olga.join()
        assert await olga.connected.get() is False
        await carl.listen()
        await wanda.joins()
        await theo.terminal.shows("Write a message", "7 here")

        speakers: list[Person] = [ada, carl, wanda, theo, robo, olga]
        everyone = [*speakers, tail]
        await _talk(speakers, range(3))
        said = _all(speakers, range(3))
        before = await _agree(url, everyone, said)

        # Those whose programs send again what nobody answered go on talking through the end of the server.
        faithful: list[Person] = [ada, theo, robo]
        talking = asyncio.create_task(_talk(faithful, range(3, 6)))
        await _until(_longer(tail, len(before)), tail.complaint)
        served.process.kill()
        await wanda.loses_the_server()
        await carl.ended()
        again = everything.enter_context(
            pychat_process(*options, "--irc-port", str(irc_port), port=int(url.rpartition(":")[2]))
        )
        assert url == again.url
        await talking
        await carl.listen()
        await wanda.joins()
        assert await asyncio.wait_for(olga.connected.get(), _TIMEOUT) is True
        await window.live()
        said += _all(faithful, range(3, 6))
        log = await _agree(url, everyone, said)
        assert before == log[: len(before)]

        await _talk(speakers, range(6, 8))
        log = await _agree(url, everyone, said + _all(speakers, range(6, 8)))
        assert len(before) + len(faithful) * 3 + len(speakers) * 2 == len(log)
        assert ([False, True], 1) == (carl.recovered, robo.entered)
        assert [] == window.unexpected(server_was_away=True)
        assert not any(each.reading.done() for each in everyone if each.reading is not None)


def _longer(person: Person, than: int) -> Callable[[], Awaitable[bool]]:
    async def is_longer() -> bool:
        return len(await person.heard()) > than

    return is_longer
