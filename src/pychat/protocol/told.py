"""Counts the refusals that this process has told visitors, by code."""

from __future__ import annotations

from collections import Counter

from pychat.domain.errors import REFUSALS, Refused

__all__ = ["REFUSALS_TOLD", "count_refusal", "encode_error"]

#: Codes of the application are counted together, as `other`: there can be any number of them.
REFUSALS_TOLD: Counter[str] = Counter()


def count_refusal(refused: Refused) -> None:
    """Count a refusal that a visitor is told in another form than `encode_error`."""
    REFUSALS_TOLD[refused.code if refused.code in REFUSALS else "other"] += 1


def encode_error(refused: Refused) -> dict[str, str | float]:
    """The form of a refusal in the protocol, for the visitor who is told now."""
    count_refusal(refused)
    return refused.as_dict()
