"""The settings of a room that is made at run time, and their form in a store."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any

from pychat.domain.errors import UsageError
from pychat.domain.limits import Limits

__all__ = ["RoomSettings"]


@dataclass(frozen=True, slots=True)
class RoomSettings:
    """What a room is: the result of `find_room`. `None` means the value of the `Chat`; for `title`, the name.

    A room with `listed=False` is in no list of rooms: people find it by its name, or follow it.
    """

    title: str | None = None
    limits: Limits | None = None
    reserved_names: tuple[str, ...] | None = None
    grace: float | None = None
    listed: bool = True

    def as_json(self) -> dict[str, Any]:
        """The settings that differ from those of the `Chat`, without the title, as a store keeps them."""
        told: dict[str, Any] = {}
        if self.limits is not None:
            told["limits"] = asdict(self.limits)
        if self.reserved_names is not None:
            told["reserved_names"] = list(self.reserved_names)
        if self.grace is not None:
            told["grace"] = self.grace
        if not self.listed:
            told["listed"] = False
        return told

    @classmethod
    def from_json(cls, title: str, told: Mapping[str, Any]) -> RoomSettings:
        """The settings that a store kept. What a newer version stored, and this one does not know, is left out."""
        limits, reserved, grace = told.get("limits"), told.get("reserved_names"), told.get("grace")
        known = {each.name for each in fields(Limits)}
        try:
            return cls(
                title,
                None if limits is None else Limits(**{key: value for key, value in limits.items() if key in known}),
                None if reserved is None else tuple(map(str, reserved)),
                None if grace is None else float(grace),
                bool(told.get("listed", True)),
            )
        except (TypeError, ValueError, AttributeError, UsageError):
            return cls(title)
