"""Lines of IRC: bytes to `Line` and back, and a buffer that cuts what arrives into lines. No socket, no meaning.

After RFC 2812, section 2.3, and IRCv3's message tags.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["LINE_BYTES", "TAG_BYTES", "BadLine", "Line", "LineBuffer"]

#: The longest line without its tags, with the two bytes of its end.
LINE_BYTES = 512
#: The longest tags, with the `@` and the space after them.
TAG_BYTES = 8191

_ESCAPES = {";": "\\:", " ": "\\s", "\\": "\\\\", "\r": "\\r", "\n": "\\n"}
_UNESCAPES = {":": ";", "s": " ", "r": "\r", "n": "\n"}
_FORBIDDEN = ("\0", "\r", "\n")


class BadLine(Exception):
    """What came is no line of IRC; `code` is that of IRCv3's standard replies, and the text tells people."""

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code
        self.text = text


@dataclass(frozen=True, slots=True)
class Line:
    """One line: a command with its parameters, who it is from, and tags."""

    command: str
    params: tuple[str, ...] = ()
    source: str | None = None
    tags: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def parse(cls, raw: bytes) -> Line:
        """The line in `raw`, which has no line end. Raise `BadLine`."""
        head, _, rest = raw.partition(b" ") if raw.startswith(b"@") else (b"", b"", raw)
        if len(head) + 1 > TAG_BYTES or len(rest) > LINE_BYTES - 2:
            raise BadLine(
                "INPUT_TOO_LONG", f"A line can have {LINE_BYTES} bytes at most, and is not cut by this server."
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
        """The line as it travels, without its end. Raise `ValueError` for what cannot stand in one."""
        words = [self.command, *self.params[:-1]]
        if any(not word or " " in word or word.startswith(":") for word in words):
            msg = f"only the last parameter may be empty, hold spaces or begin with a colon: {self!r}"
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
            # Not always needed, but with what people say there are programs that look for it.
            colon = len(self.params) > 1 or not last or " " in last or last.startswith(":")
            parts.append(f":{last}" if colon else last)
        line = " ".join(parts)
        if any(sign in line for sign in _FORBIDDEN):
            msg = f"a line cannot hold NUL, CR or LF: {self!r}"
            raise ValueError(msg)
        return line

    def encode(self) -> bytes:
        """The line as bytes, with its end."""
        return f"{self.format()}\r\n".encode()


class LineBuffer:
    """Cuts a stream of bytes into lines, and holds no more than one line can have."""

    def __init__(self) -> None:
        self._rest = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> Iterator[bytes | None]:
        """The lines that `data` completes, without their ends and without empty ones; `None` for one too long."""
        ends = data.split(b"\n")
        self._rest += ends[0]  # in place: a line that comes byte by byte is not copied with each
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
