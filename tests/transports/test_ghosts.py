"""No ghosts: whose connection ends while a command is under way is not here afterwards, on any wire."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiohttp
import pytest

from pychat import ChatRoom, Refused, aiohttp_app, serve_irc
from pychat.domain.model import Joined, LogEvent, Member, Signal
from pychat.stores import MemoryStore, Page, Receiver, Store, Subscription
from pychat.testing import FakeClock, Person
from tests.clients import TIMEOUT
from tests.servers import aiohttp_server

_GATES = 6  # of a join on this store: before and after what it asks; the later ones are passed by nothing


class _Gates(Store):
    """A store in memory that halts at one of its awaits until it is told to go on."""

    available = True

    def __init__(self) -> None:
        self._inner = MemoryStore()
        self.halt_at = -1
        self.halted = asyncio.Event()
        self.go = asyncio.Event()
        self.down = False
        self._passed = 0

    def arm(self, gate: int) -> None:
        """Halt at that await from here."""
        self.halt_at, self._passed = gate, 0

    async def _gate(self) -> None:
        self._passed += 1
        if self._passed == self.halt_at:
            self.halted.set()
            await self.go.wait()
        else:
            await asyncio.sleep(0)
        if self.down:
            raise Refused("unavailable", "Away, for this is a test.", 1.0)

    async def subscribe(self, room: str, receive: Receiver) -> Subscription:
        return await self._inner.subscribe(room, receive)

    async def append(self, room: str, event: LogEvent) -> LogEvent:
        await self._gate()
        stored = await self._inner.append(room, event)
        await self._gate()
        return stored

    async def signal(self, room: str, event: Signal) -> None:
        await self._gate()
        await self._inner.signal(room, event)
        await self._gate()

    async def events(self, room: str, *, after: int, limit: int) -> list[LogEvent]:
        return await self._inner.events(room, after=after, limit=limit)

    async def history(self, room: str, **asked: Any) -> Page:
        return await self._inner.history(room, **asked)

    async def aclose(self) -> None:
        await self._inner.aclose()


_End = Callable[[], Awaitable[None]]
_Begin = Callable[[], Awaitable[_End]]


@asynccontextmanager
async def _memory(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    person = await Person.enter(room)

    async def end(task: asyncio.Task[Any]) -> None:
        await person.drop()

    async def join() -> _End:
        task = asyncio.create_task(person.join("Ada"))
        return lambda: end(task)

    async def rename() -> _End:
        task = asyncio.create_task(person.join("Eve"))
        return lambda: end(task)

    yield join, rename


@asynccontextmanager
async def _cancelled(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    """A host that cancels who serves the connection, which then closes the session."""
    person = await Person.enter(room)

    async def serve(name: str) -> None:
        try:
            await person.join(name)
        finally:
            await person.drop()

    async def begin(name: str) -> _End:
        task = asyncio.create_task(serve(name) if name == "Eve" else person_joins(name))
        return lambda: end(task)

    async def person_joins(name: str) -> None:
        try:
            await person.join(name)
        except BaseException:
            await person.drop()
            raise

    async def end(task: asyncio.Task[Any]) -> None:
        task.cancel()
        # Once more, while it closes the session.
        asyncio.get_running_loop().call_soon(task.cancel)
        with suppress(asyncio.CancelledError):
            await task
        if not person._session.gone:
            await person.drop()

    yield lambda: begin("Ada"), lambda: begin("Eve")


@asynccontextmanager
async def _websocket(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    async with aiohttp_server(aiohttp_app(room)) as url, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(f"{url}/ws")

        async def begin(name: str) -> _End:
            await socket.send_json({"type": "join", "name": name})
            return end

        async def end() -> None:
            transport = socket.get_extra_info("socket") and socket._conn.transport  # type: ignore[union-attr]
            transport.abort()  # type: ignore[union-attr]

        yield lambda: begin("Ada"), lambda: begin("Eve")


@asynccontextmanager
async def _socketio(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    async with aiohttp_server(aiohttp_app(room)) as url, aiohttp.ClientSession() as http:
        socket = await http.ws_connect(f"{url}/socket.io/?EIO=4&transport=websocket")
        await socket.receive()
        await socket.send_str('40{"v":1}')
        await socket.receive()

        async def begin(name: str) -> _End:
            await socket.send_str(f'42["join",{{"name":"{name}"}}]')
            return end

        async def end() -> None:
            socket._conn.transport.abort()  # type: ignore[union-attr]

        yield lambda: begin("Ada"), lambda: begin("Eve")


@asynccontextmanager
async def _sse(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    async with aiohttp_server(aiohttp_app(room)) as url, aiohttp.ClientSession() as http:
        stream = await http.get(f"{url}/api/rooms/lobby/events")
        token = ""
        while not token:
            line = await stream.content.readline()
            if line.startswith(b"data:"):
                token = json.loads(line[5:])["token"]
        tasks: set[asyncio.Task[Any]] = set()

        async def post(name: str) -> None:
            headers = {"Authorization": f"Bearer {token}"}
            async with http.post(f"{url}/api/rooms/lobby/commands/join", json={"name": name}, headers=headers) as told:
                await told.read()

        async def begin(name: str) -> _End:
            tasks.add(asyncio.create_task(post(name)))
            return end

        async def end() -> None:
            stream.close()

        yield lambda: begin("Ada"), lambda: begin("Eve")
        await asyncio.wait(tasks)


@asynccontextmanager
async def _irc(room: ChatRoom) -> AsyncIterator[tuple[_Begin, _Begin]]:
    server = await serve_irc(room, port=0)
    reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
    writer.write(b"PASS secret\r\nNICK Ada\r\nUSER ada 0 * :Ada\r\nPING in\r\n")
    while b"PONG" not in await reader.readline():
        pass

    async def begin(line: bytes) -> _End:
        writer.write(line)
        return end

    async def end() -> None:
        writer.transport.abort()

    try:
        yield lambda: begin(b"JOIN #lobby\r\n"), lambda: begin(b"NICK Eve\r\n")
    finally:
        await server.aclose()


async def _until(so: Callable[[], bool]) -> None:
    async with asyncio.timeout(TIMEOUT):
        while not so():
            await asyncio.sleep(0.002)


@pytest.mark.parametrize("gate", range(1, _GATES + 1))
@pytest.mark.parametrize("what", ["join", "rename"])
@pytest.mark.parametrize(
    "wire", [_memory, _cancelled, _websocket, _socketio, _sse, _irc], ids=lambda wire: wire.__name__
)
async def test_who_ends_while_a_command_is_under_way_is_gone(wire: Any, what: str, gate: int) -> None:
    """At whichever await of a join or a rename a connection ends, the room is empty, and the names are free."""
    clock, store = FakeClock(), _Gates()
    room = ChatRoom(store=store, clock=clock)
    await room.start()
    async with wire(room) as (join, rename):
        if what == "rename":
            await join()
            await _until(lambda: [member.name for member in room.members] == ["Ada"])
        store.arm(gate)
        end = await (join if what == "join" else rename)()
        with suppress(TimeoutError):  # the last gates are not reached by this command, but by what follows
            async with asyncio.timeout(0.03):
                await store.halted.wait()
        ending = asyncio.ensure_future(end())
        await asyncio.sleep(0.01)  # it may itself halt at the gate
        store.go.set()
        await ending
        await _until(lambda: room.here == 0)
        await _until(lambda: not room.backend.core.tasks)
        assert () == room.members
        clock.move(31)
        await _until(lambda: not room.backend.core.state.away and not room.backend.core.tasks)
        assert 0 == room.here
        newcomer = await Person.enter(room)
        assert (await newcomer.join("Ada"))["ok"]
        assert (await newcomer.join("Eve"))["ok"]
    await room.aclose()


async def test_who_goes_while_the_store_is_away_is_gone_when_it_is_back() -> None:
    """A goodbye that the store did not take is said again, so nobody stays on the list for ever."""
    clock, store = FakeClock(), _Gates()
    room = ChatRoom(store=store, clock=clock)
    ada = await Person.enter(room)
    await ada.join("Ada")
    store.down = True
    await ada.close()
    assert ["Ada"] == [member.name for member in room.members]
    clock.move(2.5)
    await _until(lambda: not room.backend.core.tasks)
    store.down = False
    clock.move(2.5)
    await _until(lambda: room.members == ())
    await room.aclose()


async def test_a_session_that_is_closed_takes_no_commands() -> None:
    """A command that was POSTed for a stream that has ended seats nobody."""
    room = ChatRoom()
    ada = await Person.enter(room)
    await ada.close()
    assert "unavailable" == (await ada.join("Ada"))["error"]["code"]
    assert 0 == room.here
    await room.aclose()


async def test_who_has_gone_is_not_writing() -> None:
    """`typing` that arrives after its member has gone is told to nobody."""
    store = _Gates()
    room = ChatRoom(store=store)
    ada, bob = await Person.enter(room), await Person.enter(room)
    await ada.join("Ada")
    store.arm(1)
    typing = asyncio.create_task(ada.command("typing", {"on": True}))
    await store.halted.wait()
    await ada.close()
    store.go.set()
    await typing
    assert ada._session._typing is None  # no timer runs for a closed session
    await room.post("end", author="bot")
    await bob.event("message")
    assert [] == [name for name, _ in bob.connection.events if name == "typing"]
    await room.aclose()


@pytest.mark.parametrize("gate", [1, 2, 3])
async def test_a_member_who_returns_as_the_name_is_freed_and_ends_at_once_is_gone(gate: int) -> None:
    """A return waits until the store has freed the name; if its connection ends then, nobody stays here or away."""
    clock, store = FakeClock(), _Gates()
    room = ChatRoom(store=store, clock=clock)
    ada = await Person.enter(room)
    joined = await ada.join("Ada")
    await ada.drop()
    store.arm(1)
    clock.move(31)
    await store.halted.wait()  # before the store frees the name
    back = await Person.enter(room)
    joining = asyncio.create_task(back.command("join", {"name": "Ada", "token": joined["token"]}))
    await _until(lambda: back._session.member_id is not None)
    freeing, store.halted, store.go = store.go, asyncio.Event(), asyncio.Event()
    store.arm(gate)  # after the name is freed; before and after the return is stored
    freeing.set()
    await store.halted.wait()
    ending = asyncio.create_task(back.drop())
    await _until(lambda: back._session.gone)
    store.go.set()
    await asyncio.wait([joining, ending])
    await _until(lambda: not room.backend.core.tasks)
    assert ((), 0) == (room.members, room.here)
    clock.move(31)
    await _until(lambda: not room.backend.core.state.away and not room.backend.core.tasks)
    assert (await (await Person.enter(room)).join("Ada"))["ok"]
    await room.aclose()


async def test_a_visitor_who_ends_while_a_hook_is_asked_never_comes_in() -> None:
    """A join whose connection ended during the hook is refused: nobody sees it, and the name is not held."""
    room = ChatRoom(clock=FakeClock())
    asked, go, seen = asyncio.Event(), asyncio.Event(), []

    @room.on("join")
    async def allow(_member: Member) -> None:
        asked.set()
        await go.wait()

    room.on("event")(seen.append)
    ada = await Person.enter(room)
    joining = asyncio.create_task(ada.join("Ada"))
    await asked.wait()
    await ada.drop()
    go.set()
    assert "unavailable" == (await joining)["error"]["code"]
    assert (await (await Person.enter(room)).join("Ada"))["ok"]
    await room.aclose()
    assert 1 == len([event for event in seen if isinstance(event, Joined)])
