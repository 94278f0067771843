"""Answers that nobody reads are cut: after a time, and when all together are too many bytes."""

from __future__ import annotations

import asyncio
from contextlib import ExitStack, suppress

import pytest

import pychat
from pychat import ChatRoom
from pychat.hosts.aiohttp import MOUNT
from pychat.net.slow_readers.answer_budget import AnswerBudget
from tests.servers import aiohttp_server, uvicorn_server


async def test_an_answer_has_its_time() -> None:
    """Ten seconds and what its bytes take at the slowest rate; then it is cut, once."""
    cut = asyncio.Event()
    budget = AnswerBudget(seconds=0.01, bytes_per_second=1e6)
    with budget.sending(10_000, "a", cut.set):
        async with asyncio.timeout(5):
            await cut.wait()
        assert 0 == budget.waiting

    cut.clear()
    with budget.sending(1_000_000_000, "a", cut.set):
        await asyncio.sleep(0.05)
    assert not cut.is_set()


async def test_the_bytes_of_all_answers_are_bounded() -> None:
    """Just at the bound nobody is cut, one byte above it the oldest of the address with most bytes."""
    budget, cut = AnswerBudget(max_bytes=100), list[str]()
    with ExitStack() as stack:

        def send(name: str, size: int, address: str) -> None:
            stack.enter_context(budget.sending(size, address, lambda: cut.append(name)))

        send("honest", 30, "b")
        send("first", 30, "a")
        send("second", 40, "a")
        assert ([], 100) == (cut, budget.waiting)
        send("last straw", 1, "b")
        assert (["first"], 71) == (cut, budget.waiting)
        send("third", 60, "a")
        assert (["first", "second"], 91) == (cut, budget.waiting)
    assert 0 == budget.waiting
    assert not budget._bytes
    assert not budget._waiting


async def test_the_newest_answer_is_not_cut_for_its_size() -> None:
    """An answer above the bound is sent where it is the only one, and others make room for it."""
    budget, cut = AnswerBudget(max_bytes=100), list[str]()
    with (
        budget.sending(10, "a", lambda: cut.append("small")),
        budget.sending(1000, "b", lambda: cut.append("large")),
    ):
        assert (["small"], 1000) == (cut, budget.waiting)


@pytest.mark.parametrize("kind", ["aiohttp", "asgi"])
async def test_hosts_cut_what_is_not_read(kind: str) -> None:
    """Who asks again and again and reads nothing is cut; who reads slowly gets the whole answer."""
    room = ChatRoom("lobby")
    for _ in range(130):
        await room.post("x" * 2000, author="bot")
    app, chat = pychat.aiohttp_app(room), pychat.asgi_app(room)
    mount = app[MOUNT] if kind == "aiohttp" else chat.mount
    budget = mount.answers = AnswerBudget(seconds=1.0, bytes_per_second=1e9)
    asked = b"GET /api/rooms/lobby/messages?limit=200 HTTP/1.1\r\nHost: x\r\n"
    async with aiohttp_server(app) if kind == "aiohttp" else uvicorn_server(chat) as url:
        port = int(url.rpartition(":")[2])
        unread, deaf = await asyncio.open_connection("127.0.0.1", port, limit=4096)
        deaf.write((asked + b"\r\n") * 60)  # 15 MB: more than the kernel keeps for anybody
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(asked + b"Connection: close\r\n\r\n")
        async with asyncio.timeout(30):
            assert len(await reader.read()) > 250_000
            while not budget.waiting:
                await asyncio.sleep(0.01)
            while budget.waiting:
                await asyncio.sleep(0.01)
            told = 0
            with suppress(ConnectionError):
                while data := await unread.read(1 << 20):
                    told += len(data)
            assert told < 50 * 250_000
        writer.close()
        deaf.transport.abort()
