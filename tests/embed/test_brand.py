"""The operator's colour and logo: on the page, in the element, and refused at the start if they are none."""

from __future__ import annotations

from pathlib import Path

import pytest

import pychat
from pychat import Chat, ChatRoom
from pychat.domain.errors import UsageError
from pychat.domain.request import Request
from pychat.hosts.mount import Mount
from pychat.net.http.response import Response

LOGO = b'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 1 1"/>'


async def ask(mount: Mount, path: str) -> Response:
    """What the site answers."""
    return await mount._site.respond(path, Request("GET", path, {}, {}, "127.0.0.1", "lobby", None), "chat.example")


async def test_the_page_has_both(tmp_path: Path) -> None:
    """The mark is the picture, the tab has it, and its address changes when it does; other pages may show it."""
    logo = tmp_path / "logo.svg"
    logo.write_bytes(LOGO)
    mount = Mount([Chat(ChatRoom(), accent="#7a2048", logo=logo)], "asgi")
    page = (await ask(mount, "/")).body.decode()
    address = mount._site._brand.logo_url
    assert '<html lang="en" dir="ltr" data-accent="#7a2048">' in page
    assert f'<img class="mark" part="mark" src="./{address}" alt="">' in page
    assert f'<link rel="icon" href="./{address}">' in page
    picture = await ask(mount, "/logo")
    assert (picture.body, picture.headers["Content-Type"]) == (LOGO, "image/svg+xml")
    assert "sandbox" in picture.headers["Content-Security-Policy"]
    assert picture.headers["Cross-Origin-Resource-Policy"] == "cross-origin"
    element = (await ask(mount, "/part")).body.decode()
    assert 'data-accent="#7a2048" role="region"' in element
    logo.write_bytes(LOGO + b"\n")
    assert Mount([ChatRoom()], "asgi", logo=logo)._site._brand.logo_url != address


async def test_without_them_it_is_ours() -> None:
    """No attribute, our mark, and no picture at the address."""
    mount = Mount([ChatRoom()], "asgi")
    page = (await ask(mount, "/")).body.decode()
    assert "data-accent" not in page
    assert '<svg class="mark"' in page
    assert (await ask(mount, "/logo")).status == 404


@pytest.mark.parametrize("accent", ["red", "#12345", "#7a2048;", "", "url(x)"])
def test_a_wrong_colour_is_told_at_the_start(accent: str) -> None:
    """A colour has three or six digits: nothing else gets into the page."""
    if accent:
        with pytest.raises(UsageError, match="is not a colour"):
            Mount([ChatRoom()], "asgi", accent=accent)
    else:
        assert Mount([ChatRoom()], "asgi", accent=accent)._site._brand.accent == ""


def test_a_wrong_logo_is_told_at_the_start(tmp_path: Path) -> None:
    """A picture that cannot be read, is too large, or is none."""
    (tmp_path / "logo.html").write_text("<script>")
    (tmp_path / "large.png").write_bytes(b"x" * (256 * 1024 + 1))
    for name, told in (("logo.html", "not a picture"), ("large.png", "at most"), ("none.png", "cannot be read")):
        with pytest.raises(UsageError, match=told):
            Mount([ChatRoom()], "asgi", logo=tmp_path / name)
    assert pychat.Chat(accent="#fff").accent == "#fff"
