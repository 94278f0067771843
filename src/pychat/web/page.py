"""The page: a Jinja2 template whose blocks an app can override, rendered once for each room."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

import jinja2

from pychat._version import __version__
from pychat.domain.errors import UsageError
from pychat.net.http.response import Body, Response
from pychat.room.directory import ListedRoom
from pychat.web.assets import Assets
from pychat.web.headers import page_headers

__all__ = ["Page"]

_BOOT = "js/page/boot.js"

_MAX_RENDERED = 500  # pages that are kept, so that they are not rendered and compressed again for the next visitor
_Key = tuple[str, str, str, bool, tuple[tuple[str, str], ...]]


class Page:
    """`page.html` for each room. Addresses in it are relative: it works under any prefix, and behind any proxy."""

    def __init__(
        self,
        first: ListedRoom,
        assets: Assets,
        templates: str | Path | None = None,
        frame_ancestors: Iterable[str] | str = "self",
    ) -> None:
        """`templates` is a folder whose `page.html` is used instead; it may extend `pychat/page.html`, ours.

        `frame_ancestors` says which pages may put the page into a frame.
        The page of `first` is rendered at once. Raise `UsageError` if `templates` is not a folder, or if a template in
        it is wrong.
        """
        self._assets = assets
        self._headers = page_headers(frame_ancestors)
        # Whether a page of another origin may read it is decided before: see site.py.
        self._embedded = {**self._headers, "Access-Control-Allow-Origin": "*", "Vary": "Accept-Encoding, Origin"}
        if templates is not None and not Path(templates).is_dir():
            msg = f"There is no template directory “{templates}”. Name a folder that holds a page.html."
            raise UsageError(msg)
        ours = jinja2.FileSystemLoader(assets.folder)
        loaders: list[jinja2.BaseLoader] = [ours, jinja2.PrefixLoader({"pychat": ours})]
        if templates is not None:
            loaders.insert(0, jinja2.FileSystemLoader(templates))
        self._environment = jinja2.Environment(
            loader=jinja2.ChoiceLoader(loaders),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )
        self._rendered: OrderedDict[_Key, Body] = OrderedDict()
        modules = assets.modules("js", "js/view", "js/writing", "js/page")
        self._modules = [module for module in modules if module != _BOOT]  # that one is no module
        self._body(first, (first,), "./")  # a mistake in a template shows when the app starts, not when people come

    def respond(self, room: ListedRoom, rooms: Sequence[ListedRoom], base: str, headers: Mapping[str, str]) -> Response:
        """The page of `room`, with the list of `rooms`, at an address from which `base` leads to the mount."""
        return self._body(room, rooms, base).respond(headers)

    def embedded(self, room: ListedRoom, headers: Mapping[str, str]) -> Response:
        """The same for the element `<pychat-room>`, which embeds parts of it in the page of another site."""
        return self._body(room, (), "./", embedded=True).respond(headers)

    def _body(self, room: ListedRoom, rooms: Sequence[ListedRoom], base: str, *, embedded: bool = False) -> Body:
        key = (room.name, room.title, base, embedded, tuple((other.name, other.title) for other in rooms))
        body = self._rendered.pop(key, None)
        if body is None:
            try:
                html = self._environment.get_template("page.html").render(
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
                    home=next((other.name for other in (room, *rooms) if other.first), ""),
                    base=base,
                    asset=lambda path: base + self._assets.url(path),
                    modules=self._modules,
                    embedded=embedded,
                    version=__version__,
                )
            except jinja2.TemplateError as error:
                where = f"{getattr(error, 'name', None) or 'page.html'}:{getattr(error, 'lineno', '?')}"
                msg = f"The template {where} cannot be used: {error}"
                raise UsageError(msg) from error
            body = Body(html.encode(), "text/html; charset=utf-8", self._embedded if embedded else self._headers)
        self._rendered[key] = body
        if len(self._rendered) > _MAX_RENDERED:
            self._rendered.popitem(last=False)
        return body
