"""Logs why Redis cannot be used: each reason once, until it can be used again."""

from __future__ import annotations

import contextlib
import logging
import re
import time

from redis.exceptions import ResponseError

from pychat.domain.errors import Refused
from pychat.domain.log_limit import RateLimitedLogger
from pychat.stores.redis.connection import RedisConnection
from pychat.stores.redis.failures import Failure

__all__ = ["OutageLog"]

_log = logging.getLogger(__name__)

_MAX_REPORTED = 20  # reasons logged for one outage


class OutageLog:
    """The log lines of one Redis."""

    def __init__(self, url: str) -> None:
        """`url` is printed, so it must not hold secrets."""
        self._url = url
        self._limited_log = RateLimitedLogger(_log, time.monotonic)
        self._reported: set[str] = set()

    def failed(self, why: Failure) -> None:
        """Log that Redis cannot be used."""
        if why.reason not in self._reported and len(self._reported) < _MAX_REPORTED:
            self._reported.add(why.reason)
            text = "Redis at %s cannot be used, and messages are refused until it can: %s."
            (self._limited_log.error if why.lasting else self._limited_log.warning)(text, self._url, why)

    def works(self) -> None:
        """Log that Redis can be used again, if it could not."""
        if self._reported:
            self._reported.clear()
            self._limited_log.warning("Redis at %s can be used again.", self._url)

    async def check_eviction(self, connection: RedisConnection) -> None:
        """Warn if Redis evicts keys when its memory is full: a room would lose its log or its members."""
        answers = b""
        for command in (("INFO", "memory"), ("CONFIG", "GET", "maxmemory-policy")):
            with contextlib.suppress(Refused, ResponseError):  # the user may lack the permission
                answer = await connection.execute(*command)
                answers += b" ".join(answer) if isinstance(answer, list) else answer
        if found := re.search(rb"allkeys-[a-z]+", answers):
            _log.warning(
                "Redis at %s evicts keys when its memory is full (maxmemory-policy %s): rooms lose messages. "
                "Set maxmemory-policy noeviction there; messages are then refused until there is memory.",
                self._url,
                found[0].decode(),
            )
