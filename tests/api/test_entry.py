"""`POST entry`, `GET entry` and `GET challenge`: with the token of the answer, somebody is let in on every wire."""

from __future__ import annotations

import asyncio
import logging
from typing import Any

import aiohttp
import altcha
import pytest
import socketio

import pychat
from pychat import ChatRoom, User
from pychat.room.entry import challenges
from tests.api.conftest import Site
from tests.clients import SocketIOPerson, SSEPerson, WebSocketManyRooms, WebSocketPerson

OWNER = "an-owner-token-of-32-characters!"


async def enter(site: Site, token: str | None = None, **fields: Any) -> Any:
    """Ask to come in."""
    return await site.ask("POST", "/entry", token=token, json=fields)


async def test_the_password_opens_every_wire(mounted: Any) -> None:
    """A guest is given a token, and enters with it over WebSockets of both versions, Socket.IO, streams and HTTP."""
    site = await mounted()
    await site.room.moderation.set(password="open sesame")
    done = await enter(site, password="open sesame")
    assert (done.status, done.told["role"]) == (200, "member")
    token = done.told["token"]
    member_id = site.room.backend.tokens.read(token)

    v2 = await WebSocketManyRooms.connect(site.url, token)
    assert await v2.enter("lobby") == {"lobby": {"ok": True}}
    assert v2.welcome["id"] == member_id
    await v2.close()

    v1 = await WebSocketPerson.enter(site.url, access_token=token)
    assert (await v1.event("welcome"))["role"] == "member"
    assert (await v1.command("join", {"name": "Ada"}))["member"]["id"] == member_id
    await v1.close()

    io = await SocketIOPerson.enter(site.url, token=token)
    assert (await io.event("welcome"))["role"] == "member"
    await io.close()

    stream = await SSEPerson.enter(site.url, token=token)
    assert (await stream.event("welcome"))["role"] == "member"
    await stream.close()

    assert (await site.ask("POST", "/messages", token=token, json={"text": "hi", "author": "Ada"})).status == 201


async def test_without_it_every_wire_is_closed(mounted: Any) -> None:
    """No wire has another way in: each refuses with the code, and tells nothing of the room."""
    site = await mounted()
    await site.room.post("a secret", author="bot")
    await site.room.moderation.set(password="open sesame")
    guest = (await site.ask("POST", "/token")).told["token"]

    v2 = await WebSocketManyRooms.connect(site.url, guest)
    assert (await v2.enter("lobby"))["lobby"]["error"]["code"] == "entry_required"
    await v2.close()

    for query in ({}, {"access_token": guest}, {"access_token": "nonsense"}):
        v1 = await WebSocketPerson.enter(site.url, **query)
        assert (await v1.event("bye"))["error"]["code"] == "entry_required"
        assert await v1.told.next("closed") == pychat.Close.ENTRY_REQUIRED.code
        assert not v1.told.count("welcome")
        await v1.close()

    with pytest.raises(socketio.exceptions.ConnectionError):
        await SocketIOPerson.enter(site.url, token=guest)

    assert (await site.ask("POST", "/messages", json={"text": "hi", "author": "Eve"})).code == "entry_required"
    assert (await site.ask("POST", "/messages", token=guest, json={"text": "hi", "author": "Eve"})).status == 403
    async with site.http.get(f"{site.url}/api/rooms/lobby/events", headers={"Authorization": f"Bearer {guest}"}) as got:
        assert "secret" not in (await asyncio.wait_for(got.content.read(), 10)).decode()


async def test_an_answer_that_waits_is_asked_for_again(mounted: Any) -> None:
    """202 with the token of the one who asks; with that, they hear when a moderator has let them in."""
    site = await mounted()
    await site.room.moderation.set(entry="ask")
    asked = await enter(site, ask={"name": "Ada", "text": "Hello!"})
    assert (asked.status, asked.told["waiting"]) == (202, True)
    token = asked.told["token"]
    assert (await enter(site, token)).status == 202
    (item,) = (await site.room.moderation.state())["asking"]
    await site.room.moderation.approve(item["key"])
    done = await enter(site, token)
    assert (done.status, done.told["role"], "waiting" in done.told) == (200, "member", False)


