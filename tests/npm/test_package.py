"""The npm package: its types, and what Vite makes of it on the pages of the docs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
from aiohttp import web
from playwright.async_api import Browser, expect

from pychat import ChatRoom, aiohttp_app
from pychat._version import __version__
from tests.browser.chromium import chromium
from tests.docs.pages import ROOT, Page
from tests.servers import aiohttp_server

TOOLS = Path(__file__).parent / "node_modules"
TSCONFIG = """{
  "compilerOptions": {
    "strict": true, "noEmit": true, "target": "es2022", "module": "esnext", "moduleResolution": "bundler",
    "jsx": "react-jsx", "lib": ["es2022", "dom", "dom.iterable"], "types": ["vite/client"]
  },
  "include": ["src"]
}"""


def test_types_know_what_the_reference_knows() -> None:
    """Each method, property and event of the reference has its type."""
    text = (ROOT / "docs/reference/client.md").read_text("utf-8")
    types = (ROOT / "scripts/npm/client.d.ts").read_text("utf-8")
    first_cells = "".join(re.findall(r"^\|([^|]*)\|", text, re.MULTILINE))
    names = {*re.findall(r"(?:room|chat)\.([a-zA-Z]+)", first_cells), *re.findall(r"`(\w+)`", first_cells)}
    names -= {"option", "event"}

    assert len(names) > 50
    assert [] == sorted(name for name in names if not re.search(rf"\b{name}\b", types))


def run(*command: str | Path, cwd: Path, **env: str) -> None:
    """Run a program that must succeed."""
    done = subprocess.run(command, cwd=cwd, env=os.environ | env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.fixture(scope="module")
def tools(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A `node_modules` with Vite, React, TypeScript, and the package as `make npm` makes it."""
    assert TOOLS.is_dir(), "run `npm ci` in tests/npm; `make slow` does"
    modules = tmp_path_factory.mktemp("npm") / "node_modules"
    shutil.copytree(TOOLS, modules, symlinks=True)
    run("node", ROOT / "scripts/npm/build.mjs", modules / "pychat-room", __version__, cwd=ROOT)
    return modules


@pytest_asyncio.fixture(params=["vite", "react"])
async def site(request: pytest.FixtureRequest, tools: Path, tmp_path: Path) -> AsyncIterator[tuple[str, ChatRoom]]:
    """The site of a page of the docs, type-checked and built; the room is at another origin."""
    (tmp_path / "node_modules").symlink_to(tools)
    pages = [Page(ROOT / "docs/how-to/vite.md"), Page(ROOT / f"docs/how-to/{request.param}.md")]
    for block in [block for page in pages for block in page.blocks if block.file]:
        assert block.file
        (tmp_path / block.file).parent.mkdir(exist_ok=True)
        (tmp_path / block.file).write_text(block.code)
    if request.param == "react":
        index = tmp_path / "index.html"
        index.write_text(index.read_text().replace("main.ts", "main.tsx"))
    (tmp_path / "tsconfig.json").write_text(TSCONFIG)
    run("node", tools / "typescript/bin/tsc", "--project", ".", cwd=tmp_path)
    room = ChatRoom("lobby", title="The lobby")
    app = web.Application()
    app.add_subapp("/chat/", aiohttp_app(room, allowed_origins="*"))
    async with aiohttp_server(app) as chat:
        run("node", tools / "vite/bin/vite.js", "build", cwd=tmp_path, VITE_CHAT=f"{chat}/chat/")
        built = web.Application()

        async def index_html(_: web.Request) -> web.Response:
            return web.Response(text=(tmp_path / "dist/index.html").read_text(), content_type="text/html")

        built.router.add_get("/", index_html)
        built.router.add_static("/assets/", tmp_path / "dist/assets")
        async with aiohttp_server(built) as url:
            yield url, room


@pytest_asyncio.fixture
async def browser() -> AsyncIterator[Browser]:
    """Chromium."""
    async with chromium() as started:
        yield started


@pytest.mark.slow
@pytest.mark.timeout(180)
async def test_the_sites_of_the_docs_are_built_and_chat(site: tuple[str, ChatRoom], browser: Browser) -> None:
    """TypeScript accepts them, Vite builds them, and in them people talk in a room of another origin, with its style and emoji."""
    url, room = site
    page = await browser.new_page()
    said: list[str] = []
    failed: list[str] = []
    page.on("console", lambda told: said.append(told.text))
    page.on("pageerror", lambda error: failed.append(str(error)))
    await page.goto(url)
    await page.get_by_role("textbox", name="Your name").fill("Ada")
    await page.get_by_role("button", name="Join").click()
    await page.get_by_role("textbox", name="Message").fill("hello from Vite")
    await page.keyboard.press("Enter")
    await page.keyboard.type(":tada")
    await expect(page.get_by_role("option").first).to_contain_text("tada")
    await room.post("hello from Python", author="bot")
    await expect(page.locator("pychat-room")).to_contain_text("hello from Vite")
    await expect(page.locator("pychat-room")).to_contain_text("hello from Python")
    sheets = await page.evaluate(
        "document.querySelector('pychat-room').shadowRoot.adoptedStyleSheets[0].cssRules.length"
    )
    assert sheets > 100
    assert "bot: hello from Python" in said
    assert failed == []
