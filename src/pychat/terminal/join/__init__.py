"""`pychat join`: a room on the whole terminal, drawn by Textual, which the extra `terminal` brings."""

from .run import run

__all__ = ["run"]
