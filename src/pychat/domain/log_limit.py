"""Rate-limited logging, so that visitors cannot flood the log: a few lines a minute of each kind, the rest counted."""

from __future__ import annotations

import logging
from collections.abc import Callable

__all__ = ["LogLimiter", "RateLimitedLogger"]

_MAX_KINDS = 1_000  # kinds are made by code, so there are few; this limits the harm of a mistake


class LogLimiter:
    """Counts events by kind, and lets the first `lines` of each kind in `seconds` through.

    Keeps one small record for each kind, and no events. `clock` is steady, in seconds.
    """

    def __init__(self, clock: Callable[[], float], *, lines: int = 5, seconds: float = 60.0) -> None:
        self._lines = lines
        self._seconds = seconds
        self._clock = clock
        self._kinds: dict[object, _Kind] = {}

    def note(self, kind: object) -> str | None:
        """The text to add to the log line of this event, usually empty; `None` if the event is only counted."""
        now = self._clock()
        record = self._kinds.get(kind)
        if record is None:
            if len(self._kinds) >= _MAX_KINDS:
                self._kinds.clear()
            record = self._kinds[kind] = _Kind(now)
        elif now - record.begun >= self._seconds:
            record.begun, record.logged = now, 0
        if record.logged >= self._lines:
            record.left_out += 1
            return None
        record.logged += 1
        notes = []
        if record.left_out:
            notes.append(f"{record.left_out:,} more like this since the line before were left out")
            record.left_out = 0
        if record.logged == self._lines:
            notes.append(f"more like this are only counted for the next {round(self._seconds + record.begun - now)} s")
        return f" [{'; '.join(notes)}]" if notes else ""


class _Kind:
    __slots__ = ("begun", "left_out", "logged")

    def __init__(self, begun: float) -> None:
        self.begun = begun
        self.logged = 0
        self.left_out = 0


class RateLimitedLogger:
    """A logger for events that visitors cause: at most `lines` lines in `seconds` for each format string.

    `clock` is steady, in seconds.
    """

    def __init__(
        self,
        logger: logging.Logger,
        clock: Callable[[], float],
        *,
        lines: int = 5,
        seconds: float = 60.0,
    ) -> None:
        self._logger = logger
        self._limiter = LogLimiter(clock, lines=lines, seconds=seconds)

    def info(self, message: str, *args: object) -> None:
        """Log normal operation."""
        self._log(logging.INFO, message, args)

    def warning(self, message: str, *args: object) -> None:
        """Log a problem that the operator should know of."""
        self._log(logging.WARNING, message, args)

    def error(self, message: str, *args: object) -> None:
        """Log a failure."""
        self._log(logging.ERROR, message, args)

    def exception(self, message: str, *args: object, exc_info: BaseException | bool = True) -> None:
        """Log a failure with the traceback of `exc_info`, or of the current exception."""
        self._log(logging.ERROR, message, args, exc_info)

    def _log(
        self, level: int, message: str, args: tuple[object, ...], exc_info: BaseException | bool | None = None
    ) -> None:
        if self._logger.isEnabledFor(level):
            note = self._limiter.note(message)
            if note is not None:
                with_note = f"{message}%s"
                self._logger.log(level, with_note, *args, note, exc_info=exc_info, stacklevel=3)
