"""Damaged files: which errors mean damage, their text, and what to do."""

from __future__ import annotations

import sqlite3
from pathlib import Path

__all__ = ["is_damage", "line", "remedy"]

# SQLite cannot use the file now, but the file may be intact.
_OPERATIONAL = {
    sqlite3.SQLITE_AUTH,
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOLFS,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_READONLY,
}


def is_damage(error: BaseException) -> bool:
    """Return whether the error means that the file is damaged, rather than unavailable for a while."""
    if isinstance(error, sqlite3.Error):
        # "no such table", "cannot decode": SQLite calls these operational, or Python raised them itself.
        return getattr(error, "sqlite_errorcode", sqlite3.SQLITE_ERROR) & 0xFF not in _OPERATIONAL
    return isinstance(error, UnicodeDecodeError)  # raised while decoding an error text that quotes the file


def line(error: BaseException) -> str:
    """Return the error text as one printable line; it may quote data from the file."""
    text = " ".join(str(error).split()) or type(error).__name__
    return "".join(each if each.isprintable() else "?" for each in text)[:200]


def remedy(path: Path) -> str:
    """Return what to do about a damaged file."""
    return (
        "Restore a backup, or recover what is readable with the program sqlite3: sqlite3 "
        f"{path} .recover | sqlite3 saved.db; or begin anew with another --store."
    )
