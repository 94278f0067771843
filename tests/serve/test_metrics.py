"""`GET /metrics`: figures for monitoring, for those with the token alone."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from email.message import Message

import pytest

from tests.clients import SocketIOPerson, SSEPerson, WebSocketManyRooms, WebSocketPerson
from tests.irc.person import IrcPerson
from tests.servers import pychat_process

TOKEN = "0123456789abcdef"
LINE = re.compile(r'pychat_[a-z_]+(\{[a-z]+="[A-Za-z0-9._-]+"\})? [0-9]+')


def get(url: str, authorization: str | None = None, method: str = "GET") -> tuple[int, Message, str]:
    """What is answered."""
    headers = {} if authorization is None else {"Authorization": authorization}
    request = urllib.request.Request(url, headers=headers, method=method)  # noqa: S310 -- ours
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 -- ours
            return response.status, response.headers, response.read().decode()
    except urllib.error.HTTPError as error:
        with error:
            return error.code, error.headers, error.read().decode()


def figures(url: str) -> dict[str, int]:
    """All figures, by their names with labels."""
    status, headers, text = get(f"{url}/metrics", f"Bearer {TOKEN}")
    assert (status, headers["Content-Type"]) == (200, "text/plain; version=0.0.4; charset=utf-8")
    assert headers["Cache-Control"] == "no-store"
    lines = text.splitlines()
    assert text.endswith("\n")
    found = {}
    for line in lines:
        if not line.startswith("# "):
            assert LINE.fullmatch(line), line
            name, _, value = line.rpartition(" ")
            assert any(other.startswith(f"# TYPE {name.partition('{')[0]} ") for other in lines)
            found[name] = int(value)
    return found


async def test_they_count_what_happens() -> None:
    """Connections of each wire, members, rooms, messages, and refusals by their codes."""
    with pychat_process("--metrics-token", TOKEN, "--irc-port", "0", "--room", "lobby", "--room", "dev") as served:
        before = figures(served.url)
        assert before["pychat_store_available"] == 1
        assert before["pychat_rooms_open"] == 2
        assert before["pychat_members"] == before["pychat_messages_total"] == 0
        irc = await IrcPerson.enter(served.line(event="irc")["port"], "ida")
        ada = await WebSocketPerson.enter(served.url)
        two = await WebSocketManyRooms.connect(served.url)
        bob = await SocketIOPerson.enter(served.url)
        cyd = await SSEPerson.enter(served.url)
        for name, person in (("Ada", ada), ("Bob", bob), ("Cyd", cyd)):
            assert (await person.command("join", {"name": name}))["ok"]
        assert not (await bob.command("join", {"name": "admin"}))["ok"]
        await ada.command("say", {"text": "one"})
        await bob.command("say", {"text": "two"})
        assert not (await ada.command("say", {"text": " "}))["ok"]
        assert (await cyd.event("message"))["text"] == "one"
        assert (await cyd.event("message"))["text"] == "two"
        after = figures(served.url)
        wires = {"websocket": 2, "socketio": 1, "sse": 1, "irc": 1}
        assert {wire: after[f'pychat_connections{{wire="{wire}"}}'] for wire in wires} == wires
        assert after["pychat_members"] == 4
        assert after["pychat_messages_total"] == 2
        assert after['pychat_refusals_total{code="text_empty"}'] == 1
        assert after['pychat_refusals_total{code="name_reserved"}'] == 1
        for each in (ada, two, bob, cyd, irc):
            await each.close()


@pytest.mark.parametrize(
    "authorization",
    [None, "", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN, "Bearer \xff\xfe"],
)
def test_without_the_token_there_is_nothing(authorization: str | None) -> None:
    """A wrong token, or none, gets the answer of an address that is not there; nor does a query help."""
    with pychat_process("--metrics-token", TOKEN) as served:
        nothing = get(f"{served.url}/nothing", authorization)
        for path in ("/metrics", f"/metrics?token={TOKEN}"):
            status, headers, text = get(served.url + path, authorization)
            assert (status, text) == (nothing[0], nothing[2]) == (404, "There is nothing here.\n")
            assert {name for name in headers if name != "Date"} == {name for name in nothing[1] if name != "Date"}


def test_by_default_there_is_nothing() -> None:
    """Without the setting nobody gets figures, whatever they send."""
    with pychat_process() as served:
        for authorization in (None, "Bearer ", "Bearer None"):
            assert get(f"{served.url}/metrics", authorization)[0] == 404
