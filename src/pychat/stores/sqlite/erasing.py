"""Erases messages of a room, some at a time between the writer's other work."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pychat.domain.erasure import Choice
from pychat.domain.moderation_erasure import ModerationErasure
from pychat.stores.sqlite import moderation_rows, queries, rows
from pychat.stores.sqlite.appends import Logs
from pychat.stores.sqlite.read_pool import ReadPool
from pychat.stores.sqlite.writer import Writer
from pychat.stores.store import Report

__all__ = ["erase"]

_STRIDE = 200  # events a transaction


@dataclass(frozen=True, slots=True)
class _Chosen:
    """The numbers of chosen messages, and of other events of the author, in the log of that epoch."""

    epoch: str
    messages: list[int]
    others: list[int]


async def erase(writer: Writer, read_pool: ReadPool, room: str, choice: Choice, date: Callable[[], float]) -> list[int]:
    """Erase what `choice` has. Return the numbers of the messages that had something to erase."""
    await writer.change(room, lambda *_: None, author=choice.author or "", durable=False)  # all that is on its way
    chosen = await read_pool.read(lambda connection: _find(connection, room, choice))
    if chosen is None:
        return []
    erased = list[int]()
    last = ModerationErasure(choice.everything_of, frozenset(chosen.messages))
    for messages, others, erasure in [
        *((each, list[int](), None) for each in _strides(chosen.messages)),
        *((list[int](), each, None) for each in _strides(chosen.others)),
        ([], [], last),
    ]:
        reports = list[Report]()
        work = _stride(room, chosen.epoch, choice, messages, others, erasure, date, reports)
        erased += await writer.change(room, work, reports=reports)
    writer.wipe()
    return erased


def _stride(
    room: str,
    epoch: str,
    choice: Choice,
    messages: list[int],
    others: list[int],
    erasure: ModerationErasure | None,
    date: Callable[[], float],
    reports: list[Report],
) -> Callable[[sqlite3.Connection, Logs], list[int]]:
    def work(connection: sqlite3.Connection, logs: Logs) -> list[int]:
        state = logs.find(room)
        if state is None or state.epoch != epoch:  # the room was deleted meanwhile
            return []
        now = date()
        changed, deletions = logs.erase(room, messages, now)
        told: list[Report] = [*deletions, *logs.erase_other(room, others, now)]
        if erasure is not None:
            query = "DELETE FROM members WHERE room = ? AND id = ?"
            connection.execute(query, (state.number, erasure.author))
            if (moderated := moderation_rows.erase(connection, state.number, erasure, now)) is not None:
                told.append(moderated)
        queries.set_wiping(connection, True)
        reports[:] = [*told, choice.report(changed)]
        return changed

    return work


def _find(connection: sqlite3.Connection, name: str, choice: Choice) -> _Chosen | None:
    with queries.snapshot(connection):
        room = queries.room(connection, name)
        if room is None:
            return None
        found: list[tuple[int, str]]
        if choice.seqs is not None:
            places = [rows.place(room.number, seq) for seq in sorted(choice.seqs) if 0 < seq <= room.head]
            query = "SELECT place, kind, author, date FROM events WHERE place = ? AND kind = 'message'"
            each = (connection.execute(query, (place,)).fetchone() for place in places)
            found = [(row[0], row[1]) for row in each if row is not None and _fits(choice, row)]
        elif choice.author is not None:
            query = (
                "SELECT place, kind, author, date FROM events "
                "WHERE author = ? AND place >> 40 = ? AND NOT (name = '' AND coalesce(text, '') = '')"
            )
            found = [
                (row[0], row[1])
                for row in connection.execute(query, (choice.author, room.number))
                if _fits(choice, row)
            ]
        else:
            query = (
                "SELECT place, kind FROM events "
                "WHERE kind = 'message' AND place > ? AND place <= ? AND text IS NOT NULL AND date < ?"
            )
            span = rows.place(room.number, 0), rows.place(room.number, room.head)
            found = connection.execute(query, (*span, choice.before)).fetchall()
        first = rows.place(room.number, 0)
        return _Chosen(
            room.epoch,
            sorted(place - first for place, kind in found if kind == "message"),
            sorted(place - first for place, kind in found if kind != "message"),
        )


def _fits(choice: Choice, row: tuple[Any, ...]) -> bool:
    _, _, author, date = row
    return choice.author in (None, author) and (choice.before is None or date < choice.before)


def _strides(numbers: list[int]) -> list[list[int]]:
    return [numbers[start : start + _STRIDE] for start in range(0, len(numbers), _STRIDE)]
