"""A tiny IRC client for tests: sends lines, and waits for lines."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Any, ClassVar, Self

from pychat.transports.irc.line import Line

__all__ = ["CAPS", "TIMEOUT", "IrcPerson"]

TIMEOUT = 10.0
#: Everything that the server has.
CAPS = (
    "batch draft/chathistory draft/message-redaction draft/multiline echo-message labeled-response message-tags "
    "server-time standard-replies"
)


class IrcPerson:
    """One client on a real socket. Lines wait until they are asked for."""

    #: Everybody who came, to be closed in the end.
    connected: ClassVar[list[IrcPerson]] = []

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer
        #: Every line that came, as it came.
        self.heard: list[Line] = []

    @classmethod
    async def connect(cls, port: int, host: str = "127.0.0.1", **about: Any) -> Self:
        """Connect, and say nothing."""
        person = cls(*await asyncio.open_connection(host, port, limit=1 << 20, **about))
        cls.connected.append(person)
        return person

    @classmethod
    async def enter(
        cls, port: int, nick: str, channel: str | None = "#lobby", *, caps: str = "", password: str = ""
    ) -> Self:
        """Connect as `nick`, and come into `channel`."""
        person = await cls.connect(port)
        if caps:
            person.say("CAP LS 302", f"CAP REQ :{caps}")
        if password:
            person.say(f"PASS {password}")
        person.say(f"NICK {nick}", f"USER {nick} 0 * :{nick} on IRC")
        if caps:
            person.say("CAP END")
        await person.line("376")
        if channel is not None:
            person.say(f"JOIN {channel}")
            await person.line("366")
        return person

    def say(self, *lines: str) -> None:
        """Send lines."""
        self.writer.write("".join(f"{line}\r\n" for line in lines).encode())

    async def next(self) -> Line:
        """The next line, whatever it is."""
        async with asyncio.timeout(TIMEOUT):
            raw = await self.reader.readline()
        if not raw:
            raise EOFError
        self.heard.append(Line.parse(raw.removesuffix(b"\r\n")))
        return self.heard[-1]

    async def line(self, command: str, which: Callable[[Line], bool] = lambda _: True) -> Line:
        """The next line of that command; those before it are passed over."""
        while (line := await self.next()).command != command or not which(line):
            pass
        return line

    async def until(self, command: str) -> list[Line]:
        """The lines up to the next of that command, and that one."""
        begun = len(self.heard)
        await self.line(command)
        return self.heard[begun:]

    async def since(self, *lines: str) -> list[Line]:
        """What comes in answer to `lines`, and meanwhile."""
        self.say(*lines, "PING :that was it")
        return (await self.until("PONG"))[:-1]

    async def ended(self) -> list[Line]:
        """What comes until the server hangs up."""
        begun = len(self.heard)
        try:
            while True:
                await self.next()
        except (EOFError, ConnectionError):
            return self.heard[begun:]

    async def close(self) -> None:
        """Cut the line."""
        self.writer.close()
        with contextlib.suppress(OSError):  # where the other side was quicker
            await self.writer.wait_closed()
