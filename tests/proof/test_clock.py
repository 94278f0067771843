"""The wall clock is set an hour ahead, or back, under a server that runs: dates change, and nothing else."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pychat.domain.model import Position
from tests.clients import SocketIOPerson, WebSocketPerson
from tests.servers import Served, pychat_process

HOUR = 3600.0


class WallClock:
    """The wall clock of a server's process, whose hands this test moves (libfaketime); time itself goes on as it does."""

    def __init__(self, file: Path) -> None:
        self._file = file
        self.set(0)

    def set(self, seconds: float) -> None:
        """Set it so far ahead of what it would be."""
        self._file.write_text(f"{seconds:+.0f}\n")

    @contextlib.contextmanager
    def serve(self, database: Path, *arguments: str) -> Iterator[Served]:
        """`pychat serve` by this clock."""
        libraries = [
            each for folder in ("/usr/lib", "/usr/local/lib") for each in Path(folder).rglob("libfaketimeMT.so.1")
        ]
        assert libraries, "this test needs libfaketime; `make test` brings it"
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("LD_PRELOAD", str(libraries[0]))
            patch.setenv("FAKETIME_TIMESTAMP_FILE", str(self._file))
            patch.setenv("FAKETIME_NO_CACHE", "1")
            patch.setenv("DONT_FAKE_MONOTONIC", "1")
            patch.setenv("FAKETIME_DONT_FAKE_MONOTONIC", "1")
            process = pychat_process("--store", f"sqlite:{database}", "--keep-days", "1", "--grace", "600", *arguments)
            served = process.__enter__()
        try:
            yield served
        finally:
            process.__exit__(None, None, None)


@pytest.fixture
def clock(tmp_path: Path) -> WallClock:
    """One whose hands can be moved."""
    return WallClock(tmp_path / "clock")


def date_of(answer: dict[str, Any]) -> float:
    """Seconds since 1970."""
    from datetime import datetime

    return datetime.fromisoformat(answer["date"]).timestamp()


@pytest.mark.parametrize("steps", [(HOUR, 0.0, -HOUR), (-HOUR, 0.0, HOUR)], ids=["ahead first", "back first"])
async def test_an_hour_is_no_matter(
    clock: WallClock, tmp_path: Path, steps: tuple[float, ...], node_clients: Any
) -> None:
    """No order changes, nobody is dropped, no name, token, typing or message expires."""
    database = tmp_path / "chat.db"
    with clock.serve(database) as served:
        ada = await WebSocketPerson.enter(served.url)
        bob = await SocketIOPerson.enter(served.url)
        polling = await SocketIOPerson.enter(served.url, transports=("polling",))
        old = await node_clients(served.url, transports=["websocket"])
        welcome = await ada.event("welcome")
        for person, name in ((ada, "Ada"), (bob, "Bob"), (polling, "Cyd")):
            assert (await person.command("join", {"name": name}))["ok"]
        await old.do("emit", "setPseudo", "Dan")
        assert (await old.told("pseudoStatus"))[0] == "ok"
        gone = await WebSocketPerson.enter(served.url)
        held = await gone.command("join", {"name": "Eve"})
        await gone.socket.close(code=4900)  # any but 1000: it broke
        await gone.close()
        answers = [await ada.command("say", {"text": "0"})]
        for number, step in enumerate(steps, 1):
            begun = time.monotonic()
            await bob.command("typing", {"on": True})
            while not (await ada.event("typing"))["on"]:
                pass
            clock.set(step)
            answers.append(await ada.command("say", {"text": str(number)}))
            for person in (ada, bob, polling):
                assert (await person.command("who", {}))["ok"]
            nothing_expired = not ada.told.count("typing")
            assert nothing_expired or time.monotonic() - begun > 5, "typing ended early"
            await bob.command("typing", {"on": False})
            while (await ada.event("typing"))["on"]:
                pass
            newcomer = await WebSocketPerson.enter(served.url)
            assert (await newcomer.command("join", {"name": "Eve"}))["error"]["code"] == "name_taken"
            await newcomer.close()
        offsets = [date_of(answer) - date_of(answers[0]) for answer in answers]
        assert [0.0, *steps] == [pytest.approx(offset, abs=300) for offset in offsets], "the clock was not set at all"
        heard = [(await person.event("message"))["text"] for person in (bob, polling) for _ in answers]
        assert ["0", "1", "2", "3"] * 2 == heard
        assert ["0", "1", "2", "3"] == [(await old.told("message"))[0]["message"] for _ in answers]
        assert [1, 2, 3, 4] == [answer["seq"] for answer in answers]
        assert not ada.told.count("closed")
        assert not any(person.told.count("disconnect") for person in (bob, polling))
        again = await SocketIOPerson.enter(served.url)
        assert (await again.command("join", {"name": "Eve", "token": held["token"]}))["member"] == held["member"]
        await old.do("drop")
        await old.told("(disconnect)")
        assert (await old.told("(connect)"))[1] is True
        for person in (ada, bob, polling, again):
            await person.close()
    clock.set(steps[0])
    with clock.serve(database) as served:  # retention looks at everything that it finds at the start
        back = await WebSocketPerson.enter(served.url, Position(welcome["epoch"], 0))
        assert (await back.event("welcome"))["recovered"]
        assert ["0", "1", "2", "3"] == [(await back.event("message"))["text"] for _ in answers]
        assert (await back.command("join", {"name": "Eve", "token": held["token"]}))["member"] == held["member"]
        page = await back.command("history", {})
        assert [1, 2, 3, 4] == [message["seq"] for message in page["messages"]]
        await back.close()
