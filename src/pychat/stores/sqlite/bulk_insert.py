"""INSERT statements of many rows. Each call of sqlite3 releases the GIL, and a busy event loop returns it late."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from itertools import chain
from typing import Any, TypeVar

__all__ = ["BulkInsert", "chunks"]

_SIZES = (64, 32, 16, 8, 4, 2, 1)  # few sizes, so that all statements stay prepared; 64 rows have 640 parameters
_T = TypeVar("_T")


def chunks(items: Sequence[_T]) -> Iterator[Sequence[_T]]:
    """Split `items` into parts that a `BulkInsert` can take; 512 items are 8 parts."""
    start = 0
    for size in _SIZES:
        while len(items) - start >= size:
            yield items[start : start + size]
            start += size


class BulkInsert:
    """One INSERT statement for each size of `chunks`."""

    def __init__(self, into: str, values: str, then: str = "") -> None:
        """`into` begins with `INTO` or `OR IGNORE INTO`, `values` is one row, and `then` follows the last row.

        A statement that can fail between two rows copies each page before it changes it. `OR IGNORE` cannot fail: with
        `ON CONFLICT DO NOTHING` SQLite wrote twice as many bytes for a message, half of them to a temporary file.
        """
        first = f"INSERT {into} VALUES {values}"
        self._statements = {size: f"{first}{f', {values}' * (size - 1)} {then}" for size in _SIZES}

    def chunk(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> int:
        """Insert one chunk of rows and return how many were inserted."""
        return connection.execute(self._statements[len(rows)], tuple(chain.from_iterable(rows))).rowcount

    def all(self, connection: sqlite3.Connection, rows: Sequence[tuple[Any, ...]]) -> None:
        """Insert any number of rows."""
        for chunk in chunks(rows):
            self.chunk(connection, chunk)
