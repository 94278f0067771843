"""The table of all settings of `pychat serve`. Flags, environment variables and docs are made from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["SETTINGS", "Setting", "Settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """The description of one setting."""

    says: str
    name: str = ""
    default: Any = None
    metavar: str | None = None
    choices: tuple[str, ...] | None = None
    kind: type = str
    min: int | None = None
    max: int | None = None

    @property
    def flag(self) -> str:
        """The flag, for example `--log-format`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """The environment variable, for example `PYCHAT_LOG_FORMAT`."""
        return f"PYCHAT_{self.name.upper()}"

    @property
    def many(self) -> bool:
        """True if it can be given more than once."""
        return isinstance(self.default, tuple)


def _setting(default: Any, says: str, metavar: str | None = None, **about: Any) -> Any:  # noqa: ANN401 -- of any type
    return field(default=default, metadata={"setting": {"says": says, "metavar": metavar, **about}})


@dataclass(frozen=True, slots=True)
class Settings:
    """The table, and the values of one run. Settings that can be given more than once are tuples."""

    host: str = _setting(
        "127.0.0.1", "The address to listen on. With 0.0.0.0, other computers on your network can connect.", "ADDRESS"
    )
    port: int = _setting(3000, "The port to listen on; 0 picks a free one.", "NUMBER", min=0, max=65535)
    tls_cert: str | None = _setting(
        None,
        "A certificate file with its chain, to serve https and wss. On SIGHUP, the files are read again. "
        "[default: no TLS]",
        "FILE",
    )
    tls_key: str | None = _setting(None, "The private key of --tls-cert, if it is not in the certificate file.", "FILE")
    hsts: int | None = _setting(
        None,
        "How long browsers shall use only https for this host name (HSTS), on all its ports; 0 ends it. "
        "[default: 31536000, a year, with --tls-cert]",
        "SECONDS",
        kind=int,
        min=0,
        max=63_072_000,
    )
    irc_port: int | None = _setting(
        None,
        "The port for IRC clients. Usual ones are 6667, and 6697 with TLS. [default: no IRC]",
        "NUMBER",
        kind=int,
        min=0,
        max=65535,
    )
    irc_tls_cert: str | None = _setting(
        None, "A certificate file with its chain, to encrypt IRC. Needs --irc-port.", "FILE"
    )
    irc_tls_key: str | None = _setting(
        None, "The private key of --irc-tls-cert, if it is not in the certificate file.", "FILE"
    )
    title: str = _setting("pychat", "The title of the first room.", "TEXT")
    room: tuple[str, ...] = _setting(
        ("lobby",), "The name of a room. Its page is /rooms/NAME; the first one is also at /.", "NAME"
    )
    rooms: str = _setting(
        "fixed",
        "Which rooms there are. fixed: those of --room. open: also /rooms/NAME for any NAME, which the first visitor "
        "makes; people need to know the name. listed: the same, and all rooms are in the list of rooms.",
        choices=("fixed", "open", "listed"),
    )
    templates: str | None = _setting(None, "A directory with a page.html that replaces the one of pychat.", "DIR")
    language: str | None = _setting(
        None, "The language of people whose browser asks for none that there is: en, de, pt … [default: en]", "TAG"
    )
    push: str | None = _setting(
        None,
        "Tell people who are away of mentions and direct messages, if they ask for it, by the push service of their "
        "browser. CONTACT is for the operators of these services: mailto:you@example.com. Needs the extra push.",
        "CONTACT",
    )
    languages: str | None = _setting(
        None, "A directory with words of your own: sv.json adds Swedish, en.json changes English words.", "DIR"
    )
    no_markdown: bool = _setting(False, "Show messages as they were written, without Markdown.")
    accent: str | None = _setting(None, "The colour of buttons and links: #0b6e5d.", "COLOUR")
    logo: str | None = _setting(None, "A picture in place of pychat's mark: SVG, PNG, WebP, JPEG or GIF.", "FILE")
    store: str | None = _setting(
        None,
        "Where messages are stored: sqlite:PATH, redis://HOST, or memory: (until the server stops). "
        "[default: a SQLite file in your data directory; the server prints its path]",
        "URL",
    )
    keep_messages: int | None = _setting(
        None,
        "Keep about this number of messages in each room. [default: all]",
        "NUMBER",
        kind=int,
        min=1,
    )
    keep_days: int | None = _setting(
        None, "Delete messages after this number of days. [default: never]", "NUMBER", kind=int, min=1
    )
    grace: int = _setting(
        30, "How long the name of a person is held after the connection was lost.", "SECONDS", min=0, max=86_400
    )
    open: bool = _setting(False, "Open the page in a browser.")
    offline: str = _setting(
        "messages",
        "What browsers keep for when there is no network. messages: the page, and the last messages of the rooms that "
        "somebody was in. page: the page alone. off: nothing.",
        choices=("messages", "page", "off"),
    )
    dev: bool = _setting(False, "Serve the sources of the page's scripts and styles, for work on them.")
    quiet: bool = _setting(False, "Do not log the messages.")
    log_format: str = _setting(
        "text", "Log as text for people, or as one JSON object a line.", choices=("text", "json")
    )
    reserved_name: tuple[str, ...] = _setting(("admin",), "A nickname that nobody can take.", "NAME")
    name_length: int = _setting(32, "The longest nickname, in characters.", "NUMBER", min=1, max=200)
    text_length: int = _setting(2000, "The longest message, in characters.", "NUMBER", min=1, max=100_000)
    allow_origin: tuple[str, ...] = _setting(
        (), "Allow pages of another origin to connect: https://example.com, or * for all.", "ORIGIN"
    )
    frame_ancestors: tuple[str, ...] = _setting(
        ("self",),
        "Pages that may put the chat into a frame: https://example.com, self for those of the same origin, or none.",
        "ORIGIN",
    )
    allow_host: tuple[str, ...] = _setting(
        (),
        "Answer requests for this host name: chat.example.com, or * for any. Always allowed are IP addresses, "
        "localhost, the names of this machine, --host and the hosts of --allow-origin.",
        "NAME",
    )
    trusted_proxy: tuple[str, ...] = _setting(
        (), "The address or network of a proxy whose forwarding headers are trusted.", "ADDRESS"
    )
    api_token: tuple[str, ...] = _setting(
        (), "A token for programs that post over HTTP, under any name. At least 16 characters.", "TOKEN"
    )
    max_connections: int | None = _setting(
        None,
        "Connections at once, IRC excepted. [default: as many as files may be open, less an eighth and 64]",
        "NUMBER",
        kind=int,
        min=1,
    )
    max_per_address: int | None = _setting(
        None,
        "Connections of one address at once, IRC excepted; the first 64 bits of an IPv6 address count as one. "
        "[default: 5000, or half of all]",
        "NUMBER",
        kind=int,
        min=1,
    )
    irc_max_per_address: int = _setting(100, "IRC connections of one address at once.", "NUMBER", min=1)
    head_timeout: int = _setting(10, "How long the head of a request may take to come.", "SECONDS", min=1)
    body_timeout: int = _setting(10, "How long the body of a request may take to come.", "SECONDS", min=1)
    idle_timeout: int = _setting(75, "How long a connection may wait for its next request.", "SECONDS", min=1)
    handshake_timeout: int = _setting(
        10, "How long a client may take from its connection to the end of its handshake.", "SECONDS", min=1
    )
    enter_timeout: int = _setting(
        300,
        "How long a connection for many rooms may be in no room, unless it hears what is unread.",
        "SECONDS",
        min=1,
    )
    rate: tuple[str, ...] = _setting(
        (),
        "A rate: messages=5/50 allows a person 5 messages a second, and 50 at once; 0/1 removes it. "
        "docs/reference/limits.md lists all rates.",
        "NAME=PER_SECOND/BURST",
    )
    owner_token: str | None = _setting(
        None,
        "The token of the owner's link: whoever opens /#owner=TOKEN becomes an owner of the room. At least 16 "
        "characters. [default: a new one at each start, which is printed; none with --log-format json]",
        "TOKEN",
    )
    metrics_token: str | None = _setting(
        None,
        "The token with which monitoring reads /metrics, as Authorization: Bearer TOKEN. At least 16 characters. "
        "[default: there is no /metrics]",
        "TOKEN",
    )
    limits: str = _setting(
        "on", "off removes the limits on rates and connections, for measurements.", choices=("on", "off")
    )


#: All settings by name, in the order of the help.
SETTINGS: Mapping[str, Setting] = {
    each.name: Setting(name=each.name, default=each.default, **each.metadata["setting"]) for each in fields(Settings)
}
