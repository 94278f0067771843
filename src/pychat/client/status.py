"""The state of a client's connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["State"]


@dataclass(frozen=True, slots=True)
class State:
    """The state of the connection. `text` is the reason, for people; `retry_in` the seconds to the next attempt."""

    name: Literal["connecting", "live", "reconnecting", "closed"]
    text: str = ""
    retry_in: float | None = None
