"""Pages of other origins: kept out, or let in by name with the headers that browsers ask for."""

from __future__ import annotations

import pytest

ELSEWHERE = {"Origin": "https://elsewhere.example"}


async def test_pages_elsewhere_are_kept_out(mounted) -> None:
    """They can neither read nor write, and nothing tells their browser that they might."""
    site = await mounted()
    for method, path in (("GET", "/messages"), ("POST", "/messages"), ("GET", "/events"), ("OPTIONS", "/messages")):
        done = await site.ask(method, path, headers=ELSEWHERE)
        assert (done.status, "Access-Control-Allow-Origin" in done.headers) == (403, False), (method, path)
    assert (await site.ask("GET", "/events?name=Spam", headers={"Sec-Fetch-Site": "cross-site"})).status == 403
    followed = {"Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}
    assert (await site.ask("GET", "/messages", headers=followed)).status == 200
    assert (await site.ask("POST", "/messages?author=Spam", headers=followed, data=b"x")).status == 403
    assert await site.texts() == []


@pytest.mark.parametrize("allowed", ["*", ("https://elsewhere.example",)])
async def test_pages_that_are_allowed_can_read_and_write(mounted, allowed) -> None:
    """The preflight says what may be sent; answers, refusals and streams may be read; cookies are not asked for."""
    site = await mounted(allowed_origins=allowed)
    asks = {**ELSEWHERE, "Access-Control-Request-Method": "PATCH", "Access-Control-Request-Headers": "authorization"}
    done = await site.ask("OPTIONS", "/messages/1", headers=asks)
    assert done.status == 204
    assert {"GET", "PATCH", "DELETE"} <= set(done.headers["Access-Control-Allow-Methods"].split(", "))
    assert "Authorization" in done.headers["Access-Control-Allow-Headers"]
    for done in (
        await site.post({"text": "hi", "author": "Ada"}, headers=ELSEWHERE),
        await site.post({}, headers=ELSEWHERE),
    ):
        assert done.headers["Access-Control-Allow-Origin"] == ELSEWHERE["Origin"]
        assert done.headers["Vary"] == "Origin"
        assert "Access-Control-Allow-Credentials" not in done.headers
    async with site.http.get(f"{site.url}/api/rooms/lobby/events", headers=ELSEWHERE) as stream:
        assert stream.headers["Access-Control-Allow-Origin"] == ELSEWHERE["Origin"]


async def test_what_is_not_there(mounted) -> None:
    """404 and 405 in the common form, with what there is."""
    site = await mounted()
    done = await site.ask("GET", "/nothing")
    assert (done.status, done.code) == (404, "bad_request")
    done = await site.ask("PUT", "/messages")
    assert (done.status, done.headers["Allow"]) == (405, "OPTIONS, GET, HEAD, POST")
    done = await site.ask("OPTIONS", "/messages/1")
    assert (done.status, done.headers["Allow"]) == (204, "OPTIONS, GET, HEAD, PATCH, DELETE")
