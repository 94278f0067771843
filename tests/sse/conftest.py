"""The fixture of the API's tests serves here as well."""

from __future__ import annotations

from tests.api.conftest import mounted

__all__ = ["mounted"]
