"""The page's modules that need no browser, under Node's own test runner."""

from __future__ import annotations

import subprocess
from pathlib import Path


def test_the_modules_keep_their_promises() -> None:
    """All tests in this folder pass; what failed, and why, is in Node's report."""
    tests = sorted(str(file) for file in Path(__file__).parent.glob("*.test.mjs"))
    done = subprocess.run(["node", "--test", *tests], capture_output=True, text=True, check=False, timeout=50)
    assert 0 == done.returncode, done.stdout
