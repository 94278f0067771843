"""People who only want to talk: one on each wire, in a process of their own, who measure how long their messages take.

Run as `python -m tests.attacks.bystanders URL IRC_PORT PID`. Each line that it reads asks for a report, which it prints as JSON: the
longest wait since the report before, and what went wrong.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import sys
import time
from collections.abc import Awaitable, Callable
from typing import Any

from tests.attacks.process import cpu_seconds
from tests.clients import SocketIOPerson, SSEPerson, WebSocketPerson
from tests.irc.person import IrcPerson

_PAUSE = 0.1  # seconds between two messages; each speaker has a turn every half second
_TIMEOUT = 60.0  # seconds for what is under way when a report is asked for

_Say = Callable[[str], Awaitable[None]]


class Report:
    """What the bystanders of one server have seen since the last report."""

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._numbers = itertools.count(1)
        self._waiting: dict[str, tuple[float, float, set[str]]] = {}  # text -> when sent, CPU then, who has not heard
        self._quiet = asyncio.Event()
        self._reset()

    def _reset(self) -> None:
        self._sent, self._wall, self._cpu, self._slowest = 0, 0.0, 0.0, ""
        self._problems: list[str] = []

    def said(self, author: str, wires: list[str]) -> str:
        """A new text of `author`, which everybody else must hear."""
        text = f"{author} {next(self._numbers)}"
        self._waiting[text] = (time.monotonic(), cpu_seconds(self._pid), {*wires} - {author})
        self._quiet.clear()
        self._sent += 1
        return text

    def heard(self, wire: str, text: str) -> None:
        """A message has come to the one on `wire`."""
        author, _, number = text.partition(" ")
        if author not in WIRES or not number.isdigit() or author == wire:
            return  # somebody else's, or one's own
        then, cpu, missing = self._waiting.get(text, (0.0, 0.0, set()))
        if wire not in missing:
            self.problem(f"{wire} heard {text!r} twice")
            return
        wall = time.monotonic() - then
        if wall > self._wall:
            self._wall, self._slowest = wall, f"{text} → {wire}"
        self._cpu = max(self._cpu, min(wall, cpu_seconds(self._pid) - cpu))
        missing.discard(wire)
        if not missing:
            del self._waiting[text]
            if not self._waiting:
                self._quiet.set()

    def problem(self, text: str) -> None:
        """Something that must not happen to a bystander."""
        self._problems.append(text)

    async def take(self) -> dict[str, Any]:
        """The report, once everything that was said has arrived or will not."""
        try:
            if self._waiting:
                async with asyncio.timeout(_TIMEOUT):
                    await self._quiet.wait()
        except TimeoutError:
            for text, (_, _, missing) in self._waiting.items():
                self._problems.append(f"{text!r} never came to {', '.join(sorted(missing))}")
            self._waiting.clear()
        told = {
            "sent": self._sent,
            "wall": round(self._wall, 3),
            "cpu": round(self._cpu, 3),
            "slowest": self._slowest,
            "problems": self._problems,
        }
        self._reset()
        return told


class _Wire:
    """Somebody on one wire."""

    def __init__(self, say: _Say, read: Awaitable[None]) -> None:
        self.say = say
        self.reading = asyncio.ensure_future(read)


async def _commanding(name: str, person: Any, report: Report) -> _Wire:
    answer = await person.command("join", {"name": f"By {name}"})
    assert answer["ok"], answer

    async def say(text: str) -> None:
        told = await person.command("say", {"text": text, "id": text.replace(" ", "-")})
        if not told["ok"]:
            report.problem(f"{name} was refused: {told}")

    async def read() -> None:
        while True:
            report.heard(name, (await person.told._queues.setdefault("message", asyncio.Queue()).get())["text"])

    async def watch() -> None:
        queue = person.told._queues
        ends = [asyncio.ensure_future(queue.setdefault(end, asyncio.Queue()).get()) for end in ("closed", "disconnect")]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        report.problem(f"{name} was disconnected")

    async def both() -> None:
        await asyncio.gather(read(), watch())

    return _Wire(say, both())


async def _irc(port: int, report: Report) -> _Wire:
    person = await IrcPerson.enter(port, "ByIrc")

    async def say(text: str) -> None:
        person.say(f"PRIVMSG #lobby :{text}")

    async def read() -> None:
        while raw := await person.reader.readline():
            line = raw.decode(errors="replace").rstrip("\r\n")
            if line.startswith("PING"):
                person.say("PONG" + line[4:])
            elif " PRIVMSG #lobby :" in line:
                report.heard("irc", line.partition(" PRIVMSG #lobby :")[2])
        report.problem("irc was disconnected")

    return _Wire(say, read())


#: How each wire is entered.
WIRES = ("socketio", "polling", "websocket", "sse", "irc")


async def _main(url: str, irc_port: int, pid: int) -> None:
    report = Report(pid)
    wires = {
        "socketio": await _commanding("socketio", await SocketIOPerson.enter(url), report),
        "polling": await _commanding("polling", await SocketIOPerson.enter(url, transports=("polling",)), report),
        "websocket": await _commanding("websocket", await WebSocketPerson.enter(url), report),
        "sse": await _commanding("sse", await SSEPerson.enter(url), report),
        "irc": await _irc(irc_port, report),
    }
    asked = await _lines()
    _print("ready")
    under_way: set[asyncio.Task[None]] = set()
    for name in itertools.cycle(wires):
        say = asyncio.ensure_future(wires[name].say(report.said(name, list(wires))))
        under_way.add(say)
        say.add_done_callback(under_way.discard)
        try:
            async with asyncio.timeout(_PAUSE):
                line = await asked.readline()
        except TimeoutError:
            continue
        if not line:
            break
        if under_way:
            await asyncio.wait(under_way, timeout=_TIMEOUT)
        _print(await report.take())


def _print(told: object) -> None:
    sys.stdout.write(json.dumps(told) + "\n")
    sys.stdout.flush()


async def _lines() -> asyncio.StreamReader:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    return reader


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3])))
