"""`pychat export`: chooses a room, writes it to a file or to standard output, and shows the progress."""

from __future__ import annotations

import contextlib
import os
import secrets
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import IO

import click

from pychat.cli.export.archive import Archive
from pychat.cli.export.forms import FORMS
from pychat.domain.errors import UsageError
from pychat.domain.model import Message

__all__ = ["export"]

_ENDINGS = {".jsonl": "jsonl", ".ndjson": "jsonl", ".txt": "text", ".text": "text", ".html": "html", ".htm": "html"}


def export(archive: Archive, room: str | None, form: str | None, output: str) -> None:
    """Write `room` in `form` to the file `output`, or to standard output for `-`. `None` is the only room.

    The file appears when it is complete. Raise `UsageError` if there is no such room, or the file cannot be written.
    """
    room, total = _choose(archive.rooms(), room)
    write = FORMS[form or _ENDINGS.get(Path(output).suffix.lower(), "jsonl")]
    with _opened(output) as file, _shown(archive.messages(room), room, total, output) as messages:
        for piece in write(archive.title(room), messages):
            file.write(piece.encode())


def _choose(rooms: dict[str, int], name: str | None) -> tuple[str, int]:
    names = ", ".join(rooms)
    if name is None:
        if len(rooms) > 1:
            raise UsageError(f"There are several rooms; choose one with --room: {names}.")
        if not rooms:
            raise UsageError("There is no room in this store yet.")
        (name,) = rooms
    if name not in rooms:
        raise UsageError(f"There is no room “{name}” in this store. Its rooms are: {names or 'none'}.")
    return name, rooms[name]


@contextlib.contextmanager
def _shown(messages: Iterable[Message], room: str, total: int, output: str) -> Iterator[Iterable[Message]]:
    """`messages`, with a progress bar if standard error is a terminal that shows nothing else."""
    if not sys.stderr.isatty() or (output == "-" and sys.stdout.isatty()):
        yield messages
        return
    with click.progressbar(
        messages,
        total,
        label=f"Exporting {room}",
        file=sys.stderr,
        show_pos=True,
        update_min_steps=max(1, total // 100),
    ) as bar:
        yield bar


@contextlib.contextmanager
def _opened(output: str) -> Iterator[IO[bytes]]:
    if output == "-":
        yield sys.stdout.buffer
        sys.stdout.buffer.flush()
        return
    path = Path(output).resolve()
    # Devices and pipes are written directly; a file has another name until it is complete.
    is_file = not path.exists() or path.is_file()
    unfinished = path.with_name(f".{path.name}.{secrets.token_hex(4)}") if is_file else path
    try:
        try:
            # Only the user may read a new file. A file that is replaced keeps its permissions.
            mode = path.stat().st_mode & 0o777 if path.exists() else 0o600
            with os.fdopen(os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "wb") as file:
                yield file
            if is_file:
                unfinished.replace(path)
        except BaseException:
            if is_file:
                unfinished.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise UsageError(f"{output} cannot be written: {error.strerror or error}.") from None
