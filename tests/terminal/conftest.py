"""What the client's tests share: reconnecting without long waits, and the next event of a kind."""

from __future__ import annotations

import pytest

from pychat.client import backoff


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody waits for seconds before the next attempt."""
    monkeypatch.setattr(backoff, "_FIRST_SECONDS", 0.02)
    monkeypatch.setattr(backoff, "_MAX_SECONDS", 0.1)
