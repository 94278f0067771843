"""Nothing of moderation answers to those who may not moderate: no token, a guest's, a member's, or a wrong one."""

from __future__ import annotations

import re
from typing import Any

import aiohttp
import pytest

import pychat
from pychat import ChatRoom, Request, User
from pychat.domain.actions import ACTIONS, FIELDS
from pychat.web.api.api import OPERATIONS
from tests.clients import SocketIOPerson, WebSocketManyRooms, WebSocketPerson
from tests.servers import aiohttp_server

TOKEN = "a-token-of-the-server"
#: A value of each kind that fits, so that nothing but the right to act is missing.
VALUES: dict[type, Any] = {str: "x", int: 1, bool: True}


def fields_of(action: str) -> dict[str, Any]:
    """The fields that the action needs; one of its settings, where it needs none."""
    needed = ACTIONS[action].required or ACTIONS[action].optional[:1]
    return {name: (FIELDS[name].choices or (VALUES[FIELDS[name].kind],))[0] for name in needed}


def member(request: Request) -> User | None:
    """Bob has a login, and no role."""
    return User("bob", "Bob") if "x-login" in request.headers else None


def kinds(room: ChatRoom) -> dict[str, Any]:
    """All that moderators could have changed."""
    return room.backend.core.moderation.overview()


@pytest.mark.parametrize("action", ACTIONS)
async def test_no_action_is_open_to_others(action: str) -> None:
    """Over HTTP, and on each wire and version, for everybody who is no moderator; the room stays as it is."""
    room = ChatRoom("lobby")
    app = pychat.aiohttp_app(room, authenticate=member, api_tokens=TOKEN)
    async with aiohttp_server(app) as url:
        ada = await WebSocketPerson.enter(url)
        token = (await ada.command("join", {"name": "Ada"}))["token"]
        two = await WebSocketManyRooms.connect(url)
        await two.enter("lobby")
        cyd = await SocketIOPerson.enter(url)
        before, fields = kinds(room), {"action": action, **fields_of(action)}
        for person, here in ((ada, {}), (two, {"room": "lobby"}), (cyd, {})):
            answer = await person.command("moderate", {**fields, **here})
            assert answer["ok"] is False
            assert answer["error"]["code"] == "forbidden"
        address = f"{url}/api/rooms/lobby/moderation"
        async with aiohttp.ClientSession() as http:
            for headers, status in (
                ({}, 401),
                ({"Authorization": "Bearer nonsense"}, 401),
                ({"Authorization": f"Bearer {TOKEN}x"}, 401),
                ({"Authorization": f"Basic {TOKEN}"}, 401),
                ({"Authorization": f"Bearer {token}"}, 403),
                ({"X-Login": "bob"}, 403),
            ):
                async with http.post(address, json=fields, headers=headers) as response:
                    assert response.status == status, headers
        assert kinds(room) == before
        for each in (ada, two, cyd):
            await each.close()


@pytest.mark.parametrize(("command", "path"), [("moderation", "moderation"), ("audit", "audit")])
async def test_what_moderators_read_is_closed_to_others(command: str, path: str) -> None:
    """The state with its bans and the queue, and the audit log."""
    room = ChatRoom("lobby")
    app = pychat.aiohttp_app(room, authenticate=member, api_tokens=TOKEN)
    async with aiohttp_server(app) as url, aiohttp.ClientSession() as http:
        ada = await WebSocketPerson.enter(url)
        token = (await ada.command("join", {"name": "Ada"}))["token"]
        assert (await ada.command(command, {}))["error"]["code"] == "forbidden"
        for headers in ({}, {"Authorization": f"Bearer {token}"}, {"Authorization": "Bearer x"}, {"X-Login": "bob"}):
            async with http.get(f"{url}/api/rooms/lobby/{path}", headers=headers) as response:
                assert response.status in (401, 403)
                assert "bans" not in await response.text()
        async with http.get(f"{url}/api/rooms/lobby/{path}?token={TOKEN}") as response:
            assert response.status == 401
        async with http.get(f"{url}/api/rooms/lobby/{path}", headers={"Authorization": f"Bearer {TOKEN}"}) as response:
            assert response.status == 200
        await ada.close()


def test_every_operation_of_moderation_is_tried_here() -> None:
    """An operation that only moderators may use has to be added above."""
    found = {each.name for each in OPERATIONS if re.search("moderation|audit", each.pattern.pattern)}
    assert found == {"moderation", "moderate", "audit"}
