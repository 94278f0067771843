"""`pychat join` as a process in a real terminal (of pyte's): what reaches the screen, byte by byte."""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import pty
import re
import signal
import struct
import subprocess
import sys
import termios
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pyte
import pytest

from pychat import ChatRoom, Close, aiohttp_app
from pychat.testing import Person
from tests.servers import aiohttp_server
from tests.terminal.running import environment


class Terminal:
    """A terminal, and the command that runs in it."""

    def __init__(self, command: list[str], home: Path, columns: int, lines: int, **more: str) -> None:
        self.screen = pyte.Screen(columns, lines)
        self._stream = pyte.ByteStream(self.screen)
        #: All that the command has written.
        self.written = b""
        self._begun = b""
        self._master, slave = pty.openpty()
        self._size(columns, lines)
        kept = environment(home, TERM="xterm-256color", COLORTERM="truecolor", **more)
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pychat", *command],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=kept,
            start_new_session=True,
        )
        os.close(slave)
        os.set_blocking(self._master, False)
        asyncio.get_running_loop().add_reader(self._master, self._read)

    def _read(self) -> None:
        try:
            data = os.read(self._master, 65_536)
        except OSError:
            asyncio.get_running_loop().remove_reader(self._master)
            return
        self.written += data
        data = self._begun + data
        # A sequence that was read in part waits for its end.
        part = re.search(rb"(?:\x1b(?:\[[\d;<=>?$ ]*)?)?\Z", data)
        self._begun = part[0] if part else b""
        data = data.removesuffix(self._begun)
        # What pyte does not know: the protocols of keyboards, pointers and synchronised output.
        self._stream.feed(re.sub(rb"\x1b\[[<>=?][\d;$]*[a-zA-Z]|\x1b\[\?[\d;]*\$p|\x1b\[\d* ?q", b"", data))

    def type(self, data: str) -> None:
        """As from the keyboard."""
        os.write(self._master, data.encode())

    def resize(self, columns: int, lines: int) -> None:
        """As with the mouse."""
        self.screen.resize(lines, columns)
        self._size(columns, lines)
        self.process.send_signal(signal.SIGWINCH)

    def _size(self, columns: int, lines: int) -> None:
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))

    @property
    def shown(self) -> str:
        """The screen."""
        return "\n".join(line.rstrip() for line in self.screen.display)

    async def until(self, it_is_so: Callable[[], bool]) -> None:
        """Wait for what the screen shows."""
        try:
            async with asyncio.timeout(20):
                while not it_is_so():
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(self.shown) from None

    async def shows(self, *texts: str) -> None:
        """Wait until all of this is on the screen."""
        await self.until(lambda: all(text in self.shown for text in texts))

    def close(self) -> None:
        """Switch it off."""
        with contextlib.suppress(ValueError, OSError):
            asyncio.get_running_loop().remove_reader(self._master)
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        os.close(self._master)


@pytest.fixture
async def room() -> ChatRoom:
    """A room."""
    return ChatRoom("lobby", title="The lobby")


@pytest.fixture
async def url(room: ChatRoom) -> AsyncIterator[str]:
    """Where it is served."""
    async with aiohttp_server(aiohttp_app(room)) as address:
        yield address


@contextlib.contextmanager
def terminal(*command: str, home: Path, columns: int = 80, lines: int = 24, **more: str):
    """A terminal in which `pychat` runs."""
    opened = Terminal(list(command), home, columns, lines, **more)
    try:
        yield opened
    finally:
        opened.close()


async def test_a_conversation(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """Asked for a name, then talking; Alt+Enter begins a line; the screen follows its size; in the end it is as it was."""
    bob = await Person.enter(room)
    await bob.join("Bob")
    with terminal("join", url, home=tmp_path) as ada:
        await ada.shows("Who are you in “The lobby”?")
        ada.type("Ada\r")
        await ada.shows("The lobby  Ada", "2 here", "Write a message")
        ada.type("one\x1b\rtwo")
        await ada.shows("one", "two")
        ada.type("\r")
        assert (await bob.event("message"))["text"] == "one\ntwo"
        ada.type("\x1b[200~three\rfour\x1b[201~\r")
        assert (await bob.event("message"))["text"] == "three\nfour"
        await bob.say("here I am")
        await ada.shows("here I am")
        ada.resize(100, 30)
        await ada.shows("Bob", "Ada you", "here I am")
        await ada.until(lambda: any(line.rstrip().endswith("Ada you") for line in ada.screen.display))
        ada.resize(40, 12)
        await ada.shows("here I am", "The lobby  Ada")
        ada.type("/quit\r")
        await ada.until(lambda: ada.process.poll() is not None)
        assert ada.process.returncode == 0
        assert ada.written.rstrip().rfind(b"\x1b[?1049l") > ada.written.rfind(b"here I am")
    await bob.close()


async def test_wide_characters_keep_their_columns(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """After Chinese, emoji and accents that are put together, the line goes on where the terminal is."""
    await room.post("中文|👍|e\u0301|🇫🇷|end", author="李雷")
    with terminal("join", url, "--name", "Ada", home=tmp_path) as ada:
        await ada.shows("李雷", "中文|👍|", "|end")
        ada.type("中文👍x")
        await ada.shows("中文👍x")


async def test_escapes_of_others_do_nothing(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """Titles, colours, bells, C1: in messages, replies and names they are shown, and never reach the terminal."""
    evil = "\x1b]0;owned\x07\x1b[31mred\x9b2J\u202edesrever\rover"
    said = await room.post(evil, author="bot")
    ada = await Person.enter(room)
    await ada.join("Eve")
    await ada.command("say", {"text": "x", "reply_to": said.seq})
    await ada.close()
    with terminal("join", url, "--name", "Ada", home=tmp_path) as screen:
        await screen.shows("\\x1b]0;owned\\x07\\x1b[31mred\\x9b2J\\u202edesrever", "╭ bot: ")
        assert b"\x1b]0;owned" not in screen.written
        assert b"\x1b[31mred" not in screen.written
        assert "\x9b".encode() not in screen.written
        assert "\u202e".encode() not in screen.written


async def test_no_colour(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """With NO_COLOR there is none; without, names have theirs."""
    await room.post("hi", author="bot")
    colour = re.compile(rb"\x1b\[(?:\d+;)*(?:3[0-8]|4[0-8]|9\d|10\d)(?:;\d+)*m")
    plain: dict[str, Any] = {"NO_COLOR": "1"}
    for more, coloured in (({}, True), (plain, False)):
        with terminal("join", url, "--name", "Ada", home=tmp_path, **more) as screen:
            await screen.shows("bot", "hi", "The lobby  Ada")
            assert bool(colour.search(screen.written)) is coloured


async def test_what_goes_wrong_is_told_on_the_terminal_as_it_was(url: str, room: ChatRoom, tmp_path: Path) -> None:
    """Before the screen is taken over, and after it is given back; with status 1."""
    with terminal("join", "http://127.0.0.1:1", home=tmp_path) as nobody:
        await nobody.until(lambda: nobody.process.poll() is not None)
        await nobody.shows("pychat: The server cannot be reached")
        assert nobody.process.returncode == 1
        assert b"\x1b[?1049h" not in nobody.written
    with terminal("join", url, "--name", "Ada", home=tmp_path) as ada:
        await ada.shows("The lobby  Ada")
        room.dismiss(Close.KICKED)
        await ada.shows("disconnected")
        ada.type("\x03")
        await ada.until(lambda: ada.process.poll() is not None)
        assert ada.process.returncode == 1
        assert ada.written.endswith(f"pychat: {Close.KICKED.text}\r\n".encode())
