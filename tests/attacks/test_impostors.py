"""Pages that are not ours, people who say that they are somebody else, paths that lead elsewhere, and texts that forge lines."""

from __future__ import annotations

import asyncio
import json
import re
from typing import Any

import aiohttp
import pytest
from yarl import URL

from tests.attacks.conftest import Public
from tests.clients import SocketIOPerson, SSEPerson, WebSocketManyRooms, WebSocketPerson
from tests.irc.person import IrcPerson

ORIGINS = ("http://evil.example", "null", "https://127.0.0.1.evil.example", "http://127.0.0.1:1", "file://", "")
SOCKETIO = "/socket.io/?EIO=4&transport="


async def test_pages_of_other_origins(public: Public) -> None:
    """Foreign, opaque and look-alike origins get nothing on any wire: no connection, no session, no message, no readable answer."""
    async with public() as server, server.attacked(), aiohttp.ClientSession(server.url) as http:
        async with http.get(SOCKETIO + "polling") as response:
            sid = json.loads((await response.text())[1:])["sid"]
        for origin in ORIGINS:
            headers = {"Origin": origin}
            for path, protocols in (
                ("/ws", ()),
                ("/ws", ("pychat.v1",)),
                ("/ws", ("pychat.v2",)),
                (SOCKETIO + "websocket", ()),
            ):
                with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
                    await http.ws_connect(path, headers=headers, protocols=protocols)
                assert refused.value.status == 403, (path, origin)
            for method, path in (
                ("GET", SOCKETIO + "polling"),
                ("GET", f"{SOCKETIO}polling&sid={sid}"),
                ("POST", f"{SOCKETIO}polling&sid={sid}"),
                ("GET", "/api/rooms/lobby/events"),
                ("GET", "/api/events?room=lobby"),
                ("GET", "/api/rooms/lobby/messages"),
                ("GET", "/api/rooms/lobby/members"),
                ("POST", "/api/rooms/lobby/messages"),
                ("POST", "/api/rooms/lobby/commands/say"),
                ("DELETE", "/api/rooms/lobby/events"),
            ):
                said = {"author": "Mallory", "text": "from elsewhere"} if method == "POST" else None
                async with http.request(method, path, headers=headers, json=said) as response:
                    assert response.status in {400, 403}, (method, path, origin, response.status)
                    assert "Access-Control-Allow-Origin" not in response.headers, (method, path, origin)
                    assert "By websocket" not in await response.text()
            preflight = {**headers, "Access-Control-Request-Method": "POST"}
            for path in ("/api/rooms/lobby/messages", SOCKETIO + "polling"):
                async with http.options(path, headers=preflight) as response:
                    assert "Access-Control-Allow-Origin" not in response.headers, (path, origin)
        # A page cannot speak IRC either: a browser's request is not taken for lines.
        reader, writer = await server.raw(server.irc_port)
        writer.write(b"POST / HTTP/1.1\r\nOrigin: null\r\n\r\nNICK evil\r\nUSER e 0 * :e\r\nJOIN #lobby\r\n")
        assert b" 001 " not in await reader.read()
        writer.close()
        async with http.get("/api/rooms/lobby/messages?matching=elsewhere") as response:
            assert (await response.json())["messages"] == []


async def test_what_is_somebody_elses(public: Public) -> None:
    """Ids, messages, tokens and rooms of somebody else are of no use, on any wire; tokens of another server or room neither."""
    async with public(arguments=("--room", "lobby", "--room", "other")) as server:
        async with server.attacked(), aiohttp.ClientSession(server.url) as http:
            ada = await WebSocketPerson.enter(server.url)
            told = await ada.command("join", {"name": "Ada"})
            ada_id, token = told["member"]["id"], told["token"]
            mine = await ada.command("say", {"text": "mine", "id": "the-id"})
            people: list[Any] = [
                await WebSocketPerson.enter(server.url),
                await SocketIOPerson.enter(server.url),
                await SSEPerson.enter(server.url),
            ]
            for number, eve in enumerate(people):
                assert (await eve.command("join", {"name": f"Eve {number}"}))["ok"]
                for command, fields in (
                    ("edit", {"target": mine["seq"], "text": "hers"}),
                    ("delete", {"target": mine["seq"]}),
                ):
                    answer = await eve.command(command, {**fields, "member": ada_id, "author": told["member"]})
                    assert answer["error"]["code"] == "not_yours", (command, answer)
                # An id that somebody else has used is not answered as if it were one's own message.
                again = await eve.command("say", {"text": f"by Eve {number}", "id": "the-id"})
                assert again.get("seq") != mine["seq"], again
                for forged in (
                    f"{ada_id}.",
                    f"{ada_id}.{'A' * 24}",
                    token[:-1] + ("A" if token[-1] != "A" else "B"),
                    ".",
                ):
                    answer = await eve.command("join", {"name": f"Eve {number}", "token": forged})
                    assert answer.get("member", {}).get("id") != ada_id, forged
            messages = {"Authorization": f"Bearer {token[:-2]}xx"}
            for method, path in (("PATCH", f"messages/{mine['seq']}"), ("DELETE", f"messages/{mine['seq']}")):
                for headers in (messages, {"Authorization": "Bearer"}, {}):
                    async with http.request(
                        method, f"/api/rooms/lobby/{path}", json={"text": "hers"}, headers=headers
                    ) as response:
                        assert response.status in {401, 403}, (method, headers)
            # On version 2, a room that one has not entered takes no commands; a made-up one neither.
            eve2 = await WebSocketManyRooms.connect(server.url)
            for room in ("other", "lobby", "nowhere", "../lobby", "", "__proto__"):
                answer = await eve2.command("say", {"text": "hi", "room": room})
                assert answer["ok"] is False, room
            await eve2.close()
            async with http.get(f"/api/rooms/lobby/messages/{mine['seq']}") as response:
                assert (await response.json())["text"] == "mine"
            # A token stands for one member: whoever returns with it is that member, and never a second one.
            back = [await WebSocketPerson.enter(server.url) for _ in range(3)]
            for person in back:
                answer = await person.command("join", {"name": "Ada", "token": token})
                assert answer["member"]["id"] == ada_id
            who = await ada.command("who", {})
            assert [each["name"] for each in who["members"]].count("Ada") == 1
            for each in (*back, *people, ada):
                await each.close()
        assert "Traceback" not in server.log
        assert token not in server.log


