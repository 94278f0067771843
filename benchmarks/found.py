"""What was found: the median of any number that was measured."""

from __future__ import annotations

import statistics
from dataclasses import dataclass

from benchmarks.load import Result

__all__ = ["Found"]


@dataclass(frozen=True)
class Found:
    """All results of one run of the benchmarks."""

    machine: str
    rounds: int
    results: list[Result]

    def all(self, cell: str, server: str, label: str, field: str) -> list[float]:
        """What each round gave."""
        return [
            float(each[field])
            for each in self.results
            if (each["cell"], each["server"], each["label"]) == (cell, server, label) and field in each
        ]

    def median(self, cell: str, server: str, label: str, field: str) -> float | None:
        """The median of the rounds; `None` if it was not measured."""
        values = self.all(cell, server, label, field)
        return statistics.median(values) if values else None

    def ratio(self, cell: str, label: str, field: str, peer: str, server: str = "pychat") -> float | None:
        """How many times more the peer takes than the server."""
        ours, theirs = (self.median(cell, name, label, field) for name in (server, peer))
        return theirs / ours if ours and theirs else None
