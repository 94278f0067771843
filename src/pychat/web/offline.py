"""What makes a chat an app: its manifest, and the service worker that shows it without a network."""

from __future__ import annotations

import json
from typing import Literal

from pychat.net.http.response import Body
from pychat.web.assets import LATER, Assets

__all__ = ["PAGES", "Offline", "manifest", "worker"]

#: What browsers keep for when there is no network: the page and the last messages of its rooms, the page, or nothing.
Offline = Literal["messages", "page", "off"]

#: The pages that are kept, and the way from them to the mount.
PAGES = {"offline": "./", "offline/room": "../"}

_SCRIPT = "js/page/page.js"


def manifest(name: str, assets: Assets) -> Body:
    """What an installed chat is called, and looks like. Its addresses are relative to its own, in the mount."""
    icons = {"192": ("192x192", "any"), "512": ("512x512", "any"), "maskable": ("512x512", "maskable")}
    told = {
        "id": "./",
        "name": name,
        "short_name": name,
        "start_url": "./",
        "scope": "./",
        "display": "standalone",
        "background_color": "#ffffff",
        "theme_color": "#ffffff",
        "icons": [
            {"src": assets.url(f"icons/{file}.png"), "sizes": sizes, "type": "image/png", "purpose": purpose}
            for file, (sizes, purpose) in icons.items()
        ],
    }
    return Body(json.dumps(told).encode(), "application/manifest+json", {"Cache-Control": "no-cache"})


def worker(assets: Assets, pages: str) -> Body:
    """The service worker. `pages` changes when the pages without a room do."""
    scripts = dict.fromkeys([_SCRIPT, *(file for path in (_SCRIPT, *LATER) for file in assets.imports(path))])
    files = ["css/page.css", "js/page/boot.js", *scripts, "favicon.svg"]
    told = {"version": assets.hash, "files": [assets.url(file) for file in files], "pages": [*PAGES], "made": pages}
    script = f"self.pychat = {json.dumps(told)};\n{assets.text('js/worker.js')}"
    headers = {"Cache-Control": "no-cache", "Content-Security-Policy": "default-src 'none'; connect-src 'self'"}
    return Body(script.encode(), "text/javascript; charset=utf-8", headers)
