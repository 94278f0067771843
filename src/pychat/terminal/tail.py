"""`pychat tail`: what is said in a room, line by line, for eyes and pipes."""

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

_REMEMBERED = 1_000  # messages that have been printed: more than a server shows whoever comes in


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
    """Print what is said, beginning with the last `history` messages, until cancelled or nobody reads.

    Raise `BrokenPipeError` when nobody reads, `Disconnected` when the server ends it for good.
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
            # Numbers will not do: a backup that was put back has other messages under the same ones.
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
            # A pipe takes bytes: whatever the locale is, this is UTF-8.
            sys.stdout.buffer.write(f"{line}\n".encode(errors="replace"))
            sys.stdout.buffer.flush()


class _Outages:
    """Tells on standard error when the server is away, and when it is back."""

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
    """End `reading` when nobody reads our output any more, though nothing is written; then the list has a member.

    The selector reports an error on the writing end of a pipe to whoever asks if it can be read.
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
        except (OSError, NotImplementedError):  # some systems cannot; the next line that is written finds out
            watching = False
    try:
        yield gone
    finally:
        if watching:
            loop.remove_reader(output)


def _say(text: str) -> None:
    print(f"pychat: {text}", file=sys.stderr, flush=True)  # noqa: T201 -- a command speaks by printing
