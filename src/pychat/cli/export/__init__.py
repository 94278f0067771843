"""Writes the messages of a room as JSON Lines, text or HTML. `command` is `pychat export`."""

from __future__ import annotations

from pychat.cli.export.archive import Archive, open_archive
from pychat.cli.export.command import export
from pychat.cli.export.forms import FORMS

__all__ = ["FORMS", "Archive", "export", "open_archive"]
