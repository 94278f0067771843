"""Collects the errors of hooks that run after an event. Such errors reach only the log, so a test would miss them."""

from __future__ import annotations

import logging

from pychat.room.hooks import HOOKS

__all__ = ["Failures"]

_log = logging.getLogger("pychat.hooks")


class Failures(logging.Handler):
    """Collects the errors of hooks that cannot refuse. The errors of other hooks reach the author."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[BaseException] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Handle one record of the hooks' log."""
        error = record.exc_info[1] if record.exc_info else None
        name = record.args[0] if isinstance(record.args, tuple) and record.args else None
        refuses = isinstance(name, str) and name in HOOKS and HOOKS[name].may_change
        if error is not None and not refuses:
            self.errors.append(error)

    def listen(self) -> None:
        """Start to collect."""
        _log.addHandler(self)

    def stop(self) -> None:
        """Stop."""
        _log.removeHandler(self)
