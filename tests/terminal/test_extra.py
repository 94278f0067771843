"""Only `pychat join` needs the extra, and says so where it is missing."""

from __future__ import annotations

import subprocess
import sys


def test_without_the_extra_one_is_told_what_to_install() -> None:
    """One line, and status 1."""
    code = "import sys; sys.modules['textual'] = None; from pychat.cli.main import main; main(['join', 'http://localhost:1'])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == 'pychat: This needs another package. Run in the checkout: pip install ".[terminal]"\n'


def test_the_other_commands_load_none_of_it() -> None:
    """Neither do the client, and what `tail` and `post` do."""
    code = (
        "import sys, pychat, pychat.cli.main, pychat.terminal.tail, pychat.terminal.post; pychat.Client\n"
        "print({'textual', 'rich', 'jinja2', 'socketio', 'engineio', 'redis'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"


def test_naming_the_client_loads_no_server() -> None:
    """A bot that imports `pychat.Client` has aiohttp's client, and no room."""
    code = "import sys, pychat; pychat.Client; print({'pychat.room.chatroom', 'pychat.room.session', 'pychat.domain.rules'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "set()\n"
