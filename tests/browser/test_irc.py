"""One room, two worlds: somebody at the page, and somebody in a terminal with WeeChat."""

from __future__ import annotations

from pathlib import Path

from playwright.async_api import expect

from pychat import IrcServer
from tests.browser.conftest import Open
from tests.browser.server import Server
from tests.irc.weechat import weechat


async def test_a_browser_and_weechat_see_the_same(opened: Open, server: Server, tmp_path: Path) -> None:
    """Both see who is here, and each other's messages, in one order; a new name reaches the other side."""
    ada = await opened("Ada Lovelace")
    await ada.say("Before you came")
    await ada.has_sent("Before you came")
    irc = IrcServer(server.room)
    port = await irc.start(port=0)
    come = (f"/server add chat 127.0.0.1/{port} -nicks=wanda -autojoin=#lobby", "/connect chat")
    async with weechat(tmp_path, *come) as wanda:
        await expect(ada.part("people")).to_contain_text("wanda")
        expected = [("Ada_Lovelace", "Before you came")]
        for number in range(3):
            wanda.types(f"w{number} ☕ from a términal")
            await expect(ada.message(f"w{number} ☕ from a términal")).to_be_visible()
            await ada.say(f"a{number} & <b>page</b>")
            expected += [("wanda", f"w{number} ☕ from a términal"), ("Ada_Lovelace", f"a{number} & <b>page</b>")]
            await wanda.until(lambda: wanda.said("#lobby") == expected)  # noqa: B023 -- awaited at once
        await ada.sees(*(said for _, said in expected))
        await ada.part("text").fill("two\nlines")
        await ada.part("text").press("Enter")
        await wanda.until(lambda: wanda.said("#lobby")[-2:] == [("Ada_Lovelace", "two"), ("Ada_Lovelace", "lines")])
        wanda.types("/me waves")
        await expect(ada.messages.last).to_contain_text("waves")
        wanda.types("/nick wendy")
        await expect(ada.part("people")).to_contain_text("wendy")
        await ada.rename("Countess")
        await wanda.until(lambda: ("--", "Ada_Lovelace is now known as Countess") in wanda.log("chat.#lobby"))
        await ada.page.close()
        await wanda.until(lambda: any(who == "<--" and "Countess" in said for who, said in wanda.log("chat.#lobby")))
    await irc.aclose()
