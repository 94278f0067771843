"""People whom the app knows, over HTTP: their requests come with their login."""

from __future__ import annotations

from pychat import Refused, Request, User
from tests.clients import SSEPerson, WebSocketPerson

TOKEN = "a-token-of-the-server"


def by_header(request: Request) -> User | None:
    """Who says who they are is believed; `!` may not come in."""
    login = request.headers.get("x-login")
    if login == "!":
        raise Refused("login_required", "Log in first.")
    return None if login is None else User(login, login.title())


async def test_a_login_speaks_and_listens(mounted) -> None:
    """No token, no name: the same member by POST, on a stream, and in the commands that go with it."""
    site = await mounted(authenticate=by_header)
    ada, bob = {"X-Login": "ada"}, await WebSocketPerson.enter(site.url)
    done = await site.post({"text": "first"}, headers=ada)
    assert (done.status, done.told["author"]) == (201, {"id": "user:ada", "name": "Ada"})
    assert "token" not in done.told
    stream = await SSEPerson.enter(site.url, headers=ada)
    welcome = await stream.event("welcome")
    assert (welcome["you"]["id"], "token" in welcome) == ("user:ada", False)
    assert (await site.ask("POST", "/commands/typing", json={}, headers=ada)).status == 200
    assert (await bob.event("typing"))["member"]["name"] == "Ada"
    assert (await site.ask("PATCH", "/messages/1", json={"text": "1st"}, headers=ada)).told["text"] == "1st"
    assert (await site.post({"text": "x", "author": "Eve"}, headers=ada)).code == "name_fixed"
    assert (await site.ask("POST", "/token", headers=ada)).status == 400
    assert (await site.ask("DELETE", "/events", headers=ada)).status == 200
    await stream.told.next("closed")
    await stream.http.close()
    await bob.close()


async def test_who_may_not_come_in(mounted) -> None:
    """Is told so at every address; programs have tokens of the server's, and are not asked."""
    site = await mounted(authenticate=by_header, api_tokens=TOKEN)
    for method, path in (("GET", "/messages"), ("POST", "/messages"), ("GET", "/events"), ("GET", "")):
        done = await site.ask(method, path, headers={"X-Login": "!"})
        assert (done.status, done.code) == (401, "login_required")
    assert (await site.post({"text": "hi", "author": "bot"}, headers={"X-Login": "!"}, token=TOKEN)).status == 201
