"""Hooks that fail and refuse nobody by it: only the log would know, so the test is told."""

from __future__ import annotations

import logging

from pychat.room.hooks import HOOKS

__all__ = ["Failures"]

_log = logging.getLogger("pychat.hooks")


class Failures(logging.Handler):
    """Gathers what hooks raise that are told what has happened. Of those that may refuse, the author hears."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """One record of the log of hooks."""
        error = record.exc_info[1] if record.exc_info else None
        name = record.args[0] if isinstance(record.args, tuple) and record.args else None
        refuses = isinstance(name, str) and name in HOOKS and HOOKS[name].may_change
        if error is not None and not refuses:
            self.errors.append(error)

    def listen(self) -> None:
        """Begin."""
        _log.addHandler(self)

    def stop(self) -> None:
        """End."""
        _log.removeHandler(self)
