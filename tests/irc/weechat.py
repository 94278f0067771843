"""WeeChat, the program, in a terminal of its own: somebody types into it, and its log is what that person sees."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import shutil
import struct
import subprocess
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path

__all__ = ["WeeChat", "weechat"]

_TIMEOUT = 20.0


class WeeChat:
    """A WeeChat that is running."""

    def __init__(self, terminal: int, folder: Path) -> None:
        self._terminal = terminal
        self._folder = folder
        self._screen = b""

    def types(self, text: str) -> None:
        """Type a line, and press Enter."""
        os.write(self._terminal, f"{text}\r".encode())

    def log(self, buffer: str) -> list[tuple[str, str]]:
        """What stands in a window: who, and what. `--`, `-->` and the like are WeeChat's own.

        It is `server.NAME` for a server, `NAME.#channel` for a channel.
        """
        path = self._folder / "logs" / f"irc.{buffer}.weechatlog"
        lines = path.read_text("utf-8").splitlines() if path.exists() else []
        return [(who.strip(), said) for _, who, said in (line.split("\t", 2) for line in lines)]

    def said(self, channel: str) -> list[tuple[str, str]]:
        """What people said in that channel."""
        return [(who, said) for who, said in self.log(f"chat.{channel}") if who not in ("", "--", "-->", "<--")]

    async def until(self, it_is_so: Callable[[], bool]) -> None:
        """Wait for what another program does, and has no event for."""
        try:
            async with asyncio.timeout(_TIMEOUT):
                while not it_is_so():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(self._screen[-3000:].decode(errors="replace")) from None

    def read(self) -> None:
        """Take what it draws; a terminal that takes nothing would stop it."""
        with contextlib.suppress(OSError):
            self._screen = (self._screen + os.read(self._terminal, 65_536))[-10_000:]


@contextlib.asynccontextmanager
async def weechat(folder: Path, *more: str) -> AsyncIterator[WeeChat]:
    """Start WeeChat with `more` commands; it sends at once, and shows what it knows."""
    program = shutil.which("weechat")
    assert program, "this test needs WeeChat; `make test` brings it"
    commands = (
        "/set logger.file.flush_delay 0",
        "/set weechat.look.paste_max_lines -1",  # who types fast is not asked
        "/set irc.server_default.anti_flood_prio_high 0",
        "/set irc.server_default.capabilities *",
        *more,
    )
    terminal, its_end = pty.openpty()
    fcntl.ioctl(its_end, termios.TIOCSWINSZ, struct.pack("HHHH", 30, 100, 0, 0))
    process = subprocess.Popen(  # noqa: ASYNC220 -- starting it takes no time
        [program, "-d", str(folder), "-r", ";".join(commands)],
        stdin=its_end,
        stdout=its_end,
        stderr=its_end,
        env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8"},
        start_new_session=True,
    )
    os.close(its_end)
    os.set_blocking(terminal, False)
    person = WeeChat(terminal, folder)
    loop = asyncio.get_running_loop()
    loop.add_reader(terminal, person.read)
    try:
        yield person
    finally:
        loop.remove_reader(terminal)
        process.kill()
        process.wait()
        os.close(terminal)
