"""Who is at the other end, and which pages may connect."""

from __future__ import annotations

import pytest

from pychat.domain.errors import UsageError
from pychat.net.http.origins import OriginPolicy
from pychat.net.http.proxies import Proxies


@pytest.mark.parametrize(
    ("trusted", "peer", "forwarded", "client"),
    [
        ([], "1.2.3.4", "9.9.9.9", "1.2.3.4"),
        (["10.0.0.0/8"], "1.2.3.4", "9.9.9.9", "1.2.3.4"),
        (["10.0.0.0/8"], "10.0.0.1", None, "10.0.0.1"),
        (["10.0.0.0/8"], "10.0.0.1", "9.9.9.9", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 9.9.9.9", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "6.6.6.6, 9.9.9.9, 10.0.0.2", "9.9.9.9"),
        (["10.0.0.0/8"], "10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        (["10.0.0.0/8"], "10.0.0.1", "forged, 10.0.0.2", "10.0.0.2"),
        (["10.0.0.0/8"], "10.0.0.1", "9.9.9.9:1234", "9.9.9.9"),
        (["::1"], "::1", "[2001:db8::1]:80", "2001:db8::1"),
        (["10.0.0.0/8"], "::ffff:10.0.0.1", "2001:DB8::1", "2001:db8::1"),
        (["unix"], "", "9.9.9.9", "9.9.9.9"),
        (["127.0.0.1"], "", "9.9.9.9", ""),
        (["*"], "1.2.3.4", "6.6.6.6, 9.9.9.9", "6.6.6.6"),
    ],
)
def test_client(trusted, peer, forwarded, client):
    """X-Forwarded-For is walked from the right, and only over hops that are trusted."""
    assert Proxies(trusted).client(peer, forwarded) == client


def test_host():
    """X-Forwarded-Host counts from a trusted proxy only."""
    assert Proxies().host("10.0.0.1", "inner", "chat.example") == "inner"
    assert Proxies("10.0.0.1").host("10.0.0.1", "inner", "forged, chat.example") == "chat.example"
    assert Proxies("10.0.0.1").host("10.0.0.1", "inner", None) == "inner"


def test_wrong_proxies():
    """What is no address is refused, with what to write."""
    with pytest.raises(UsageError, match="trusted_proxies"):
        Proxies(["localhost"])


@pytest.mark.parametrize(
    ("allowed", "origin", "host", "good"),
    [
        ((), None, "chat.example", True),
        ((), "http://chat.example", "chat.example", True),
        ((), "https://chat.example", "chat.example", True),
        ((), "https://CHAT.example", "Chat.Example:443", True),
        ((), "http://chat.example:80", "chat.example", True),
        ((), "http://chat.example:8000", "chat.example:8000", True),
        ((), "http://[::1]:8000", "[::1]:8000", True),
        ((), "http://chat.example:8000", "chat.example:8001", False),
        ((), "http://chat.example:8000", "chat.example", False),
        ((), "https://chat.example.evil.example", "chat.example", False),
        ((), "https://evil.example", "chat.example", False),
        ((), "https://chat.example@evil.example", "chat.example", False),
        ((), "null", "chat.example", False),
        ((), "", "", False),
        ((), "https://", None, False),
        ((), "https://a:99999", "a", False),
        (("https://a.example",), "https://a.example", "chat.example", True),
        (("https://a.example/",), "https://A.example:443", "chat.example", True),
        (("https://a.example",), "http://a.example", "chat.example", False),
        (("null",), "null", "chat.example", True),
        ("*", "https://evil.example", "chat.example", True),
        (["*"], "null", "chat.example", True),
    ],
)
def test_origins(allowed, origin, host, good):
    """A page of the same host and port may connect, whatever the scheme; others only by name."""
    assert OriginPolicy(allowed).allows(origin, host) is good


def test_wrong_origins():
    """What is no origin is refused, with what to write."""
    with pytest.raises(UsageError, match="allowed_origins"):
        OriginPolicy(["example.com"])


def test_one_line_for_each_origin(caplog):
    """A refusal says what to set, once for each origin; nobody can fill the log or write a line of their own."""
    policy = OriginPolicy()
    for _ in range(3):
        policy.allows("https://evil.example", "chat.example")
    assert 1 == len(caplog.records)
    assert "--allow-origin https://evil.example" in caplog.text
    assert "allowed_origins=['https://evil.example']" in caplog.text
    for number in range(1_000):
        policy.allows(f"https://evil.example:{number}\n\x1b[2Jforged", "x\n")
    assert len(caplog.records) <= 100
    assert not any(set(record.getMessage()) & set("\n\x1b") for record in caplog.records)
