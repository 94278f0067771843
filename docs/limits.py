"""The limits that are no rates: what is limited, how much, and what sets it. The numbers are those of the code.

`{room.workers._MAX_THREADS}` stands for the value of that name in `pychat.room.workers`; the last parts may be
attributes or keys.
"""

from __future__ import annotations

import importlib
import re
from functools import reduce
from typing import Any

__all__ = ["LIMITS", "resolved"]

#: For each section: what is limited, the limit, and what sets it.
LIMITS: dict[str, tuple[tuple[str, str, str], ...]] = {
    "Connections": (
        (
            "connections to `pychat serve`",
            "as many as there are [open files](settings.md#open-files), less an eighth and 64",
            "`--max-connections`, `ulimit -n`",
        ),
        (
            "of those, from one address",
            "{cli.serve._MAX_PER_ADDRESS}, or half of all",
            "`--max-per-address`",
        ),
        (
            "WebSockets, Socket.IO sessions and event streams of a mount",
            "{hosts.mount._COUNTS.max_connections} together",
            "`max_connections=…`",
        ),
        (
            "of those, from one address",
            "{hosts.mount._COUNTS.max_connections_per_address}",
            "`max_connections_per_address=…`, `--max-per-address`",
        ),
        (
            "Socket.IO sessions that have not finished their handshake",
            "{hosts.mount._COUNTS.max_pending}; {hosts.mount._COUNTS.max_pending_per_address} from one address",
            "`max_pending=…`, `max_pending_per_address=…`",
        ),
        (
            "connections to the IRC server",
            "{net.process._MAX_IRC_CLIENTS}; {cli.settings.SETTINGS.irc_max_per_address.default} from one address",
            "`IrcServer(max_clients=…, max_per_address=…)`, `--irc-max-per-address`",
        ),
        (
            "rooms that a person is in, on version 2 of the protocol",
            (
                "1,000; every ten rooms in `enter` count as one command, and one begins to be entered in each"
                " turn of the"
                " event loop"
            ),
            "`Chat(max_rooms_per_person=…)`",
        ),
        (
            "rooms that visitors of one address made and that are open",
            "{cli.visitor_rooms._MAX_OPEN}",
            "`--rooms`",
        ),
        (
            "looks for rooms of one person, or of the guests of an address, at the same time",
            "{room.lookups._UNDER_WAY}; the next wait",
            "",
        ),
    ),
    "Times": (
        (
            "the head of a request to `pychat serve`",
            "{cli.settings.SETTINGS.head_timeout.default} seconds to come",
            "`--head-timeout`",
        ),
        (
            "a TLS handshake with `pychat serve`",
            "{cli.settings.SETTINGS.head_timeout.default} seconds; it counts as a connection, and in `handshakes`",
            "`--head-timeout`",
        ),
        (
            "the body of a request",
            "{cli.settings.SETTINGS.body_timeout.default} seconds to come",
            "`body_seconds=…`, `--body-timeout`; on a Socket.IO server of your own: `body_timeout=…`",
        ),
        (
            "a connection to `pychat serve` that waits for its next request",
            "{cli.settings.SETTINGS.idle_timeout.default} seconds",
            "`--idle-timeout`",
        ),
        (
            "the handshake: CONNECT on Socket.IO, `hello` on a WebSocket of version 2, `NICK` and `USER` on IRC",
            "{cli.settings.SETTINGS.handshake_timeout.default} seconds to come",
            "`handshake_seconds=…`, `--handshake-timeout`, `IrcServer(registration_seconds=…)`",
        ),
        (
            "a connection of version 2 that is in no room, and does not hear what is unread",
            "{cli.settings.SETTINGS.enter_timeout.default} seconds",
            "`enter_seconds=…`, `--enter-timeout`",
        ),
        (
            "an upgrade from polling to WebSocket, on Socket.IO",
            "10 seconds; past them, the session stays on polling",
            "`upgrade_timeout=…` of a server of your own",
        ),
        (
            "a polling client that was put out, on Socket.IO",
            "3 seconds to poll and hear why; the latest of them, as many as may be connected",
            "",
        ),
        ("a client that answers no ping", "20 seconds on Socket.IO, 75 on IRC", "`ping_timeout=…`, `ping_seconds=…`"),
        ("a connection that reads nothing", "is cut after {net.process.UNREAD_SECONDS} seconds, on Linux", ""),
        (
            "time to read an answer over HTTP",
            "10 seconds, and one second for each 16 KiB; then the connection is cut",
            "",
        ),
        ("`authenticate`, `access` and `find_room`", "{room.app_function._ANSWER_SECONDS} seconds to answer", ""),
    ),
    "Sizes": (
        ("a nickname", "{cli.settings.SETTINGS.name_length.default} characters", "`--name-length`, `Limits(name=…)`"),
        ("a message", "{cli.settings.SETTINGS.text_length.default} characters", "`--text-length`, `Limits(text=…)`"),
        (
            "a nickname or a message that is checked before it is refused",
            "{domain.limits.PRECHECK_FACTOR} times its limit",
            "the two above",
        ),
        ("combining marks in a row, in a message", "{domain.texts._MAX_MARKS}", ""),
        (
            "kinds of reactions on one message",
            "{domain.revision.MAX_REACTIONS}; one emoji of Unicode each",
            "",
        ),
        ("the text of a search", "{domain.limits._MAX_SEARCH} characters", ""),
        (
            "bytes in one frame from a client, and in the body of a request",
            "12 for each character of the longest text, and 4,096 more: 28,096, attachments included",
            "`Limits(text=…)`",
        ),
        (
            "bytes, and packets, in the body of a client that polls (Socket.IO)",
            (
                "{transports.socketio.transport._BODY_BYTES}, or two of the largest messages if that is more;"
                " 4,096 packets"
            ),
            "`Limits(text=…)`",
        ),
        (
            "the head of a request to `pychat serve`",
            (
                "{transports.socketio.handshake_router.MAX_HEAD_BYTES} bytes,"
                " {transports.socketio.handshake_router.MAX_FIELDS} headers; the next only after the answer"
            ),
            "",
        ),
        (
            "a body in chunks (`pychat serve`)",
            (
                "{hosts.connection._MAX_LINE_ENDS} line ends, those between its chunks included; twice the"
                " largest body of a"
                " client that polls, and 64 KiB"
            ),
            "`Limits(text=…)`",
        ),
        ("bytes of Socket.IO's `auth`", "4,096; they are discarded afterwards", ""),
        (
            "attachments that a Socket.IO client announced",
            "{transports.socketio.packet.MAX_ATTACHMENTS} for one event, 30 seconds to arrive",
            "",
        ),
        ("fragments of one WebSocket message", "{net.websocket.protocol.MAX_FRAGMENTS}; then 1008", ""),
        ("bytes in a page of history, on every wire", "256 KiB, or a single message", ""),
        ("messages that a new visitor gets", "50", "`Limits(history=…)`"),
        ("characters in those messages", "{room.recent._PAGE_CHARACTERS}, or a single message", ""),
        ("messages in one answer or one recovery", "1,000", "`Limits(page=…)`"),
        ("names in the list of people", "250; with more, clients get their number", "`Limits(listed=…)`"),
    ),
    "What waits": (
        (
            "bytes that wait for a slow reader, beside the largest frame",
            "{net.websocket.connection.DEFAULT_BUFFER_BYTES}; then 4001",
            "`max_buffer_bytes=…` of a mount",
        ),
        (
            "commands of a client on a WebSocket that has {net.slow_readers.backpressure.UNREAD_BYTES} bytes to read",
            "they wait until it has read",
            "",
        ),
        (
            "packets before a Socket.IO client has connected to a namespace",
            "{transports.socketio.engineio.socket.MAX_EARLY}",
            "",
        ),
        ("waiting events of a Socket.IO client", "64 KiB of JSON, then its socket is not read", ""),
        (
            "waiting data for a polling client (Socket.IO) that sends commands",
            "256 KiB beside the largest frame, then its events wait until it polls",
            "a quarter of `max_buffer_bytes=…`",
        ),
        (
            "commands on version 2 that have no answer yet",
            (
                "{transports.person.connection._MAX_UNDER_WAY}, and 256 KiB on a plain WebSocket; then the"
                " connection is not"
                " read"
            ),
            "",
        ),
        (
            "requests that read, at the same time",
            "{web.api.turns._AT_ONCE}, and one for each address, user or program's token; others wait",
            "",
        ),
        (
            "reads of the history by commands, in each room",
            "one begins in each turn of the event loop, in the order in which they came",
            "",
        ),
        (
            "data of one connection in one turn of the event loop",
            (
                "{net.websocket.protocol.FRAMES_PER_TURN} frames, or 64 KiB and one message; the rest waits for"
                " the next"
                " turns"
            ),
            "",
        ),
        (
            "bytes of unread answers over HTTP",
            "32 MiB in total; above that, the oldest answer to the address with the most unread bytes is cut off",
            "",
        ),
        (
            "bytes of unread frames above 64 KiB (pages, missed messages), on WebSockets, polls, streams and IRC",
            (
                "64 MiB in total; above that, connections of the address with the most unread bytes are closed"
                " (4001), the"
                " oldest first"
            ),
            "",
        ),
        (
            "messages that wait for the disk (SQLite)",
            "32 MiB in total; of one author at most what is still free; authors take turns",
            "",
        ),
        (
            "plain `authenticate` functions and hooks at the same time",
            (
                "{room.workers._MAX_THREADS} threads of the process, and as many for each of four more levels"
                " of hooks that"
                " wait for hooks"
            ),
            "",
        ),
        ("messages kept in memory", "10,000 a room", "[the store](../how-to/keep-messages.md)"),
    ),
}

_NAME = re.compile(r"\{([\w.]+)\}")


def resolved(text: str) -> str:
    """`text` with the values of the code."""
    return _NAME.sub(lambda found: _value(found[1].split(".")), text)


def _value(path: list[str]) -> str:
    for end in range(len(path) - 1, 0, -1):
        try:
            module = importlib.import_module(".".join(["pychat", *path[:end]]))
        except ModuleNotFoundError:
            continue
        value: Any = reduce(_part, path[end:], module)
        return f"{value:,}"
    raise LookupError(".".join(path))


def _part(thing: Any, name: str) -> Any:  # noqa: ANN401 -- anything in the code
    return thing[name] if isinstance(thing, dict) else getattr(thing, name)
