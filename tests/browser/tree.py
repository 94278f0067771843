"""The page as a screen reader has it: the browser's own accessibility tree, and nothing else."""

from __future__ import annotations

import asyncio
import re
from typing import Any

from playwright.async_api import CDPSession, Page

__all__ = ["Tree"]

_PATIENCE = 15.0


class Tree:
    """Finds things by what they are called, and uses them as assistive technology does: with a press, not a mouse."""

    def __init__(self, page: Page, devtools: CDPSession) -> None:
        self._page = page
        self._devtools = devtools

    @classmethod
    async def of(cls, page: Page) -> Tree:
        """The tree of a page."""
        return cls(page, await page.context.new_cdp_session(page))

    async def nodes(self) -> list[dict[str, Any]]:
        """All nodes that are told."""
        await self._devtools.send("Accessibility.enable")
        told = await self._devtools.send("Accessibility.getFullAXTree")
        return [node for node in told["nodes"] if not node["ignored"]]

    async def find(self, role: str, name: str = "") -> dict[str, Any]:
        """Wait for something of that role whose name matches; the newest of several."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while True:
            nodes = await self.nodes()
            for node in reversed(nodes):
                if node["role"]["value"] == role and re.search(name, node.get("name", {}).get("value", "")):
                    return node
            if asyncio.get_running_loop().time() > deadline:
                there = [
                    f"{node['role']['value']} {node['name']['value']!r}"
                    for node in nodes
                    if node.get("name", {}).get("value")
                ]
                raise AssertionError(f"no {role} {name!r} among {there}")
            await asyncio.sleep(0.05)

    async def press(self, role: str, name: str = "") -> None:
        """Press it."""
        await self._call(await self.find(role, name), "function () { this.click(); }")

    async def focus(self, role: str, name: str = "") -> None:
        """Move the focus there."""
        await self._call(await self.find(role, name), "function () { this.focus(); }")

    async def type(self, role: str, name: str, text: str) -> None:
        """Write into a field, and press Enter."""
        await self.focus(role, name)
        await self._page.keyboard.insert_text(text)
        await self._page.keyboard.press("Enter")

    async def _call(self, node: dict[str, Any], function: str) -> None:
        found = await self._devtools.send("DOM.resolveNode", {"backendNodeId": node["backendDOMNodeId"]})
        await self._devtools.send(
            "Runtime.callFunctionOn",
            {"objectId": found["object"]["objectId"], "functionDeclaration": function, "userGesture": True},
        )
