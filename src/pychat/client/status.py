"""How it stands with a client's connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

__all__ = ["State"]


@dataclass(frozen=True, slots=True)
class State:
    """How it stands with the connection: `text` says why, for people; while waiting, `retry_in` how many seconds."""

    name: Literal["connecting", "live", "reconnecting", "closed"]
    text: str = ""
    retry_in: float | None = None
