"""Token buckets."""

from pychat.limits import TokenBucket


def test_a_burst_then_a_rate() -> None:
    """Ten at once, then two a second; the wait is told exactly."""
    bucket = TokenBucket(rate=2, burst=10)
    assert [0.0] * 10 == [bucket.take(0) for _ in range(10)]
    assert bucket.take(0) == 0.5
    assert bucket.take(0.5) == 0.0
    assert bucket.take(0.5) == 0.5
    assert [0.0] * 10 == [bucket.take(1000) for _ in range(10)]
    assert bucket.take(1000) > 0


def test_a_rate_of_zero_has_no_limit() -> None:
    """For measuring."""
    bucket = TokenBucket(rate=0, burst=1)
    assert not any(bucket.take(0) for _ in range(1000))


def test_a_clock_that_stands_still_or_goes_back_gives_nothing_away() -> None:
    """Time that does not pass fills nothing."""
    bucket = TokenBucket(rate=1, burst=1)
    assert bucket.take(10) == 0
    assert bucket.take(5) == 1
