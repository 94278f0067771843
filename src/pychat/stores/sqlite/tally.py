"""How many events a database has held, noted in a file beside it, so that an older copy in its place is noticed."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

__all__ = ["Tally"]

_DIGITS = 20


class Tally:
    """The note (`chat.db.events`). It is written after each commit and never waited for: it may be behind, not ahead.

    It is a help and no more: where it cannot be read or written, nothing is noticed.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._file: int | None = None
        self._count = 0

    def read(self) -> int:
        """What was noted last; 0 if nothing was."""
        try:
            return int(self._path.read_bytes()[:_DIGITS])
        except (OSError, ValueError):
            return 0

    def start(self, count: int) -> None:
        """Note that the database holds `count`, and go on from there."""
        with contextlib.suppress(OSError):
            self._file = os.open(self._path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self._count = count
        self.add(0)

    def add(self, count: int) -> None:
        """There are so many more."""
        self._count += count
        if self._file is not None:
            with contextlib.suppress(OSError):
                os.lseek(self._file, 0, os.SEEK_SET)
                os.write(self._file, f"{self._count:0{_DIGITS}}\n".encode())

    def close(self) -> None:
        """Note no more."""
        if self._file is not None:
            os.close(self._file)
            self._file = None
