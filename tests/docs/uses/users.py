"""How programs that know their users are tested."""

from __future__ import annotations

import warnings
from typing import Any

import aiohttp
from aiohttp import web

from pychat import Close
from pychat.hosts.aiohttp import MOUNT
from tests.clients import SocketIOPerson
from tests.docs.stage import Stage


async def knows_its_users(stage: Stage, argument: str) -> None:
    """With the cookie the user is Ada, a moderator; without it the connection is refused with a reason."""
    url = await stage.serve()
    async with aiohttp.ClientSession() as http, http.get(f"{url}/chat/api/rooms/lobby/messages") as response:
        assert (response.status, (await response.json())["error"]["code"]) == (401, "login_required")
    known = aiohttp.ClientSession(cookies={"session": "s3cret"})
    async with known as http, http.ws_connect(f"{url}/chat/ws") as socket:
        you = (await socket.receive_json())["you"]
    assert you == {"id": "user:42", "name": "Ada", "roles": ["moderator"], "name_fixed": True}


async def has_private_rooms(stage: Stage, argument: str) -> None:
    """Ada and Bob are each in their projects; who leaves one is out at once; for a stranger there is no room."""
    url = await stage.serve()

    async def entering(session: str, room: str) -> str:
        http = aiohttp.ClientSession(cookies={"session": session})
        async with http, http.ws_connect(f"{url}/chat/ws?room={room}") as socket:
            told = await socket.receive_json()
            return str(told["room"]["title"] if told["type"] == "welcome" else told["code"])

    assert await entering("s3cret", "apollo") == "Project Apollo"
    assert [await entering("s4cret", room) for room in ("apollo", "nothing")] == ["unknown_room"] * 2
    async with aiohttp.ClientSession(cookies={"session": "s4cret"}) as bob:
        async with bob.get(f"{url}/chat/api/rooms") as response:
            assert [room["name"] for room in (await response.json())["rooms"]] == ["news"]
        async with bob.ws_connect(f"{url}/chat/ws") as socket:
            assert (await socket.receive_json())["access"] == ["read"]
            await socket.send_json({"type": "say", "text": "hi", "ref": 1})
            assert (await _answer(socket))["error"]["code"] == "forbidden"
        async with bob.ws_connect(f"{url}/chat/ws?room=gemini") as socket:
            await socket.send_json({"type": "say", "text": "hi", "ref": 1})
            assert (await _answer(socket))["ok"]
            async with bob.post(f"{url}/projects/gemini/leave/2") as response:
                assert response.status == 200
            async for _ in socket:
                pass
            assert socket.close_code == Close.NO_ACCESS.code


async def sends_out(stage: Stage, argument: str) -> None:
    """A user who logs out is told so, and stays disconnected until the next login; a stranger disconnects nobody."""
    url = await stage.serve()
    cookies = {"session": "s3cret"}
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookies=cookies) as ada:
        async with ada.ws_connect(f"{url}/chat/ws") as socket:
            assert (await socket.receive_json())["you"]["id"] == argument
            async with stranger.post(f"{url}/logout") as response:
                assert response.status == 200
            await socket.send_json({"type": "say", "text": "still here", "ref": 1})
            assert (await _answer(socket))["ok"]
            await _log_out(ada, socket, url)
        assert await you_are(f"{url}/chat/ws", cookies=cookies) == 401


async def _answer(socket: aiohttp.ClientWebSocketResponse) -> Any:
    while (told := await socket.receive_json())["type"] != "ack":
        pass
    return told


async def _log_out(http: aiohttp.ClientSession, socket: aiohttp.ClientWebSocketResponse, url: str) -> None:
    async with http.post(f"{url}/logout") as response:
        assert response.status == 200
    while (told := await socket.receive_json())["type"] != "error":
        pass
    assert told["text"] == "You have logged out."
    async for _ in socket:
        pass
    assert socket.close_code == Close.KICKED.code


async def sends_strangers_to_the_login(stage: Stage, argument: str) -> None:
    """Only pages without the cookie redirect; the WebSocket and the API answer as without the middleware."""
    url = await stage.serve()
    name, _, value = argument.partition("=")
    async with aiohttp.ClientSession() as stranger, aiohttp.ClientSession(cookies={name: value}) as known:
        await _is_sent_to_the_login(stranger, url)
        async with known.get(f"{url}/chat/", headers={"Accept": "text/html"}) as response:
            assert "data-pychat" in await response.text()
        async with stranger.get(f"{url}/chat/api/rooms/lobby/messages") as response:
            assert response.status == 401
    assert await you_are(f"{url}/chat/ws") == 401
    assert (await you_are(f"{url}/chat/ws", cookies={name: value}))["name"] == "Ada"


async def _is_sent_to_the_login(http: aiohttp.ClientSession, url: str) -> None:
    accept = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}
    for path in ("/chat/", "/chat/rooms/lobby"):
        async with http.get(url + path, headers=accept, allow_redirects=False) as response:
            assert (response.status, response.headers["Location"]) == (303, "/login")


