"""Which host names a server answers to."""

from __future__ import annotations

import socket

import pytest

from pychat.domain.errors import UsageError
from pychat.net.http.hosts import HostPolicy
from pychat.net.http.proxies import Proxies


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.1:3000",
        "192.0.2.1:80",
        "[::1]:3000",
        "[2001:db8::1]",
        "localhost:3000",
        "LOCALHOST",
        "room.localhost",
        "localhost.",
        "chat.example.com",
        "Chat.Example.Com:443",
        socket.gethostname(),
        f"{socket.gethostname().partition('.')[0]}.local:3000",
        None,
        "",
    ],
)
def test_names_that_are_ours(host):
    """Addresses, local names, this machine's names and those that are allowed, with any port; and no name at all."""
    assert HostPolicy(["chat.example.com"]).allows(host)


@pytest.mark.parametrize(
    "host",
    [
        "evil.example",
        "evil.example:3000",
        "example.com",
        "evil.chat.example.com",
        "chat.example.com.evil.example",
        "localhost.evil.example",
        "evillocalhost",
        "127.0.0.1.evil.example",
        "127.0.0.1,evil.example",
        "127.0.0.1/evil.example",
        "127.0.0.1@evil.example",
        "evil.example@127.0.0.1",
        "127.0.0.1 evil.example",
        "[::1",
        "[::1]evil.example",
        "127.0.0.1:port",
        "evil.example#127.0.0.1",
        "evil.example?.localhost",
        "\\\\127.0.0.1",
        "." * 5000,
    ],
)
def test_names_that_are_not(host):
    """Names of somebody else, those that look like ours, and what is no name."""
    assert not HostPolicy(["chat.example.com"]).allows(host)
    assert HostPolicy("*").allows(host)


@pytest.mark.parametrize("name", ["", "https://chat.example.com", "chat.example.com/chat", "a b"])
def test_what_is_no_name_cannot_be_allowed(name):
    """A mistake is told at the start, with what to write."""
    with pytest.raises(UsageError, match="allowed_hosts"):
        HostPolicy([name])


def test_a_page_cannot_speak_for_a_proxy():
    """Both Host and what a trusted proxy says must be allowed, for the browser may be on the proxy's machine."""
    policy, proxies = HostPolicy(["chat.example.com"]), Proxies(["127.0.0.1"])
    assert policy.refusal(proxies, "127.0.0.1", "127.0.0.1:3000", "chat.example.com") is None
    assert "evil.example" in (policy.refusal(proxies, "127.0.0.1", "127.0.0.1:3000", "evil.example") or "")
    assert "evil.example" in (policy.refusal(proxies, "127.0.0.1", "evil.example:3000", "localhost") or "")
    assert policy.refusal(proxies, "192.0.2.1", "chat.example.com", "evil.example") is None
