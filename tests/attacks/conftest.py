"""What the attacks share: a public server with bystanders."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Protocol

import pytest

from tests.attacks.public import PublicServer, public_server


class Public(Protocol):
    """How a test gets its server."""

    def __call__(self, *, arguments: tuple[str, ...] = ()) -> AbstractAsyncContextManager[PublicServer]:
        """Start `pychat serve` with more `arguments`, and let bystanders in."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """An attack, and the minute in which memory has to come back, take longer than other tests."""
    for item in items:
        if item.path.is_relative_to(Path(__file__).parent):
            item.add_marker(pytest.mark.timeout(180))


@pytest.fixture
def public(tmp_path: Path) -> Public:
    """How to start a public server with bystanders on every wire."""

    def start(*, arguments: tuple[str, ...] = ()) -> AbstractAsyncContextManager[PublicServer]:
        return public_server(tmp_path, arguments=arguments)

    return start
