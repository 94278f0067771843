"""The load generator: what it accepts, and that it notices each way to lose a message."""

from __future__ import annotations

import contextlib
import json
import subprocess
from collections.abc import Iterator
from urllib.request import urlopen

import pytest

from benchmarks.load import generator, program
from benchmarks.servers import SERVERS, running
from tests.servers import pychat_process


@contextlib.contextmanager
def bare(*options: str) -> Iterator[str]:
    """The bare server in C; yields its address."""
    process = subprocess.Popen([program("bare"), *options], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        yield process.stdout.readline().strip().removeprefix("http://")
    finally:
        process.kill()
        process.communicate()


@pytest.mark.parametrize("protocol", ["socketio", "pychat"])
def test_every_delivery_is_counted(protocol):
    """Twenty members of a pychat room all get what one says, over both wires."""
    with pychat_process("--limits", "off") as served:
        address = served.url.removeprefix("http://")
        with generator(address, served.process.pid, "--protocol", protocol) as load:
            connected = load("connect 20")
            talked = load("run flight=4 messages=50 seconds=30")
    assert 20 == connected["members"]
    assert talked["messages"] >= 50
    assert 19 * talked["messages"] == talked["deliveries"]
    assert 0 < talked["p50"] <= talked["p99"] <= talked["max"]
    assert talked["memory_kib"] > 0


@pytest.mark.parametrize("transport", ["polling", "deflate"])
def test_every_delivery_is_counted_over_other_transports(transport):
    """Twenty members get what one says where they poll, and where they offer to take compressed frames."""
    with pychat_process("--limits", "off") as served:
        address = served.url.removeprefix("http://")
        with generator(address, served.process.pid, "--transport", transport) as load:
            load("connect 20")
            talked = load("run flight=4 messages=50 seconds=30")
    assert talked["messages"] >= 50
    assert 19 * talked["messages"] == talked["deliveries"]


def test_compressed_frames_are_read_and_checked():
    """Members read what a server compresses for each of them, and still see each message once, whole and in order."""
    with (
        running(SERVERS["stock"]) as up,
        generator(up.address, up.pid, "--transport", "deflate") as load,
    ):
        load("connect 20")
        talked = load("run flight=4 messages=50 seconds=30")
    assert 19 * talked["messages"] == talked["deliveries"]
    assert talked["deliveries"] <= talked["inflated"]


def test_members_connect_with_a_name_each():
    """With `names=1` each member that connects takes a name; without it, only the senders do."""
    with pychat_process("--limits", "off") as served, generator(served.url.removeprefix("http://"), 0) as load:
        load("connect 5")
        load("connect 12 names=1")
        load("connect 15")
        with urlopen(f"{served.url}/api/rooms/lobby/members") as answer:  # noqa: S310 -- our own server
            found = json.load(answer)
    assert (found["here"], len(found["members"])) == (15, 8)


def test_those_who_come_in_a_storm_are_counted_right():
    """The generator sees when the count of people is right at everybody, and that nobody who talks loses a message."""
    with pychat_process("--limits", "off") as served, generator(served.url.removeprefix("http://"), 0) as load:
        load("connect 10")
        stormed = load("storm 20 over=0.2 rate=50 after=0.5")
    assert 20 == stormed["entered"]
    assert 30 == stormed["members"]
    assert stormed["right_after"] >= 0
    assert stormed["presences"] > 30


@pytest.mark.parametrize("fault", [("--lose", "30"), ("--gather", "--swap", "30")])
def test_a_server_that_loses_or_reorders_fails(fault, capfd):
    """A benchmark of a server that loses or reorders messages ends in failure, and says what was wrong."""
    with bare(*fault) as address, generator(address, 0, "--protocol", "websocket") as load:
        load("connect 20")
        with pytest.raises(SystemExit, match="the load generator ended at: run"):
            load("run flight=4 messages=200 seconds=30")
    assert "was sent message" in capfd.readouterr().err


def test_the_last_message_is_missed_too():
    """A message that is lost with nothing after it is noticed."""
    with bare("--lose", "19") as address, generator(address, 0, "--protocol", "websocket", "--patience", "1") as load:
        load("connect 20")
        with pytest.raises(SystemExit, match="the load generator ended at: run"):
            load("run flight=1 messages=1 seconds=30")
