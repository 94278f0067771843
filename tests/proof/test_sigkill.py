"""Real clients at a real server that is killed with SIGKILL again and again: nothing is lost, nothing is twice."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import json
import os
import random
import signal
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import aiohttp
import pytest
import socketio

from pychat.domain.model import Message, Position
from pychat.stores.sqlite import SqliteStore
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.conftest import NodeClient

SECONDS = float(os.environ.get("SOAK_SECONDS", "15"))
PACE = 0.02  # seconds between the messages of one client, so that others can use this machine too
THE_END = "the end"
GONE = (TimeoutError, OSError, aiohttp.ClientError, socketio.exceptions.SocketIOError)


class Mortal:
    """`pychat serve` at one port and with one file, in one life after another."""

    def __init__(self, database: Path) -> None:
        self.database = database
        self.url = ""
        self.lives = 0
        #: Set while there is a server to come to.
        self.up = asyncio.Event()
        self._port = 0
        self._process: asyncio.subprocess.Process | None = None
        self._draining: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begin a life; return when it listens."""
        environment = {name: value for name, value in os.environ.items() if not name.startswith("PYCHAT_")}
        options = ["--store", f"sqlite:{self.database}", "--port", str(self._port), "--limits", "off", "--quiet"]
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "pychat", "serve", "--log-format", "json", *options),
            stdout=asyncio.subprocess.PIPE,
            env=environment,
        )
        assert process.stdout is not None
        self._process = process
        while True:
            line = await process.stdout.readline()
            assert line, "it did not start"
            told = json.loads(line)
            if told["event"] == "start":
                break
        self.url = str(told["url"]).rstrip("/")
        self._port = int(self.url.rpartition(":")[2])
        self._draining = asyncio.create_task(self._drain(process.stdout))
        self.lives += 1
        self.up.set()

    async def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End this life."""
        self.up.clear()
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(how)
            await self._process.wait()
        if self._draining is not None:
            await self._draining

    @staticmethod
    async def _drain(stream: asyncio.StreamReader) -> None:
        while await stream.readline():
            pass


class Segment:
    """What one client saw from one moment on without a gap, as far as it was told."""

    def __init__(self, floor: int | None) -> None:
        #: The first number that must have been seen; `None` while it is not known.
        self.floor = floor
        self.seen: dict[int, str] = {}
        self.last = 0


class Modern:
    """A client of version 1: ids, resent until there is an answer, and `since`."""

    def __init__(self, name: str, server: Mortal) -> None:
        self.name = name
        self._server = server
        self._token: str | None = None
        self._position: Position | None = None
        self._numbers = itertools.count(1)
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.texts: dict[str, str] = {}
        self.segments: list[Segment] = []
        self.recoveries = self.connections = 0
        self.resent = 0
        self._end = asyncio.Event()

    async def _enter(self) -> WebSocketPerson | SocketIOPerson:
        raise NotImplementedError

    async def live(self, stop: asyncio.Event) -> None:
        """Write until `stop`, then wait for the end, through all lives of the server."""
        given: str | None = None
        while True:
            await self._server.up.wait()
            try:
                person = await self._enter()
            except GONE:
                await asyncio.sleep(PACE)
                continue
            reading: asyncio.Task[None] | None = None
            try:
                self._welcomed(await person.event("welcome"))
                reading = asyncio.create_task(self._read(person))
                joined = await person.command("join", {"name": self.name, "token": self._token})
                assert joined["ok"], joined
                assert self._token in (None, joined["token"])
                self._token = joined["token"]
                while not stop.is_set() or given is not None:
                    if given is None:
                        given = f"{self.name}-{next(self._numbers)}"
                        self.texts[given] = f"{self.name} says {given}"
                    else:
                        self.resent += 1
                    answer = await self._say(person, given)
                    if answer is None:
                        break
                    given = None
                    await asyncio.sleep(PACE)
                else:
                    async with asyncio.timeout(20):
                        await self._end.wait()
                    return
            except GONE:
                pass
            finally:
                if reading is not None:
                    reading.cancel()
                    await asyncio.wait([reading])
                self._take(person)
                with contextlib.suppress(*GONE):
                    await person.close()

    async def _say(self, person: WebSocketPerson | SocketIOPerson, given: str) -> dict[str, Any] | None:
        command = asyncio.create_task(person.command("say", {"text": self.texts[given], "id": given}))
        gone = asyncio.create_task(person.told.next("disconnect" if isinstance(person, SocketIOPerson) else "closed"))
        try:
            await asyncio.wait([command, gone], return_when=asyncio.FIRST_COMPLETED)
            if not command.done():
                return None
            answer = command.result()
            assert answer["ok"], answer
            self.acknowledged[given] = answer
            self._take(person)
            self._note(answer["seq"], self.texts[given])
            return answer
        finally:
            for task in (command, gone):
                task.cancel()
            await asyncio.gather(command, gone, return_exceptions=True)

    def _welcomed(self, welcome: dict[str, Any]) -> None:
        self.connections += 1
        if welcome["recovered"]:
            assert self._position == Position(welcome["epoch"], welcome["seq"])
            self.recoveries += 1
            return
        messages = welcome["messages"]
        segment = Segment(messages[0]["seq"] if messages and welcome["more"] else 1)
        self.segments.append(segment)
        self._position = Position(welcome["epoch"], 0)
        for message in messages:
            self._hear(message)
        self._position = Position(welcome["epoch"], welcome["seq"])

    async def _read(self, person: WebSocketPerson | SocketIOPerson) -> None:
        while True:
            self._hear(await person.told._queues.setdefault("message", asyncio.Queue()).get())

    def _take(self, person: WebSocketPerson | SocketIOPerson) -> None:
        """What came and was not looked at."""
        waiting = person.told._queues.get("message")
        while waiting is not None and not waiting.empty():
            message = waiting.get_nowait()
            if self.segments:
                self._hear(message)

    def _hear(self, message: dict[str, Any]) -> None:
        segment = self.segments[-1]
        assert message["seq"] > segment.last, f"{self.name} was told of {message['seq']} after {segment.last}"
        segment.last = message["seq"]
        self._note(message["seq"], message["text"])
        if message["text"] == THE_END:
            self._end.set()

    def _note(self, seq: int, text: str) -> None:
        assert self._position is not None
        assert self.segments[-1].seen.setdefault(seq, text) == text
        self._position = Position(self._position.epoch, max(seq, self._position.seq))


class Plain(Modern):
    """Over the plain WebSocket."""

    async def _enter(self) -> WebSocketPerson:
        http = aiohttp.ClientSession()
        since = self._position
        query = {} if since is None else {"epoch": since.epoch, "seq": str(since.seq)}
        try:
            socket = await http.ws_connect(f"{self._server.url}/ws", params=query, protocols=("pychat.v1",))
        except BaseException:
            await http.close()
            raise
        return WebSocketPerson(http, socket)


class Upgrading(Modern):
    """Over Socket.IO, from polling to WebSocket each time."""

    async def _enter(self) -> SocketIOPerson:
        return await SocketIOPerson.enter(self._server.url, self._position, transports=("polling", "websocket"))


class Old:
    """npm's client of 2013's words, unmodified: no ids, no resending; it comes back by itself."""

    def __init__(self, name: str, client: NodeClient) -> None:
        self.name = name
        self._client = client
        self._answers: dict[int, asyncio.Future[Any]] = {}
        self._numbers = itertools.count(1)
        self._connected = asyncio.Event()
        self._end = asyncio.Event()
        #: All that was sent, and the answers to it.
        self.sent: list[str] = []
        self.acknowledged: dict[str, dict[str, Any]] = {}
        self.segments: list[Segment] = []
        self.recoveries = self.connections = 0
        self._last = 0
        self._reading = asyncio.create_task(self._read())

    async def _read(self) -> None:
        assert self._client._process.stdout is not None
        async for line in self._client._process.stdout:
            name, *arguments = json.loads(line)
            match name:
                case "(connect)":
                    self.connections += 1
                    self.recoveries += arguments[1]
                    if not arguments[1]:
                        self.segments.append(Segment(None))
                    self._connected.set()
                case "(disconnect)":
                    self._connected.clear()
                    for future in self._answers.values():
                        if not future.done():
                            future.set_result(None)
                case "answered":
                    number, answer = arguments
                    future = self._answers[number]
                    if not future.done():
                        future.set_result(answer)
                case "message":
                    self._hear(arguments[0])

    def _hear(self, message: dict[str, Any]) -> None:
        seq, segment = message["seq"], self.segments[-1]
        assert seq > self._last, f"{self.name} was told of {seq} after {self._last}"
        self._last = segment.last = seq
        if segment.floor is None:
            segment.floor = seq
        segment.seen[seq] = message["message"]
        if message["message"] == THE_END:
            self._end.set()

    async def _ask(self, *words: Any) -> Any:
        """Its acknowledgement; `None` if the connection broke before there was one."""
        await self._connected.wait()
        number = next(self._numbers)
        self._answers[number] = asyncio.get_running_loop().create_future()
        await self._client.do("ask", number, *words)
        return await self._answers[number]

    async def live(self, stop: asyncio.Event) -> None:
        """Write until `stop`, then wait for the end."""
        living = asyncio.create_task(self._live(stop))
        done, _ = await asyncio.wait([living, self._reading], return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        assert living.done()

    async def _live(self, stop: asyncio.Event) -> None:
        names = (self.name if number == 0 else f"{self.name} {number}" for number in itertools.count())
        named = False
        while not stop.is_set():
            if not named:
                answer = await self._ask("setPseudo", next(names))
                named = answer is not None and answer["ok"]
                continue
            text = f"{self.name} says {len(self.sent)}"
            self.sent.append(text)
            answer = await self._ask("message", text)
            if answer is not None and answer["ok"]:
                self.acknowledged[text] = answer
            elif answer is not None:
                assert answer["error"]["code"] == "not_joined", answer
                named = False
            await asyncio.sleep(PACE)
        async with asyncio.timeout(20):
            await self._end.wait()

    async def close(self) -> None:
        """Go."""
        await self._client.end()
        self._reading.cancel()
        await asyncio.wait([self._reading])


@pytest.mark.timeout(SECONDS + 120)
async def test_nothing_is_lost_and_nothing_is_twice_however_often_the_server_is_killed(tmp_path: Path) -> None:
    """Acknowledged is stored, once; everybody sees the log in its order, without a gap where none was admitted."""
    seed = int(os.environ.get("SOAK_SEED", str(random.SystemRandom().randrange(1 << 32))))
    chance = random.Random(seed)  # noqa: S311 -- a test
    server = Mortal(tmp_path / "chat.db")
    await server.start()
    stop = asyncio.Event()
    modern: list[Modern] = [Plain("plain", server), Upgrading("upgrading", server)]
    old = [
        Old(name, await NodeClient.start(server.url, transports=[transport]))
        for name, transport in (("old by websocket", "websocket"), ("old by polling", "polling"))
    ]
    kills = 0
    everybody: list[Modern | Old] = [*modern, *old]
    lives = [asyncio.create_task(client.live(stop)) for client in everybody]
    try:
        loop = asyncio.get_running_loop()
        until = loop.time() + SECONDS
        while loop.time() < until:
            failed, _ = await asyncio.wait(lives, timeout=chance.uniform(1, 3), return_when=asyncio.FIRST_EXCEPTION)
            for task in failed:
                task.result()
            await server.end()
            kills += 1
            await server.start()
        stop.set()
        await asyncio.sleep(0)
        await _say_the_end(server)
        await asyncio.gather(*lives)
    finally:
        for task in lives:
            task.cancel()
        await asyncio.wait(lives)
        for client in old:
            await client.close()
        await server.end(signal.SIGTERM)
    log = await _log(server.database)
    _compare(log, modern, old)
    acknowledged = sum(len(client.acknowledged) for client in everybody)
    print(  # noqa: T201 -- `make soak` shows it
        f"\n{kills} kills, {len(log)} messages, {acknowledged} acknowledged, "
        f"{sum(client.resent for client in modern)} sent again, "
        + ", ".join(f"{each.name}: {each.recoveries} of {each.connections - 1} recovered" for each in everybody)
        + f" (SOAK_SEED={seed})"
    )
    assert all(client.acknowledged for client in everybody)
    assert all(client.recoveries for client in everybody)


async def _say_the_end(server: Mortal) -> None:
    last = await WebSocketPerson.enter(server.url)
    assert (await last.command("join", {"name": "last"}))["ok"]
    # Everybody who writes is through when they have stopped; what they still send comes before or after, no matter.
    assert (await last.command("say", {"text": THE_END}))["ok"]
    await last.close()


async def _log(database: Path) -> dict[int, Message]:
    store = SqliteStore(database)
    log = await store.events("lobby", after=0, limit=10_000_000)
    await store.aclose()
    assert list(range(1, len(log) + 1)) == [event.seq for event in log]
    return {event.seq: event for event in log if isinstance(event, Message)}


def _compare(log: dict[int, Message], modern: list[Modern], old: list[Old]) -> None:
    texts = Counter(message.text for message in log.values())
    assert not [text for text, count in texts.items() if count > 1], "stored twice"
    for client in modern:
        assert {(text, given) for given, text in client.texts.items()} == {
            (message.text, message.id) for message in log.values() if message.author.name == client.name
        }
        for given, answer in client.acknowledged.items():
            assert (client.texts[given], given) == (log[answer["seq"]].text, log[answer["seq"]].id)
        for segment in client.segments:
            _no_gap(client.name, segment, log, lambda _: True)
    for each in old:
        for text, answer in each.acknowledged.items():
            assert (text, answer["id"]) == (log[answer["seq"]].text, log[answer["seq"]].id)
        for segment in each.segments:
            _no_gap(each.name, segment, log, lambda text, name=each.name: not text.startswith(f"{name} says"))


def _no_gap(name: str, segment: Segment, log: dict[int, Message], wanted: Any) -> None:
    """All that was said by those who are `wanted`, from the first that was seen to the last, and as it was said."""
    for seq, text in segment.seen.items():
        assert log[seq].text == text
    if segment.floor is None:
        return
    expected = [seq for seq in range(segment.floor, segment.last + 1) if wanted(log[seq].text)]
    missed = [seq for seq in expected if seq not in segment.seen]
    assert not missed, f"{name} missed {missed}"
