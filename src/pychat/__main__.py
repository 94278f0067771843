"""Runs the command `pychat` for `python -m pychat`."""

from __future__ import annotations

from pychat.cli.main import main

main(prog_name="pychat")
