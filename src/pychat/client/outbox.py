"""The commands that wait to be sent or answered, in order. They survive a drop; each has its own id."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Quote

__all__ = ["Command", "Outbox", "retry_seconds"]

_MAX_BYTES = 4 * 2**20
_RETRY_SECONDS = 2.0
_MAX_RETRY_SECONDS = 60.0  # for a longer wait, a command is refused


@dataclass(eq=False, slots=True)
class Command:
    """One command, the future of its answer and, for a reply, the quote."""

    name: str
    fields: Mapping[str, Any]
    quote: Quote | None
    result: asyncio.Future[Any]

    @property
    def size(self) -> int:
        """The approximate size in bytes."""
        return 200 + 4 * len(self.fields.get("text") or "")


class Outbox:
    """Commands, oldest first. A command stays until it is answered."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self._size = 0
        self._more = asyncio.Event()

    def add(self, name: str, fields: Mapping[str, Any], quote: Quote | None = None) -> Command:
        """Add a command. Raise `Refused` with `outbox_full` if more than 4 MiB wait."""
        command = Command(name, fields, quote, asyncio.get_running_loop().create_future())
        if self._commands and self._size + command.size > _MAX_BYTES:
            raise Refused("outbox_full", "Too much waits to be sent already. Wait for answers before you send more.")
        self._commands.append(command)
        self._size += command.size
        self._more.set()
        return command

    async def head(self) -> Command:
        """Wait for the oldest command whose caller still waits, and return it without removing it."""
        while True:
            while self._commands and self._commands[0].result.done():
                self.remove(self._commands[0])
            if self._commands:
                return self._commands[0]
            self._more.clear()
            await self._more.wait()

    async def send(self, ask: Callable[[Command], Awaitable[object]]) -> None:
        """Send the commands one by one, until `ask` raises `Lost`. Where waiting helps, a refused one is sent again."""
        while True:
            command = await self.head()
            try:
                await ask(command)
            except Refused as refused:
                pause = retry_seconds(refused)
                if pause is not None:
                    await asyncio.sleep(pause)
                    continue
                self.remove(command)
                if not command.result.done():
                    command.result.set_exception(refused)

    def renumbered(self) -> None:
        """Messages have new numbers: refuse commands about a message, and turn replies into plain messages."""
        for command in list(self._commands):
            if "target" in command.fields or command.name == "read":
                self.remove(command)
                if not command.result.done():
                    command.result.set_exception(
                        Refused("not_found", "The room has lost its messages meanwhile, and numbers them anew.")
                    )
            elif "reply_to" in command.fields:
                command.fields = {name: value for name, value in command.fields.items() if name != "reply_to"}
                command.quote = None

    def find(self, name: str, command_id: str | None) -> Command | None:
        """Return the waiting command of that name and id; `None` is no id."""
        return next((each for each in self._commands if (each.name, each.fields.get("id")) == (name, command_id)), None)

    def remove(self, command: Command) -> None:
        """Remove a command. Idempotent."""
        if command in self._commands:
            self._commands.remove(command)
            self._size -= command.size

    def fail(self, error: BaseException) -> None:
        """Fail all commands: nothing will be sent any more."""
        for command in self._commands:
            if not command.result.done():
                command.result.set_exception(error)
                command.result.exception()  # mark as retrieved: nobody has to wait for it
        self._commands.clear()
        self._size = 0


def retry_seconds(refused: Refused) -> float | None:
    """How long to wait before the same command is sent again; `None` if waiting does not help."""
    if refused.retry_after is None:
        return _RETRY_SECONDS if refused.kind.resend else None
    return (refused.retry_after or _RETRY_SECONDS) if refused.retry_after <= _MAX_RETRY_SECONDS else None
