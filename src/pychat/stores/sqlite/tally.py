"""The number of events that a database has held, recorded in a file beside it, to detect a restored backup."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["Tally"]

_DIGITS = 20


class Tally:
    """The file (`chat.db.events`). It is written after each commit without fsync: it may be behind, but never ahead.

    If it cannot be read or written, a restored backup is not detected.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._count = 0

    def read(self) -> int:
        """Return the recorded number; 0 if there is none."""
        try:
            return int(self._path.read_bytes()[:_DIGITS])
        except (OSError, ValueError):
            return 0

    def start(self, count: int) -> None:
        """Record that the database has `count` events, and continue from there."""
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._count = count
        self.add(0)

    def add(self, count: int) -> None:
        """Record `count` more events."""
        self._count += count
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, f"{self._count:0{_DIGITS}}\n".encode())

    def close(self) -> None:
        """Close the file."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
