"""A room in the list of a server."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["ListedRoom"]


@dataclass(frozen=True, slots=True)
class ListedRoom:
    """A room that the server lists and that you may read. `here` is the number of people in it."""

    name: str
    title: str
    here: int
