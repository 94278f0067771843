"""What a search asks for: words, and filters such as `from:ada after:2026-01-31`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Self

from pychat.domain.model import Message

__all__ = ["Search"]

_FILTER = re.compile(r"""(?<!\S)(from|after|before):(?:"([^"]*)"|(\S+))(?!\S)""", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Search:
    """Words and filters. All of them apply; a message that was deleted is never found."""

    #: What people typed, without the filters.
    text: str
    #: The words of `text`, without their case. The text of a message contains each of them.
    words: tuple[str, ...]
    #: A part of the author's name, without its case.
    author: str = ""
    #: Dates of messages in seconds since 1970: from `after` on, and earlier than `before`.
    after: float | None = None
    before: float | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read `from:NAME`, `from:"A NAME"`, `after:DATE` and `before:DATE` out of a text; the rest are words.

        DATE is a date or a date with a time of ISO 8601, in UTC if it has no offset. What is no date is a word.
        """
        author, dates = "", dict[str, float]()

        def take(found: re.Match[str]) -> str:
            nonlocal author
            name, value = found[1].lower(), found[2] if found[2] is not None else found[3]
            if name == "from":
                author = value.strip().casefold()
                return " "
            date = _date(value)
            if date is None:
                return found[0]
            dates[name] = date
            return " "

        rest = _FILTER.sub(take, text).strip()
        return cls(rest, tuple(dict.fromkeys(rest.casefold().split())), author, dates.get("after"), dates.get("before"))

    @property
    def filters(self) -> bool:
        """Whether it asks for more than words."""
        return bool(self.author) or self.after is not None or self.before is not None

    @property
    def empty(self) -> bool:
        """Whether it asks for nothing, and finds nothing."""
        return not (self.words or self.filters)

    def is_between(self, date: float) -> bool:
        """Whether a message of that date is wanted."""
        return (self.after is None or date >= self.after) and (self.before is None or date < self.before)

    def is_from(self, name: str) -> bool:
        """Whether a message of an author of that name is wanted."""
        return self.author in name.casefold()

    def finds(self, message: Message) -> bool:
        """Whether a message is wanted, as it stands."""
        if message.deleted or not (self.is_between(message.date) and self.is_from(message.author.name)):
            return False
        text = message.text.casefold()
        return all(word in text for word in self.words)


def _date(text: str) -> float | None:
    try:
        date = datetime.fromisoformat(text)
        return (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp()
    except (ValueError, OverflowError):
        return None
