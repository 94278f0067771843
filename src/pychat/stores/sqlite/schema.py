"""The tables of a database, and the migrations from older versions."""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from pathlib import Path

from pychat.domain.errors import UsageError
from pychat.stores.sqlite.search_index import TOKENIZER

__all__ = ["APPLICATION_ID", "MIGRATIONS", "VERSION", "create", "migrate", "version"]

#: `PRAGMA application_id`: this is a database of pychat ("pych").
APPLICATION_ID = 0x70796368


def _add_mentions(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE events ADD COLUMN mentions TEXT")
    connection.execute("ALTER TABLE revised ADD COLUMN mentions TEXT")


#: The migration from version n to n+1 is at index n-1. It runs within the caller's transaction.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (_add_mentions,)
#: `PRAGMA user_version`: the version that this pychat reads and writes.
VERSION = 1 + len(MIGRATIONS)

_TABLES = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

    -- `head` is the number of the newest event, `messages` how many messages there are.
    CREATE TABLE rooms (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL,
        head INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0
    );

    -- The log, as it was first stored. For a reaction, `text` is the emoji. `place` is room number and event number.
    -- `mentions` is a list of member ids in JSON, or NULL.
    CREATE TABLE events (
        place INTEGER PRIMARY KEY, kind TEXT NOT NULL, id TEXT NOT NULL, author TEXT NOT NULL, name TEXT NOT NULL,
        date REAL NOT NULL, target INTEGER, text TEXT, reply TEXT, mentions TEXT
    );
    CREATE UNIQUE INDEX events_by_id ON events (author, id, place >> 40);
    CREATE INDEX events_that_are_messages ON events (place) WHERE kind = 'message';

    -- The current state of messages that were edited or deleted or have reactions.
    CREATE TABLE revised (
        target_place INTEGER PRIMARY KEY, text TEXT NOT NULL, edited REAL, deleted INTEGER NOT NULL,
        reactions TEXT NOT NULL, mentions TEXT
    );

    -- The search index of messages as they stand. It does not contain the texts: to remove one, its text is needed.
    CREATE VIRTUAL TABLE words USING fts5 (text, content='', tokenize="{tokenizer}");

    -- Members and their names: here, away (the name is held) or known (the last name). Each change raises `changed`.
    CREATE TABLE members (
        room INTEGER NOT NULL, id TEXT NOT NULL, name TEXT NOT NULL, state TEXT NOT NULL, changed INTEGER NOT NULL,
        PRIMARY KEY (room, id)
    ) WITHOUT ROWID;
    CREATE INDEX members_by_state ON members (room, state, changed)
"""


def version(connection: sqlite3.Connection, path: Path) -> int:
    """Return the version of the database; 0 if it is empty. Raise `UsageError` if this pychat must not change it."""
    (application,) = connection.execute("PRAGMA application_id").fetchone()
    (found,) = connection.execute("PRAGMA user_version").fetchone()
    (tables,) = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()
    if not application and not found and not tables:
        return 0
    if application != APPLICATION_ID:
        raise UsageError(f"{path} is a database of another program. Use --store with a separate file for pychat.")
    if found > VERSION:
        raise UsageError(
            f"{path} was written by a newer pychat (version {found} of its tables; this one knows {VERSION}). "
            "Upgrade pychat, or use another --store."
        )
    return int(found)


def create(connection: sqlite3.Connection) -> None:
    """Create the tables in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        for statement in _TABLES.format(tokenizer=TOKENIZER).split(";"):  # executescript() would commit first
            connection.execute(statement)
        connection.execute("INSERT INTO meta VALUES ('secret', ?)", (secrets.token_bytes(32),))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except BaseException:
        connection.rollback()
        raise


def migrate(connection: sqlite3.Connection, path: Path, found: int) -> Path:
    """Migrate from version `found` to the newest: first copy the database, then run all steps in one transaction.

    Return the path of the copy. Raise `UsageError` if a step fails; the database is unchanged then.
    """
    copy = _copy(connection, path, found)
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in MIGRATIONS[found - 1 :]:
            step(connection)
        connection.execute(f"PRAGMA user_version = {VERSION}")
        connection.execute("COMMIT")
    except Exception as error:
        connection.rollback()
        raise UsageError(
            f"{path} could not be upgraded to this version of pychat ({error}). It is unchanged; a copy is at {copy}."
        ) from error
    return copy


def _copy(connection: sqlite3.Connection, path: Path, found: int) -> Path:
    copy = path.with_name(f"{path.name}.version-{found}")
    more = 1
    while copy.exists():
        more += 1
        copy = path.with_name(f"{path.name}.version-{found}-{more}")
    unfinished = copy.with_name(f"{copy.name}.unfinished")
    unfinished.unlink(missing_ok=True)
    try:
        unfinished.touch(mode=0o600)
        target = sqlite3.connect(unfinished)
        try:
            connection.backup(target)
        finally:
            target.close()
        unfinished.rename(copy)
    except (OSError, sqlite3.Error) as error:
        unfinished.unlink(missing_ok=True)
        raise UsageError(
            f"{path} is from an older pychat, and it could not be copied before the upgrade ({error}). "
            "Free disk space beside it, and start again."
        ) from error
    return copy
