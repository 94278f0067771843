"""Where a program of the docs runs: with the files that its page shows, and on real servers in place of its own."""

from __future__ import annotations

import ast
import inspect
import sys
import types
from collections.abc import Coroutine, Iterator
from contextlib import AsyncExitStack, contextmanager
from pathlib import Path
from typing import Any
from unittest import mock

import aiohttp
from aiohttp import web

from pychat import ChatRoom, aiohttp_app
from tests.docs.pages import Block, Program, page
from tests.servers import aiohttp_server, uvicorn_server

__all__ = ["ADDRESS", "Stage"]

#: Where the docs have their servers.
ADDRESS = "localhost:3000"


class Stage:
    """Runs one program. What it would serve with `web.run_app` or `uvicorn.run` is served on a free port instead."""

    def __init__(self, program: Program, folder: Path, stack: AsyncExitStack) -> None:
        self.program = program
        self.folder = folder
        self.stack = stack
        #: What the program gave to `web.run_app` or `uvicorn.run`.
        self.app: Any = None
        #: What the program gave to `asyncio.run`.
        self.main: Coroutine[Any, Any, None] | None = None
        self._names: dict[str, Any] | None = None
        self._url: str | None = None
        for block in page(program.blocks[0].page).blocks:
            if block.file:
                write(folder, block)

    @property
    def code(self) -> str:
        """What stands in the block, whatever its language."""
        return self.program.blocks[0].code

    async def run(self, address: str = ADDRESS) -> dict[str, Any]:
        """Run the program, once; its names. `address` takes the place of the one that the docs have."""
        if self._names is None:
            module = types.ModuleType("snippet")
            code = compile(
                self.program.code.replace(ADDRESS, address),
                str(self.program),
                "exec",
                flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT,
                dont_inherit=True,
            )
            self._names = vars(module)
            with mock.patch.dict(sys.modules, snippet=module), self._instead():
                result = eval(code, self._names)  # noqa: S307 -- our own docs
                if inspect.isawaitable(result):
                    await result
        return self._names

    async def serve(self) -> str:
        """Serve the program's `app`, or `application`; its address, without a slash at the end."""
        if self._url is None:
            names = await self.run()
            app = names.get("app") or names["application"] if self.app is None else self.app
            server = aiohttp_server(app) if isinstance(app, web.Application) else uvicorn_server(app)
            self._url = await self.stack.enter_async_context(server)
        return self._url

    async def room(self, **settings: Any) -> tuple[ChatRoom, str]:
        """A room served at the root of a server, for clients; and its address: host and port."""
        room = ChatRoom("lobby", **settings)
        url = await self.stack.enter_async_context(aiohttp_server(aiohttp_app(room)))
        return room, url.removeprefix("http://")

    async def get(self, url: str) -> tuple[int, str]:
        """Status and text of a page."""
        async with aiohttp.ClientSession() as http, http.get(url) as response:
            return response.status, await response.text()

    @contextmanager
    def _instead(self) -> Iterator[None]:
        import asyncio

        import uvicorn

        real = inspect.signature(web.run_app), inspect.signature(uvicorn.run)

        def run_app(*arguments: Any, **options: Any) -> None:
            self.app = real[0].bind(*arguments, **options).args[0]

        def run_uvicorn(*arguments: Any, **options: Any) -> None:
            self.app = real[1].bind(*arguments, **options).args[0]

        def run(main: Coroutine[Any, Any, None]) -> None:
            self.main = main

        with (
            mock.patch.object(web, "run_app", run_app),
            mock.patch.object(uvicorn, "run", run_uvicorn),
            mock.patch.object(asyncio, "run", run),
        ):
            yield


def write(folder: Path, block: Block) -> None:
    """Put a file of the page where its programs look for it."""
    assert block.file
    path = folder / block.file
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(block.code, "utf-8")
