"""All private parts of python-socketio that `adapter` and `manager` use.

A new minor version may change these without notice. `moved()` says what did; a test fails on it. The versions of
python-socketio and of python-engineio below it are pinned to these minors in `pyproject.toml`.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version

import socketio

__all__ = ["VERSIONS", "moved"]

#: The minor versions that this package was written against.
VERSIONS = {"python-socketio": "5.18", "python-engineio": "4.15"}

#: What is overridden, and so must still be called, with these arguments.
_OVERRIDDEN: dict[type, dict[str, str]] = {
    socketio.AsyncServer: {
        "on": "(self, event, handler=None, namespace=None)",
        "attach": "(self, app, socketio_path='socket.io')",
        "call": "(self, event, data=None, to=None, sid=None, namespace=None, timeout=60, ignore_queue=False)",
        "transport": "(self, sid, namespace=None)",
        "get_environ": "(self, sid, namespace=None)",
        "get_session": "(self, sid, namespace=None)",
        "save_session": "(self, sid, session, namespace=None)",
        "disconnect": "(self, sid, namespace=None, ignore_queue=False)",
        "shutdown": "(self)",
        "handle_request": "(self, *args, **kwargs)",
        "start_background_task": "(self, target, *args, **kwargs)",
        "sleep": "(self, seconds=0)",
    },
    socketio.AsyncManager: {
        "set_server": "(self, server)",
        "emit": "(self, event, data, namespace, room=None, skip_sid=None, callback=None, to=None, **kwargs)",
        "can_disconnect": "(self, sid, namespace)",
        "is_connected": "(self, sid, namespace)",
        "get_participants": "(self, namespace, room)",
        "get_rooms": "(self, sid, namespace)",
        "basic_enter_room": "(self, sid, namespace, room, eio_sid=None)",
        "basic_leave_room": "(self, sid, namespace, room)",
        "basic_close_room": "(self, room, namespace)",
    },
}

#: What is used as it is: methods of the library that call those above.
_USED: dict[type, dict[str, str]] = {
    socketio.AsyncServer: {
        "event": "(self, *args, **kwargs)",
        "register_namespace": "(self, namespace_handler)",
        "emit": "(self, event, data=None, to=None, room=None, skip_sid=None, namespace=None, callback=None,"
        " ignore_queue=False)",
        "send": "(self, data, to=None, room=None, skip_sid=None, namespace=None, callback=None, ignore_queue=False)",
        "enter_room": "(self, sid, room, namespace=None)",
        "leave_room": "(self, sid, room, namespace=None)",
        "close_room": "(self, room, namespace=None)",
        "rooms": "(self, sid, namespace=None)",
        "session": "(self, sid, namespace=None)",
    },
    socketio.AsyncManager: {
        "initialize": "(self)",
        "_generate_ack_id": "(self, sid, callback)",
        "trigger_callback": "(self, sid, id, data)",
    },
}

#: Attributes that the library's server and manager make, and that are replaced or read.
_ATTRIBUTES = {"": "eio handlers namespace_handlers not_handled manager reason", "manager": "rooms callbacks json"}


def moved() -> list[str]:
    """What has changed in the libraries since this was written."""
    found = [
        f"{name} is {version(name)}, not {expected}.x"
        for name, expected in VERSIONS.items()
        if not version(name).startswith(expected + ".")
    ]
    for table in (_OVERRIDDEN, _USED):
        for owner, names in table.items():
            for name, signature in names.items():
                member = getattr(owner, name, None)
                if member is None:
                    found.append(f"{owner.__name__}.{name} is gone")
                elif str(inspect.signature(member)) != signature:
                    found.append(f"{owner.__name__}.{name} takes {inspect.signature(member)}, not {signature}")
    plain = socketio.AsyncServer(async_mode="asgi")
    for below, attributes in _ATTRIBUTES.items():
        holder = getattr(plain, below) if below else plain
        found += [f"socketio.AsyncServer().{below}.{n} is gone" for n in attributes.split() if not hasattr(holder, n)]
    return found