PATHS = (
    "/../../../../etc/passwd", "/..%2f..%2f..%2fetc/passwd", "/%2e%2e/%2e%2e/etc/passwd", "/....//....//etc/passwd",
    "/assets/../../../../../etc/passwd", "/assets/..%2f..%2f..%2f..%2fetc%2fpasswd", "/assets/%00", "/assets/", "/static/../",
    "/rooms/..%2f..%2fapi", "/rooms/%00", "/api/rooms/..%2flobby", "/api/rooms/%2e%2e/messages", "/api/rooms/lobby%00/messages",
    "//etc/passwd", "/\\..\\..\\etc\\passwd", "/socket.io/../../etc/passwd", "/chat.db", "/.env", "/.git/config",
)  # fmt: skip


async def test_paths_that_lead_elsewhere(public: Public) -> None:
    """No path leaves what is served: not with dots, their escapes, backslashes or NUL; neither does the name of a room."""
    async with public() as server:
        async with server.attacked(), aiohttp.ClientSession() as http:
            async with http.get(server.url) as response:
                assets = re.findall(r'(?:src|href)="([^"]+)/[^"/]+\.(?:js|css)', await response.text())
            assert assets
            base = URL(server.url).join(URL(assets[0])).path
            for path in (
                *PATHS,
                f"{base}/../../../../pyproject.toml",
                f"{base}/..%2f..%2f__init__.py",
                f"{base}/%2fetc/passwd",
            ):
                reader, writer = await server.raw()
                writer.write(f"GET {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n".encode())
                async with asyncio.timeout(30):
                    answer = await reader.read()
                writer.close()
                assert answer[9:12] in {b"400", b"403", b"404", b"405"}, (path, answer[:200])
                assert b"root:" not in answer
        assert "Traceback" not in server.log


#: What forges a line, a header, a terminal's state or the order of letters.
CONTROLS = {
    "lines": "a\r\nX-Evil: 1\r\n\r\n{}",
    "a line of IRC": "a\r\n:irc.pychat KICK #lobby ByIrc :bye",
    "an escape": "\x1b]0;evil\x07\x1b[2J\x1b[31m",
    "C1": "\x9b31m\x9d0;evil\x9c",
    "NUL": "a\x00b",
    "bidi": "\u202eadA\u202c",
    "isolates": "\u2066evil\u2069",
    "line separators": "a\u2028b\u2029c\x85d",
    "zero width": "Ad\u200ba\u2060",
    "backspaces": "evil\b\b\b\bgood",
}


async def test_what_forges_a_line(public: Public) -> None:
    """Control characters and marks of direction in names are refused; in texts they reach nobody's terminal, IRC line, header or log as such."""
    async with public() as server:
        irc = await IrcPerson.enter(server.irc_port, "Listener")
        ada = await WebSocketPerson.enter(server.url)
        async with server.attacked():
            for text in CONTROLS.values():
                answer = await ada.command("join", {"name": text})
                assert answer["error"]["code"] == "name_invalid", (text, answer)
            assert (await ada.command("join", {"name": "Ada"}))["ok"]
            for look_alike in ("Аda", "ADA", "Ａda", "Adа", "A\u0064a"):  # the first and fourth have a Cyrillic letter
                eve = await WebSocketPerson.enter(server.url)
                assert (await eve.command("join", {"name": look_alike}))["error"]["code"] == "name_taken", look_alike
                await eve.close()
            for text in CONTROLS.values():
                await ada.command("say", {"text": f"said {text}"})
            assert (await ada.command("say", {"text": "the end"}))["ok"]
            raw = b""
            async with asyncio.timeout(30):
                while b"the end" not in raw:
                    raw += await irc.reader.readline()
            assert not {*range(32), 0x7F} - {10, 13, 1, 2, 3, 15, 22, 29, 30, 31} & {*raw}
            for line in raw.split(b"\r\n"):
                assert b"KICK" not in line.partition(b" :")[0], line
                assert b"\n" not in line
            for name, value in (
                ("User-Agent", "a\x1b[2J"),
                ("Referer", "\x9b"),
                ("X-Forwarded-For", "\x1b[31m"),
                ("Origin", "\x1b"),
            ):
                reader, writer = await server.raw()
                writer.write(f"GET /evil\x1b[2J HTTP/1.1\r\nHost: a\x1b\r\n{name}: {value}\r\n\r\n".encode("latin-1"))
                async with asyncio.timeout(30):
                    assert (await reader.readline()).startswith((b"HTTP/1.1 4", b"HTTP/1.0 4"))
                writer.close()
            async with aiohttp.ClientSession(server.url) as http:
                for place in (
                    "/api/rooms/{}/messages",
                    "/rooms/{}",
                    "/api/rooms/lobby/messages?matching={}",
                    "/ws?room={}",
                ):
                    path = place.replace("{}", "a%0d%0aX-Evil:%201%0d%0a")
                    async with http.get(URL(path, encoded=True)) as response:
                        assert "X-Evil" not in response.headers
        await ada.close()
        log = server.log
        assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]", log)
        assert all(json.loads(line) for line in log.splitlines())
