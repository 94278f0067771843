"""Wrong attempts at a secret are counted by address and by room, also those that are made at the same moment."""

from __future__ import annotations

import asyncio

from pychat.domain.errors import Refused
from pychat.domain.limits import Limits
from pychat.room.entry import attempts as module
from pychat.room.entry.attempts import Attempts
from pychat.room.rate_limiter import RateLimiter
from pychat.testing import FakeClock

RATES = Limits().table
WRONG = Refused("entry_required", "Wrong.")


async def guess(
    attempts: Attempts, address: str, room: str = "lobby", error: Refused | None = WRONG, *, at_password: bool = True
) -> str:
    """The code of what comes of a guess; empty if it is right."""
    try:
        async with attempts.attempt(room, RATES, address, at_password=at_password):
            await asyncio.sleep(0)  # as while a password is compared
            if error is not None:
                raise error
    except Refused as refused:
        return refused.code
    return ""


async def test_an_address_has_ten_wrong_attempts() -> None:
    """After them it waits, also for the right password; then it has one attempt each ten seconds."""
    clock = FakeClock()
    attempts = Attempts(RateLimiter(clock))
    for _ in range(10):
        assert await guess(attempts, "203.0.113.7") == "entry_required"
    assert await guess(attempts, "203.0.113.7") == "rate_limited"
    assert await guess(attempts, "203.0.113.7", error=None) == "rate_limited"
    assert await guess(attempts, "203.0.113.8", error=None) == ""
    clock.move(10)
    assert await guess(attempts, "203.0.113.7") == "entry_required"
    assert await guess(attempts, "203.0.113.7") == "rate_limited"


async def test_guesses_at_the_same_moment_are_no_more() -> None:
    """Of a thousand guesses at once, ten are compared."""
    attempts = Attempts(RateLimiter(FakeClock()))
    codes = await asyncio.gather(*(guess(attempts, "203.0.113.7") for _ in range(1000)))
    assert (codes.count("entry_required"), codes.count("rate_limited")) == (10, 990)
    assert not attempts._lines


async def test_all_addresses_of_a_subscriber_are_one() -> None:
    """Somebody with an IPv6 network has as many attempts as somebody with one address."""
    attempts = Attempts(RateLimiter(FakeClock()))
    codes = [await guess(attempts, f"2001:db8::{each:x}") for each in range(20)]
    assert codes.count("entry_required") == 10


async def test_right_attempts_cost_nothing() -> None:
    """A school whose pupils all know the password comes in."""
    attempts = Attempts(RateLimiter(FakeClock()))
    assert {await guess(attempts, "203.0.113.7", error=None) for _ in range(500)} == {""}


async def test_a_server_that_is_busy_counts_no_attempt() -> None:
    """What failed for another reason than the secret is no wrong attempt."""
    attempts = Attempts(RateLimiter(FakeClock()))
    for _ in range(50):
        assert await guess(attempts, "203.0.113.7", error=Refused("unavailable", "Later.", 1.0)) == "unavailable"
    assert await guess(attempts, "203.0.113.7", error=None) == ""


async def test_a_room_has_a_bounded_number_of_wrong_attempts() -> None:
    """Somebody with thousands of addresses has 60 guesses, and one a second after that. Other rooms do not notice."""
    clock = FakeClock()
    attempts = Attempts(RateLimiter(clock))
    codes = [await guess(attempts, f"203.0.113.{each}") for each in range(200)]
    assert codes.count("entry_required") == 60
    assert await guess(attempts, "198.51.100.1", "kitchen", error=None) == ""
    clock.move(5)
    codes = [await guess(attempts, f"198.51.100.{each}") for each in range(20)]
    assert codes.count("entry_required") == 5


async def test_strangers_cannot_use_up_the_attempts_at_invitations() -> None:
    """Whoever has an invitation, the owner's token or a solution comes in, however many addresses have guessed."""
    attempts = Attempts(RateLimiter(FakeClock()))
    codes = [await guess(attempts, f"203.0.113.{each}", at_password=False) for each in range(200)]
    assert codes.count("entry_required") == 200
    assert await guess(attempts, "198.51.100.1", error=None, at_password=False) == ""
    codes = [await guess(attempts, "", at_password=False) for _ in range(100)]  # without addresses, they are one
    assert codes.count("entry_required") == 60


async def test_people_behind_a_unix_socket_have_the_attempts_of_the_room() -> None:
    """Behind a proxy on this machine that names no addresses, all people together have those."""
    attempts = Attempts(RateLimiter(FakeClock()))
    codes = [await guess(attempts, "") for _ in range(100)]
    assert codes.count("entry_required") == 60


async def test_what_waits_is_bounded() -> None:
    """Of one address, so many attempts wait; the next ones are refused at once."""
    attempts = Attempts(RateLimiter(FakeClock()))
    right = await asyncio.gather(*(guess(attempts, "203.0.113.7", error=None) for _ in range(100)))
    assert right.count("") == module._MAX_WAITING
