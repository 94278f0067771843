"""The commands that wait to be sent, or for their answer: in order, kept over drops, each with an id of its own."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pychat.domain.errors import Refused
from pychat.domain.model import Quote

__all__ = ["Command", "Outbox"]

_MOST_BYTES = 4 * 2**20


@dataclass(eq=False, slots=True)
class Command:
    """One command of the wire, and what its answer is to become; for a reply, what it quotes."""

    name: str
    fields: Mapping[str, Any]
    quote: Quote | None
    result: asyncio.Future[Any]

    @property
    def size(self) -> int:
        """Bytes, roughly."""
        return 200 + 4 * len(self.fields.get("text") or "")


class Outbox:
    """Oldest first. A command stays until it is answered."""

    def __init__(self) -> None:
        self._commands: deque[Command] = deque()
        self._size = 0
        self._more = asyncio.Event()

    def add(self, name: str, fields: Mapping[str, Any], quote: Quote | None = None) -> Command:
        """Take a command. `Refused` with `outbox_full` where more than 4 MiB wait already."""
        command = Command(name, fields, quote, asyncio.get_running_loop().create_future())
        if self._commands and self._size + command.size > _MOST_BYTES:
            raise Refused("outbox_full", "Too much waits to be sent already. Wait for answers before you send more.")
        self._commands.append(command)
        self._size += command.size
        self._more.set()
        return command

    async def head(self) -> Command:
        """The oldest command that somebody still waits for, when there is one. It stays."""
        while True:
            while self._commands and self._commands[0].result.done():
                self.remove(self._commands[0])
            if self._commands:
                return self._commands[0]
            self._more.clear()
            await self._more.wait()

    def renumbered(self) -> None:
        """Messages have other numbers now: what is about one of them is refused, and a reply answers none."""
        for command in list(self._commands):
            if "target" in command.fields:
                self.remove(command)
                if not command.result.done():
                    command.result.set_exception(
                        Refused("not_found", "The room has lost its messages meanwhile, and numbers them anew.")
                    )
            elif "reply_to" in command.fields:
                command.fields = {name: value for name, value in command.fields.items() if name != "reply_to"}
                command.quote = None

    def find(self, name: str, command_id: str) -> Command | None:
        """The command of that name and id, if it waits."""
        return next((each for each in self._commands if (each.name, each.fields.get("id")) == (name, command_id)), None)

    def remove(self, command: Command) -> None:
        """It is done with. Idempotent."""
        if command in self._commands:
            self._commands.remove(command)
            self._size -= command.size

    def fail(self, error: BaseException) -> None:
        """Nothing will be sent any more."""
        for command in self._commands:
            if not command.result.done():
                command.result.set_exception(error)
                command.result.exception()  # whoever waits is told; nobody has to
        self._commands.clear()
        self._size = 0
