"""The exit codes of the terminal commands, and the error line on standard error."""

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
    """Run a command; `interrupted` is its exit code after Ctrl-C.

    0: done, or the reader of the output has closed it. 1: refused, unreachable, or ended by the server. 2: invalid use,
    for example a malformed URL.
    """
    try:
        asyncio.run(work)
    except KeyboardInterrupt:
        raise SystemExit(interrupted) from None
    except BrokenPipeError:
        # Discard what Python still writes at exit, without an error.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
    except ChatError as error:
        print(f"pychat: {safe(str(error))}", file=sys.stderr)  # noqa: T201 -- a command speaks by printing
        raise SystemExit(2 if isinstance(error, UsageError) else 1) from None
