"""`pychat join`: a room on the whole terminal, drawn by Textual, which the extra `terminal` brings."""

from pychat.terminal.join.run import run

__all__ = ["run"]
