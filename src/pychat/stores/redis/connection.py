"""A connection to Redis. Commands that arrive while an answer is awaited are sent together as the next batch.

It knows neither rooms nor events. Every failure of Redis becomes a `Refused` with `unavailable`.
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
from pychat.stores.redis.loop_timeout import LoopTimeout
from pychat.stores.redis.scripts import SCRIPTS, Script

__all__ = ["RedisConnection", "unavailable"]

_log = logging.getLogger(__name__)

Argument = str | bytes | int | float
_MAX_WAITING = 16 << 20  # bytes


def unavailable(why: Failure | None = None) -> Refused:
    """Return the refusal for a command that needs Redis while Redis cannot be used.

    If waiting does not help, its cause is a `UsageError` for the person who starts the server.
    """
    refused = Refused("unavailable", "The room cannot be reached just now. Please try again in a moment.", 1.0)
    if why is not None and why.lasting:
        refused.__cause__ = UsageError(f"Redis cannot be used: {why}.")
    return refused


class RedisConnection:
    """One connection. It connects on first use and reconnects after a failure."""

    def __init__(self, url: str, *, timeout: float, on_failure: Callable[[Failure], None]) -> None:
        """Redis must answer within `timeout` seconds; time in which the event loop is blocked does not count.

        `on_failure` is called with the reason of each failure.
        """
        # redis-py counts the time in which the event loop is blocked, so it gets no timeouts.
        pool = ConnectionPool.from_url(url, protocol=2, socket_timeout=None, socket_connect_timeout=None)
        self._connection: AbstractConnection = pool.make_connection()  # type: ignore[no-untyped-call]  # untyped in redis-py
        self._timeout = timeout
        self._connection_failed = on_failure
        self._waiting: list[tuple[Sequence[Argument], asyncio.Future[Any]]] = []
        self._size = 0
        self._task: asyncio.Task[None] | None = None

    def run(self, script: Script, key: str, *arguments: Argument) -> asyncio.Future[Any]:
        """Run `script` for the room whose keys begin with `key`."""
        return self.execute("EVALSHA", script.digest, 1, key, *arguments)

    def execute(self, *command: Argument) -> asyncio.Future[Any]:
        """Send `command`; the future has the answer, in bytes, or raises `Refused` with `unavailable`."""
        future = asyncio.get_running_loop().create_future()
        if self._size > _MAX_WAITING:
            future.set_exception(unavailable())
            return future
        self._waiting.append((command, future))
        self._size += sum(len(each) for each in command if isinstance(each, str | bytes))
        if self._task is None:
            self._task = asyncio.create_task(self._work())
        return future

    async def aclose(self, *, wait: bool = True) -> None:
        """Close the connection; first wait for outstanding answers, unless `wait` is false."""
        if self._task is not None:
            if not wait:
                self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        with contextlib.suppress(TimeoutError):
            async with LoopTimeout(self._timeout):
                await self._connection.disconnect()

    async def _work(self) -> None:
        try:
            while self._waiting:
                await self._send_batch()
        finally:
            self._task = None

    async def _send_batch(self) -> None:
        """Send all waiting commands. Every future gets a result or an error."""
        batch, self._waiting, self._size = self._waiting, [], 0
        answers: list[Any] | None = None
        why: Failure | None = None
        try:
            async with LoopTimeout(self._timeout):
                answers = await self._exchange([command for command, _ in batch])
        except Exception as error:
            why = failure(error)
            if why is None:
                _log.exception("redis-py failed.")
                why = Failure("redis-py failed")
            self._connection_failed(why)
        finally:
            if answers is None:
                with contextlib.suppress(Exception):
                    await self._connection.disconnect(nowait=True)
                # Commands that arrived meanwhile fail too, so that they need not wait for the next attempt.
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
            # The idle connection was closed. All commands are safe to repeat.
            await self._connection.disconnect(nowait=True)
            answers = await self._send(commands)
        missing = [index for index, answer in enumerate(answers) if isinstance(answer, NoScriptError)]
        if missing:
            loaded = await self._send([("SCRIPT", "LOAD", script.text) for script in SCRIPTS.values()])
            failed = next((answer for answer in loaded if isinstance(answer, Exception)), None)
            for index, answer in zip(missing, await self._send([commands[index] for index in missing]), strict=True):
                answers[index] = answer if failed is None else failed
        for index, answer in enumerate(answers):
            if isinstance(answer, ResponseError) and (why := failure(answer)) is not None:
                self._connection_failed(why)
                answers[index] = unavailable(why)
        return answers

    async def _send(self, commands: Sequence[Sequence[Argument]]) -> list[Any]:
        if not self._connection.is_connected:
            await self._connection.connect()  # type: ignore[no-untyped-call]  # untyped in redis-py
            # Redis closes a connection without a login at the first long command; a short one gets the error text.
            await self._connection.send_packed_command(self._connection.pack_commands([("PING",)]))
            with contextlib.suppress(ResponseError):  # a user may lack the permission
                await self._connection.read_response(disable_decoding=True)
        await self._connection.send_packed_command(self._connection.pack_commands(commands))
        answers: list[Any] = []
        for _ in commands:
            try:
                answers.append(await self._connection.read_response(disable_decoding=True))
            except ResponseError as error:
                answers.append(error)
        return answers
