"""What visitors cause does not flood the log."""

from __future__ import annotations

import logging
import time

import pytest

from pychat.domain.log_limit import LogLimiter, RateLimitedLogger


class Hand:
    """The hand of a clock."""

    now = 100.0

    def __call__(self):
        """The time."""
        return self.now


def test_a_few_lines_and_then_their_number(caplog):
    """Of a thousand lines of one kind in a minute five are written; the first after it says how many were left out."""
    clock = Hand()
    log = RateLimitedLogger(logging.getLogger("pychat.test"), clock, lines=5)
    with caplog.at_level(logging.INFO, "pychat.test"):
        for number in range(1000):
            log.warning("Bad request from %s", number)
        log.info("Something else")
        told = [record.getMessage() for record in caplog.records]
        caplog.clear()
        clock.now += 60
        log.warning("Bad request from %s", "somebody")
        after = [record.getMessage() for record in caplog.records]
    assert ["Bad request from 0", "Bad request from 1", "Bad request from 2", "Bad request from 3"] == told[:4]
    assert told[4:] == [
        "Bad request from 4 [more like this are only counted for the next 60 s]",
        "Something else",
    ]
    assert ["Bad request from somebody [995 more like this since the line before were left out]"] == after


def test_a_line_a_while_is_never_held_back():
    """Who stays below the rate reads every line, with no note."""
    clock = Hand()
    limiter = LogLimiter(clock, lines=2, seconds=60)
    for _ in range(100):
        assert limiter.note("kind") == ""
        clock.now += 60


def test_a_percent_sign_in_what_was_sent_is_text(caplog):
    """What a visitor sent is never taken for a format."""
    log = RateLimitedLogger(logging.getLogger("pychat.test"), time.monotonic)
    with caplog.at_level(logging.INFO, "pychat.test"):
        log.warning("%s: %s", "%s%d", "100%")
    assert ["%s%d: 100%"] == [record.getMessage() for record in caplog.records]


def test_the_traceback_of_a_counted_line_is_not_kept(caplog):
    """A failure past the limit leaves no record, so that its frames can go."""
    log = RateLimitedLogger(logging.getLogger("pychat.test"), time.monotonic, lines=1)
    with caplog.at_level(logging.INFO, "pychat.test"):
        for _ in range(3):
            try:
                raise ValueError
            except ValueError:
                log.exception("It failed")
    assert 1 == len(caplog.records)
    assert caplog.records[0].exc_info is not None


@pytest.mark.parametrize("kinds", [999, 1000, 1001, 5000])
def test_kinds_are_bounded(kinds):
    """However many kinds a mistake makes, no more than a thousand are remembered."""
    limiter = LogLimiter(time.monotonic)
    for kind in range(kinds):
        limiter.note(kind)
    assert 1000 >= len(limiter._kinds)
