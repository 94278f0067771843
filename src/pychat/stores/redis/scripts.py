"""The Lua scripts in `lua/`. Redis runs each atomically. Their arguments are documented in the scripts."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files

__all__ = ["SCRIPTS", "Script"]

_FOLDER = files(__package__) / "lua"
_COMMON = (_FOLDER / "common.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Script:
    """A Lua script."""

    name: str
    text: str = field(repr=False)
    #: The SHA-1 of the text, by which Redis knows the script.
    digest: str


def _read(name: str) -> Script:
    text = _COMMON + (_FOLDER / f"{name}.lua").read_text("utf-8")
    return Script(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


#: All scripts by name.
SCRIPTS = {
    path.name.removesuffix(".lua"): _read(path.name.removesuffix(".lua"))
    for path in _FOLDER.iterdir()
    if path.name.endswith(".lua") and path.name != "common.lua"
}
