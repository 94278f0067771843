"""The files of the page: bundles for everybody, sources for those who work on them."""

from __future__ import annotations

import gzip
import json
import logging
import shutil
from pathlib import Path

import pytest

from pychat import UsageError
from pychat.web.assets import Assets
from pychat.web.sources import fingerprint


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Assets of a page whose script imports two others, with the bundles of these very sources."""
    files = {
        "favicon.svg": "<svg/>",
        "page.html": "<html>",
        "vendor/socket.io.min.js": "io",
        "js/page/page.js": 'import { a } from "../a.js";\nimport {\n  b,\n  c,\n} from "./b.js";\nimport("./later.js");\n',
        "js/page/b.js": "export const b = 1, c = 2;\n",
        "js/a.js": 'import "./page/b.js";\nexport * from "../vendor/socket.io.min.js";\n',
        "js/page/later.js": "",
        "css/page.css": '@import "a.css";',
        "css/a.css": "a{}",
        "dist/imports.json": json.dumps({"js/page/page.js": ["js/parts/x.js"], "js/parts/x.js": []}),
        "dist/js/page/page.js": 'import"../parts/x.js"',
        "dist/js/parts/x.js": "x",
        "dist/css/page.css": "a{}",
    }
    for name, text in files.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text)
    (tmp_path / "dist" / "SOURCES").write_text(f"{fingerprint(tmp_path)}\ntools\n")
    return tmp_path


def served(assets: Assets) -> set[str]:
    """What has an address."""
    return set(assets._bodies)


def test_bundles_stand_at_the_addresses_of_their_sources(folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """A template names `js/page/page.js`, and gets the bundle; sources and notes about bundles are not served."""
    assets = Assets(folder)
    assert {"js/page/page.js", "js/parts/x.js", "css/page.css", "favicon.svg", "vendor/socket.io.min.js"} == served(
        assets
    )
    response = assets.respond("js/page/page.js", {})
    assert response is not None
    assert b'import"../parts/x.js"' == response.body
    assert ["js/parts/x.js"] == assets.imports("js/page/page.js")
    assert [] == caplog.records


def test_dev_serves_the_sources(folder: Path) -> None:
    """Each file by itself, and what each imports at once is found in it, so that a browser can ask for all together."""
    assets = Assets(folder, dev=True)
    assert {"js/page/page.js", "js/page/b.js", "js/a.js", "js/page/later.js", "css/a.css"} <= served(assets)
    assert not any("parts" in name for name in served(assets))
    assert ["js/a.js", "js/page/b.js", "vendor/socket.io.min.js"] == sorted(assets.imports("js/page/page.js"))


@pytest.mark.parametrize(
    ("accepts", "coding"),
    [
        ("gzip, deflate, br", "br"),
        ("gzip", "gzip"),
        ("br;q=0, gzip", "gzip"),
        ("*", "br"),
        ("br;q=0, *;q=0", None),
        ("", None),
    ],
)
def test_the_smallest_form_is_served(folder: Path, accepts: str, coding: str | None) -> None:
    """Bundles were compressed with Brotli when they were made; whoever cannot read that gets gzip, or the text."""
    text = "some text to compress; " * 20
    (folder / "dist/js/page/page.js").write_text(text)
    (folder / "dist/js/page/page.js.br").write_bytes(b"small")
    response = Assets(folder).respond("js/page/page.js", {"accept-encoding": accepts})
    assert response is not None
    assert response.headers.get("Content-Encoding") == coding
    assert {"br": b"small", "gzip": gzip.compress(text.encode(), 9, mtime=0), None: text.encode()}[
        coding
    ] == response.body
    assert "js/page/page.js.br" not in served(Assets(folder))


@pytest.mark.parametrize("name", ["js/a.js", "css/a.css", "js/new.js"])
def test_nobody_gets_bundles_of_other_sources(folder: Path, name: str, caplog: pytest.LogCaptureFixture) -> None:
    """After a change in a checkout the sources are served, and the log says how to bundle them."""
    (folder / name).write_text("changed {}")
    with caplog.at_level(logging.WARNING, "pychat.page"):
        assets = Assets(folder)
    assert assets.dev
    assert name in served(assets)
    assert "python hatch_build.py" in caplog.text


def test_without_bundles_the_sources_do(folder: Path) -> None:
    """A checkout that was never built serves a page."""
    shutil.rmtree(folder / "dist")
    assert Assets(folder).dev


def test_an_address_that_is_none_is_an_error(folder: Path) -> None:
    """A template that names a source which is in a bundle fails when the application starts."""
    with pytest.raises(UsageError, match=r"js/a\.js"):
        Assets(folder).url("js/a.js")
