"""`pychat tail`: prints the messages of a room, line by line."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import sys
import time
from collections import deque
from collections.abc import Iterator, Mapping

from pychat.client import Client, ClientEvent, RoomSnapshot, State
from pychat.domain.model import Joined, Left, Message, Renamed
from pychat.terminal.formatting import as_json, as_text

__all__ = ["tail"]

_REMEMBERED = 1_000  # printed messages; more than a server sends on entering


async def tail(
    url: str,
    room: str | None,
    *,
    history: int,
    json: bool,
    presence: bool,
    token: str | None,
    headers: Mapping[str, str],
) -> None:
    """Print messages, beginning with the last `history` ones, until cancelled or the output is closed.

    Raise `BrokenPipeError` when the output is closed, `Disconnected` when the server ends the connection for good.
    """
    printer = _Printer(json=json, presence=presence)
    async with Client(url, room, token=token, headers=headers, on_state=_Outages()) as chat:
        reading = asyncio.create_task(printer.follow(chat, history))
        with _watched(reading) as gone:
            await asyncio.wait([reading])
            if gone:
                raise BrokenPipeError
        await reading


class _Printer:
    def __init__(self, *, json: bool, presence: bool) -> None:
        self._json = json
        self._presence = presence
        self._printed: deque[str] = deque(maxlen=_REMEMBERED)  # ids of messages

    async def follow(self, chat: Client, history: int) -> None:
        async for event in chat:
            if isinstance(event, RoomSnapshot):
                await self._enter(chat, event, history)
            elif self._presence or not isinstance(event, Joined | Left | Renamed):
                self._print(chat, event)

    async def _enter(self, chat: Client, entered: RoomSnapshot, history: int) -> None:
        messages = entered.messages
        if entered.missed:
            _say("The room went on without us for too long: some messages may be missing here.")
            # Compare ids, not numbers: after a restored backup, other messages have the same numbers.
            messages = tuple(message for message in messages if message.id not in self._printed)
        else:
            messages = messages[-history:] if history else ()
            older = history - len(messages)
            if older > 0 and entered.more and messages:
                messages = (*await chat.history(messages[0], older), *messages)
        for message in messages:
            self._print(chat, message)

    def _print(self, chat: Client, event: ClientEvent) -> None:
        if isinstance(event, Message):
            self._printed.append(event.id)
        line = as_json(event, chat.here) if self._json else as_text(event, time.time())
        if line is not None:
            # UTF-8 in any locale.
            sys.stdout.buffer.write(f"{line}\n".encode(errors="replace"))
            sys.stdout.buffer.flush()


class _Outages:
    """Reports on standard error when the connection is lost, and when it is back."""

    def __init__(self) -> None:
        self._away = False

    def __call__(self, state: State) -> None:
        if state.name == "reconnecting" and not self._away:
            self._away = True
            _say(f"{state.text} Trying again until the server is back; Ctrl-C ends.")
        elif state.name == "live" and self._away:
            self._away = False
            _say("Connected again.")


@contextlib.contextmanager
def _watched(reading: asyncio.Task[None]) -> Iterator[list[bool]]:
    """Cancel `reading` when the reader of our output has closed it, also while nothing is written; then fill the list.

    The selector reports an error on the writing end of a pipe as readable.
    """
    gone: list[bool] = []

    def end() -> None:
        gone.append(True)
        reading.cancel()

    loop, output = asyncio.get_running_loop(), sys.stdout.fileno()
    watching = stat.S_ISFIFO(os.fstat(output).st_mode)
    if watching:
        try:
            loop.add_reader(output, end)
        except (OSError, NotImplementedError):  # not on all systems; then the next write fails
            watching = False
    try:
        yield gone
    finally:
        if watching:
            loop.remove_reader(output)


def _say(text: str) -> None:
    print(f"pychat: {text}", file=sys.stderr, flush=True)  # noqa: T201 -- a command speaks by printing
