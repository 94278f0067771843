"""The steps that Redis takes as one: the scripts in `lua/`, and how each is called. What they mean stands in them."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from importlib.resources import files

__all__ = ["STEPS", "Step"]

_FOLDER = files(__package__) / "lua"
_COMMON = (_FOLDER / "common.lua").read_text("utf-8")


@dataclass(frozen=True, slots=True)
class Step:
    """A script of Redis."""

    name: str
    text: str = field(repr=False)
    #: What Redis knows it by: the SHA-1 of its text.
    digest: str


def _read(name: str) -> Step:
    text = _COMMON + (_FOLDER / f"{name}.lua").read_text("utf-8")
    return Step(name, text, hashlib.sha1(text.encode(), usedforsecurity=False).hexdigest())


#: All of them, by name.
STEPS = {
    name: _read(name) for name in ("append", "beat", "check", "close", "compact", "guests", "history", "open", "signal")
}
