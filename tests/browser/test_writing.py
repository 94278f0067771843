"""What people write: Markdown, code, commands, emoji, drafts, and why something cannot be sent."""

from __future__ import annotations

from playwright.async_api import expect

from pychat import Chat, ChatRoom
from tests.browser.conftest import ClientSession, Open, Place
from tests.browser.server import Server
from tests.browser.window import Window

CODE = """look:
```python
def greet(name: str) -> str:
    return f"a line that is a good deal longer than what there is room for beside the list of people, {name}, so it scrolls"
```
*done*, see example.com"""


async def test_markdown_is_shown_and_code_is_coloured_and_copied(opened: Open, server: Server) -> None:
    """Marks become elements, never markup; code has colours and a button that copies it, and scrolls by keyboard."""
    ada = await opened("Ada", permissions=["clipboard-read", "clipboard-write"])
    await ada.page.evaluate("document.title = 'kept'")
    await ada.say("**bold** <b>not</b> `code` 2*3*4 [link](https://a.test) [no](javascript:alert(1))")
    text = ada.messages.first
    await expect(text.locator("strong")).to_have_text("bold")
    await expect(text).to_have_text("bold <b>not</b> code 2*3*4 link [no](javascript:alert(1))")
    await expect(text.locator("a")).to_have_attribute("href", "https://a.test/")
    await server.room.post(CODE, author="Ben")
    block = ada.page.locator(".code")
    await expect(block.locator(".code-language")).to_have_text("python")
    await expect(block.locator(".hljs-keyword").first).to_have_text("def")
    await block.get_by_role("button", name="Copy").click()
    await expect(block.get_by_role("button", name="Copied")).to_be_visible()
    assert (
        await ada.page.evaluate("navigator.clipboard.readText()")
        == CODE.split("```")[1].removeprefix("python\n").rstrip()
    )
    code = ada.page.get_by_role("region", name="Code, python")
    await code.focus()
    await ada.page.keyboard.press("ArrowRight")
    await expect(code).not_to_have_js_property("scrollLeft", 0)
    await expect(ada.page.locator(".text em")).to_have_text("done")
    await server.room.edit(2, "*changed*")
    await expect(ada.page.locator(".text em")).to_have_text("changed")


async def test_a_chat_without_markdown_shows_what_was_written(place: Place, visit: ClientSession) -> None:
    """With `markdown=False` there are links and nothing else."""
    host = await place(Chat(ChatRoom("lobby"), markdown=False))
    ada = await Window(await visit(f"{host.url}/chat/"), "").join("Ada")
    await ada.say("**bold** > https://a.test")
    await ada.sees("**bold** > https://a.test")
    await expect(ada.page.locator(".text strong")).to_have_count(0)
    await expect(ada.page.locator(".text a")).to_have_count(1)