async def test_a_challenge_is_asked_for_only_where_it_is_on(mounted: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """A solution makes a guest with a token; the same solution makes no second one."""
    monkeypatch.setattr(challenges, "_MIN_STEPS", 1)
    monkeypatch.setattr(challenges, "_MAX_STEPS", 3)
    site = await mounted()
    assert (await site.ask("GET", "/challenge")).code == "not_found"
    await site.room.moderation.set(challenge=True)
    assert (await site.ask("GET", "/entry")).told == {"ok": True, "entry": "open", "challenge": True, "ways": []}
    given = altcha.Challenge.from_dict((await site.ask("GET", "/challenge")).told["challenge"])
    solution = altcha.solve_challenge(given)
    assert solution is not None
    payload = altcha.Payload(given, solution).to_dict()
    done = await enter(site, solution=payload)
    assert (done.status, done.told["role"]) == (200, "guest")
    person = await WebSocketManyRooms.connect(site.url, done.told["token"])
    assert await person.enter("lobby") == {"lobby": {"ok": True}}
    await person.close()
    assert (await enter(site, solution=payload)).code == "challenge_required"


async def test_the_owners_link(mounted: Any) -> None:
    """The token of the mount makes an owner; another one does not, and neither does a mount without one."""
    site = await mounted(owner_token=OWNER)
    assert (await enter(site, owner=OWNER[:-1])).code == "forbidden"
    done = await enter(site, owner=OWNER)
    assert done.told["role"] == "owner"
    person = await WebSocketManyRooms.connect(site.url, done.told["token"])
    await person.enter("lobby")
    assert (await person.command("moderate", {"room": "lobby", "action": "set", "slow": 5}))["ok"]
    await person.close()
    other = await mounted(ChatRoom("lobby"))
    assert (await enter(other, owner=OWNER)).code == "forbidden"


async def test_a_user_of_the_app_needs_no_token(mounted: Any) -> None:
    """A login becomes a member by its own id, and the answer has no token."""
    site = await mounted(authenticate=lambda request: User("1", "Ada"))
    await site.room.moderation.set(password="open sesame")
    done = await enter(site, password="open sesame")
    assert done.told == {"ok": True, "role": "member"}
    assert site.room.backend.core.moderation.state.stored_role("user:1") is not None


async def test_a_program_is_not_let_in(mounted: Any) -> None:
    """It may do everything already."""
    site = await mounted(api_tokens="a-token-of-programs")
    assert (await enter(site, "a-token-of-programs", password="x")).code == "forbidden"


async def test_an_unknown_token_is_refused(mounted: Any) -> None:
    """A guest who has lost their identity takes a new one knowingly."""
    site = await mounted()
    assert (await enter(site, "nonsense", ask={"name": "Ada"})).status == 401


@pytest.mark.parametrize("fields", [{"password": 5}, {"invite": []}, {"owner": {}}, {"ask": "Ada"}, {"solution": 5}])
async def test_fields_of_the_wrong_type_are_refused(mounted: Any, fields: dict[str, Any]) -> None:
    """Each is the visitor's mistake, not the server's."""
    site = await mounted()
    await site.room.moderation.set(password="x", entry="ask")
    assert (await enter(site, **fields)).status in {400, 403, 404}


async def test_guessing_over_http_is_slow_and_silent(mounted: Any, caplog: pytest.LogCaptureFixture) -> None:
    """A hundred guesses at once are ten; no guess is in a log, and everybody else is served."""
    caplog.set_level(logging.DEBUG)
    site = await mounted()
    await site.room.moderation.set(password="open sesame")
    asked = await asyncio.gather(*(enter(site, password=f"guess {each}") for each in range(100)))
    codes = [each.code for each in asked]
    assert codes.count("entry_required") == 10
    assert set(codes) == {"entry_required", "rate_limited"}
    limited = next(each for each in asked if each.code == "rate_limited")
    assert int(limited.headers["Retry-After"]) >= 1
    assert "guess" not in caplog.text
    assert "sesame" not in caplog.text
    assert (await site.ask("GET", "")).status == 200


async def test_a_hundred_requests_share_one_use_of_an_invitation(mounted: Any) -> None:
    """They all come at once over HTTP: one is let in."""
    site = await mounted()
    await site.room.moderation.set(entry="members")
    token = await site.room.moderation.invite(uses=1)
    asked = await asyncio.gather(*(enter(site, invite=token) for _ in range(100)))
    assert [each.status for each in asked].count(200) == 1


async def test_a_page_of_another_origin_cannot_guess(mounted: Any) -> None:
    """The address of the visitor's browser is not at the disposal of other pages."""
    site = await mounted()
    async with aiohttp.ClientSession() as http:
        headers = {"Origin": "https://evil.example"}
        async with http.post(f"{site.url}/api/rooms/lobby/entry", json={"password": "x"}, headers=headers) as response:
            assert response.status == 403
