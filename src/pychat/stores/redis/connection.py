"""A connection to Redis: what is asked while an answer is awaited leaves together; nothing waits for long.

It knows neither rooms nor events. It owns how Redis can fail, in one word: `unavailable`.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from collections.abc import Callable, Sequence
from typing import Any

from redis import exceptions
from redis.asyncio.connection import AbstractConnection, ConnectionPool
from redis.exceptions import NoScriptError, ResponseError

from pychat.domain.errors import Refused, UsageError
from pychat.stores.redis.failures import Failure, failure
from pychat.stores.redis.scripts import STEPS, Step

__all__ = ["RedisConnection", "unavailable"]

_log = logging.getLogger(__name__)

Argument = str | bytes | int | float
_WAITING_MOST = 16 << 20  # bytes


def unavailable(why: Failure | None = None) -> Refused:
    """What everyone is told who needs Redis while it cannot be had.

    Where waiting does not help, its cause is a `UsageError`, for whoever starts the server.
    """
    refused = Refused("unavailable", "The room cannot be reached just now. Please try again in a moment.", 1.0)
    if why is not None and why.lasting:
        refused.__cause__ = UsageError(f"Redis cannot be used: {why}.")
    return refused


class RedisConnection:
    """One connection, made when it is needed, and made again after it broke."""

    def __init__(self, url: str, *, patience: float, broken: Callable[[Failure], None]) -> None:
        """`patience` is how many seconds Redis has to answer. `broken` is told why, where it cannot."""
        pool = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, socket_connect_timeout=patience)
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # a gap of redis-py
        self._patience = patience
        self._broken = broken
        self._waiting: list[tuple[Sequence[Argument], asyncio.Future[Any]]] = []
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def step(self, step: Step, key: str, *arguments: Argument) -> asyncio.Future[Any]:
        """Take `step` with the room whose keys begin with `key`."""
        return self.ask("EVALSHA", step.digest, 1, key, *arguments)

    def ask(self, *command: Argument) -> asyncio.Future[Any]:
        """Redis's answer to `command`, in bytes; or `Refused` with `unavailable`."""
        future = asyncio.get_running_loop().create_future()
        if self._size > _WAITING_MOST:
            future.set_exception(unavailable())
            return future
        self._waiting.append((command, future))
        self._size += sum(len(each) for each in command if isinstance(each, str | bytes))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return future

    async def aclose(self, *, wait: bool = True) -> None:
        """Close; take the answers that are outstanding before, unless `wait` is false."""
        if self._task is not None:
            if not wait:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        await self._connection.disconnect()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._round()
        finally:
            self._task = None

    async def _round(self) -> None:
        """Ask all that waits. Whatever happens, everyone is answered."""
        batch, self._waiting, self._size = self._waiting, [], 0
        answers: list[Any] | None = None
        why: Failure | None = None
        try:
            async with asyncio.timeout(self._patience):
                answers = await self._exchange([command for command, _ in batch])
        except Exception as error:
            why = failure(error)
            if why is None:
                _log.exception("redis-py failed.")
                why = Failure("redis-py failed")
            self._broken(why)
        finally:
            if answers is None:
                with contextlib.suppress(Exception):
                    await self._connection.disconnect(nowait=True)
                # Those who came meanwhile have waited for nothing, and need not wait for the next try.
                batch, self._waiting, self._size = batch + self._waiting, [], 0
                answers = [unavailable(why) for _ in batch]
            for (_, future), answer in zip(batch, answers, strict=True):
                if future.done():
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)

    async def _exchange(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        fresh = not self._connection.is_connected
        try:
            answers = await self._send(commands)
        except (exceptions.ConnectionError, OSError):
            if fresh:
                raise
            # It was closed while nobody looked. What Redis may have done already can be asked for again.
            await self._connection.disconnect(nowait=True)
            answers = await self._send(commands)
        missing = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            loaded = await self._send([("SCRIPT", "LOAD", step.text) for step in STEPS.values()])
            failed = next((answer for answer in loaded if isinstance(answer, Exception)), None)
            for index, answer in zip(missing, await self._send([commands[index] for index in missing]), strict=True):
                answers[index] = answer if failed is None else failed
        for index, answer in enumerate(answers):
            if isinstance(answer, ResponseError) and (why := failure(answer)) is not None:
                self._broken(why)
                answers[index] = unavailable(why)
        return answers

    async def _send(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]  # a gap of redis-py
        await self._connection.send_packed_command(self._connection.pack_commands(commands))
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(await self._connection.read_response(disable_decoding=True))
            except ResponseError as error:
                answers.append(error)
        return answers
