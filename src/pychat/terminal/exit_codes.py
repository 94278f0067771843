"""How a command of the terminal ends: its exit status, and the one line that says why."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Coroutine
from typing import Any

from pychat.domain.errors import ChatError, UsageError
from pychat.terminal.escaping import safe

__all__ = ["run"]


def run(work: Coroutine[Any, Any, None], *, interrupted: int = 130) -> None:
    """Run a command to its end; `interrupted` is its status after Ctrl-C.

    0: done, or nobody reads any more. 1: refused, not reached, or ended by the server. 2: asked for what cannot be.
    """
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise SystemExit(interrupted) from None
    except BrokenPipeError:
        # What Python would still write at its end goes nowhere, without a word.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except ChatError as error:
        print(f"pychat: {safe(str(error))}", file=sys.stderr)  # noqa: T201 -- a command speaks by printing
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from None
