"""`python -m pychat` is `pychat`."""

from __future__ import annotations

from pychat.cli.main import main

main(prog_name="pychat")
