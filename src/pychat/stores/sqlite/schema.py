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


def _add_records(connection: sqlite3.Connection) -> None:
    for column in (
        "removed INTEGER NOT NULL DEFAULT 0",
        "title TEXT",
        "settings TEXT",
        "people TEXT",
        "listed INTEGER",
    ):
        connection.execute(f"ALTER TABLE rooms ADD COLUMN {column}")
    for statement in _RECORDS.split(";"):
        connection.execute(statement)
    connection.execute(
        "INSERT OR IGNORE INTO mentions SELECT value, place FROM events LEFT JOIN revised ON target_place = place, "
        "json_each(CASE WHEN target_place IS NULL THEN events.mentions ELSE revised.mentions END) "
        "WHERE kind = 'message' AND events.mentions IS NOT NULL OR revised.mentions IS NOT NULL"
    )


def _add_moderation(connection: sqlite3.Connection) -> None:
    connection.execute("ALTER TABLE rooms ADD COLUMN moderation INTEGER NOT NULL DEFAULT 0")
    for statement in _MODERATION.split(";"):
        connection.execute(statement)


def _add_push(connection: sqlite3.Connection) -> None:
    for statement in _PUSH.split(";"):
        connection.execute(statement)


#: The migration from version n to n+1 is at index n-1. It runs within the caller's transaction.
MIGRATIONS: tuple[Callable[[sqlite3.Connection], None], ...] = (
    _add_mentions,
    _add_records,
    _add_moderation,
    _add_push,
)
#: `PRAGMA user_version`: the version that this pychat reads and writes.
VERSION = 1 + len(MIGRATIONS)

_TABLES = """
    CREATE TABLE meta (key TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID;

    -- `head` is the number of the newest event, `messages` how many messages there are, `removed` how many retention
    -- has removed. A room with a record has a title, `settings` and `people` in JSON, and `listed`: 0 or 1.
    -- `moderation` is the version of its moderation records.
    CREATE TABLE rooms (
        number INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, epoch TEXT NOT NULL,
        head INTEGER NOT NULL DEFAULT 0, messages INTEGER NOT NULL DEFAULT 0, removed INTEGER NOT NULL DEFAULT 0,
        title TEXT, settings TEXT, people TEXT, listed INTEGER, moderation INTEGER NOT NULL DEFAULT 0
    );

    -- The log, as it was first stored. For a reaction, `text` is the emoji. `place` is room number and event number.
    -- An erased message has no text.
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

_RECORDS = """
    CREATE INDEX rooms_with_records ON rooms (name) WHERE title IS NOT NULL;
    CREATE INDEX rooms_that_are_listed ON rooms (name) WHERE listed = 1;

    -- Read positions. `ordinal` is how many messages the room has had up to there, so unread messages are not counted.
    CREATE TABLE readers (
        member TEXT NOT NULL, room INTEGER NOT NULL, seq INTEGER NOT NULL, ordinal INTEGER NOT NULL,
        PRIMARY KEY (member, room)
    ) WITHOUT ROWID;
    CREATE INDEX readers_by_room ON readers (room);

    -- Whom the messages mention, as they stand.
    CREATE TABLE mentions (member TEXT NOT NULL, place INTEGER NOT NULL, PRIMARY KEY (member, place)) WITHOUT ROWID;
    CREATE INDEX mentions_by_place ON mentions (place);

    CREATE TABLE blocks (member TEXT NOT NULL, other TEXT NOT NULL, PRIMARY KEY (member, other)) WITHOUT ROWID;

    -- What has to be found to erase a message: its edits, and the replies to it (`reply` begins with "[" and a number).
    CREATE INDEX events_that_edit ON events (place >> 40, target) WHERE kind = 'edited';
    CREATE INDEX events_that_reply ON events (place >> 40, CAST(substr(reply, 2) AS INTEGER)) WHERE reply IS NOT NULL;

    -- Empty, except while free pages are overwritten.
    CREATE TABLE wiped (zeros BLOB NOT NULL)
"""

_MODERATION = """
    -- Moderation records: `record` has the data and the end in JSON.
    CREATE TABLE moderation (
        room INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, record TEXT NOT NULL, until REAL,
        PRIMARY KEY (room, kind, key)
    ) WITHOUT ROWID;
    CREATE INDEX moderation_that_ends ON moderation (room, until) WHERE until IS NOT NULL;

    -- The audit log: `entry` is JSON.
    CREATE TABLE audit (
        room INTEGER NOT NULL, number INTEGER NOT NULL, entry TEXT NOT NULL, PRIMARY KEY (room, number)
    ) WITHOUT ROWID
"""

_PUSH = """
    -- Push subscriptions: `subscription` is JSON.
    CREATE TABLE push (
        endpoint TEXT PRIMARY KEY, member TEXT NOT NULL, until REAL NOT NULL, subscription TEXT NOT NULL
    ) WITHOUT ROWID;
    CREATE INDEX push_by_member ON push (member);
    CREATE INDEX push_that_ends ON push (until)
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
        tables = f"{_TABLES.format(tokenizer=TOKENIZER)};{_RECORDS};{_MODERATION};{_PUSH}"
        for statement in tables.split(";"):  # executescript() would commit first
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
