"""A browser that Playwright does not drive: what the journey needs of it, and no more."""

from __future__ import annotations

import asyncio
import json
from abc import ABC, abstractmethod
from typing import Any

__all__ = ["KEYS", "Engine"]

#: Keys that are no characters, as WebDriver names them.
KEYS = {
    "Enter": "\ue007",
    "Escape": "\ue00c",
    "ArrowUp": "\ue013",
    "ArrowDown": "\ue015",
    "Tab": "\ue004",
    "Control": "\ue009",
}
_PATIENCE = 30.0


class Engine(ABC):
    """One window. `root` is a script that gives the document, or the shadow root, in which elements are looked for."""

    root = "document"

    @abstractmethod
    async def open(self, url: str) -> None:
        """Load a page."""

    @abstractmethod
    async def run(self, script: str) -> Any:  # whatever the page says
        """The value of an expression, as JSON has it."""

    @abstractmethod
    async def actions(self, *sources: dict[str, Any]) -> None:
        """Perform W3C actions, of which `press` and `click` are made."""

    async def until(self, script: str) -> Any:  # same
        """Wait until the expression is true, and return it."""
        deadline = asyncio.get_running_loop().time() + _PATIENCE
        while not (value := await self.run(script)):
            if asyncio.get_running_loop().time() > deadline:
                raise AssertionError(f"never: {script}")
            await asyncio.sleep(0.05)
        return value

    def find(self, selector: str) -> str:
        """The script of an element that can be seen; `name` stands for a `data-part`."""
        css = selector if any(sign in selector for sign in ".[# ") else f'[data-part="{selector}"]'
        return f"[...{self.root}.querySelectorAll({json.dumps(css)})].find((one) => one.checkVisibility())"

    async def sees(self, selector: str) -> None:
        """Wait until such an element can be seen."""
        await self.until(f"!!{self.find(selector)}")

    async def text(self, selector: str) -> str:
        """The text of an element."""
        await self.sees(selector)
        return str(await self.run(f"{self.find(selector)}.textContent"))

    async def focus(self, selector: str) -> None:
        """Move the focus there, without a mouse."""
        await self.sees(selector)
        await self.run(f"({self.find(selector)}.focus(), true)")

    async def press(self, *keys: str) -> None:
        """Press and release keys one after the other: names, or texts that are typed."""
        characters = [one for key in keys for one in ([KEYS[key]] if key in KEYS else key)]
        steps = [{"type": kind, "value": one} for one in characters for kind in ("keyDown", "keyUp")]
        await self.actions({"type": "key", "id": "keys", "actions": steps})

    async def hover(self, selector: str) -> None:
        """Move the mouse to the middle of an element."""
        await self._point(selector)

    async def click(self, selector: str) -> None:
        """Click into the middle of an element."""
        await self._point(selector, {"type": "pointerDown", "button": 0}, {"type": "pointerUp", "button": 0})

    async def _point(self, selector: str, *then: dict[str, Any]) -> None:
        await self.sees(selector)
        where = f"(({{x, y, width, height}}) => [Math.round(x + width / 2), Math.round(y + height / 2)])({self.find(selector)}.getBoundingClientRect())"
        await self.run(f"({self.find(selector)}.scrollIntoView({{block: 'nearest'}}), true)")
        x, y = await self.run(where)
        move = {"type": "pointerMove", "x": x, "y": y, "duration": 0}
        await self.actions(
            {"type": "pointer", "id": "mouse", "parameters": {"pointerType": "mouse"}, "actions": [move, *then]}
        )
