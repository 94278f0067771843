"""Their own users, in each host's own way: who is logged in is known to the room, and nobody else is taken for them."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import aiohttp
import pytest

from tests.hosts.program import code_of, free_port, running, written
from tests.hosts.talk import everybody_talks, you_are


@contextlib.asynccontextmanager
async def browser() -> AsyncIterator[aiohttp.ClientSession]:
    """Somebody with cookies of their own."""
    async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as http:
        yield http


@pytest.mark.parametrize(
    ("host", "page", "heading", "forged"),
    [
        # Its SimpleCookieStorage fails at such a cookie, and a check that fails lets nobody in, for now.
        ("aiohttp", "your-own-users", "aiohttp: the session cookie", 4010),
        ("starlette", "starlette", "Your own users", None),
        ("litestar", "litestar", "Your own users", None),
        ("quart", "quart", "Your own users", None),
    ],
    ids=["aiohttp", "starlette", "litestar", "quart"],
)
async def test_who_has_logged_in_is_known(
    host: str, page: str, heading: str, forged: int | None, tmp_path: Path
) -> None:
    """After `POST /login` the name is there without asking; a stranger is a guest, and who forges a cookie is nobody else."""
    port = free_port()
    code = code_of(page, heading)
    if host == "aiohttp":
        code += "\nweb.run_app(app, port=3000)\n"
    with running(tmp_path, written(host, tmp_path, port, code), port) as server:
        url = f"{server.url}/chat"
        async with browser() as grace, browser() as stranger, browser() as forger:
            async with grace.post(f"{server.url}/login?name=Grace") as response:
                assert response.status in {200, 201}, await response.text()
            assert await you_are(url, grace) == "Grace"
            assert await you_are(url, stranger) is None
            for cookie in grace.cookie_jar:
                forger.cookie_jar.update_cookies({cookie.key: "forged"})
            assert await you_are(url, forger) == forged
        await everybody_talks(url)
        assert "Traceback" not in server.log or forged


async def test_fastapi_lets_in_who_its_dependency_lets_in(tmp_path: Path) -> None:
    """The dependency's name is the one in the room, and its refusal is the room's."""
    port = free_port()
    code = code_of("your-own-users", "FastAPI: a dependency")
    with running(tmp_path, written("fastapi", tmp_path, port, code), port) as server:
        async with browser() as ada, browser() as stranger:
            ada.cookie_jar.update_cookies({"session": "s3cret"})
            async with ada.get(f"{server.url}/me") as response:
                assert await response.json() == "Ada"
            assert await you_are(f"{server.url}/chat", ada) == "Ada"
            assert await you_are(f"{server.url}/chat", stranger) == 401
        assert "Traceback" not in server.log


async def test_django_s_users(tmp_path: Path) -> None:
    """Who logs in at Django's admin is themselves in the room, until they log out; others are guests."""
    port = free_port()
    settings = 'import os\n\nos.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings")\n'
    command = written("django", tmp_path, port, settings + code_of("your-own-users", "Django: the session"))
    a_superuser(tmp_path)
    with running(tmp_path, command, port) as server:
        url, admin = f"{server.url}/chat", f"{server.url}/admin"
        async with browser() as ada, browser() as stranger:
            assert await you_are(url, ada) is None
            for path, fields in (("login/?next=/admin/", {"username": "ada", "password": "s3cret"}), ("logout/", {})):
                async with ada.get(f"{admin}/login/") as response:
                    (token,) = re.findall(r'name="csrfmiddlewaretoken" value="(\w+)"', await response.text())[:1] or [
                        ""
                    ]
                token = token or next(cookie.value for cookie in ada.cookie_jar if cookie.key == "csrftoken")
                async with ada.post(f"{admin}/{path}", data={**fields, "csrfmiddlewaretoken": token}) as response:
                    assert response.status == 200, await response.text()
                assert await you_are(url, ada) == ("ada" if fields else None)
            assert await you_are(url, stranger) is None
        assert "Traceback" not in server.log


def a_superuser(folder: Path) -> None:
    """Let the project have one: ada, with the password s3cret."""
    subprocess.run(
        [
            sys.executable,
            "manage.py",
            "createsuperuser",
            "--noinput",
            "--username",
            "ada",
            "--email",
            "ada@example.com",
        ],
        cwd=folder,
        env={**os.environ, "DJANGO_SUPERUSER_PASSWORD": "s3cret"},
        check=True,
        stdout=subprocess.DEVNULL,
    )