async def logs_in_and_out(stage: Stage, argument: str) -> None:
    """A stranger is sent to the login; after it they see the page, and after the logout they do not; nobody else goes."""
    url = await stage.serve()
    jar, other = aiohttp.CookieJar(unsafe=True), aiohttp.CookieJar(unsafe=True)
    async with aiohttp.ClientSession(cookie_jar=jar) as ada, aiohttp.ClientSession(cookie_jar=other) as bob:
        await _is_sent_to_the_login(ada, url)
        for each, name in ((ada, "Ada"), (bob, "Bob")):
            async with each.post(f"{url}/login?name={name}") as response:
                assert response.status == 200
        async with ada.get(f"{url}/chat/", headers={"Accept": "text/html"}) as response:
            assert "data-pychat" in await response.text()
        async with ada.ws_connect(f"{url}/chat/ws") as socket, bob.ws_connect(f"{url}/chat/ws") as bobs:
            await _log_out(ada, socket, url)
            await bobs.send_json({"type": "say", "text": "still here", "ref": 1})
            assert (await _answer(bobs))["ok"]
        await _is_sent_to_the_login(ada, url)


async def you_are(url: str, **options: Any) -> Any:
    """The user that the server at `url` names; `None` for a guest; the HTTP status of a refusal."""
    async with aiohttp.ClientSession(**options) as http:
        try:
            async with http.ws_connect(url) as socket:
                return (await socket.receive_json()).get("you")
        except aiohttp.WSServerHandshakeError as refused:
            return refused.status


async def lets_in_by_a_dependency(stage: Stage, argument: str) -> None:
    """The same cookie opens the application and the room."""
    url = await stage.serve()
    cookies = {"session": "s3cret"}
    assert (await you_are(f"{url}/chat/ws", cookies=cookies))["name"] == "Ada"
    assert await you_are(f"{url}/chat/ws") == 401
    async with aiohttp.ClientSession(cookies=cookies) as http, http.get(f"{url}/me") as response:
        assert await response.json() == "Ada"


async def lets_in_by_a_session(stage: Stage, argument: str) -> None:
    """After the login the cookie names the user; before it, the visitor is a guest."""
    url = await stage.serve()
    stage.stack.enter_context(warnings.catch_warnings())
    warnings.simplefilter("ignore", web.NotAppKeyWarning)  # aiohttp-session's own keys
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        async with http.ws_connect(f"{url}/chat/ws") as socket:
            assert "you" not in await socket.receive_json()
        async with http.post(f"{url}/login?name=Ada") as response:
            assert response.status == 200
        async with http.ws_connect(f"{url}/chat/ws") as socket:
            assert (await socket.receive_json())["you"]["name"] == "Ada"


async def lets_in_by_a_jwt(stage: Stage, argument: str) -> None:
    """A valid token is accepted on both wires; a missing, forged or expired one is refused with 401."""
    import jwt

    names = await stage.run()
    url = await stage.serve()
    claims = {"sub": "7", "name": "Ada", "roles": ["moderator"]}
    good = jwt.encode(claims, names["KEY"], "HS256")
    expected = {"id": "user:7", "name": "Ada", "roles": ["moderator"], "name_fixed": True}
    assert await you_are(f"{url}/ws", headers={"Authorization": f"Bearer {good}"}) == expected
    assert await you_are(f"{url}/ws?access_token={good}") == expected
    person = await SocketIOPerson.enter(url, token=good)
    assert (await person.event("welcome"))["you"] == expected
    await person.close()
    wrong_key, unsigned = jwt.encode(claims, "x" * 32, "HS256"), jwt.encode(claims, "", "none")
    for bad in ("", wrong_key, unsigned, jwt.encode(claims | {"exp": 1}, names["KEY"], "HS256")):
        assert await you_are(f"{url}/ws?access_token={bad}") == 401


async def lets_members_in(stage: Stage, argument: str) -> None:
    """Everyone may enter the first room; only staff may enter the staff room."""
    url = await stage.serve()
    assert (await you_are(f"{url}/ws?name=Bob"))["name"] == "Bob"
    assert await you_are(f"{url}/ws?name=Bob&room=staff") == 403
    assert (await you_are(f"{url}/ws?name=Ada&room=staff"))["name"] == "Ada"


async def lets_in_with_a_cookie(stage: Stage, argument: str) -> None:
    """The page, the WebSocket and Socket.IO are closed without the cookie, and open with it."""
    url = await stage.serve()
    for cookies, allowed in (({}, False), ({"key": "swordfish"}, True)):
        async with aiohttp.ClientSession(cookies=cookies) as http:
            for path in ("/chat/", "/chat/socket.io/?EIO=4&transport=polling"):
                async with http.get(url + path) as response:
                    assert (response.status == 200) is allowed
            try:
                async with http.ws_connect(f"{url}/chat/ws"):
                    assert allowed
            except aiohttp.WSServerHandshakeError as error:
                assert (error.status, allowed) == (403, False)


async def notices_a_logout(stage: Stage, argument: str) -> None:
    """A user whose session is deleted is disconnected the next time that the app is asked."""
    url = await stage.serve()
    names = await stage.run()
    logins = names["app"][MOUNT].authenticator.logins
    assert logins._seconds == 60
    logins._seconds = 0.2
    async with aiohttp.ClientSession(cookies={"session": "s3cret"}) as ada, ada.ws_connect(f"{url}/ws") as socket:
        assert (await socket.receive_json())["you"]["id"] == argument
        names["SESSIONS"].clear()
        async for _ in socket:
            pass
        assert socket.close_code == Close.LOGIN_ENDED.code
