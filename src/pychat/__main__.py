"""`python -m pychat` is `pychat`."""

from __future__ import annotations

from pychat.cli import main

main(prog_name="pychat")
