"""Whatever address people paste leads to the room that they mean."""

from __future__ import annotations

import pytest

from pychat import Position, UsageError
from pychat.client.address import Address


@pytest.mark.parametrize(
    ("url", "mount", "room"),
    [
        ("http://localhost:3000", "http://localhost:3000/", None),
        ("localhost:3000", "http://localhost:3000/", None),
        ("127.0.0.1/chat", "http://127.0.0.1/chat/", None),
        ("chat.example.com", "https://chat.example.com/", None),
        ("https://example.com/a/b", "https://example.com/a/b/", None),
        ("https://example.com/a/b/?x=1#y", "https://example.com/a/b/", None),
        ("https://example.com/chat/rooms/tea%20room", "https://example.com/chat/", "tea room"),
        ("http://example.com/rooms/lobby/", "http://example.com/", "lobby"),
        ("ws://example.com/chat/ws?room=lobby&epoch=x&seq=1", "http://example.com/chat/", "lobby"),
        ("wss://example.com/ws", "https://example.com/", None),
        ("http://[::1]:3000/rooms/", "http://[::1]:3000/rooms/", None),
    ],
)
def test_addresses_that_people_paste(url: str, mount: str, room: str | None) -> None:
    """Servers, prefixes, rooms' pages and WebSockets are all understood."""
    assert Address(mount, room) == Address.parse(url)


@pytest.mark.parametrize("url", ["", "ftp://example.com", "http://", "http://a:b:c", "http://[::1", "https:///x"])
def test_what_is_no_address_is_named(url: str) -> None:
    """The error quotes it, and shows one that would do."""
    with pytest.raises(UsageError, match="is not an address"):
        Address.parse(url)


def test_two_rooms_are_one_too_many() -> None:
    """The same room twice is fine; two of them are refused."""
    assert Address.parse("http://x/rooms/a", "a").room == "a"
    with pytest.raises(UsageError, match="names the room “a”, and not “b”"):
        Address.parse("http://x/rooms/a", "b")


def test_the_addresses_asked() -> None:
    """Names are quoted, and the position travels in the query."""
    address = Address("http://x/", "tea room")
    assert address.websocket() == "http://x/ws?room=tea+room"
    assert Address("http://x/").websocket(Position("e&f", 7)) == "http://x/ws?epoch=e%26f&seq=7"
    assert address.messages("a/b") == "http://x/api/rooms/a%2Fb/messages"
