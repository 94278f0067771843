"""The page: a Jinja2 template whose blocks an app can override, rendered once for each room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import jinja2

from pychat._version import __version__
from pychat.domain.errors import UsageError
from pychat.net.http.response import Body, Response
from pychat.room.directory import ListedRoom
from pychat.web.assets import Assets
from pychat.web.brand import Brand
from pychat.web.headers import page_headers
from pychat.web.offline import Offline
from pychat.web.words import Language

__all__ = ["LANGUAGE_VARY", "Page"]

_SCRIPT = "js/page/page.js"

_NO_ROOM = ListedRoom("", "Chat", 0)
_MAX_RENDERED = 500  # pages that are kept, so that they are not rendered and compressed again for the next visitor
_Key = tuple[str, str, str, str, bool, str, tuple[tuple[str, str], ...]]
#: What the language of a page depends on, and its encoding.
LANGUAGE_VARY = "Accept-Encoding, Accept-Language, Cookie"
_WORDS = '<script type="application/json" data-pychat-words>{}</script>\n'


class Page:
    """`page.html` for each room. Addresses in it are relative: it works under any prefix, and behind any proxy."""

    def __init__(
        self,
        first: ListedRoom,
        assets: Assets,
        language: Language,
        templates: str | Path | None = None,
        frame_ancestors: Iterable[str] | str = "self",
        *,
        markdown: bool = True,
        offline: Offline = "off",
        push: bool = False,
        brand: Brand | None = None,
    ) -> None:
        """`templates` is a folder whose `page.html` is used instead; it may extend `pychat/page.html`, ours.

        `frame_ancestors` says which pages may put the page into a frame, `markdown` whether texts have Markdown,
        `offline` what browsers keep for when there is no network, `push` whether people can ask for push messages.
        The page of `first` is rendered at once, in `language`. Raise `UsageError` if `templates` is not a folder, or if
        a template in it is wrong.
        """
        self._assets = assets
        self._offline = offline
        self._push = push
        self._markdown = markdown
        self._brand = brand or Brand()
        self._headers = {**page_headers(frame_ancestors), "Vary": LANGUAGE_VARY}
        # Whether a page of another origin may read it is decided before: see site.py.
        self._embedded = {**self._headers, "Access-Control-Allow-Origin": "*", "Vary": f"{LANGUAGE_VARY}, Origin"}
        if templates is not None and not Path(templates).is_dir():
            msg = f"There is no template directory “{templates}”. Name a folder that holds a page.html."
            raise UsageError(msg)
        ours = jinja2.FileSystemLoader(assets.folder)
        loaders: list[jinja2.BaseLoader] = [ours, jinja2.PrefixLoader({"pychat": ours})]
        if templates is not None:
            loaders.insert(0, jinja2.FileSystemLoader(templates))
        #: What renders templates.
        self.environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(loaders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._rendered: OrderedDict[_Key, Body] = OrderedDict()
        self._modules = [_SCRIPT, *assets.imports(_SCRIPT)]
        # A mistake in a template shows when the app starts, not when people come.
        self._body(first, (first,), "./", language)

    def respond(
        self, room: ListedRoom, rooms: Sequence[ListedRoom], base: str, language: Language, headers: Mapping[str, str]
    ) -> Response:
        """The page of `room`, with the list of `rooms`, at an address from which `base` leads to the mount."""
        return self._body(room, rooms, base, language).respond(headers)

    def embedded(self, room: ListedRoom, language: Language, headers: Mapping[str, str]) -> Response:
        """The same for the element `<pychat-room>`, which embeds parts of it in the page of another site."""
        return self._body(room, (), "./", language, embedded=True).respond(headers)

    def without_room(self, base: str, language: Language, headers: Mapping[str, str], home: str = "") -> Response:
        """A page that tells nothing but the name of the room at the mount: the rest its script learns or knows."""
        return self._body(_NO_ROOM, (), base, language, home=home).respond(headers)

    def _body(
        self,
        room: ListedRoom,
        rooms: Sequence[ListedRoom],
        base: str,
        language: Language,
        *,
        home: str = "",
        embedded: bool = False,
    ) -> Body:
        home = next((other.name for other in (room, *rooms) if other.first), home)
        listed = tuple((other.name, other.title) for other in rooms)
        key = (room.name, room.title, home, base, embedded, language.tag, listed)
        body = self._rendered.pop(key, None)
        if body is None:
            try:
                html = self.environment.get_template("page.html").render(
                    room=room,
                    rooms=[
                        {
                            "name": other.name,
                            "title": other.title,
                            "url": base if other.first else f"{base}rooms/{other.name}",
                            "current": other.name == room.name,
                        }
                        for other in rooms
                    ],
                    home=home,
                    base=base,
                    asset=lambda path: base + self._assets.url(path),
                    accent=self._brand.accent,
                    logo=self._brand.logo_url and base + self._brand.logo_url,
                    modules=self._modules,
                    embedded=embedded,
                    offline=self._offline,
                    push=self._push,
                    markdown=self._markdown,
                    language=replace(language, script=language.embedded) if embedded else language,
                    t=language.t,
                    version=__version__,
                )
            except jinja2.TemplateError as error:
                where = f"{getattr(error, 'name', None) or 'page.html'}:{getattr(error, 'lineno', '?')}"
                msg = f"The template {where} cannot be used: {error}"
                raise UsageError(msg) from error
            if "data-pychat-words" not in html:  # a template that was written without words
                html += _WORDS.format(language.script)
            headers = {**(self._embedded if embedded else self._headers), "Content-Language": language.tag}
            body = Body(html.encode(), "text/html; charset=utf-8", headers)
        self._rendered[key] = body
        if len(self._rendered) > _MAX_RENDERED:
            self._rendered.popitem(last=False)
        return body
