"""The clock that a test moves: its timers."""

import pytest

from pychat import UsageError
from pychat.testing import FakeClock


def test_timers_go_off_in_order_at_their_own_times() -> None:
    """Also those that a timer sets; cancelled ones never."""
    clock, heard = FakeClock(date=100.0), list[tuple[str, float, float]]()

    def note(what: str) -> None:
        heard.append((what, clock.steady(), clock.date()))
        if what == "early":
            clock.call_later(0.5, note, "set by early")

    clock.call_later(2, note, "late")
    clock.call_later(1, note, "early")
    clock.call_later(1, note, "early too").cancel()
    clock.call_later(9, note, "never")
    assert clock.next_timer == 1
    clock.move(0.5)
    assert heard == []
    clock.move(2)
    assert heard == [("early", 1.0, 101.0), ("set by early", 1.5, 101.5), ("late", 2.0, 102.0)]
    assert (clock.steady(), clock.date(), clock.next_timer) == (2.5, 102.5, 6.5)


def test_rounding_misses_no_timer() -> None:
    """Ten tenths are one."""
    clock, heard = FakeClock(), list[int]()
    clock.call_later(1.0, heard.append, 1)
    for _ in range(10):
        clock.move(0.1)
    assert heard == [1]


def test_time_does_not_go_back() -> None:
    """Only the date can be set back, and no timer cares."""
    clock, heard = FakeClock(), list[int]()
    clock.call_later(1, heard.append, 1)
    with pytest.raises(UsageError, match="set_date"):
        clock.move(-1)
    clock.set_date(clock.date() + 3600)
    assert (heard, clock.steady()) == ([], 0.0)
