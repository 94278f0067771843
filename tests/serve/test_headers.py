"""The headers of the page, one by one in the order of the OWASP Secure Headers Project."""

from __future__ import annotations

import re
import urllib.error
import urllib.request
from email.message import Message

import pytest

from pychat import UsageError
from pychat.web.headers import page_headers
from tests.servers import pychat_process

#: The header, and what it must say; `None` if it must not be there, for the reason behind it.
OWASP = {
    "Strict-Transport-Security": None,  # over TLS alone: tests/serve/test_tls.py
    "X-Frame-Options": r"SAMEORIGIN",
    "X-Content-Type-Options": r"nosniff",
    "Content-Security-Policy": r"default-src 'none'; script-src 'self'; .*frame-ancestors 'self'",
    "X-Permitted-Cross-Domain-Policies": r"none",
    "Referrer-Policy": r"no-referrer",
    "Clear-Site-Data": None,  # nobody logs out here
    "Cross-Origin-Embedder-Policy": None,  # pages of one's own (--templates) may embed what does not know of it
    "Cross-Origin-Opener-Policy": r"same-origin",
    "Cross-Origin-Resource-Policy": r"same-origin",
    "Cache-Control": r"no-cache",  # it holds nothing that its reader may not keep; it is checked on each visit
    "Permissions-Policy": r"accelerometer=\(\), camera=\(\), .*microphone=\(\), .*usb=\(\)",
    "X-DNS-Prefetch-Control": r"off",
    "Feature-Policy": None,  # the old name of Permissions-Policy
    "Expect-CT": None,  # deprecated, as the next two
    "Public-Key-Pins": None,
    "X-XSS-Protection": None,
    "X-Powered-By": None,  # these would tell attackers what runs here
    "X-AspNet-Version": None,
    "Server": r"pychat",
}


def headers(url: str) -> Message:
    """The headers of the answer to a GET."""
    try:
        with urllib.request.urlopen(url) as response:  # noqa: S310 -- ours
            found: Message = response.headers
            return found
    except urllib.error.HTTPError as error:
        with error:
            return error.headers


def test_the_page_has_the_headers_of_owasp() -> None:
    """Each header of the list says what it should, or is not there for a reason."""
    with pychat_process() as served:
        for path in ("/", "/rooms/lobby"):
            got = headers(served.url + path)
            for name, wanted in OWASP.items():
                if wanted is None:
                    assert name not in got, name
                else:
                    assert re.fullmatch(wanted, got[name]), f"{name}: {got[name]}"


def test_no_answer_tells_versions_or_lets_a_browser_guess_types() -> None:
    """Pages, files, the API, refusals and health: each has `nosniff`, and names no version."""
    with pychat_process() as served:
        for path in (
            "/",
            "/nowhere",
            "/ws",
            "/api/rooms",
            "/api/nowhere",
            "/client.js",
            "/socket.io/?EIO=9",
            "/healthz",
        ):
            got = headers(served.url + path)
            assert got["Server"] == "pychat", path
            assert got["X-Content-Type-Options"] == "nosniff", path


def test_pages_of_other_sites_may_frame_it_where_the_operator_says_so() -> None:
    """`--frame-ancestors` replaces the default; old headers that could not say this are left out."""
    arguments = ("--frame-ancestors", "self", "--frame-ancestors", "https://example.com")
    with pychat_process(*arguments) as served:
        got = headers(served.url)
        assert got["Content-Security-Policy"].endswith("; frame-ancestors 'self' https://example.com")
        assert "X-Frame-Options" not in got


def test_nobody_may_frame_it_with_none() -> None:
    """The word `none`, for old browsers too."""
    told = page_headers("none")
    assert told["Content-Security-Policy"].endswith("; frame-ancestors 'none'")
    assert told["X-Frame-Options"] == "DENY"


@pytest.mark.parametrize(
    "wrong", ["", "example.com", "javascript://x", "https://x'; script-src *", "https://x\r\nA: b", ()]
)
def test_a_frame_ancestor_cannot_change_the_policy(wrong: str) -> None:
    """What is no origin is refused when the app starts."""
    with pytest.raises(UsageError, match="frame_ancestors"):
        page_headers(wrong)
