"""How much one address may hold."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pychat import ChatRoom
from pychat.domain.errors import UsageError
from pychat.hosts.mount import Mount
from pychat.net.addresses import AddressLimiter, address_key


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("192.0.2.1", "192.0.2.1", True),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("::ffff:c000:201", "192.0.2.1", True),
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2%eth1", True),
        ("::1", "127.0.0.1", False),
        ("not:an:address", "not:an:address", True),
        ("not:an:address", "another", False),
    ],
)
def test_what_counts_as_one_address(one, other, same):
    """IPv4 addresses are themselves, mapped into IPv6 too; of IPv6 the first 64 bits count."""
    assert same == (address_key(one) == address_key(other))


def test_an_address_has_a_share_and_the_rest_is_for_others():
    """At its share an address is refused, and others are not; past the number in all, everybody is."""
    limiter = AddressLimiter(5, 3)
    assert [True, True, True, False] == [limiter.acquire("192.0.2.1") for _ in range(4)]
    assert [True, True, False] == [limiter.acquire("192.0.2.2") for _ in range(3)]
    assert limiter.full
    limiter.release("192.0.2.1")
    assert limiter.acquire("192.0.2.3")


def test_unix_sockets_count_in_all_only():
    """Behind a Unix socket is a proxy: it has no share, and no more than there is."""
    limiter = AddressLimiter(3, 1)
    assert [True, True, True, False] == [limiter.acquire("") for _ in range(4)]
    assert 0 == limiter.held_by("")


@pytest.mark.parametrize("limits", [(0, 1), (1, 0)])
def test_limits_are_above_zero(limits):
    """A limit of nothing is a mistake of the program."""
    with pytest.raises(UsageError):
        AddressLimiter(*limits)


@given(st.lists(st.sampled_from(["192.0.2.1", "192.0.2.2", "2001:db8::1", "2001:db8::2", ""]), max_size=40))
def test_nothing_is_left_behind(addresses):
    """When all has been let go, no address is remembered, and nothing is counted."""
    limiter = AddressLimiter(20, 5)
    held = [address for address in addresses if limiter.acquire(address)]
    assert len(held) == len(limiter) <= 20
    for address in held:
        limiter.release(address)
    assert (0, {}) == (len(limiter), limiter._held)


def test_a_mount_counts_by_address():
    """The limits of a mount are those that its transports count by, from the first connection on."""
    mount = Mount([ChatRoom("lobby")], "aiohttp")
    assert mount.websocket.gate.limits.max_per_address == mount.sse.gate.limits.max_per_address == 5_000
    assert mount.socketio.server.eio.registry.gate.limits.max_per_address == 5_000
    assert mount.socketio.server.eio.registry.connecting._limits.max_per_address == 500
    lifted = Mount([ChatRoom("lobby")], "aiohttp", limited=False)
    assert lifted.websocket.gate.limits.max_per_address > 1_000_000
    assert lifted.socketio.server.eio.registry.connecting._limits.max_per_address > 1_000_000
