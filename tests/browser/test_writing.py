"""What people write: Markdown, code, commands, emoji, drafts, and why something cannot be sent."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable

from playwright.async_api import expect

from pychat import Chat, ChatRoom
from pychat.domain.limits import Limits
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


async def test_commands_have_hints_and_unknown_ones_are_not_sent(place: Place, visit: ClientSession) -> None:
    """A slash lists what one may do; what nobody knows stays in the box with the reason; moderators have more."""
    host = await place(Chat(ChatRoom("lobby", title="The lobby")), owner_token="the-owner-of-this-chat")
    ada = await Window(await visit(f"{host.url}/chat/"), "").join("Ada")
    box, hints = ada.part("text"), ada.page.get_by_role("option")
    await box.press_sequentially("/")
    await expect(hints).to_contain_text(["/me", "/shrug", "/nick", "/dm", "/invite", "/help"])
    await expect(ada.page.get_by_role("listbox", name="Commands")).to_be_visible()
    await box.press_sequentially("nic")
    await expect(hints).to_have_count(1)
    await box.press("Tab")
    await expect(box).to_have_value("/nick ")
    await box.press_sequentially("Ada Lovelace")
    await box.press("Enter")
    await expect(ada.part("me-name")).to_have_text("Ada Lovelace")
    await expect(box).to_have_value("")
    for text in ("/nonsense", "/kick Ben", "/me"):
        await ada.say(text)
        await expect(ada.part("say-error")).to_be_visible()
        await expect(box).to_have_value(text)
    await ada.say("/help")
    await expect(ada.page.get_by_role("dialog", name="Keyboard shortcuts")).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await ada.say("//help")
    await ada.say("//me too")
    await ada.say("/usr/bin")
    await ada.say("/shrug well")
    await ada.sees("/help", "/me too", "/usr/bin", "well ¯\\_(ツ)_/¯")

    ben = await Window(await visit(f"{host.url}/chat/"), "").join("Ben")
    owner = await Window(await visit(f"{host.url}/chat/#owner=the-owner-of-this-chat"), "").join("Olga")
    await owner.say("/topic Tea and cake")
    await expect(ben.part("topic")).to_have_text("Tea and cake")
    await owner.say("/mute @ada lovelace 10m too loud")
    await expect(ada.part("read-only")).to_contain_text("too loud")
    await owner.say("/kick Ben")
    await ben.is_state("refused")
    await ada.sees("/help", "/me too", "/usr/bin", "well ¯\\_(ツ)_/¯")


async def test_emoji_by_name_and_from_the_picker(opened: Open) -> None:
    """A colon lists emoji by name, a name between colons becomes one, and all are in a dialog that keys can use."""
    ada = await opened("Ada")
    box = ada.part("text")
    await box.press_sequentially("10:30 :) see :tad")
    await expect(ada.page.get_by_role("option").first).to_contain_text(":tada:")
    await box.fill("")
    await box.press_sequentially("see :tange")
    await expect(ada.page.get_by_role("option").first).to_contain_text(":tangerine:")
    await box.fill("")
    await box.press_sequentially("10:30 :) see :tad")
    await box.press("Enter")
    await expect(box).to_have_value("10:30 :) see 🎉 ")
    await box.press_sequentially(":+1:")
    await expect(box).to_have_value("10:30 :) see 🎉 👍️")
    await ada.part("emoji-button").click()
    picker = ada.page.get_by_role("dialog", name="Emoji")
    await expect(picker.get_by_role("textbox")).to_be_focused()
    await ada.page.keyboard.type("rocket")
    await ada.page.keyboard.press("ArrowDown")
    await expect(picker.get_by_role("button", name="rocket")).to_be_focused()
    await ada.page.keyboard.press("Enter")
    await expect(picker).to_be_hidden()
    await expect(box).to_be_focused()
    await expect(box).to_have_value("10:30 :) see 🎉 👍️🚀")
    await ada.part("emoji-button").click()
    await expect(picker.get_by_role("button", name="rocket").first).to_be_visible()
    await ada.page.keyboard.press("Escape")
    await box.press("Enter")
    await ada.sees("10:30 :) see 🎉 👍️🚀")


async def test_a_long_text_goes_as_several_messages(opened: Open, serve: Callable[[Server], Awaitable[Server]]) -> None:
    """A text that is too long says so, stays, and can be sent in parts that end where words end."""
    short = await serve(Server(ChatRoom("short", limits=Limits(text=40, rate=2, burst=2))))
    ada = await opened("Ada", url=short.url)
    box = ada.part("text")
    await box.fill("The first sentence is here. The second sentence comes behind it, and is longer.")
    await box.press("Enter")
    await expect(ada.part("say-error")).to_have_text("This is 39 characters too long. A message has 40 at most.")
    await ada.part("split").click()
    await expect(box).to_have_value("")
    await expect(ada.part("say-wait")).to_contain_text("Wait")
    await expect(ada.messages).to_have_text(
        ["The first sentence is here.", re.compile("^The second"), re.compile("longer.$")]
    )
    await expect(ada.page.locator('.message[data-state="sent"]')).to_have_count(3, timeout=20_000)
    await expect(ada.part("say-wait")).to_be_hidden()
