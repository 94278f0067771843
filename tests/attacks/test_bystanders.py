"""The bystanders themselves: they notice what they are there to notice."""

from __future__ import annotations

import asyncio
import os
import signal

import pytest

from tests.attacks.conftest import Public
from tests.attacks.public import PublicServer


async def test_peace(public: Public):
    """Where nobody attacks, nobody waits, on any wire, and memory is what it was."""
    async with public() as server:
        async with server.attacked():
            await asyncio.sleep(1.5)
        await server.settles()
        assert (await server.report())["sent"] > 0


async def held_up(server: PublicServer) -> None:
    """An attack that works."""
    async with server.attacked(on_the_wall=0.5):
        os.kill(server.pid, signal.SIGSTOP)
        await asyncio.sleep(1)
        os.kill(server.pid, signal.SIGCONT)


async def test_a_server_that_is_held_up_is_noticed(public: Public):
    """A bystander whose message is held up fails the attack that did it."""
    async with public() as server:
        with pytest.raises(AssertionError, match="wall"):
            await held_up(server)
