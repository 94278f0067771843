"""Parses and formats lines of IRC, and splits a byte stream into lines.

Sources: RFC 2812, section 2.3, and IRCv3's message tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["LINE_BYTES", "SERVER", "TAG_BYTES", "BadLine", "Line", "LineBuffer"]

#: The source of the server's own lines.
SERVER = "irc.pychat"
#: The longest line, without its tags, with its line end.
LINE_BYTES = 512
#: The longest tags, with the `@` before and the space after them.
TAG_BYTES = 8191

_ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_UNESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_FORBIDDEN = ("\0", "\r", "\n")


class BadLine(Exception):
    """Invalid input. `code` is a code of IRCv3's standard replies, `text` is for people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a command with its parameters, source and tags."""

    command: str
    params: tuple[str, ...] = ()
    source: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: bytes) -> Line:
        """Parse a line without its line end. Raise `BadLine`."""
        head, _, rest = raw.partition(b" ") if raw.startswith(b"@") else (b"", b"", raw)
        if len(head) + 1 > TAG_BYTES or len(rest) > LINE_BYTES - 2:
            raise BadLine(
                "INPUT_TOO_LONG", f"A line can have {LINE_BYTES} bytes at most. This server does not cut lines."
            )
        try:
            text, tags = rest.decode(), head.decode()
        except UnicodeDecodeError:
            raise BadLine("INVALID_UTF8", "This is not UTF-8. Set your client to UTF-8.") from None
        if "\0" in text or "\r" in text or "\n" in text:
            raise BadLine("BAD_LINE", "A line cannot hold NUL, CR or LF.")
        text = text.lstrip(" ")
        source = None
        if text.startswith(":"):
            source, _, text = text[1:].partition(" ")
        text, colon, trailing = f" {text}".partition(" :")
        words = text.split(" ")
        params = [word for word in words if word]
        if colon:
            params.append(trailing)
        if not params or (colon and len(params) == 1):
            raise BadLine("BAD_LINE", "There is no command in this line.")
        return cls(params[0].upper(), tuple(params[1:]), source or None, _parse_tags(tags[1:]))

    def format(self) -> str:
        """The line as text, without its line end. Raise `ValueError` if a part of it is not allowed in a line."""
        words = [self.command, *self.params[:-1]]
        if self.command.startswith("@") or any(not word or " " in word or word.startswith(":") for word in words):
            msg = f"only the last parameter may be empty, hold spaces or begin with a colon; no command with @: {self}"
            raise ValueError(msg)
        parts = []
        if self.tags:
            parts.append(
                "@" + ";".join(f"{key}={_escape(value)}" if value else key for key, value in self.tags.items())
            )
        if self.source:
            parts.append(f":{self.source}")
        parts += words
        if self.params:
            last = self.params[-1]
            # The colon is optional before a single word, but some clients expect it before a text.
            colon = len(self.params) > 1 or not last or " " in last or last.startswith(":")
            parts.append(f":{last}" if colon else last)
        line = " ".join(parts)
        if any(sign in line for sign in _FORBIDDEN):
            msg = f"a line cannot hold NUL, CR or LF: {self!r}"
            raise ValueError(msg)
        return line

    def encode(self) -> bytes:
        """The line as bytes, with its line end."""
        return f"{self.format()}\r\n".encode()


class LineBuffer:
    """Splits a byte stream into lines. Holds at most one line."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """Yield the lines that `data` completes, without line ends or empty lines; `None` for one that is too long."""
        ends = data.split(b"\n")
        self._rest += ends[0]  # in place, so that a line that comes byte by byte is not copied each time
        for rest in ends[1:]:
            line = bytes(self._rest).rstrip(b"\r")
            self._rest = bytearray(rest)
            if self._skipping or len(line) > TAG_BYTES + LINE_BYTES:
                self._skipping = False
                yield None
            elif line:
                yield line
        if len(self._rest) > TAG_BYTES + LINE_BYTES:
            self._skipping = True
        if self._skipping:
            self._rest.clear()


def _parse_tags(text: str) -> dict[str, str]:
    tags = {}
    for tag in text.split(";"):
        key, _, value = tag.partition("=")
        if key:
            tags[key] = _unescape(value)
    return tags


def _escape(value: str) -> str:
    return "".join(_ESCAPES.get(sign, sign) for sign in value)


def _unescape(value: str) -> str:
    found, signs = [], iter(value)
    for sign in signs:
        following = next(signs, "") if sign == "\\" else sign
        found.append(_UNESCAPES.get(following, following) if sign == "\\" else sign)
    return "".join(found)
