"""Dates as they travel."""

from __future__ import annotations

from datetime import UTC, datetime

from hypothesis import given
from hypothesis import strategies as st

from pychat.domain.model import iso


@given(st.floats(-62e9, 253e9, allow_nan=False))
def test_a_date_is_written_as_datetime_writes_it(date: float) -> None:
    """A date has the same text, to the millisecond, as `datetime.isoformat` gives it, in all years that it knows."""
    assert iso(date) == datetime.fromtimestamp(date, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def test_the_last_microsecond_of_a_second_is_not_a_thousandth_millisecond() -> None:
    """A date that rounds up to the next second is written as that second."""
    assert iso(1.99999999) == "1970-01-01T00:00:02.000Z"
