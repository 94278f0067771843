"""The rooms over plain HTTP: what there is to ask for, who may ask, and the document that describes it."""

from __future__ import annotations

from pychat.web.api.api import Api

__all__ = ["Api"]
