"""Draws the pages without scripts: a room, a refusal, and a list of rooms where there is no page."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import NamedTuple

import jinja2

from pychat._version import __version__
from pychat.domain.action_messages import action
from pychat.domain.errors import Refused
from pychat.domain.links import Piece, pieces
from pychat.domain.model import Message, iso
from pychat.net.http.response import Response
from pychat.room.directory import ListedRoom
from pychat.web.assets import Assets
from pychat.web.brand import Brand
from pychat.web.headers import page_headers
from pychat.web.words import Language

__all__ = ["Problem", "View"]


class Problem(Refused):
    """A refusal of the page itself: its words are those of the key `plain.WORDS`."""

    def __init__(self, code: str, words: str) -> None:
        super().__init__(code, words)
        self.words = words


class _Row(NamedTuple):
    """A message as the template draws it."""

    message: Message
    #: The heading of a new day; empty if the day is that of the message before.
    day: str
    clock: str
    date: str
    is_action: bool
    pieces: list[Piece]
    own: bool


class View:
    """Renders `html/plain.html` and `html/missing.html`."""

    def __init__(
        self,
        environment: jinja2.Environment,
        assets: Assets,
        brand: Brand,
        frame_ancestors: Iterable[str] | str = "self",
    ) -> None:
        self._environment = environment
        self._assets = assets
        self._brand = brand
        # Where there are no scripts, a style in the page sets the colour; its hash stands in the policy.
        self._style = f":root{{--chat-accent:{brand.accent}}}" if brand.accent else ""
        digest = base64.b64encode(hashlib.sha256(self._style.encode()).digest()).decode()
        headers = {
            **page_headers(frame_ancestors, forms=True),
            "Content-Type": "text/html; charset=utf-8",
            "X-Content-Type-Options": "nosniff",
            # Browsers tell the origin of a form only with this.
            "Referrer-Policy": "same-origin",
            "Cache-Control": "no-store",
            "Vary": "Accept, Accept-Language, Cookie",
        }
        if self._style:
            policy = headers["Content-Security-Policy"]
            headers["Content-Security-Policy"] = policy.replace(
                "style-src 'self'", f"style-src 'self' 'sha256-{digest}'"
            )
        #: Of each page.
        self.headers: Mapping[str, str] = headers

    def room(
        self,
        words: Language,
        *,
        messages: Sequence[Message],
        own: str,
        refused: Refused | None,
        **values: object,
    ) -> bytes:
        """The page of a room."""
        problem = refused.words if isinstance(refused, Problem) else ""
        told = "" if refused is None else refused.text
        return self._render("plain.html", words, "./", rows=_rows(messages, own), problem=problem, told=told, **values)

    def refused(
        self, words: Language, refused: Refused, status: int, headers: Mapping[str, str], base: str = "./"
    ) -> Response:
        """A page with the reason why there is no other."""
        body = self._render("missing.html", words, base, told=refused.text, rooms=(), plain=False, room=False)
        return Response(status, {**self.headers, **headers}, body)

    def missing(
        self, words: Language, rooms: Sequence[ListedRoom], base: str, *, plain: bool = False, room: bool = False
    ) -> Response:
        """The page for an address without one, with the rooms that the visitor may see.

        `plain` leads to their pages without scripts. `room` says that a room is missing.
        """
        body = self._render("missing.html", words, base, told="", rooms=rooms, plain=plain, room=room)
        return Response(404, self.headers, body)

    def _render(self, template: str, words: Language, base: str, /, **values: object) -> bytes:
        return (
            self._environment.get_template(f"pychat/html/{template}")
            .render(
                t=words.t,
                language=words,
                base=base,
                asset=lambda path: base + self._assets.url(path),
                version=__version__,
                style=self._style,
                logo=self._brand.logo_url and base + self._brand.logo_url,
                **values,
            )
            .encode()
        )


def _rows(messages: Sequence[Message], own: str) -> list[_Row]:
    rows, before = list[_Row](), ""
    for message in messages:
        when = datetime.fromtimestamp(message.date, UTC)
        day = when.date().isoformat()
        performed = action(message.text)
        rows.append(
            _Row(
                message,
                "" if day == before else day,
                f"{when:%H:%M}",
                iso(message.date),
                bool(performed),
                pieces(performed or message.text),
                message.author.id == own,
            )
        )
        before = day
    return rows
