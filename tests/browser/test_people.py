"""The list of people: keys, and a field to find somebody."""

from __future__ import annotations

from contextlib import AsyncExitStack

from playwright.async_api import expect

from pychat import Client
from tests.browser.conftest import Open
from tests.browser.server import Server


async def test_the_list_of_people_is_one_stop_of_tab(opened: Open, server: Server) -> None:
    """Arrow keys, Home and End move in it; among many people a field finds one; Escape shows all again."""
    async with AsyncExitStack() as stack:
        for number in range(21):
            await stack.enter_async_context(Client(server.url, name=f"Person {number:02}"))
        ada = await opened("Ada")
        people, find, keys = ada.page.locator(".person:enabled"), ada.part("people-filter"), ada.page.keyboard
        await expect(people).to_have_count(21)
        await expect(ada.page.locator(".person[tabindex='0']")).to_have_count(1)
        await people.first.focus()
        for key, name in (
            ("ArrowDown", "Person 01"),
            ("End", "Person 20"),
            ("ArrowUp", "Person 19"),
            ("Home", "Person 00"),
        ):
            await keys.press(key)
            await expect(ada.page.locator(".person:focus")).to_have_accessible_name(name)
        await find.fill("son 1")
        await expect(people).to_have_count(10)
        await keys.press("ArrowDown")
        await expect(ada.page.locator(".person:focus")).to_have_accessible_name("Person 10")
        await find.fill("nobody")
        await expect(ada.part("people-none")).to_have_text("Nobody of that name is here.")
        await find.press("Escape")
        await expect(people).to_have_count(21)
        await keys.press("Tab")
        await expect(ada.page.locator(".person:focus")).to_have_count(1)
        await keys.press("Tab")
        await expect(ada.page.locator(".person:focus")).to_have_count(0)
