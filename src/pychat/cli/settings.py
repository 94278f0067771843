"""Every setting of `pychat serve`, in one table: it makes the flags, the environment variables and the docs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from typing import Any

__all__ = ["SETTINGS", "Setting", "Settings"]


@dataclass(frozen=True, slots=True)
class Setting:
    """What is to be known of one setting, besides its value."""

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
        """Such as `--log-format`."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def variable(self) -> str:
        """Such as `PYCHAT_LOG_FORMAT`."""
        return f"PYCHAT_{self.name.upper()}"

    @property
    def many(self) -> bool:
        """Whether it can be given more than once."""
        return isinstance(self.default, tuple)


def _setting(default: Any, says: str, metavar: str | None = None, **about: Any) -> Any:  # noqa: ANN401 -- of any type
    return field(default=default, metadata={"setting": {"says": says, "metavar": metavar, **about}})


@dataclass(frozen=True, slots=True)
class Settings:
    """The table, and one run's values. Tuples are settings that can be given more than once."""

    host: str = _setting("127.0.0.1", "The address to listen on. 0.0.0.0 lets your network in.", "ADDRESS")
    port: int = _setting(3000, "The port to listen on; 0 picks a free one.", "NUMBER", min=0, max=65535)
    irc_port: int | None = _setting(
        None,
        "Let IRC clients in too, at this port; 6667 is usual, 6697 with TLS.",
        "NUMBER",
        kind=int,
        min=0,
        max=65535,
    )
    irc_tls_cert: str | None = _setting(None, "Encrypt IRC: a file with the certificate and its chain.", "FILE")
    irc_tls_key: str | None = _setting(None, "The certificate's key, if it is in a file of its own.", "FILE")
    title: str = _setting("pychat", "What stands at the top of the first room's page.", "TEXT")
    room: tuple[str, ...] = _setting(("lobby",), "A room's name. The first is at /, each is at /rooms/NAME.", "NAME")
    templates: str | None = _setting(None, "A directory whose page.html is used instead of pychat's.", "DIR")
    store: str | None = _setting(
        None,
        "Where messages are kept: sqlite:PATH, redis://HOST, or memory: (until the server stops). "
        "Left out, in a file among your data, which is named at the start.",
        "URL",
    )
    keep_messages: int | None = _setting(
        None, "Keep about this many of a room's newest messages.", "NUMBER", kind=int, min=1
    )
    keep_days: int | None = _setting(None, "Keep messages for so many days.", "NUMBER", kind=int, min=1)
    grace: int = _setting(
        30, "Hold the name of who lost the connection for so many seconds.", "SECONDS", min=0, max=86_400
    )
    open: bool = _setting(False, "Open the page in a browser.")
    quiet: bool = _setting(False, "Do not log what people write.")
    log_format: str = _setting("text", "Text for people, or one JSON object a line.", choices=("text", "json"))
    reserved_name: tuple[str, ...] = _setting(("admin",), "A nickname that nobody can take.", "NAME")
    name_length: int = _setting(32, "The longest nickname, in characters.", "NUMBER", min=1, max=200)
    text_length: int = _setting(2000, "The longest message, in characters.", "NUMBER", min=1, max=100_000)
    allow_origin: tuple[str, ...] = _setting(
        (), "Let pages of another origin connect: https://example.com, or * for all.", "ORIGIN"
    )
    allow_host: tuple[str, ...] = _setting(
        (),
        "Answer to this host name too, beside addresses, localhost, this machine's names, --host and the hosts of "
        "--allow-origin: chat.example.com, or * for any.",
        "NAME",
    )
    trusted_proxy: tuple[str, ...] = _setting(
        (), "Believe X-Forwarded-For and -Host of this proxy: an address or network.", "ADDRESS"
    )
    api_token: tuple[str, ...] = _setting(
        (), "A token with which programs may post over HTTP as anybody, 16 characters or more.", "TOKEN"
    )
    limits: str = _setting("on", "off lifts rates and connection limits, for measuring.", choices=("on", "off"))


#: All settings by name, in the order of the help.
SETTINGS: Mapping[str, Setting] = {
    each.name: Setting(name=each.name, default=each.default, **each.metadata["setting"]) for each in fields(Settings)
}
