"""Everything private of python-socketio and python-engineio that this package leans on, in one place.

A new minor version of either may change these without a word. `moved()` says what did; a test fails on it. The two
versions are pinned to these minors in `pyproject.toml`.
"""

from __future__ import annotations

import inspect
from importlib.metadata import version

import engineio
import socketio
import socketio.packet

__all__ = ["VERSIONS", "moved"]

#: The minor versions that this package was written against.
VERSIONS = {"python-socketio": "5.18", "python-engineio": "4.15"}

#: What is overridden, and so must still be called, with these arguments.
_OVERRIDDEN: dict[type, dict[str, str]] = {
    engineio.AsyncServer: {
        "attach": "(self, app, engineio_path='engine.io')",
        "handle_request": "(self, *args, **kwargs)",
        "send": "(self, sid, data)",
        "send_packet": "(self, sid, pkt)",
        "disconnect": "(self, sid=None)",
        "shutdown": "(self)",
        "_get_socket": "(self, sid)",
    },
    socketio.AsyncServer: {
        "_engineio_server_class": "(self)",
        "_get_event_handler": "(self, event, namespace, args)",
        "_send_packet": "(self, eio_sid, pkt)",
        "_send_eio_packet": "(self, eio_sid, eio_pkt)",
        "disconnect": "(self, sid, namespace=None, ignore_queue=False)",
        "shutdown": "(self)",
        # Not called any more: the session feeds the server directly.
        "_handle_eio_connect": "(self, eio_sid, environ)",
        "_handle_eio_message": "(self, eio_sid, data)",
        "_handle_eio_disconnect": "(self, eio_sid, reason)",
    },
    socketio.AsyncManager: {
        "emit": "(self, event, data, namespace, room=None, skip_sid=None, callback=None, to=None, **kwargs)",
        "pre_connect": "(self, eio_sid, namespace)",
        "connect": "(self, sid, namespace)",
        "disconnect": "(self, sid, namespace, **kwargs)",
        "can_disconnect": "(self, sid, namespace)",
        "pre_disconnect": "(self, sid, namespace)",
        "is_pre_connected": "(self, sid, namespace)",
        "is_connected": "(self, sid, namespace)",
        "sid_from_eio_sid": "(self, eio_sid, namespace)",
        "eio_sid_from_sid": "(self, sid, namespace)",
        "is_sid_room": "(self, namespace, room)",
        "get_participants": "(self, namespace, room)",
        "get_rooms": "(self, sid, namespace)",
        "basic_disconnect": "(self, sid, namespace, **kwargs)",
        "basic_enter_room": "(self, sid, namespace, room, eio_sid=None)",
        "basic_leave_room": "(self, sid, namespace, room)",
        "basic_close_room": "(self, room, namespace)",
    },
    socketio.packet.Packet: {
        "__init__": "(self, packet_type=2, data=None, namespace=None, id=None, binary=None, encoded_packet=None)",
        "decode": "(self, encoded_packet)",
        "data_is_binary": "(data)",
    },
}

#: What is called or read, beside the documented interface.
_USED: dict[type, dict[str, str | None]] = {
    engineio.AsyncServer: {
        "_generate_sid_cookie": "(self, sid, attributes)",
        "generate_id": "(self)",
        "get_session": "(self, sid)",
        "transport": "(self, sid)",
        "reason": None,
    },
    socketio.AsyncServer: {
        "_trigger_event": "(self, event, namespace, *args)",
        "_get_namespace_handler": "(self, namespace, args)",
    },
    socketio.AsyncManager: {
        "_generate_ack_id": "(self, sid, callback)",
        "trigger_callback": "(self, sid, id, data)",
        "initialize": "(self)",
        "set_server": "(self, server)",
    },
    socketio.packet.Packet: {"encode": "(self)", "add_attachment": "(self, attachment)"},
}

#: Attributes that an instance of socketio.AsyncServer must have, beneath it `eio` and `manager`.
_ATTRIBUTES = {
    "": "environ handlers namespace_handlers namespaces not_handled always_connect packet_class manager_initialized",
    "eio": "ping_interval ping_timeout ping_interval_grace_period max_http_buffer_size transports allow_upgrades"
    " http_compression compression_threshold cookie cors_credentials sockets",
    "manager": "rooms callbacks server",
}


def moved() -> list[str]:
    """What is not as it was when this was written; empty when all is well."""
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
                elif signature is not None and str(inspect.signature(member)) != signature:
                    found.append(f"{owner.__name__}.{name} takes {inspect.signature(member)}, not {signature}")
    plain = socketio.AsyncServer(async_mode="asgi")
    for below, attributes in _ATTRIBUTES.items():
        holder = getattr(plain, below) if below else plain
        found += [f"socketio.AsyncServer().{below}.{n} is gone" for n in attributes.split() if not hasattr(holder, n)]
    return found
