"""Networks of addresses: their usual form, which ones may be banned, and their lookup."""

from __future__ import annotations

from ipaddress import ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat.domain.errors import Refused
from pychat.domain.networks import Networks, network_of, parse_network


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ("203.0.113.7", "203.0.113.7"),
        (" 203.0.113.7/24 ", "203.0.113.0/24"),
        ("203.0.113.7/32", "203.0.113.7"),
        ("::ffff:203.0.113.7", "203.0.113.7"),
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::1/128", "2001:db8::/64"),
        ("2001:db8:1::/48", "2001:db8:1::/48"),
        ("fe80::1%eth0", "fe80::/64"),
    ],
)
def test_each_network_has_one_form(given: str, expected: str) -> None:
    """However a moderator writes it, or a visitor's address is written, the key is the same."""
    assert parse_network(given) == expected
    assert parse_network(expected) == expected


@pytest.mark.parametrize("given", ["", "x", "203.0.113.7:80", "1.2.3", "1.2.3.4/33", "unix", "0.0.0.0/0", "::/0", "\0"])
def test_what_is_no_network_is_refused(given: str) -> None:
    """The text of the refusal says so."""
    with pytest.raises(Refused) as refusal:
        parse_network(given)
    assert refusal.value.code == "bad_request"


_V4 = st.tuples(st.integers(0, 2**32 - 1), st.integers(8, 32)).map(lambda each: ip_network(each, strict=False))
_V6 = st.tuples(st.integers(0, 2**128 - 1), st.integers(16, 64)).map(lambda each: ip_network(each, strict=False))


@given(st.lists(_V4 | _V6, max_size=20), st.integers(0, 2**32 - 1) | st.integers(2**100, 2**128 - 1))
def test_the_lookup_finds_what_a_walk_finds(networks: list[object], number: int) -> None:
    """Each network that contains the address is found, and no other; also when some were removed again."""
    address = ip_address(number)
    found = Networks[str]()
    for each in networks:
        found.add(str(each).removesuffix("/32"), str(each))
    for each in networks[::2]:
        found.discard(str(each).removesuffix("/32"))
    left = {str(each) for each in networks} - {str(each) for each in networks[::2]}
    assert set(found.find(str(address))) == {each for each in left if address in ip_network(each)}


def test_an_address_that_is_none_is_in_no_network() -> None:
    """Unix sockets and code of the app have no address."""
    networks = Networks[str]()
    networks.add("203.0.113.0/24", "x")
    assert networks.find("") == networks.find("unix") == []
    assert network_of("") is None
