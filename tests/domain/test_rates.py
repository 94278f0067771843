"""Rates: the arithmetic, the table, and how they are written on a command line."""

from __future__ import annotations

import pytest

from pychat import Limits, UsageError
from pychat.domain.rates import CHARGES, RATES, Rate, Rates, Usage, parse_rates, take
from pychat.domain.settings import RoomSettings


def rate(per_second: float, burst: float) -> Rate:
    """A rate of a person."""
    return Rate("messages", per_second, burst)


def test_a_burst_then_a_rate() -> None:
    """Ten at once, then two a second; the wait is told exactly."""
    usage, two = Usage(), rate(2, 10)
    assert [0.0] * 10 == [usage.take(two, 0) for _ in range(10)]
    assert usage.take(two, 0) == 0.5
    assert usage.take(two, 0.5) == 0.0
    assert usage.take(two, 0.5) == 0.5
    assert [0.0] * 10 == [usage.take(two, 1000) for _ in range(10)]
    assert usage.take(two, 1000) > 0


def test_whoever_waits_as_long_as_told_may_go_on() -> None:
    """Whatever the rate and the time: rounding refuses nobody who has waited."""
    for per_second, start in ((20, 1e6), (1 / 30, 12345.678), (0.1, 1e9), (3, 0.1)):
        usage, limited = Usage(), rate(per_second, 7)
        now = start
        for _ in range(1000):
            wait = usage.take(limited, now)
            if wait:
                now += wait
                assert usage.take(limited, now) == 0.0
        assert now > start


def test_a_rate_of_zero_has_no_limit() -> None:
    """For measuring."""
    usage = Usage()
    assert not any(usage.take(rate(0, 1), 0) for _ in range(1000))
    assert not usage.times


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    """Time that does not pass fills nothing; and whoever the clock is set back for waits no longer than for the burst."""
    usage, one = Usage(), rate(1, 1)
    assert usage.take(one, 10) == 0
    assert usage.take(one, 5) == 1
    for day in (0.0, 86_400.0, -86_400.0, 0.0):
        usage.take(one, day)
        assert usage.take(one, day) == 1
        assert take(((one, 1.0),), usage, None, day) == 1


def test_some_commands_cost_more() -> None:
    """A search counts as several; and what costs more than ever fits can still be done, at the price of all."""
    usage, one = Usage(), rate(1, 10)
    assert usage.take(one, 0, 5) == 0
    assert usage.take(one, 0, 6) == 1
    assert usage.take(one, 0, 5) == 0
    assert usage.take(one, 5, 100) == 5
    assert usage.take(one, 10, 100) == 0


def test_what_is_refused_by_one_rate_counts_in_none() -> None:
    """A person who is refused because of the address has lost nothing of their own."""
    rates = Rates({"commands": (1, 5), "messages": (1, 5), "address-events": (1, 2)})
    ada, bob, school = Usage(), Usage(), Usage()
    charges = rates.charges["message"]
    assert [take(charges, ada, school, 0.0) for _ in range(4)] == [0, 0, 1, 1]
    assert [take(charges, ada, None, 0.0) for _ in range(4)] == [0, 0, 0, 1]
    assert take(charges, bob, school, 0.0) == 1
    assert take(charges, bob, Usage(), 0.0) == 0


def test_take_counts_as_its_parts_do() -> None:
    """The hot path and the plain one agree, whatever the cost."""
    first, second, limited, now = Usage(), Usage(), rate(3, 7), 0.0
    for step in range(500):
        now, cost = now + (step * 37 % 101) / 50, float(step % 9)
        assert take(((limited, 1.0),), first, None, now, cost) == pytest.approx(
            second.take(limited, now, cost), abs=1e-5
        )


def test_equal_rates_are_counted_together() -> None:
    """Two rooms with the same limits count one person once; another limit is counted on its own."""
    usage = Usage()
    a, b, c = (Limits(burst=burst).table["commands"] for burst in (2, 2, 3))
    assert [usage.take(each, 0) > 0 for each in (a, b, a, c, c, c, c)] == [
        False,
        False,
        True,
        False,
        False,
        False,
        True,
    ]


def test_every_kind_counts_in_rates_that_there_are() -> None:
    """No kind counts in nothing; what all are told of a crowd at one address is bounded too."""
    for kind, parts in CHARGES.items():
        assert parts
        assert {name for name, _ in parts} <= RATES.keys()
        assert any(RATES[name].by == "address" for name, _ in parts), kind


def test_without_a_rate_of_commands_there_is_no_limit() -> None:
    """`Limits(rate=0)` and `--limits off` switch everything off."""
    table = Limits(rate=0, rates={"messages": (1, 1)}).table
    assert not any(table.charges.values())
    assert not any(table[name].interval for name in RATES)


def test_rates_on_a_command_line() -> None:
    """`NAME=PER_SECOND/BURST`, as often as there are rates."""
    assert parse_rates(["messages=5/50", "rooms=0.1/3"]) == {"messages": (5.0, 50.0), "rooms": (0.1, 3.0)}
    assert Limits(rates=parse_rates(["commands=1/2"])).table["commands"].burst == 2


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("messages", "write messages=5/50"),
        ("messages=5", "write messages=5/50"),
        ("messages=five/50", "5 a second and 50 at once"),
        ("mesages=5/50", "The rates are commands, messages"),
        ("messages=-1/50", "a number a second"),
        ("messages=5/0", "1 or more at once"),
        ("messages=nan/5", "a number a second"),
        ("messages=inf/5", "a number a second"),
        ("", "write messages=5/50"),
    ],
)
def test_a_wrong_rate_says_how_to_write_it(text: str, says: str) -> None:
    """The error names what can be."""
    with pytest.raises(UsageError, match=says):
        parse_rates([text])


def test_rates_of_a_stored_room_come_back() -> None:
    """A room that is made at run time keeps its rates in the store, where JSON has lists."""
    settings = RoomSettings("Tea", Limits(rates={"messages": (5, 50)}))
    told = settings.as_json()
    told["limits"]["rates"] = {name: list(each) for name, each in told["limits"]["rates"].items()}
    assert RoomSettings.from_json("Tea", told) == settings
