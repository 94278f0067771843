"""What people and addresses have used is remembered for a while, and then forgotten."""

from __future__ import annotations

from pychat.domain.rates import Usage
from pychat.room.rate_limiter import RateLimiter
from pychat.testing import FakeClock


def test_a_guest_who_is_somebody_new_twice_is_forgotten() -> None:
    """What a guest has used is known under the id of each member that they have been, and forgotten under each."""
    clock, usage = FakeClock(), Usage()
    limiter = RateLimiter(clock)
    limiter.is_person("ann", usage)
    limiter.is_person("bob", usage)
    for number in range(10):
        clock.move(3_600)
        limiter.remember(limiter.person(f"member-{number}"))
    assert limiter.person("member-9") is limiter.person("member-9")
