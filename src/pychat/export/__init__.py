"""Export: a room's messages written out, as JSON Lines, text or a page. `command` is `pychat export`."""

from __future__ import annotations

from .archive import Archive, open_archive
from .command import export
from .forms import FORMS

__all__ = ["FORMS", "Archive", "export", "open_archive"]
